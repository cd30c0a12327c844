"""Fits the probability that two pictures which share something show the same thing, and judges it on unseen ones.

python -m scripts.calibration.thing --data DIR --siblings FOLDER: DIR holds ukbench1000/, dvd_covers/, packages/ and
landmarks/; FOLDER is what scripts/siblings has drawn. Every query of each set is asked, and each hit that points call
the same is held against the truth. The weights are fitted to the families of the half `fit` and to all photographs; the
figures are of families, products and objects that were left out of the fit.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from bof.alignment.agreement import MEASURES
from bof.cli.command import run
from bof.cli.progress import progress_bar
from bof.engine import Engine
from bof.evaluation.benchmarks import Benchmark, BenchmarkQuery, load_benchmark
from bof.evaluation.rankers import EngineRanker
from bof.options import SearchOptions, VerifyOptions
from bof.types import F64, Bool
from scripts.calibration.fit import reliability
from scripts.common.arguments import cache_or_temporary, make_parser, write_figures
from scripts.common.data import DVD, UKBENCH, with_queries
from scripts.common.tables import figure, table

N_COMPARED = 20
"""Hits of a query whose pixels are compared."""

N_FOLDS = 8
_INVERSE_PENALTY = 0.1
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
QUANTITIES = ("log inliers", "log spread", *MEASURES)

Strings = np.ndarray[tuple[int, ...], np.dtype[np.str_]]


@dataclass(frozen=True, slots=True)
class Compared:
    """Hits whose pixels were compared, in columns of one length.

    quantities f64 (n, m), as QUANTITIES names them; matches bool: is it what the query should find; kind: the set it is
    from, or the kind of template; family: what is left out of a fit together; is_judged bool: never fitted to.
    """

    quantities: F64
    matches: Bool
    kind: Strings
    family: Strings
    is_judged: Bool

    def take(self, rows: Bool) -> Compared:
        """Some of them."""
        return Compared(
            self.quantities[rows], self.matches[rows], self.kind[rows], self.family[rows], self.is_judged[rows]
        )

    @classmethod
    def joined(cls, parts: Sequence[Compared]) -> Compared:
        """All of several sets."""
        names = ("quantities", "matches", "kind", "family", "is_judged")
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True, slots=True)
class Weights:
    """log odds = intercept + weight f64 (m,) times the quantities."""

    intercept: float
    weight: F64

    def probability(self, quantities: F64) -> F64:
        """Of each row, f64 (n,)."""
        return np.asarray(1.0 / (1.0 + np.exp(-(self.intercept + quantities @ self.weight))), np.float64)


def main(argv: list[str] | None = None) -> int:
    """Ask, fit, judge, print."""
    parser = make_parser(
        __doc__,
        "data cache json",
        siblings=(None, "the folder that scripts.siblings has drawn"),
        queries=(0, "an even subset of each set; 0: all"),
    )
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    with cache_or_temporary(arguments.cache) as cache:
        found = Compared.joined([_ask(name, benchmark, cache) for name, benchmark in _sets(arguments)])
    weights = fit(found.take(~found.is_judged))
    held_out = probabilities(found)
    rows = list(by_kind(found, held_out))
    for line in (*table(_HEAD, [row.cells for row in rows]), "", *_reliability(found, held_out), "", *_code(weights)):
        print(line)
    write_figures(arguments.json, {"kinds": rows, "intercept": weights.intercept, "weights": weights.weight.tolist()})
    return 0


def _sets(arguments: argparse.Namespace) -> Iterator[tuple[str, Benchmark]]:
    folders = {"ukbench": UKBENCH, "dvd": DVD, "packages": "packages"}
    for name, folder in folders.items():
        yield name, with_queries(load_benchmark(name, arguments.data / folder), arguments.queries)
    landmarks = arguments.data / "landmarks"
    benchmark = load_benchmark(str(landmarks / "landmarks.json"), landmarks)
    yield "landmarks", with_queries(benchmark, arguments.queries)
    yield "siblings", with_queries(load_benchmark("siblings", arguments.siblings), arguments.queries)


def _ask(name: str, benchmark: Benchmark, cache: Path) -> Compared:
    """What is measured of the first hits of each query."""
    engine = Engine.open_or_create(cache / f"index-{name}")
    with progress_bar(" images", name) as show:
        engine.add(list(benchmark.database), progress=show)
    ranker = EngineRanker(engine, SearchOptions(verify=VerifyOptions(pixels=N_COMPARED)))
    rows: list[tuple[list[float], bool, str, str, bool]] = []
    with progress_bar(" queries", name) as show:
        for n, query in enumerate(benchmark.queries, 1):
            rows.extend(_of_query(ranker, name, query))
            show(n, len(benchmark.queries))
    quantities, matches, kinds, families, judged = zip(*rows, strict=True)
    strings = np.array(kinds, np.str_), np.array(families, np.str_)
    return Compared(np.array(quantities, np.float64), np.array(matches, np.bool_), *strings, np.array(judged, np.bool_))


def _of_query(
    ranker: EngineRanker, name: str, query: BenchmarkQuery
) -> Iterator[tuple[list[float], bool, str, str, bool]]:
    answer = ranker.engine.answer(ranker.prepare(query.image, query.box), ranker.options)
    labels = query.labels
    family = labels.get("family", f"{name} {min(map(str, query.positives), default=str(query.image))}")
    kind = f"siblings: {labels['kind']}" if name == "siblings" else name
    for image, agreement in answer.agreements.items():
        path, verification = Path(ranker.engine.images[image].path), answer.verifications[image]
        if path == query.image or path in query.junk:
            continue
        first = [float(np.log(verification.n_inliers)), float(np.log(verification.spread))]
        values = [*first, *agreement.measures.tolist()]
        yield values, path in query.positives, kind, family, labels.get("half") == "judge"


def fit(pairs: Compared) -> Weights:
    """The model that explains the pairs best; right and wrong ones of each kind of set weigh the same."""
    sets = [kind.partition(":")[0] for kind in pairs.kind.tolist()]
    groups = [f"{name} {match}" for name, match in zip(sets, pairs.matches.tolist(), strict=True)]
    _, place, count = np.unique(np.array(groups), return_inverse=True, return_counts=True)
    weight = 1.0 / np.maximum(count, _FEW)[place]
    scaler = StandardScaler().fit(pairs.quantities)
    model = LogisticRegression(C=_INVERSE_PENALTY, max_iter=5000)
    model.fit(scaler.transform(pairs.quantities), pairs.matches, sample_weight=weight / weight.mean())
    slopes = model.coef_[0] / scaler.scale_
    return Weights(float(model.intercept_[0] - scaler.mean_ @ slopes), slopes)


_FEW = 30
"""A group with fewer pairs weighs less."""


def probabilities(pairs: Compared) -> F64:
    """Of each pair by a model that has seen nothing of its family."""
    families = np.unique(pairs.family)
    fold_of = dict(zip(families.tolist(), np.random.default_rng(1).permutation(len(families)) % N_FOLDS, strict=True))
    fold = np.array([fold_of[family] for family in pairs.family.tolist()])
    found = np.empty(len(pairs.matches))
    for part in range(N_FOLDS):
        mine = fold == part
        found[mine] = fit(pairs.take(~mine & ~pairs.is_judged)).probability(pairs.quantities[mine])
    return found


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of pictures: right and wrong hits that points call the same, and the shares of each called a thing."""

    kind: str
    n_right: int
    n_wrong: int
    right: Mapping[float, float]
    wrong: Mapping[float, float]

    @property
    def cells(self) -> list[str]:
        """As the table shows it."""
        shares = [f"{figure(self.right[t], 2)} / {figure(self.wrong[t], 3)}" for t in THRESHOLDS]
        return [self.kind, str(self.n_right), str(self.n_wrong), *shares]


_HEAD = ("kind", "right", "wrong", *(f"kept / wrong from {threshold:g}" for threshold in THRESHOLDS))


def by_kind(pairs: Compared, probability: F64) -> Iterator[Row]:
    """A row each kind; templates that were fitted to and those that were not by themselves."""
    names = [f"{kind}{', judged' if judged else ''}" for kind, judged in zip(pairs.kind, pairs.is_judged, strict=True)]
    halves = ["all siblings, judged" if judged else "" for judged in pairs.is_judged]
    for column in (np.array(names), np.array(halves)):
        for name in sorted(set(column.tolist()) - {""}):
            mine = column == name
            right, wrong = probability[mine & pairs.matches], probability[mine & ~pairs.matches]
            shares = [{t: _share_from(t, some) for t in THRESHOLDS} for some in (right, wrong)]
            yield Row(name, len(right), len(wrong), *shares)


def _share_from(threshold: float, probability: F64) -> float:
    return float((probability >= threshold).mean()) if len(probability) else 0.0


def _reliability(pairs: Compared, probability: F64) -> list[str]:
    bins = reliability(probability, pairs.matches)
    rows = [(f"{b.low:g} to {b.high:g}", b.n, figure(b.predicted, 3), figure(b.matching, 3)) for b in bins]
    return table(("probability", "pairs", "predicted", "matching"), rows)


def _code(weights: Weights) -> Iterator[str]:
    """The weights as bof.retrieval.evidence has them."""
    yield json.dumps({"intercept": round(weights.intercept, 4)})
    for name, weight in zip(QUANTITIES, weights.weight.tolist(), strict=True):
        yield f"    {weight:8.4f},  # {name}"


if __name__ == "__main__":
    sys.exit(main())
