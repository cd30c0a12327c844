"""What the peers of `compare_peers` share: features of one extraction, the training sample, the cost of an index."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from joblib import Parallel, delayed

from bof.evaluation.benchmarks import BenchmarkQuery
from bof.features import sift as feature_module
from bof.features.sift import crop_features, extract_features
from bof.images.decode import read_image
from bof.options import FeatureOptions, TrainOptions
from bof.types import F32, F64, U8, Box, Features, Geometry, Ranking, Verdict
from bof.vocabulary.sampling import draw_sample
from bof.vocabulary.training import Sample
from bof.vocabulary.vocabulary import default_vocabulary_path, load_vocabulary

SAMPLES_PER_WORD = 40
"""Training descriptors a word: what faiss, which trains both COLMAP's and asmk's words, asks for at least."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Cost:
    """What an index took: seconds without extraction, bytes without the vocabulary."""

    seconds: float
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Collection:
    """The pictures to rank, what will be asked, and the features of all of them, extracted once."""

    database: Sequence[Path]
    queries: Sequence[BenchmarkQuery]
    features: Mapping[Path, Features]

    def of(self, path: Path, box: Box | None) -> Features:
        """The features of a picture, or those inside a box of it."""
        return self.features[path] if box is None else crop_features(self.features[path], box)


@dataclass(frozen=True, slots=True)
class Workshop:
    """How peers are set up: size of vocabularies, photographs to train on, where to keep what took long.

    scratch: for indexes, deleted at the end of the run.
    """

    words: int
    training: Path
    cache: Path
    scratch: Path
    workers: int

    def kept(self, name: str, suffix: str) -> Path:
        """Where something stays that depends on the words, the training folder and the features."""
        about = repr((str(self.training.absolute()), engine_features())).encode()
        return self.cache / f"{name}-{self.words}-{hashlib.sha256(about).hexdigest()[:8]}{suffix}"

    def sample(self) -> U8:
        """Descriptors u8 (n, 128) drawn evenly over the training photographs; drawn once and kept."""
        kept = self.kept("sample", ".npy")
        if not kept.exists():
            np.save(kept, self.draw(SAMPLES_PER_WORD * self.words).descriptors)
        return np.asarray(np.load(kept, allow_pickle=False), np.uint8)

    def draw(self, n: int) -> Sample:
        """At most n training descriptors, with what they were drawn from."""
        options = TrainOptions(words=self.words, max_descriptors=n, workers=self.workers)
        return draw_sample([self.training], self.training.name, engine_features(), options, _silent)[0]


def engine_features() -> FeatureOptions:
    """How the engine extracts: as the vocabulary that comes with it was trained."""
    return load_vocabulary(default_vocabulary_path()).features


def _silent(done: int, total: int) -> None:
    """No progress."""


class Clock:
    """Seconds that passed inside `running`."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Add what passes inside."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - start


def ranking_of(
    database: Sequence[Path], rows: Sequence[int], scores: F64, seconds: float, verdicts: Sequence[Verdict] = ()
) -> Ranking:
    """A ranking from rows of the database, best first; without verdicts nothing counts as verified."""
    unverified: list[Verdict] = ["unverified"] * len(rows)
    return Ranking([database[row] for row in rows], scores, verdicts or unverified, {"query": seconds})


def unit_vectors(descriptors: U8) -> F32:
    """RootSIFT bytes (n, 128) as floats of length one."""
    floats = descriptors.astype(np.float32)
    floats /= np.maximum(np.linalg.norm(floats, axis=1, keepdims=True), 1.0)
    return floats


def extract_all(
    paths: Sequence[Path], options: FeatureOptions, workshop: Workshop, progress: Progress = _silent
) -> dict[Path, Features]:
    """The features of every picture, kept in the cache for as long as pictures, options and extraction are the same."""
    kept = workshop.cache / f"features-{_digest(paths, options)}.npz"
    if not kept.exists():
        _save(kept, list(_extract(paths, options, workshop.workers, progress)))
    return dict(zip(paths, _load(kept), strict=True))


def _extract(paths: Sequence[Path], options: FeatureOptions, workers: int, progress: Progress) -> Iterator[Features]:
    parallel = Parallel(n_jobs=workers, return_as="generator", pre_dispatch="4*n_jobs", batch_size=4)
    for done, features in enumerate(parallel(delayed(_extract_one)(path, options) for path in paths), 1):
        progress(done, len(paths))
        yield features


def _extract_one(path: Path, options: FeatureOptions) -> Features:
    cv2.setNumThreads(1)
    return extract_features(read_image(path, grey=True, max_side=options.max_side), options)


def _digest(paths: Sequence[Path], options: FeatureOptions) -> str:
    """Of the pictures as they are now, the options, and the code and library that extract."""
    digest = hashlib.sha256(repr((options, cv2.__version__)).encode())
    digest.update(Path(feature_module.__file__).read_bytes())
    for path in paths:
        status = path.stat()
        digest.update(repr((str(path), status.st_size, status.st_mtime_ns)).encode())
    return digest.hexdigest()[:16]


def _save(target: Path, pictures: Sequence[Features]) -> None:
    """Columns of all pictures one after another; whole or not at all."""
    geometry = [picture.geometry for picture in pictures]
    columns = {
        "indptr": np.cumsum([0, *(len(picture) for picture in pictures)]),
        "size": np.array([(g.width, g.height) for g in geometry], np.int64),
        "xy_px": np.concatenate([g.xy_px for g in geometry]),
        "scale_px": np.concatenate([g.scale_px for g in geometry]),
        "angle_deg": np.concatenate([g.angle_deg for g in geometry]),
        "descriptors": np.concatenate([picture.descriptors for picture in pictures]),
    }
    fresh = target.with_suffix(".new.npz")
    np.savez(fresh, allow_pickle=False, **columns)
    fresh.replace(target)


def _load(source: Path) -> Iterator[Features]:
    with np.load(source, allow_pickle=False) as file:
        columns = {name: file[name] for name in file.files}
    names = ("xy_px", "scale_px", "angle_deg")
    bounds = zip(columns["indptr"][:-1].tolist(), columns["indptr"][1:].tolist(), strict=True)
    for (first, last), (width, height) in zip(bounds, columns["size"].tolist(), strict=True):
        xy, scale, angle = (columns[name][first:last] for name in names)
        yield Features(Geometry(xy, scale, angle, width, height), columns["descriptors"][first:last])
