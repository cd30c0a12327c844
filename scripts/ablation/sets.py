"""The three sets of the ablation: their queries and database, features extracted once, one index a feature setting."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from bof.cli.progress import progress_bar, stage_bars
from bof.engine import Engine
from bof.errors import BenchmarkError
from bof.evaluation.benchmarks import Benchmark, BenchmarkQuery, load_benchmark
from bof.evaluation.run import evaluate_ranker
from bof.options import SearchOptions
from bof.types import Ranking
from scripts.common.data import SETS, load_set, with_queries
from scripts.common.features import Collection, engine_features, extract_all, query_of
from scripts.copies.build import build
from scripts.copies.methods import judge, n_false_accepts, recall
from scripts.peers.engine import EnginePeer, peer_of

NAMES = [*SETS, "copies"]

COPIES_PER_ATTACK = 12  # queries with a source; two more without come to each attack
Figures = Mapping[str, float | None]
"""Accuracies by name, None where a ranker gives no verdicts; ms: the mean query without extraction; ms_STAGE."""


def load(name: str, data: Path, cache: Path, n_queries: int) -> Benchmark:
    """One of NAMES, distractors in its database; n_queries: an even subset of its queries, 0: all."""
    return with_queries(load_set(name, data) if name in SETS else _copies(data, cache), n_queries)


def _copies(data: Path, cache: Path) -> Benchmark:
    """Made once; delete the folder to have them made again."""
    folder = cache / f"copies-{COPIES_PER_ATTACK}"
    truth = folder / "copies.json"
    return load_benchmark(str(truth), folder) if truth.exists() else build(data, folder, COPIES_PER_ATTACK)


def extract(name: str, benchmark: Benchmark, cache: Path, changes: Mapping[str, float]) -> EnginePeer:
    """Index a set and extract its queries' features, or take both from the cache. changes: of FeatureOptions."""
    setting = "".join(f"-{field}-{value:g}" for field, value in sorted(changes.items()))
    feature_options = dataclasses.asdict(engine_features().replaced(**changes))
    engine = Engine.open_or_create(cache / f"index-{name}{setting}", **feature_options)
    with stage_bars() as show:
        engine.add(benchmark.database, None, show)
    _refuse_unknown(engine, benchmark)
    images = [query.image for query in benchmark.queries]
    features = extract_all(images, engine.features, cache)
    engine.answer(query_of(features[images[0]]))  # what is compiled or read once is no query's time
    collection = Collection(benchmark.database, benchmark.queries, features)
    return peer_of("defaults", engine, collection, SearchOptions())


def _refuse_unknown(engine: Engine, benchmark: Benchmark) -> None:
    """An index of other pictures too would measure something else."""
    indexed = {row.path for row in engine.images if not row.deleted}
    unknown = indexed - {str(path) for path in benchmark.database}
    if unknown:
        raise BenchmarkError(
            f"{engine.folder}: expected the {len(benchmark.database)} pictures of {benchmark.name}, found "
            f"{len(unknown)} others, such as {min(unknown)}; name another --cache, or delete this index"
        )


def measure(ranker: EnginePeer, benchmark: Benchmark, name: str) -> Figures:
    """Ask every query of a set. name: of the row, for the bar."""
    with progress_bar(" queries", name) as show:
        if benchmark.name == "copies":
            rankings = []
            for query in benchmark.queries:
                rankings.append(ranker.rank(query.image))
                show(len(rankings), len(benchmark.queries))
            return {**copy_figures(benchmark.queries, rankings), **milliseconds([r.seconds for r in rankings])}
        report = evaluate_ranker(ranker, benchmark, len(ranker.engine), show)
    first = {"N-S": report.ns, "mAP": report.map}
    accuracy = (
        first if benchmark.counts_top_four else {"recall@1": report.recall_at_1, "recall@10": report.recall_at_10}
    )
    return {**accuracy, **milliseconds([query.seconds for query in report.queries])}


def copy_figures(queries: Sequence[BenchmarkQuery], rankings: Sequence[Ranking]) -> Figures:
    """recall@1, the share of copies whose source is called the same, and the pairs wrongly called the same."""
    outcomes = [judge(query, ranking) for query, ranking in zip(queries, rankings, strict=True)]
    copies = [(query, ranking) for query, ranking in zip(queries, rankings, strict=True) if query.positives]
    verified = any(verdict != "unverified" for ranking in rankings for verdict in ranking.verdicts)
    return {
        "recall@1": fmean(next((p in q.positives for p in r.paths if p not in q.junk), False) for q, r in copies),
        "accepted": recall(outcomes) if verified else None,
        "wrong": n_false_accepts(outcomes) if verified else None,
    }


def milliseconds(seconds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Means over the queries: of everything, and of each stage. A mean, because some stages serve few queries."""
    stages = dict.fromkeys(stage for spent in seconds for stage in spent)
    means = {f"ms_{stage}": 1e3 * fmean(spent.get(stage, 0.0) for spent in seconds) for stage in stages}
    return {"ms": sum(means.values()), **means}
