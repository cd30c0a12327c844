"""Speed of searching hashes and colours: bof's loops, numpy and faiss in turn, and how fast memory is read meanwhile.

    python scripts/bench_appearance.py [--hashes 1000000] [--colours 100000] [--runs 15]

Rows are made by program: a search takes as long whatever the pictures show, but for the bins in which the query has no
share; shares lie as photographs have them, in about two thirds of the blocks of 16 bins.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from functools import partial
from statistics import median

import faiss
import numpy as np

from bof.global_descriptors import color, hashes
from bof.options import METRICS
from bof.system.threads import even_shares, in_threads, n_threads
from bof.types import F32, U8, U16, U64

Call = Callable[[], object]

N_BEST = 100
"""Hashes that a search returns."""

SETTLE_SECONDS = 0.02
"""Before each timing: idle threads of faiss spin for a while."""

SHARE_OF_BLOCKS, SHARE_OF_BINS = 0.69, 0.4
"""Of UKBench's photographs: blocks of 16 bins with any share; bins with one, in such blocks."""


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hashes", type=int, default=1_000_000)
    parser.add_argument("--colours", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    faiss.omp_set_num_threads(n_threads())
    print(
        f"{n_threads()} threads, {options.runs} runs in turn: median, fastest, and its ratio to the group's first row"
    )
    report(f"{options.hashes:,} hashes of 64 bits", hash_calls(made_hashes(options.hashes)), options.runs)
    for name, (_, (width,)) in color.ARRAYS.items():
        rows = made_histograms(options.colours, width)
        report(f"{options.colours:,} rows of {name}, {width} bytes", colour_calls(rows), options.runs)


def made_hashes(n: int) -> U64:
    """Random hashes u64 (n, 1)."""
    return np.random.default_rng(0).integers(0, 1 << 63, (n, 1), dtype=np.uint64)


def made_histograms(n: int, n_bins: int) -> U8:
    """Codes u8 (n, n_bins) of random shares."""
    rng = np.random.default_rng(0)
    rows = rng.integers(1, 100, (n, n_bins), dtype=np.uint8)
    rows *= rng.random((n, n_bins), dtype=np.float32) < SHARE_OF_BINS
    blocks = rng.random((n, n_bins // 16), dtype=np.float32) < SHARE_OF_BLOCKS
    rows.reshape(n, -1, 16)[...] *= blocks[..., None]
    return rows


def hash_calls(rows: U64) -> Mapping[str, Call]:
    """Ways to compare a hash with all rows, and to find the nearest."""
    query, packed = rows[0], rows.view(np.uint8)
    index = faiss.IndexBinaryFlat(64)
    index.add(packed)
    return {
        "bof: distances": lambda: hashes.distances(query, rows),
        "bof: similarities": lambda: hashes.similarity(query, rows, "ahash"),
        f"bof: distances, the {N_BEST} nearest": lambda: nearest(hashes.distances(query, rows)),
        "numpy: distances": lambda: np.bitwise_count(rows[:, 0] ^ query),
        f"faiss IndexBinaryFlat: the {N_BEST} nearest": lambda: index.search(packed[:1], N_BEST),
        "memory read once": lambda: read(rows),
    }


def nearest(distance: U16) -> object:
    """Rows of the nearest hashes, ties to the first."""
    limit = np.partition(distance, N_BEST)[N_BEST]
    near = np.flatnonzero(distance <= limit)
    return near[np.argsort(distance[near], kind="stable")][:N_BEST]


def colour_calls(rows: U8) -> Mapping[str, Call]:
    """Each metric, and chi-square and Bhattacharyya as numpy and faiss would do it, on shares that take four bytes."""
    query = rows[0]
    calls: dict[str, Call] = {f"bof: {metric}": partial(color.similarity, query, rows, metric) for metric in METRICS}
    some = rows[: len(rows) // 10]
    shares = np.square(some, dtype=np.float32)
    calls["numpy: chi-square, a tenth of the rows"] = lambda: chi_square(shares[0], shares)
    calls["memory read once"] = lambda: read(rows)
    flat = faiss.IndexFlatIP(rows.shape[1])
    flat.add(some.astype(np.float32))
    roots = query[None].astype(np.float32)
    calls["faiss IndexFlatIP: Bhattacharyya, a tenth of the rows"] = lambda: flat.search(roots, N_BEST)
    return calls


def chi_square(query: F32, rows: F32) -> F32:
    """The distance in plain numpy, f32 (n,)."""
    apart, together = rows - query, rows + query
    terms = np.divide(apart * apart, together, out=np.zeros_like(apart), where=together > 0)
    return np.asarray(terms.sum(axis=1), np.float32)


def read(rows: U8 | U64) -> object:
    """Add up all rows as numbers of eight bytes, on all threads."""
    words = rows.reshape(-1).view(np.uint64)
    return in_threads(lambda some: words[some.start : some.stop].sum(), even_shares(len(words), 1))


def report(title: str, calls: Mapping[str, Call], runs: int) -> None:
    """Time every call `runs` times, in turn, and print what the fastest took."""
    clock: dict[str, list[float]] = {name: [] for name in calls}
    busy: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(runs + 1):
        for name, call in calls.items():
            time.sleep(SETTLE_SECONDS)
            start, cpu_start = time.perf_counter(), time.process_time()
            call()
            clock[name].append(time.perf_counter() - start)
            busy[name].append(time.process_time() - cpu_start)
    print(f"\n{title}")
    first = min(next(iter(busy.values())))
    for name in calls:
        middle, best, cores = median(clock[name][1:]), min(clock[name]), min(busy[name])
        print(f"  {name:55} {middle * 1e3:9.2f} {best * 1e3:9.2f} {cores * 1e3:9.2f} ms {cores / first:7.2f}")


if __name__ == "__main__":
    main()
