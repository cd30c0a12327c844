"""Features of photographs, extracted once and kept in a cache, and queries made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from joblib import Parallel, delayed

from bof.cli.progress import progress_bar
from bof.engine import Engine, Query
from bof.evaluation.benchmarks import Benchmark, BenchmarkQuery
from bof.features import sift as feature_module
from bof.features.sift import crop_features, extract_features
from bof.geometry.transforms import corners
from bof.images.decode import read_image
from bof.native.library import library_path
from bof.options import NATIVE, FeatureOptions
from bof.retrieval.answer import Answer
from bof.types import Box, Features, Geometry
from bof.vocabulary.vocabulary import default_vocabulary_path, load_vocabulary
from scripts.common.arguments import n_cores


@dataclass(frozen=True, slots=True)
class Collection:
    """The pictures to rank, the queries, and the features of all of them."""

    database: Sequence[Path]
    queries: Sequence[BenchmarkQuery]
    features: Mapping[Path, Features]

    @classmethod
    def extract(cls, benchmark: Benchmark, cache: Path) -> Collection:
        """The collection of a benchmark, with features as the engine extracts them."""
        paths = list(dict.fromkeys([*benchmark.database, *(query.image for query in benchmark.queries)]))
        features = extract_all(paths, engine_features(), cache, f"{benchmark.name}: features")
        return cls(benchmark.database, benchmark.queries, features)

    def of(self, path: Path, box: Box | None) -> Features:
        """The features of a picture, or those inside a box of it."""
        return self.features[path] if box is None else crop_features(self.features[path], box)


def engine_features() -> FeatureOptions:
    """How the engine extracts: a new index, as the vocabulary that comes with it says."""
    return load_vocabulary(default_vocabulary_path()).new_index_features


def query_of(features: Features) -> Query:
    """Features as the engine takes them."""
    return Query(features, corners((0, 0, features.geometry.width, features.geometry.height)))


def prepare(engine: Engine, path: Path) -> Query:
    """A picture in a file as a query."""
    return engine.prepare(read_image(path, grey=True, max_side=engine.features.max_side))


def ranked(engine: Engine, answer: Answer) -> list[tuple[str, float]]:
    """Names and scores of an answer, best first."""
    rows = engine.images
    return [(rows[i].name, score) for i, score in zip(answer.images.tolist(), answer.scores.tolist(), strict=True)]


def strongest(features: Features, n: int) -> Features:
    """The first n, which are the strongest."""
    rows = np.arange(min(n, len(features)))
    return Features(features.geometry.take(rows), features.descriptors[rows])


def extract_all(
    paths: Sequence[Path], options: FeatureOptions, cache: Path, title: str = "features"
) -> dict[Path, Features]:
    """The features of every picture, kept in the cache for as long as pictures, options and extraction are the same."""
    file = cache / f"features-{_digest(paths, options)}.npz"
    if not file.exists():
        parallel = Parallel(n_jobs=n_cores(), return_as="generator", pre_dispatch="4*n_jobs", batch_size=4)
        found = []
        with progress_bar(" images", title) as show:
            for features in parallel(delayed(_extract)(path, options) for path in paths):
                found.append(features)
                show(len(found), len(paths))
        save_features(file, found)
    return dict(zip(paths, load_features(file), strict=True))


def _extract(path: Path, options: FeatureOptions) -> Features:
    cv2.setNumThreads(1)
    return extract_features(read_image(path, grey=True, max_side=options.max_side), options)


def _digest(paths: Sequence[Path], options: FeatureOptions) -> str:
    """Of the pictures as they are now, the options, and the code and library that extract."""
    digest = hashlib.sha256(repr((options, cv2.__version__)).encode())
    digest.update(Path(feature_module.__file__).read_bytes())
    if options.extractor == NATIVE:
        digest.update(library_path().read_bytes())
    for path in paths:
        status = path.stat()
        digest.update(repr((str(path), status.st_size, status.st_mtime_ns)).encode())
    return digest.hexdigest()[:16]


def save_features(target: Path, pictures: Sequence[Features]) -> None:
    """Columns of all pictures one after another, in one file that appears whole or not at all."""
    geometry = [picture.geometry for picture in pictures]
    columns = {
        "indptr": np.cumsum([0, *map(len, pictures)]),
        "size": np.array([(g.width, g.height) for g in geometry], np.int64),
        "xy_px": np.concatenate([g.xy_px for g in geometry]),
        "scale_px": np.concatenate([g.scale_px for g in geometry]),
        "angle_deg": np.concatenate([g.angle_deg for g in geometry]),
        "descriptors": np.concatenate([picture.descriptors for picture in pictures]),
    }
    save_columns(target, columns)


def save_columns(target: Path, columns: Mapping[str, np.ndarray]) -> None:
    """Arrays by name in one file, which appears whole or not at all."""
    fresh = target.with_suffix(".new.npz")
    np.savez(fresh, allow_pickle=False, **columns)
    fresh.replace(target)


def load_columns(source: Path) -> dict[str, np.ndarray]:
    """What `save_columns` wrote."""
    with np.load(source, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def load_features(source: Path) -> list[Features]:
    """What `save_features` wrote."""
    columns, found = load_columns(source), []
    bounds = zip(columns["indptr"][:-1].tolist(), columns["indptr"][1:].tolist(), strict=True)
    for (first, last), (width, height) in zip(bounds, columns["size"].tolist(), strict=True):
        xy, scale, angle = (columns[name][first:last] for name in ("xy_px", "scale_px", "angle_deg"))
        found.append(Features(Geometry(xy, scale, angle, width, height), columns["descriptors"][first:last]))
    return found
