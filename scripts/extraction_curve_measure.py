"""The measurements of `extraction_curve`: CPU time a picture, and accuracy through the engine."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from compare_peers import even_subset
from peer_bof import BofPeer, _fill
from peer_common import Collection, Cost, Workshop, extract_all
from PIL import Image

from bof.evaluation.benchmarks import Benchmark, load_benchmark
from bof.evaluation.run import MAIN, Report, evaluate_ranker
from bof.features.sift import extract_features
from bof.images.decode import decode, read_bytes
from bof.options import FeatureOptions
from bof.options import SearchOptions
from bof.types import Box, Features
from bof.vocabulary.vocabulary import default_vocabulary_path

DETAIL = "detail"

FOLDERS = {"ukbench": "ukbench1000", "dvd": "dvd_covers"}

MOST_FEATURES = 4000
"""Features come strongest first, so those of a lower limit are the first rows: one extraction serves all limits."""

Progress = Callable[[int, int], None]
Figures = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Pictures:
    """UKBench and DVD, and DVD once more with details.

    groups: pictures of about one size, which are extracted together, with their longest side.
    """

    benchmarks: Mapping[str, Benchmark]
    groups: Mapping[tuple[Path, ...], int]

    @property
    def database(self) -> Sequence[Path]:
        """Of both: each is asked among its own pictures and the other's."""
        return list(dict.fromkeys(path for benchmark in self.benchmarks.values() for path in benchmark.database))

    def effective(self, options: FeatureOptions) -> tuple[FeatureOptions, ...]:
        """What the options come to in each group: settings of which this is equal give the same features."""
        return tuple(clipped(options, longest) for longest in self.groups.values())


def clipped(options: FeatureOptions, longest: int) -> FeatureOptions:
    """Options for pictures whose long side is at most `longest`: nothing is ever enlarged."""
    return options.replaced(max_side=min(options.max_side, longest))


def load(data: Path, n_ukbench: int, n_dvd: int) -> Pictures:
    """UKBench and DVD covers with even subsets of their queries; 0: all."""
    benchmarks = {}
    for (name, folder), n in zip(FOLDERS.items(), (n_ukbench, n_dvd), strict=True):
        benchmark = load_benchmark(name, data / folder)
        benchmarks[name] = dataclasses.replace(benchmark, queries=even_subset(benchmark.queries, n))
    benchmarks[DETAIL] = detail_of(benchmarks["dvd"])
    photographs = [query.image for query in benchmarks["dvd"].queries]
    groups = [*(tuple(benchmarks[name].database) for name in FOLDERS), tuple(photographs)]
    return Pictures(benchmarks, {group: max(map(_long_side, group)) for group in groups})


def detail_of(benchmark: Benchmark) -> Benchmark:
    """The same, asked with the middle ninth of each photograph: whole covers are nearly all found by any setting."""
    queries = [dataclasses.replace(query, box=_middle(query.image)) for query in benchmark.queries]
    return dataclasses.replace(benchmark, name=f"{benchmark.name} details", queries=queries)


def _middle(path: Path) -> Box:
    with Image.open(path) as image:
        width, height = image.size
    return (width / 3, height / 3, width * 2 / 3, height * 2 / 3)


def _long_side(path: Path) -> int:
    with Image.open(path) as image:
        return max(image.size)


# -- Time -------------------------------------------------------------------------------------------------------------


def choose_sample(pictures: Pictures, n: int) -> dict[str, list[Path]]:
    """About n pictures of each benchmark, spread evenly: of UKBench's own, and of the photographs that ask DVD."""
    named = {
        "ukbench": list(pictures.benchmarks["ukbench"].database),
        "dvd": [query.image for query in pictures.benchmarks["dvd"].queries],
    }
    return {name: paths[:: max(1, len(paths) // n)][:n] for name, paths in named.items()}


def measure_milliseconds(
    settings: Sequence[FeatureOptions], sample: Mapping[str, Sequence[Path]], rounds: int, progress: Progress
) -> list[dict[str, float]]:
    """For each setting the mean CPU milliseconds a picture of each set, on one thread, as `ms_SET`."""
    cv2.setNumThreads(1)
    tables: list[dict[str, float]] = [{} for _ in settings]
    for set_name, paths in sample.items():
        longest = max(map(_long_side, paths))
        distinct = list(dict.fromkeys(clipped(options, longest) for options in settings))
        least = _least_seconds([read_bytes(path) for path in paths], distinct, rounds, progress)
        for table, options in zip(tables, settings, strict=True):
            table[f"ms_{set_name}"] = 1e3 * least[clipped(options, longest)]
    return tables


def _least_seconds(
    files: Sequence[bytes], settings: Sequence[FeatureOptions], rounds: int, progress: Progress
) -> dict[FeatureOptions, float]:
    """The settings take turns on every picture, so that a change of the machine's speed meets all of them alike."""
    seconds = np.zeros((rounds, len(settings), len(files)))
    for turn in range(rounds):
        for column, file in enumerate(files):
            for row, options in enumerate(settings):
                start = time.process_time()
                extract_features(decode(file, grey=True, max_side=options.max_side), options)
                seconds[turn, row, column] = time.process_time() - start
            progress(turn * len(files) + column + 1, rounds * len(files))
    return dict(zip(settings, seconds.min(axis=0).mean(axis=1).tolist(), strict=True))


# -- Accuracy ---------------------------------------------------------------------------------------------------------


def measure_accuracy(
    options: FeatureOptions, pictures: Pictures, cache: Path, workers: int, progress: Progress
) -> dict[str, float]:
    """Index both sets' pictures, ask both sets' queries with the default options."""
    features = extract(options, pictures, cache, workers, progress)
    queries = [query for benchmark in pictures.benchmarks.values() for query in benchmark.queries]
    collection = Collection(pictures.database, queries, features)
    with TemporaryDirectory(prefix="bof-curve-") as folder:
        engine, _ = _fill(Path(folder) / "index", default_vocabulary_path(), collection)
        ranker = BofPeer("bof", collection, engine, SearchOptions(), Cost(0.0, 0), "")
        reports = {
            name: evaluate_ranker(ranker, benchmark, len(engine)) for name, benchmark in pictures.benchmarks.items()
        }
        n_bytes = engine.n_bytes() / len(engine)
    return {
        "features_ukbench": _mean_features(features, pictures.benchmarks["ukbench"].database),
        "features_dvd": _mean_features(features, [query.image for query in pictures.benchmarks["dvd"].queries]),
        "index_bytes": n_bytes,
        "ns": reports["ukbench"].ns or 0.0,
        "map_ukbench": reports["ukbench"].map or 0.0,
        "recall_at_1": reports["dvd"].recall_at_1 or 0.0,
        "map_dvd": reports["dvd"].map or 0.0,
        "map_detail": reports[DETAIL].map or 0.0,
        **{f"same_{name}": same_share(report) for name, report in reports.items()},
    }


def same_share(report: Report) -> float:
    """The share of true pairs that are called the same, over all queries; those below the first ten hits do not count.

    Unlike a rank it does not end at one: it shows how much proof the features give.
    """
    hits = [hit for query in report.queries for hit in query.hits]
    called = sum(hit.relevance == "positive" and hit.verdict == "same" for hit in hits)
    return called / sum(query.settings[MAIN].n_positives for query in report.queries)


def extract(
    options: FeatureOptions, pictures: Pictures, cache: Path, workers: int, progress: Progress
) -> dict[Path, Features]:
    """The features of every picture. Kept in the cache with more of them than most settings take."""
    workshop = Workshop(0, cache, cache, cache, workers)
    most = options.replaced(max_features=max(options.max_features, MOST_FEATURES))
    found: dict[Path, Features] = {}
    for group, longest in pictures.groups.items():
        found |= extract_all(group, clipped(most, longest), workshop, progress)
    return {path: strongest(features, options.max_features) for path, features in found.items()}


def strongest(features: Features, n: int) -> Features:
    """The first n, which are the strongest."""
    rows = np.arange(min(n, len(features)))
    return Features(features.geometry.take(rows), features.descriptors[rows])


def _mean_features(features: Mapping[Path, Features], paths: Sequence[Path]) -> float:
    return float(np.mean([len(features[path]) for path in paths]))
