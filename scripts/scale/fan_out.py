"""What an index in many parts costs a query: latencies of one part, a hundred of them by simulation, and sizes.

    python -m scripts.scale.fan_out --measure INDEX [--dask ADDRESS] [--parts 100] > FILE.json
    python -m scripts.scale.fan_out --latencies FILE.json [--parts 100]

A round of a query waits for the slowest of its parts. The latencies of requests to one part are measured on Dask's
workers; draws of them stand for parts, with and without a second request
to a replica of those that are late. The table of sizes is a model of few constants, each with where it was measured.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bof.engine import Engine
from bof.retrieval.remote.parts import Ask, RemoteParts
from bof.retrieval.remote.requests import TouchRequest
from bof.retrieval.remote.searching import SearchWorkers
from bof.retrieval.shortlist import POSTINGS_PER_FEATURE
from bof.scheduling.connection import open_cluster
from bof.store.snapshot import Snapshot
from bof.types import F64

PAUSES, PAUSE_S = 0.01, 1.0
"""An assumption: so many requests meet a pause of so long, a disk that must be read, a process that is moved."""

ROUNDS = 8
"""Of a query that finds something: votes, geometry twice, votes and geometry of seeds, votes of variants, pixels."""

BYTES_A_FEATURE, BYTES_A_PICTURE = 24, 1024
"""On disk, as docs/performance.md has them."""

FEATURES_A_PICTURE = 300
FRONT_BYTES_A_PICTURE = 130
"""What the front has of a picture in memory: its name, path, size and place."""

POSTINGS_A_SECOND = 2.0e8
"""That one core reads and sorts while it votes: docs/performance.md, 6.1 million in 14 ms by two threads."""

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
    query_ms: float
    dollars_a_million_queries: float


def size_of(pictures: int, one_s: float, a_request_s: float) -> Size:
    """By the model. one_s: of a round with one part; a_request_s: more for each part, which the scheduler hands on."""
    features = pictures * FEATURES_A_PICTURE
    disk = features * BYTES_A_FEATURE + pictures * BYTES_A_PICTURE
    workers = max(1, -(-features * BYTES_A_FEATURE // int(0.75 * MEMORY_A_WORKER)))
    words = max(1, round(POSTINGS_PER_FEATURE * N_WORDS / features))
    postings = QUERY_FEATURES * words * features / N_WORDS
    vote_s = postings / (POSTINGS_A_SECOND * CORES_A_WORKER * workers)
    overhead_s = ROUNDS * (one_s + workers * a_request_s)
    seconds = 2 * vote_s + overhead_s  # the query, and variants and seeds about once more
    dollars = seconds * 1e6 / 3600 * DOLLARS_AN_HOUR * workers
    return Size(pictures, disk, pictures * FRONT_BYTES_A_PICTURE, workers, 1e3 * seconds, dollars)


def measure(index: Path, address: str, n_parts: int, n: int = 200) -> dict[str, list[float]]:
    """Seconds on the workers of a scheduler: of requests to one part of an index by four clients side by side (`one`),
    and of rounds of as many requests at once as there are parts (`round`), which client and scheduler hand on.
    """
    with open_cluster(address, 2) as cluster, Engine.open(index) as engine:
        workers = SearchWorkers(cluster)
        collection = engine.searcher().collection
        assert isinstance(collection, Snapshot)
        parts = workers.parts_of(collection, engine.folder, engine.vocabulary_folder)
        many = RemoteParts(cluster, (parts.names * n_parts)[:n_parts], parts.opening)

        def seconds(which: RemoteParts, numbers: Sequence[int]) -> float:
            start = time.perf_counter()
            which.ask({number: Ask(TouchRequest()) for number in numbers}, time.monotonic() + 60)
            return time.perf_counter() - start

        with ThreadPoolExecutor(4) as clients:
            one = list(clients.map(lambda _: seconds(parts, [0]), range(n)))
        return {"one": one, "round": [seconds(many, range(n_parts)) for _ in range(max(1, n // 10))]}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", type=int, default=100, help="parts of the simulated index")
    chosen = parser.add_mutually_exclusive_group(required=True)
    chosen.add_argument("--latencies", type=Path, help="measured seconds of requests, as --measure prints them")
    chosen.add_argument("--measure", type=Path, metavar="INDEX", help="measure them here, and print them")
    parser.add_argument("--dask", default="local", help="whose workers are measured")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Print what was measured, simulated, and follows from the model."""
    arguments = _parser().parse_args(argv)
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments.dask, arguments.parts)))
        return
    measured = json.loads(arguments.latencies.read_text())
    latencies, rounds = (np.array(measured[name], np.float64) for name in ("one", "round"))
    middle, late = np.percentile(latencies, [50, 95])
    print(f"one part: median {1e3 * middle:.1f} ms, 95th percentile {1e3 * late:.1f} ms, n = {len(latencies)}")
    print(f"a round of {arguments.parts} requests at once: median {1e3 * float(np.median(rounds)):.0f} ms")
    print("| latencies | parts | second request to a replica | p50 ms | p99 ms | requests a part and round |")
    print("| --- | --- | --- | --- | --- | --- |")
    n_pauses = round(len(latencies) * PAUSES / (1 - PAUSES))
    paused = np.concatenate([latencies, np.full(n_pauses, PAUSE_S)])
    for what, drawn in (("as measured", latencies), (f"with {100 * PAUSES:g}% pauses of {PAUSE_S:g} s", paused)):
        for n_parts in (1, 4, arguments.parts):
            for name, hedge in (("no", None), ("after four medians", 4 * float(middle))):
                one = simulate(drawn, n_parts, hedge)
                row = f"| {what} | {n_parts} | {name} | {one.p50_ms:,.0f} | {one.p99_ms:,.0f} | {one.requests:.3f} |"
                print(row)
    a_request_s = float(np.median(rounds)) / arguments.parts
    print("\n| pictures | on disk | memory of the front | workers | ms a query | $ a million queries |")
    print("| --- | --- | --- | --- | --- | --- |")
    for pictures in (10_000_000, 100_000_000, 1_000_000_000):
        size = size_of(pictures, float(middle), a_request_s)
        print(
            f"| {pictures:,} | {size.disk_bytes / 2**40:.2f} TB | {size.front_bytes / 2**30:.0f} GB | {size.workers} | "
            f"{size.query_ms:,.0f} | {size.dollars_a_million_queries:,.0f} |"
        )


if __name__ == "__main__":
    main()
