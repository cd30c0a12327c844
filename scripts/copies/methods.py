"""bof and perceptual hashes, asked with every copy, and what they find when nothing that they accept may be wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bof.cli.progress import progress_bar
from bof.engine import Engine
from bof.evaluation.benchmarks.types import Benchmark, BenchmarkQuery
from bof.evaluation.rankers import EngineRanker
from bof.options import SearchOptions
from bof.types import Ranking
from scripts.common.features import Collection
from scripts.common.tables import figure, table
from scripts.common.timing import Clock
from scripts.peers.hashes import DISTANCE, KINDS, N_BITS, family
from scripts.peers.peer import Cost

FAMILIES = ("bof", *KINDS)

NEVER = float("-inf")  # the score of a reference that a method would not return at any threshold


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer held against the truth.

    right and wrong: the best score of a source and of a reference that is neither source nor junk, NEVER where there
    is none; found: a source is accepted by the method's own threshold; false_accepts: what else is.
    """

    query: BenchmarkQuery
    right: float
    wrong: float
    found: bool
    false_accepts: Sequence[Path]


@dataclass(frozen=True, slots=True)
class MethodReport:
    """One method over all queries: its outcomes, what its own threshold is, and what it costs."""

    name: str
    threshold: str
    outcomes: Sequence[Outcome]
    cost: Cost
    query_ms: float


def run_family(name: str, benchmark: Benchmark, scratch: Path) -> Iterator[MethodReport]:
    """The methods of a family over all queries. Raises ImportError where its package is not installed."""
    if name == "bof":
        engine = Engine.create(scratch)
        start = time.perf_counter()
        engine.add(benchmark.database)
        cost = Cost(time.perf_counter() - start, engine.n_bytes())
        yield _run("bof", "verdict same", cost, EngineRanker(engine, SearchOptions()).rank, benchmark)
    else:
        for peer in family(name, Collection(benchmark.database, benchmark.queries, {})):
            threshold = f"at most {DISTANCE} of {N_BITS} bits differ"
            yield _run(peer.name, threshold, peer.cost, peer.rank, benchmark)


def _run(name: str, threshold: str, cost: Cost, rank: Callable[[Path], Ranking], benchmark: Benchmark) -> MethodReport:
    outcomes, clock = [], Clock()
    with progress_bar(" queries", name) as show:
        for number, query in enumerate(benchmark.queries, 1):
            with clock:
                ranking = rank(query.image)
            outcomes.append(judge(query, ranking))
            show(number, len(benchmark.queries))
    return MethodReport(name, threshold, outcomes, cost, 1e3 * clock.seconds / len(benchmark.queries))


def judge(query: BenchmarkQuery, ranking: Ranking) -> Outcome:
    """Hold a ranking against the truth: `same` is accepted, scores of `same` and `maybe` count, junk does not."""
    right = wrong = NEVER
    found, false_accepts = False, []
    for path, score, verdict in zip(ranking.paths, ranking.scores.tolist(), ranking.verdicts, strict=True):
        if path in query.positives:
            right = max(right, score if verdict in ("same", "maybe") else NEVER)
            found = found or verdict == "same"
        elif path not in query.junk:
            wrong = max(wrong, score if verdict in ("same", "maybe") else NEVER)
            false_accepts += [path] if verdict == "same" else []
    return Outcome(query, right, wrong, found, false_accepts)


def groups_of(outcomes: Sequence[Outcome]) -> list[str]:
    """The groups with sources, in the order in which they first come."""
    return list(dict.fromkeys(outcome.query.group for outcome in outcomes if outcome.query.positives))


def best_threshold(outcomes: Sequence[Outcome]) -> float:
    """The loosest threshold without a false accept: scores above it are accepted."""
    return max((outcome.wrong for outcome in outcomes), default=NEVER)


def recall(outcomes: Sequence[Outcome], group: str | None = None, above: float | None = None) -> float:
    """The share of the queries with a source whose source is found, in one group or in all (None).

    above: accept scores above this; None: the method's own threshold. Raises ValueError when no query has a source.
    """
    counted = [o for o in outcomes if o.query.positives and group in (None, o.query.group)]
    if not counted:
        raise ValueError(f"recall needs a query with a source; group {group!r} has none")
    return sum(o.found if above is None else o.right > above for o in counted) / len(counted)


def n_false_accepts(outcomes: Sequence[Outcome]) -> int:
    """Pairs of a query and a wrong reference that the method's own threshold accepts."""
    return sum(len(outcome.false_accepts) for outcome in outcomes)


def n_misled(outcomes: Sequence[Outcome]) -> int:
    """Queries that were given at least one wrong reference."""
    return sum(bool(outcome.false_accepts) for outcome in outcomes)


def lines(reports: Sequence[MethodReport]) -> Iterator[str]:
    """Recall by attack, then what each method costs; two columns for a method: its own threshold, and the best one.

    The best threshold is the loosest that accepts nothing wrong.
    """
    for number, report in enumerate(reports, 1):
        yield f"({number}) {report.name}: {report.threshold}"
    heads = [head for number in range(1, len(reports) + 1) for head in (f"({number})", "best")]
    outcomes, rows = [report.outcomes for report in reports], []
    for group in [*groups_of(outcomes[0]), None]:
        shares = [recall(each, group, above) for each in outcomes for above in (None, best_threshold(each))]
        rows.append([group or "all copies", *(figure(share, 3) for share in shares)])
    yield from ("", *table(["recall", *heads], rows))
    costs: list[list[object]] = [
        ["false accepts, pairs", *(n_false_accepts(each) for each in outcomes)],
        ["queries misled", *(n_misled(each) for each in outcomes)],
        ["best: score above", *(figure(best_threshold(each), 3) for each in outcomes)],
        ["seconds to index", *(figure(report.cost.seconds, 1) for report in reports)],
        ["ms a query", *(figure(report.query_ms, 1) for report in reports)],
        ["bytes", *(report.cost.n_bytes for report in reports)],
    ]
    yield from ("", *table(["cost", *heads[::2]], costs))


def as_json(benchmark: Benchmark, reports: Sequence[MethodReport]) -> dict[str, object]:
    """Every figure of the table, and every outcome; a score that is NEVER is null."""
    methods = []
    for report in reports:
        best, groups, plain = best_threshold(report.outcomes), groups_of(report.outcomes), asdict(report)
        for outcome in plain["outcomes"]:
            outcome |= {side: None if outcome[side] == NEVER else outcome[side] for side in ("right", "wrong")}
        plain |= {
            "best_threshold": None if best == NEVER else best,
            "recall": {group: recall(report.outcomes, group) for group in groups},
            "recall_at_best": {group: recall(report.outcomes, group, best) for group in groups},
            "false_accepts": n_false_accepts(report.outcomes),
            "queries_misled": n_misled(report.outcomes),
        }
        methods.append(plain)
    sizes = {"n_references": len(benchmark.database), "n_queries": len(benchmark.queries)}
    return {"benchmark": benchmark.name, **sizes, "methods": methods}
