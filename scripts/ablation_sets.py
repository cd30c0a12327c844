"""The three sets of the ablation: their queries and database, features extracted once, one index a feature setting."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import copy_build
from compare_peers import BENCHMARKS, even_subset
from peer_bof import BofPeer, query_of
from peer_common import Collection, Cost, Workshop, engine_features, extract_all

from bof.engine import Engine
from bof.errors import BenchmarkError
from bof.evaluation import metrics
from bof.evaluation.benchmarks import Benchmark, BenchmarkQuery, load_benchmark
from bof.evaluation.run import evaluate_ranker
from bof.images.listing import walk_images
from bof.options import IndexOptions
from bof.options import SearchOptions
from bof.types import Ranking

COPIES_PER_ATTACK = 12
"""Queries with a source; two more without come to each attack."""

Progress = Callable[[int, int], None]
Figures = Mapping[str, float | None]
"""Accuracies by name, None where a ranker gives no verdicts; ms: the mean query without extraction; ms_STAGE."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """One set with one feature setting: an index of its database, and the features of its queries."""

    benchmark: Benchmark
    engine: Engine
    collection: Collection


def load(name: str, data: Path, cache: Path, n_queries: int) -> Benchmark:
    """A set by name, distractors in its database; n_queries: an even subset of its queries, 0: all."""
    benchmark = _copies(data, cache) if name == "copies" else _photographs(name, data)
    return dataclasses.replace(benchmark, queries=even_subset(benchmark.queries, n_queries))


def _photographs(name: str, data: Path) -> Benchmark:
    folder, others = BENCHMARKS[name]
    benchmark = load_benchmark(name, data / folder)
    distractors = [path for other in others for path in walk_images(Path(os.path.abspath(data / other)))]
    return dataclasses.replace(benchmark, database=list(dict.fromkeys([*benchmark.database, *distractors])))


def _copies(data: Path, cache: Path) -> Benchmark:
    """Made once; delete the folder to have them made anew."""
    folder = cache / f"copies-{COPIES_PER_ATTACK}"
    truth = folder / "copies.json"
    return load_benchmark(str(truth), folder) if truth.exists() else copy_build.build(data, folder, COPIES_PER_ATTACK)


def extract(
    name: str, benchmark: Benchmark, cache: Path, changes: Mapping[str, float], workers: int, progress: Progress
) -> Extraction:
    """Index a set and extract its queries' features, or take both from the cache. changes: of FeatureOptions."""
    setting = "".join(f"-{field}-{value:g}" for field, value in sorted(changes.items()))
    wanted = dataclasses.asdict(engine_features().replaced(**changes))
    engine = Engine.open_or_create(cache / f"index-{name}{setting}", **wanted)
    engine.add(benchmark.database, IndexOptions(workers=workers), progress)
    _refuse_strangers(engine, benchmark)
    images = [query.image for query in benchmark.queries]
    features = extract_all(images, engine.features, Workshop(0, cache, cache, cache, workers), progress)
    engine.answer(query_of(features[images[0]]))  # what is compiled or read once is no query's time
    return Extraction(benchmark, engine, Collection(benchmark.database, benchmark.queries, features))


def _refuse_strangers(engine: Engine, benchmark: Benchmark) -> None:
    """An index of other pictures too would measure something else."""
    strangers = {row.path for row in engine.images if not row.deleted} - {
        str(path) for path in benchmark.database
    }
    if strangers:
        raise BenchmarkError(
            f"{engine.folder}: expected the {len(benchmark.database)} pictures of {benchmark.name}, found "
            f"{len(strangers)} others, such as {min(strangers)}; name another --cache, or delete this index"
        )


def measure(extraction: Extraction, options: SearchOptions, progress: Progress) -> Figures:
    """Ask every query of a set."""
    ranker = BofPeer(options.ranker, extraction.collection, extraction.engine, options, Cost(0.0, 0), "")
    benchmark = extraction.benchmark
    if benchmark.name == "copies":
        rankings = []
        for query in benchmark.queries:
            rankings.append(ranker.rank(query.image))
            progress(len(rankings), len(benchmark.queries))
        return {**copy_figures(benchmark.queries, rankings), **milliseconds([r.seconds for r in rankings])}
    report = evaluate_ranker(ranker, benchmark, len(extraction.engine), progress)
    accuracy = (
        {"N-S": report.ns, "mAP": report.map}
        if benchmark.counts_top_four
        else {"recall@1": report.recall_at_1, "recall@10": report.recall_at_10}
    )
    return {**accuracy, **milliseconds([query.seconds for query in report.queries])}


def copy_figures(queries: Sequence[BenchmarkQuery], rankings: Sequence[Ranking]) -> Figures:
    """recall@1, the share of copies whose source is called the same, and the pairs wrongly called the same."""
    asked = list(zip(queries, rankings, strict=True))
    copies = [(query, ranking) for query, ranking in asked if query.positives]
    verified = any(verdict != "unverified" for ranking in rankings for verdict in ranking.verdicts)
    return {
        "recall@1": fmean(_recall_at_1(query, ranking) for query, ranking in copies),
        "accepted": fmean(bool(_same(ranking) & query.positives) for query, ranking in copies) if verified else None,
        "wrong": sum(len(_same(r) - q.positives - q.junk) for q, r in asked) if verified else None,
    }


def _same(ranking: Ranking) -> frozenset[Path]:
    pairs = zip(ranking.paths, ranking.verdicts, strict=True)
    return frozenset(path for path, verdict in pairs if verdict == "same")


def _recall_at_1(query: BenchmarkQuery, ranking: Ranking) -> float:
    positives, junk = ({str(path) for path in paths} for paths in (query.positives, query.junk))
    return metrics.recall_at(1, [str(path) for path in ranking.paths], positives, junk)


def milliseconds(seconds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Means over the queries: of everything, and of each stage. A mean, because some stages serve few queries."""
    stages = dict.fromkeys(stage for spent in seconds for stage in spent)
    means = {f"ms_{stage}": 1e3 * fmean(spent.get(stage, 0.0) for spent in seconds) for stage in stages}
    return {"ms": sum(means.values()), **means}
