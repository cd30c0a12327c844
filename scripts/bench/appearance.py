"""Searching hashes and colours: bof's loops in turn with numpy, faiss, and reading the rows from memory once.

Rows are made by program: a search takes as long whatever the pictures show, but for the bins in which the query has no
share; shares lie as photographs have them, in about two thirds of the blocks of 16 bins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from bof.global_descriptors import color, hashes
from bof.options import METRICS
from bof.system.threads import even_shares, in_threads, n_threads
from bof.types import F32, U8, U16, U64
from scripts.bench.setup import Bench
from scripts.bench.table import Row
from scripts.common.timing import Call, in_turn, seconds_of

N_HASHES, N_COLOURS = 1_000_000, 100_000

N_BEST = 100  # hashes that a search returns
RUNS = 5  # so many for each of the other groups: a call takes milliseconds
SHARE_OF_BLOCKS, SHARE_OF_BINS = 0.69, 0.4
"""Of UKBench's photographs: blocks of 16 bins with any share; bins with one, in such blocks."""

READ = "memory read once"


def measure(bench: Bench) -> Iterator[Row]:
    """A row for each way to search beside each other way to do the same, and beside the memory."""
    import faiss

    faiss.omp_set_num_threads(n_threads())
    yield from _rows(f"{N_HASHES:,} hashes of 64 bits", hash_calls(made_hashes(N_HASHES)), bench.runs)
    for name, (_, (width,)) in color.ARRAYS.items():
        calls = colour_calls(made_histograms(N_COLOURS, width))
        yield from _rows(f"{N_COLOURS:,} rows of {name}, {width} bytes", calls, bench.runs)


def _rows(group: str, calls: Mapping[str, Mapping[str, Call]], runs: int) -> Iterator[Row]:
    """calls: by what is searched for, the ways to do it, bof's first."""
    for what, ways in calls.items():
        askers = {name: lambda question, call=call: call for name, call in ways.items()}
        spent = in_turn(askers, [0], RUNS * runs)
        ours, *others = ways
        for other in others:
            limit = other == READ
            yield Row(group, what, "ms", seconds_of(spent[ours]), other, seconds_of(spent[other]), is_limit=limit)


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


def hash_calls(rows: U64) -> dict[str, dict[str, Call]]:
    """Ways to compare a hash with all rows, and to find the nearest."""
    import faiss

    query, packed = rows[0], rows.view(np.uint8)
    index = faiss.IndexBinaryFlat(64)
    index.add(packed)
    return {
        "distances": {
            "bof": lambda: hashes.distances(query, rows),
            "numpy": lambda: np.bitwise_count(rows[:, 0] ^ query),
            READ: lambda: read(rows),
        },
        f"the {N_BEST} nearest": {
            "bof": lambda: nearest(hashes.distances(query, rows)),
            "faiss IndexBinaryFlat": lambda: index.search(packed[:1], N_BEST),
        },
    }


def nearest(distance: U16) -> object:
    """Rows of the nearest hashes, ties to the first."""
    limit = np.partition(distance, N_BEST)[N_BEST]
    near = np.flatnonzero(distance <= limit)
    return near[np.argsort(distance[near], kind="stable")][:N_BEST]


def colour_calls(rows: U8) -> dict[str, dict[str, Call]]:
    """Each metric, and chi-square and Bhattacharyya as numpy and faiss do it, on shares that take four bytes."""
    import faiss

    query, some = rows[0], rows[: len(rows) // 10]
    calls: dict[str, dict[str, Call]] = {
        metric: {"bof": partial(color.similarity, query, rows, metric), READ: lambda: read(rows)} for metric in METRICS
    }
    shares, flat = np.square(some, dtype=np.float32), faiss.IndexFlatIP(rows.shape[1])
    flat.add(some.astype(np.float32))
    others: dict[str, tuple[str, Call]] = {
        "chi-square": ("numpy", lambda: chi_square(shares[0], shares)),
        "bhattacharyya": ("faiss IndexFlatIP", lambda: flat.search(query[None].astype(np.float32), N_BEST)),
    }
    for metric, (name, call) in others.items():
        calls[f"{metric}, a tenth of the rows"] = {"bof": partial(color.similarity, query, some, metric), name: call}
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
