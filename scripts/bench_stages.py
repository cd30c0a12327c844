"""A query by stage, and the limits of two: reading postings against memory bandwidth, verification against RANSAC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean, median

from bench_limits import COPY_BYTES, N_THREADS, candidates, copy_bandwidth, ransac_seconds, vote_bytes
from bench_setup import Bench
from bench_table import Row
from bench_timing import DEPTHS, name_of, one_blas_thread, verifying
from peer_bof import query_of

GROUP = "stages of a query"
VOTE_ASKED = 4.0
"""At most this many times what reading the postings takes at the memory's bandwidth."""

DETAILED = 50
"""The depth whose stages have a row each."""

Spent = Sequence[Mapping[str, float]]
"""Of each query: seconds by stage."""


def measure(bench: Bench) -> Iterator[Row]:
    """Rows for whole queries, for each stage, and for verification at each depth."""
    with one_blas_thread():
        spent, ransac, bandwidth = _ask(bench)
    for depth in DEPTHS:
        whole = [sum(seconds.values()) for seconds in spent[depth]]
        yield Row(GROUP, name_of(depth), "ms", whole, parts=_means(spent[depth]))
    n_bytes = [vote_bytes(bench.peer.engine, features) for features in bench.questions]
    readings = [n / speed for speed in bandwidth for n in n_bytes]
    for stage in dict.fromkeys(stage for seconds in spent[DETAILED] for stage in seconds):
        ran = [seconds[stage] for seconds in spent[DETAILED] if stage in seconds]
        if stage == "vote":
            name = f"copy at {median(bandwidth) / 1e9:.1f} GB/s, {N_THREADS} threads"
            yield Row(GROUP, "stage vote", "ms", ran, name, readings, VOTE_ASKED, is_limit=True)
        elif stage != "verify":
            share = len(ran) / len(spent[DETAILED])
            rarely = "" if share == 1 else f", in {share:.0%} of the queries"
            yield Row(GROUP, f"stage {stage}{rarely}", "ms", ran)
    for depth, limit in ransac.items():
        ran = [seconds["verify"] for seconds in spent[depth]]
        yield Row(GROUP, f"stage verify, {depth} pictures", "ms", ran, "estimateAffinePartial2D, 1 thread", limit)


def _ask(bench: Bench) -> tuple[dict[int, list[Mapping[str, float]]], dict[int, list[float]], list[float]]:
    """By depth: what each query's stages took, and one RANSAC for each of the same candidates; the bandwidth by run."""
    engine = bench.peer.engine
    engine.answer(query_of(bench.questions[0]))  # what is compiled or read once is no query's time
    spent: dict[int, list[Mapping[str, float]]] = {depth: [] for depth in DEPTHS}
    ransac: dict[int, list[float]] = {depth: [] for depth in DEPTHS if depth}
    bandwidth = []
    for _ in range(bench.runs):
        bandwidth.append(copy_bandwidth(COPY_BYTES))
        for features in bench.questions:
            for depth in DEPTHS:
                spent[depth].append(engine.answer(query_of(features), verifying(depth)).seconds)
                if depth:
                    ransac[depth].append(ransac_seconds(candidates(engine, features, depth), features))
    return spent, ransac, bandwidth


def _means(spent: Spent) -> dict[str, float]:
    """Mean seconds by stage; a stage that did not run took none."""
    stages = dict.fromkeys(stage for seconds in spent for stage in seconds)
    return {stage: fmean(seconds.get(stage, 0.0) for seconds in spent) for stage in stages}
