"""What an index in many parts costs a query: latencies of one part, a hundred of them by simulation, and sizes.

    python -m scripts.scale.fan_out [--parts 100] [--latencies FILE.json]

A round of a query waits for the slowest of its parts. The latencies of requests to one part were measured on Dask's
workers (`--measure INDEX --dask ADDRESS` writes them); draws of them stand for parts, with and without a second request
to a replica of those that are late. The table of sizes is a model of few constants, each with where it was measured.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bof.engine import Engine
from bof.retrieval.remote.parts import Ask
from bof.retrieval.remote.requests import TouchRequest
from bof.retrieval.remote.searching import SearchWorkers
from bof.scheduling.connection import open_cluster
from bof.store.snapshot import Snapshot
from bof.types import F64

ROUNDS = 8
"""Of a query that finds something: votes, geometry twice, votes and geometry of seeds, votes of variants, pixels."""

BYTES_A_FEATURE = 24.0
"""On disk, docs/benchmarks.md; and the words of a picture again, in the order of its features."""

FEATURES_A_PICTURE = 300
NAME_BYTES = 90
"""What the catalogue, and the memory of the front, hold of a picture: its name, path, size and place."""

POSTINGS_A_SECOND = 2.0e8
"""That one core reads while it votes: `python -m scripts.bench --only stages`, the row of votes."""

POSTINGS_A_QUERY_FEATURE = 4800
"""As bof.retrieval.shortlist has it: a query feature looks into as many words as hold about so many, one at least."""

N_WORDS = 65536
QUERY_FEATURES = 1000
CORES_A_WORKER, MEMORY_A_WORKER = 16, 128 * 2**30
DOLLARS_AN_HOUR = 0.8
"""Of such a machine, an assumption."""


@dataclass(frozen=True, slots=True)
class FanOut:
    """Milliseconds of a query by simulation: the median and the 99th percentile, and requests a part and round."""

    p50_ms: float
    p99_ms: float
    requests: float


def simulate(latencies_s: F64, n_parts: int, hedge_s: float | None, n_queries: int = 4000, seed: int = 0) -> FanOut:
    """Queries of ROUNDS rounds over so many parts. hedge_s: after so long a replica is asked too, None: nobody is.

    latencies_s f64 (n,): of requests to one part, from which each part draws by itself.
    """
    generator = np.random.default_rng(seed)
    total = np.zeros(n_queries)
    n_requests = 0
    for _ in range(ROUNDS):
        first = generator.choice(latencies_s, (n_queries, n_parts))
        n_requests += first.size
        if hedge_s is not None:
            late = first > hedge_s
            second = hedge_s + generator.choice(latencies_s, int(late.sum()))
            n_requests += int(late.sum())
            first[late] = np.minimum(first[late], second)
        total += first.max(axis=1)
    p50, p99 = np.percentile(total, [50, 99]) * 1e3
    return FanOut(float(p50), float(p99), n_requests / (n_queries * n_parts * ROUNDS))


@dataclass(frozen=True, slots=True)
class Size:
    """What a collection takes: bytes on disk, memory to hold postings, workers, milliseconds and dollars a query."""

    pictures: int
    disk_bytes: float
    front_bytes: float
    workers: int
    vote_ms: float
    dollars_a_million_queries: float


def size_of(pictures: int, overhead_s: float) -> Size:
    """By the model. overhead_s: of all rounds of a query, beside the reading of postings."""
    features = pictures * FEATURES_A_PICTURE
    disk = features * (BYTES_A_FEATURE + 8) + pictures * NAME_BYTES
    workers = max(1, -(-int(features * BYTES_A_FEATURE) // int(0.75 * MEMORY_A_WORKER)))
    words = max(1.0, round(POSTINGS_A_QUERY_FEATURE * N_WORDS / features))
    postings = QUERY_FEATURES * words * features / N_WORDS
    vote_s = postings / (POSTINGS_A_SECOND * CORES_A_WORKER * workers)
    seconds = 2 * vote_s + overhead_s  # the query, and variants and seeds about once more
    dollars = seconds * 1e6 / 3600 * DOLLARS_AN_HOUR * workers
    return Size(pictures, disk, pictures * (NAME_BYTES + 40), workers, 1e3 * seconds, dollars)


def measure(index: Path, address: str, n: int = 400) -> list[float]:
    """Seconds of n requests to one part of an index on the workers of a scheduler, one after another."""
    with open_cluster(address, 2) as cluster, Engine.open(index) as engine:
        workers = SearchWorkers(cluster)
        collection = engine.searcher().collection
        assert isinstance(collection, Snapshot)
        parts = workers.parts_of(collection, engine.folder, engine.vocabulary_folder)
        found = []
        for _ in range(n):
            start = time.perf_counter()
            parts.ask({0: Ask(TouchRequest())}, time.monotonic() + 30)
            found.append(time.perf_counter() - start)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", type=int, default=100, help="parts of the simulated index")
    parser.add_argument("--latencies", type=Path, help="measured seconds of requests, as --measure prints them")
    parser.add_argument("--measure", type=Path, metavar="INDEX", help="measure them here, and print them")
    parser.add_argument("--dask", default="local", help="whose workers are measured")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Print what was measured, simulated, and follows from the model."""
    arguments = _parser().parse_args(argv)
    if arguments.measure:
        print(json.dumps([round(one, 6) for one in measure(arguments.measure, arguments.dask)]))
        return
    latencies = np.array(json.loads(arguments.latencies.read_text()), np.float64)
    middle, late = np.percentile(latencies, [50, 95])
    print(f"one part: median {1e3 * middle:.1f} ms, 95th percentile {1e3 * late:.1f} ms, n = {len(latencies)}")
    print("| parts | hedged | p50 ms | p99 ms | requests a part and round |\n| --- | --- | --- | --- | --- |")
    for n_parts in (1, 4, arguments.parts):
        for name, hedge in (("no", None), ("at the 95th percentile", float(late)), ("at 4 medians", 4 * float(middle))):
            one = simulate(latencies, n_parts, hedge)
            print(f"| {n_parts} | {name} | {one.p50_ms:.0f} | {one.p99_ms:.0f} | {one.requests:.3f} |")
    overhead = simulate(latencies, arguments.parts, float(late)).p50_ms / 1e3
    print("\n| pictures | on disk | memory of the front | workers | ms a query | $ a million queries |")
    print("| --- | --- | --- | --- | --- | --- |")
    for pictures in (10_000_000, 100_000_000, 1_000_000_000):
        size = size_of(pictures, overhead)
        print(
            f"| {pictures:,} | {size.disk_bytes / 2**40:.2f} TB | {size.front_bytes / 2**30:.0f} GB | {size.workers} | "
            f"{size.vote_ms:.0f} | {size.dollars_a_million_queries:.0f} |"
        )


if __name__ == "__main__":
    main()
