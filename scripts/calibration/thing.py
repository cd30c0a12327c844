"""Fits the probability that two pictures which share something show the same thing, and judges it on unseen ones.

python -m scripts.calibration.thing --data DIR --siblings FOLDER: DIR holds ukbench1000/, dvd_covers/ and packages/;
FOLDER is what scripts/siblings has drawn. Queries of each set are asked, and each hit that points call the same is held
against the truth. The figures are of families, brands and objects that the fit has not seen: it is made anew without
each eighth of them. --write puts the model that is fitted to all of them where bof reads it.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from bof.cli.command import run
from bof.cli.progress import progress_bar, stage_bars
from bof.engine import Engine
from bof.evaluation.benchmarks import Benchmark, BenchmarkQuery, load_benchmark
from bof.evaluation.rankers import EngineRanker
from bof.options import SearchOptions, VerifyOptions
from bof.retrieval.inspection import query_as_hit
from bof.retrieval.thing import MODEL, QUANTITIES, ThingModel, Trees, has_rivals, quantities
from bof.types import F64, I64, Agreement, Bool, Verification
from scripts.calibration.fit import reliability
from scripts.common.arguments import cache_or_temporary, make_parser, write_figures
from scripts.common.data import DVD, UKBENCH, with_queries
from scripts.common.tables import figure, table
from scripts.demo.collection import N_POSTERS, VIEWS, draw_collection, photo_name

N_COMPARED = 20
"""Hits of a query whose pixels are compared."""

N_FOLDS = 8
N_TREES, DEPTH, _LEARNING_RATE, _PENALTY, _LEAF = 500, 4, 0.04, 5.0, 15
THRESHOLDS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.9)
LANDMARKS = "landmarks"
N_QUERIES = {"ukbench": 250, "dvd": 150, LANDMARKS: 60}
"""An even subset of the large sets, which are easy."""

_FEW = 30
Weights = Mapping[tuple[str, bool], float]

_AMONG: Weights = {("ukbench", True): 4.0, ("dvd", True): 2.0, ("posters", True): 2.0, ("siblings", False): 4.0}
_LONE: Weights = {**_AMONG, ("siblings", False): 2.0}
"""Right and wrong hits of each set weigh the same together, a group with fewer less; these so many times as much: solid
things from elsewhere must be kept, and look-alikes must not. A hit that is the only one is seldom a look-alike."""

_SIGNS = {
    "exact": 1,
    "agree": 1,
    "differ": -1,
    "breaks": -1,
    "median": 1,
    "low": 1,
    "tint": -1,
    "largest difference": -1,
}
_SIGNS |= {"in region": -1, "log inliers": 1, "rival": -1, "log rival": -1}
_SIGNS |= {"ahead": 1, "alone": 1, "inliers ahead": 1, "cells ahead": 1}
"""Which way a quantity can only speak: more agreement never makes a thing less likely."""

ALL, ITSELF, SOME, ALONE = WAYS = ("all", "with itself", "some", "alone")
"""How many rivals a hit has hangs on the collection. All: those there are; with the query itself among them; some: two
to four; alone: none."""

_POSTERS_SEED = 1
"""Others than those that the demo draws."""

_SELDOM = 0.2
"""So much weighs a hit beside the query itself, but in UKBench, where every query is in the collection."""

Strings = np.ndarray[tuple[int, ...], np.dtype[np.str_]]


@dataclass(frozen=True, slots=True)
class Compared:
    """Hits whose pixels were compared, in columns of one length.

    quantities f64 (n, m), as QUANTITIES names them; matches bool: is it what the query should find; kind: the set it is
    from, or the kind of template; family: what is left out of a fit together; way: one of WAYS; weight f64: in a fit.
    """

    quantities: F64
    matches: Bool
    kind: Strings
    family: Strings
    way: Strings
    weight: F64

    def take(self, rows: Bool) -> Compared:
        """Some of them."""
        return Compared(*(getattr(self, column.name)[rows] for column in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[Compared]) -> Compared:
        """All of several sets."""
        return cls(*(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(cls)))


def main(argv: list[str] | None = None) -> int:
    """Ask, fit, judge, print."""
    parser = make_parser(
        __doc__,
        "data cache json",
        siblings=(None, "the folder that scripts.siblings has drawn"),
        queries=(0, "an even subset of each set; 0: as many as the model was fitted with"),
    )
    parser.add_argument("--write", action="store_true", help="write the fitted model where bof reads it")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    with cache_or_temporary(arguments.cache) as cache:
        answers = [each for name, set_ in _sets(arguments, cache) for each in _ask(name, set_, cache)]
    rng = np.random.default_rng(0)
    found = Compared.joined([part for each in answers for part in each.compared(rng)])
    held_out = probabilities(found)
    rows = list(by_kind(found, held_out))
    for line in (*table(_HEAD, [row.cells for row in rows]), "", *_reliability(found, held_out)):
        print(line)
    write_figures(arguments.json, {"kinds": rows})
    if arguments.write:
        fit_both(found).save(MODEL)
        print(f"wrote {MODEL}")
    return 0


def _sets(arguments: argparse.Namespace, cache: Path) -> Iterator[tuple[str, Benchmark]]:
    folders = {
        "ukbench": arguments.data / UKBENCH,
        "dvd": arguments.data / DVD,
        "packages": arguments.data / "packages",
    }
    for name, folder in {**folders, "siblings": arguments.siblings}.items():
        yield name, with_queries(load_benchmark(name, folder), arguments.queries or N_QUERIES.get(name, 0))
    landmarks = arguments.data / "landmarks"
    places = load_benchmark(str(landmarks / "landmarks.json"), landmarks)
    yield LANDMARKS, with_queries(places, arguments.queries or N_QUERIES[LANDMARKS])
    yield "posters", _posters(cache / "posters")


def _posters(folder: Path) -> Benchmark:
    """Photographs of drawn posters on walls, from three sides, with what stands before them; each is a query."""
    photos = draw_collection(folder, _POSTERS_SEED).photos
    shown = [[photos / photo_name(number, view) for view in range(len(VIEWS))] for number in range(N_POSTERS)]
    queries = [
        BenchmarkQuery(photo, frozenset(views) - {photo}, labels={"family": f"poster {number}"})
        for number, views in enumerate(shown)
        for photo in views
    ]
    return Benchmark("posters", [photo for views in shown for photo in views], queries)


@dataclass(frozen=True, slots=True)
class Asked:
    """The hits of one query, each with what geometry and pixels say and whether it is right.

    itself: the query as a hit; kind: the set it is from, or the kind of template; family: what is left out of a fit
    together.
    """

    kind: str
    family: str
    verifications: Sequence[Verification]
    agreements: Sequence[Agreement]
    matches: Bool
    itself: tuple[Verification, Agreement] | None

    def compared(self, rng: np.random.Generator) -> Iterator[Compared]:
        """Its hits in each of the WAYS."""
        every = np.arange(len(self.matches))
        yield self._rivals(every, ALL)
        if self.itself:
            yield self._rivals(every, ITSELF, self.itself)
        if len(every) > 1:
            yield self._rivals(np.sort(rng.choice(every, int(rng.integers(2, min(len(every), 4) + 1)), False)), SOME)
            yield from (self._rivals(every[row : row + 1], ALONE) for row in every)

    def _rivals(self, rows: I64, way: str, itself: tuple[Verification, Agreement] | None = None) -> Compared:
        """Some of its hits as rivals of each other."""
        more = [itself] if itself else []
        verifications = [*(self.verifications[row] for row in rows), *(found for found, _ in more)]
        agreements = [*(self.agreements[row] for row in rows), *(found for _, found in more)]
        n, weight = len(rows), _SELDOM if way == ITSELF and self.kind != "ukbench" else 1.0
        kind, family, named = (np.full(n, text) for text in (self.kind, self.family, way))
        values = quantities(verifications, agreements)[:n]
        return Compared(values, self.matches[rows], kind, family, named, np.full(n, weight))


def _ask(name: str, benchmark: Benchmark, cache: Path) -> Iterator[Asked]:
    """The first hits of each query."""
    engine = Engine.open_or_create(cache / f"index-{name}")
    with stage_bars() as show:
        engine.add(list(benchmark.database), progress=show)
    ranker = EngineRanker(engine, SearchOptions(verify=VerifyOptions(pixels=N_COMPARED)))
    with progress_bar(" queries", name) as show:
        for n, query in enumerate(benchmark.queries, 1):
            yield from _of_query(ranker, name, query)
            show(n, len(benchmark.queries))


def _of_query(ranker: EngineRanker, name: str, query: BenchmarkQuery) -> Iterator[Asked]:
    prepared = ranker.prepare(query.image, query.box)
    answer = ranker.engine.answer(prepared, ranker.options)
    paths = {image: Path(ranker.engine.images[image].path) for image in answer.agreements}
    images = [image for image, path in paths.items() if path != query.image and path not in query.junk]
    if not images:
        return
    verifications, agreements = [answer.verifications[i] for i in images], [answer.agreements[i] for i in images]
    matches = np.array([paths[image] in query.positives for image in images], np.bool_)
    labels = query.labels
    family = labels.get("family", f"{name} {query.image.name}") if name != "packages" else labels["kind"]
    kind = f"siblings: {labels['kind']}" if name == "siblings" else name
    if name == LANDMARKS and not matches.all():  # what is no positive may show a bit of the place all the same
        rows = np.flatnonzero(matches)
        verifications, agreements = [verifications[row] for row in rows], [agreements[row] for row in rows]
        matches = matches[rows]
        if not len(rows):
            return
    itself = query_as_hit(prepared, verifications)
    yield Asked(kind, family, verifications, agreements, matches, itself)


def fit(pairs: Compared, weights: Weights) -> HistGradientBoostingClassifier:
    """The trees that explain the pairs best."""
    sets = [kind.partition(":")[0] for kind in pairs.kind.tolist()]
    groups = list(zip(sets, pairs.matches.tolist(), strict=True))
    total = Counter[tuple[str, bool]]()
    for group, weight in zip(groups, pairs.weight.tolist(), strict=True):
        total[group] += weight
    of_group = np.array([weights.get(group, 1.0) / max(total[group], _FEW) for group in groups])
    weight = of_group * pairs.weight
    signs = [_SIGNS.get(name, _SIGNS.get(name.split()[0], 0)) for name in QUANTITIES]
    model = HistGradientBoostingClassifier(
        max_depth=DEPTH, max_iter=N_TREES, learning_rate=_LEARNING_RATE, l2_regularization=_PENALTY,
        min_samples_leaf=_LEAF, monotonic_cst=signs, early_stopping=False,
    )  # fmt: skip
    return model.fit(pairs.quantities, pairs.matches, sample_weight=weight / weight.mean())


def fit_both(pairs: Compared) -> ThingModel:
    """The trees of hits that have rivals, and those of hits that have none."""
    rivals = has_rivals(pairs.quantities)
    return ThingModel(trees_of(fit(pairs.take(rivals), _AMONG)), trees_of(fit(pairs.take(~rivals), _LONE)))


def probabilities(pairs: Compared) -> F64:
    """Of each pair by a model that has seen nothing of its family."""
    families = np.unique(pairs.family)
    folds = np.random.default_rng(1).permutation(len(families)) % N_FOLDS
    fold_of = dict(zip(families.tolist(), folds.tolist(), strict=True))
    fold = np.array([fold_of[family] for family in pairs.family.tolist()])
    found = np.empty(len(pairs.matches))
    for part in range(N_FOLDS):
        mine = fold == part
        if mine.any():
            found[mine] = fit_both(pairs.take(~mine)).probability(pairs.quantities[mine])
    return found


def trees_of(model: HistGradientBoostingClassifier) -> Trees:
    """The same trees as bof walks them: all of one depth, a leaf above it repeated."""
    predictors = [trees[0].nodes for trees in model._predictors]
    n = len(predictors)
    feature, leaf = np.zeros((n, 2**DEPTH - 1), np.uint8), np.zeros((n, 2**DEPTH), np.float32)
    threshold = np.full((n, 2**DEPTH - 1), np.inf)

    def put(tree: int, source: int, target: int, depth: int) -> None:
        node = predictors[tree][source]
        if depth == DEPTH:
            leaf[tree, target - (2**DEPTH - 1)] = node["value"]
            return
        below = (source, source) if node["is_leaf"] else (int(node["left"]), int(node["right"]))
        if not node["is_leaf"]:
            feature[tree, target], threshold[tree, target] = node["feature_idx"], node["num_threshold"]
        put(tree, below[0], 2 * target + 1, depth + 1)
        put(tree, below[1], 2 * target + 2, depth + 1)

    for tree in range(n):
        put(tree, 0, 0, 0)
    return Trees(float(np.ravel(model._baseline_prediction)[0]), feature, threshold, leaf)


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
    """A row each kind with all rivals that there are, one of all siblings, and one each set and way."""
    sets = np.array([kind.partition(":")[0] for kind in pairs.kind.tolist()])
    for names, way in [(pairs.kind, ALL), *((sets, way) for way in WAYS)]:
        for name in sorted(set(names.tolist())):
            mine = (names == name) & (pairs.way == way)
            right, wrong = probability[mine & pairs.matches], probability[mine & ~pairs.matches]
            shares = [{t: _share_from(t, some) for t in THRESHOLDS} for some in (right, wrong)]
            yield Row(name if names is pairs.kind else f"{name}, {way}", len(right), len(wrong), *shares)


def _share_from(threshold: float, probability: F64) -> float:
    return float((probability >= threshold).mean()) if len(probability) else 0.0


def _reliability(pairs: Compared, probability: F64) -> list[str]:
    bins = reliability(probability, pairs.matches)
    rows = [(f"{b.low:g} to {b.high:g}", b.n, figure(b.predicted, 3), figure(b.matching, 3)) for b in bins]
    return table(("probability", "pairs", "predicted", "matching"), rows)


if __name__ == "__main__":
    sys.exit(main())
