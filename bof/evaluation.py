"""Run any ranker over any benchmark and report how well and how fast it did."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from bof import metrics
from bof.benchmarks.types import Benchmark, BenchmarkQuery
from bof.types import Ranker, Ranking

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class QueryResult:
    """One query's figures; average_precision and recalls are None for a query without positives."""

    image: str
    group: str
    average_precision: float | None
    recall_at_1: float | None
    recall_at_10: float | None
    top_four: int | None
    accepted: bool
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Report:
    """What a run measured. Rates are fractions; milliseconds are medians over the queries."""

    benchmark: str
    ranker: str
    options: Mapping[str, object]
    n_database: int
    n_queries: int
    map: float | None
    recall_at_1: float | None
    recall_at_10: float | None
    recall_at_1_by_group: Mapping[str, float]
    ns: float | None
    false_accept_rate: float | None
    query_milliseconds: Mapping[str, float]
    seconds: float
    queries: Sequence[QueryResult]


def evaluate_ranker(ranker: Ranker, benchmark: Benchmark, n_database: int, progress: Progress | None = None) -> Report:
    """Rank for every query of a benchmark. n_database: pictures in the collection, distractors included."""
    start = time.perf_counter()
    results = []
    for done, query in enumerate(benchmark.queries, 1):
        results.append(_measure(ranker.rank(query.image, query.box), query, benchmark.counts_top_four))
        if progress:
            progress(done, len(benchmark.queries))
    return _report(ranker, benchmark, n_database, results, time.perf_counter() - start)


def _measure(ranking: Ranking, query: BenchmarkQuery, counts_top_four: bool) -> QueryResult:
    names = [str(path) for path in ranking.paths]
    positives, junk = {str(path) for path in query.positives}, {str(path) for path in query.junk}
    pairs = zip(names, ranking.verdicts, strict=True)
    accepted = any(verdict == "same" and name not in junk for name, verdict in pairs)
    group = positives | {str(query.image)}
    return QueryResult(
        str(query.image),
        query.group,
        metrics.average_precision(names, positives, junk) if positives else None,
        metrics.recall_at(1, names, positives, junk) if positives else None,
        metrics.recall_at(10, names, positives, junk) if positives else None,
        metrics.ukbench_score(names, group) if counts_top_four else None,
        accepted,
        ranking.seconds,
    )


def _report(
    ranker: Ranker, benchmark: Benchmark, n_database: int, results: Sequence[QueryResult], seconds: float
) -> Report:
    rejections = [r.accepted for r in results if r.average_precision is None]
    return Report(
        benchmark.name,
        ranker.name,
        ranker.description,
        n_database,
        len(results),
        _mean(r.average_precision for r in results),
        _mean(r.recall_at_1 for r in results),
        _mean(r.recall_at_10 for r in results),
        _by_group(results),
        _mean(r.top_four for r in results),
        _mean(rejections),
        _milliseconds(results),
        seconds,
        results,
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return fmean(known) if known else None


def _by_group(results: Sequence[QueryResult]) -> dict[str, float]:
    groups = sorted({r.group for r in results if r.group})
    means = {group: _mean(r.recall_at_1 for r in results if r.group == group) for group in groups}
    return {group: mean for group, mean in means.items() if mean is not None}


def _milliseconds(results: Sequence[QueryResult]) -> dict[str, float]:
    """Median by stage, and of the sum after extraction."""
    stages = list(dict.fromkeys(stage for r in results for stage in r.seconds))
    by_stage = {stage: 1e3 * median(r.seconds.get(stage, 0.0) for r in results) for stage in stages}
    after = 1e3 * median(sum(s for stage, s in r.seconds.items() if stage != "extract") for r in results)
    return {**by_stage, "after_extract": after}
