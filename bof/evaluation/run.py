"""Run any ranker over any benchmark and report how well and how fast it did."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean, median
from typing import Literal

import numpy as np

from bof.errors import BenchmarkError, ImageError, display_name
from bof.evaluation import metrics
from bof.evaluation.benchmarks.types import Benchmark, BenchmarkQuery, Judgement
from bof.evaluation.siblings import SiblingCounts, SiblingReport, count, report_siblings
from bof.types import F64, Bool, Ranker, Ranking

Progress = Callable[[int, int], None]
Relevance = Literal["positive", "junk", "negative"]

MAIN = "main"
"""The setting of a query's own positives and junk, beside those that its benchmark names."""

CUTOFFS = (1, 5, 10)
"""The k of mP@k."""

PRECISION = 0.9
"""The precision at which copy detection states its recall (Douze et al. 2021)."""

N_HITS = 10
"""How many of a ranking's first images a report keeps for each query."""


@dataclass(frozen=True, slots=True)
class RankedImage:
    """One of the first images of a ranking, and what the ground truth says of it (in the main setting)."""

    path: str
    score: float
    verdict: str
    relevance: Relevance


@dataclass(frozen=True, slots=True)
class SettingResult:
    """One query's figures in one setting.

    positive_ranks: 1-based, junk passed over, ascending, of the positives that were ranked; n_positives: of all;
    precision_at: by k, as `metrics.precision_at` defines it.
    """

    average_precision: float
    positive_ranks: Sequence[int]
    n_positives: int
    precision_at: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class QueryResult:
    """One query's figures; average_precision and recalls are None for a query without positives.

    hits: the first 10 of the ranking; settings: "main" and the benchmark's own, without those that have no positives;
    siblings: None for a query that names none.
    """

    image: str
    group: str
    average_precision: float | None
    recall_at_1: float | None
    recall_at_10: float | None
    top_four: int | None
    accepted: bool
    seconds: Mapping[str, float]
    hits: Sequence[RankedImage] = ()
    settings: Mapping[str, SettingResult] = field(default_factory=dict)
    siblings: SiblingCounts | None = None


@dataclass(frozen=True, slots=True)
class SettingReport:
    """Means over the n_queries queries that have positives in one setting; precision_at: mP@k by k."""

    n_queries: int
    map: float
    precision_at: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Report:
    """What a run measured. Rates are fractions; milliseconds are medians over the queries.

    settings: those that the benchmark names, or "main" alone; micro_ap, recall_at_precision_90: of a pooled benchmark;
    siblings: by half, and "all", where queries name siblings.
    """

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
    settings: Mapping[str, SettingReport] = field(default_factory=dict)
    micro_ap: float | None = None
    recall_at_precision_90: float | None = None
    notes: Sequence[str] = ()
    siblings: Mapping[str, SiblingReport] = field(default_factory=dict)


def evaluate_ranker(ranker: Ranker, benchmark: Benchmark, n_database: int, progress: Progress | None = None) -> Report:
    """Rank for every query of a benchmark. n_database: pictures in the collection, distractors included.

    Raises BenchmarkError where a query cannot be read, unless the benchmark allows for it: then it finds nothing, and
    the report's notes name it.
    """
    start = time.perf_counter()
    results, pool, notes = [], [], list(benchmark.notes)
    for done, query in enumerate(benchmark.queries, 1):
        try:
            ranking = ranker.rank(query.image, query.box)
        except ImageError as error:
            ranking = _nothing(benchmark, query, error)
            notes.append(f"query counted as not found: {error}")
        results.append(_measure(ranking, query, benchmark.counts_top_four))
        pool.append(_pooled(ranking, query) if benchmark.pooled else _NO_POOL)
        if progress:
            progress(done, len(benchmark.queries))
    report = _report(ranker, benchmark, n_database, results, time.perf_counter() - start)
    micro_ap, recall = _pooled_figures(benchmark, pool)
    return replace(report, micro_ap=micro_ap, recall_at_precision_90=recall, notes=notes)


def without_images(benchmark: Benchmark, paths: Iterable[Path]) -> Benchmark:
    """The same benchmark without some database pictures, which then count neither for nor against a ranker.

    A query that had nothing else to find goes too: it would otherwise become a test of rejection.
    """
    gone = frozenset(paths)
    retained = [path for path in benchmark.database if path not in gone]
    queries = [
        _query_without(query, gone) for query in benchmark.queries if not query.positives or query.positives - gone
    ]
    return replace(benchmark, database=retained, queries=queries)


def _query_without(query: BenchmarkQuery, gone: frozenset[Path]) -> BenchmarkQuery:
    settings = {name: Judgement(j.positives - gone, j.junk - gone) for name, j in query.settings.items()}
    return replace(query, positives=query.positives - gone, junk=query.junk - gone, settings=settings)


# -- One query --------------------------------------------------------------------------------------------------------


def _nothing(benchmark: Benchmark, query: BenchmarkQuery, error: ImageError) -> Ranking:
    """The ranking of a query that cannot be read."""
    if not benchmark.may_be_unreadable:
        problem = f"query {display_name(query.image)} cannot be searched: {error}"
        advice = "get the file again, or take the query out of the ground truth"
        raise BenchmarkError(problem, path=benchmark.name, advice=advice) from error
    return Ranking([], np.empty(0), [], {})


def _measure(ranking: Ranking, query: BenchmarkQuery, counts_top_four: bool) -> QueryResult:
    names = [str(path) for path in ranking.paths]
    settings = _settings(names, query)
    main = settings.get(MAIN)
    junk = query.junk - query.positives
    accepted = any(v == "same" and path not in junk for path, v in zip(ranking.paths, ranking.verdicts, strict=True))
    group = {str(path) for path in (*query.positives, query.image)}
    return QueryResult(
        str(query.image),
        query.group,
        main.average_precision if main else None,
        _recall_at(1, main),
        _recall_at(10, main),
        metrics.ukbench_score(names, group) if counts_top_four else None,
        accepted,
        ranking.seconds,
        _hits(ranking, query),
        settings,
        count(ranking, query) if query.siblings else None,
    )


def _settings(names: Sequence[str], query: BenchmarkQuery) -> dict[str, SettingResult]:
    judgements = {MAIN: Judgement(query.positives, query.junk), **query.settings}
    return {name: _judged(names, judgement) for name, judgement in judgements.items() if judgement.positives}


def _judged(names: Sequence[str], judgement: Judgement) -> SettingResult:
    n_positives = len(judgement.positives)
    ranks = metrics.positive_ranks(names, {str(p) for p in judgement.positives}, {str(p) for p in judgement.junk})
    precisions = {k: metrics.precision_at(k, ranks, n_positives) for k in CUTOFFS}
    return SettingResult(metrics.average_precision_of_ranks(ranks, n_positives), ranks, n_positives, precisions)


def _recall_at(k: int, result: SettingResult | None) -> float | None:
    """1 if a positive stands among the first k, else 0."""
    return None if result is None else float(any(rank <= k for rank in result.positive_ranks))


def _hits(ranking: Ranking, query: BenchmarkQuery) -> list[RankedImage]:
    first = zip(ranking.paths[:N_HITS], ranking.scores[:N_HITS].tolist(), ranking.verdicts[:N_HITS], strict=True)
    return [RankedImage(str(path), score, verdict, _relevance(path, query)) for path, score, verdict in first]


def _relevance(path: Path, query: BenchmarkQuery) -> Relevance:
    if path in query.positives:
        return "positive"
    return "junk" if path in query.junk else "negative"


_NO_POOL = np.empty(0), np.empty(0, np.bool_)


def _pooled(ranking: Ranking, query: BenchmarkQuery) -> tuple[F64, Bool]:
    """What one ranking adds to the pool: scores above 0 of what is not junk, and which are true."""
    relevance = np.array([_relevance(path, query) for path in ranking.paths], np.str_)
    counts = (relevance != "junk") & (ranking.scores > 0)
    return ranking.scores[counts], (relevance == "positive")[counts]


# -- All queries ------------------------------------------------------------------------------------------------------


def _report(
    ranker: Ranker, benchmark: Benchmark, n_database: int, results: Sequence[QueryResult], seconds: float
) -> Report:
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
        _mean(r.accepted for r in results if not r.settings),
        _milliseconds(results),
        seconds,
        results,
        _setting_reports(results),
        siblings=report_siblings([r.siblings for r in results if r.siblings]),
    )


def _setting_reports(results: Sequence[QueryResult]) -> dict[str, SettingReport]:
    names = list(dict.fromkeys(name for r in results for name in r.settings))
    named = [name for name in names if name != MAIN] or names
    return {name: _setting_report([r.settings[name] for r in results if name in r.settings]) for name in named}


def _setting_report(results: Sequence[SettingResult]) -> SettingReport:
    precisions = {k: fmean(r.precision_at[k] for r in results) for k in CUTOFFS}
    return SettingReport(len(results), fmean(r.average_precision for r in results), precisions)


def _pooled_figures(benchmark: Benchmark, pool: Sequence[tuple[F64, Bool]]) -> tuple[float | None, float | None]:
    """Micro-AP and recall at precision 0.9; None where nothing is pooled or nothing is to be found."""
    n_positives = sum(len(query.positives) for query in benchmark.queries)
    if not benchmark.pooled or not n_positives:
        return None, None
    scores, is_positive = (np.concatenate(column) for column in zip(*pool, strict=True))
    return (
        metrics.micro_average_precision(scores, is_positive, n_positives),
        metrics.recall_at_precision(PRECISION, scores, is_positive, n_positives),
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
