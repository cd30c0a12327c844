"""Asks the engine every query and keeps what it measured of each pair that it verified."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np
from calibration_truth import FOLDERS, Subject, matches, subject_of
from joblib import Parallel, delayed

from bof.engine import Engine
from bof.images.decode import read_image
from bof.options import VerifyOptions, VoteOptions
from bof.retrieval.shortlist import Look, Stopwatch, look
from bof.retrieval.votes import self_similarity
from bof.types import F64, I64, Bool

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs for which geometry found a transform, in columns of one length.

    query i64: row of the queries; picture i64: number in the index; n_inliers i64; spread f64, a fraction of the long
    side; strength f64: mean vote of an inlier over the mean word weight; probability f64, as the engine gives it;
    matches bool.
    """

    query: I64
    picture: I64
    n_inliers: I64
    spread: F64
    strength: F64
    probability: F64
    matches: Bool

    def __len__(self) -> int:
        return len(self.query)

    def take(self, rows: Bool | I64) -> Pairs:
        """The chosen pairs."""
        return Pairs(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Gathered:
    """pairs with a transform; how many were verified in all, matching and not; how many were left out."""

    pairs: Pairs
    n_matching: int
    n_wrong: int
    n_left_out: int


def build_index(folder: Path, data: Path, progress: Progress) -> Engine:
    """The index of all photographs; only what is new or changed is added to one that stands."""
    engine = Engine.open_or_create(folder)
    engine.add([data / name for name in FOLDERS], progress=progress)
    return engine


def gather(index: Path, data: Path, queries: Sequence[Path], workers: int, progress: Progress) -> Gathered:
    """Vote and verify with the default options for every query. index: a folder that `build_index` filled."""
    tasks = (delayed(_ask)(index, data, path, row) for row, path in enumerate(queries))
    answers = []
    for answer in Parallel(n_jobs=workers, return_as="generator")(tasks):
        answers.append(answer)
        progress(len(answers), len(queries))
    parts = [answer.pairs for answer in answers]
    return Gathered(
        Pairs(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Pairs))),
        sum(a.n_matching for a in answers),
        sum(a.n_wrong for a in answers),
        sum(a.n_left_out for a in answers),
    )


@lru_cache(maxsize=1)
def _open(index: Path, data: Path) -> tuple[Engine, list[Subject]]:
    """Once a process."""
    engine = Engine.open(index)
    return engine, [subject_of(Path(row.path), data) for row in engine.images]


def _ask(index: Path, data: Path, path: Path, row: int) -> Gathered:
    engine, subjects = _open(index, data)
    features = engine.prepare(read_image(path, grey=True, max_side=engine.features.max_side)).features
    seen = look(engine.searcher().collection, engine.vocabulary, features, VoteOptions(), VerifyOptions(), Stopwatch())
    word_weight = self_similarity(engine.searcher().collection.weights, engine.vocabulary.assign(features.descriptors)[:, 0])[1]
    others = [image for image in seen.verifications if Path(engine.images[image].path) != path]
    shown = subject_of(path, data)
    truth = {image: matches(shown, subjects[image]) for image in others}
    verdicts = list(truth.values())
    return Gathered(
        _pairs(seen, word_weight, row, truth), verdicts.count(True), verdicts.count(False), verdicts.count(None)
    )


def _pairs(seen: Look, word_weight: float, row: int, truth: dict[int, bool | None]) -> Pairs:
    """What was measured of the pairs that have a transform and a truth."""
    kept = [
        i for i, match in truth.items() if match is not None and seen.verifications[i].database_from_query is not None
    ]
    found = [seen.verifications[image] for image in kept]
    return Pairs(
        np.full(len(kept), row, np.int64),
        np.array(kept, np.int64),
        np.array([v.n_inliers for v in found], np.int64),
        np.array([v.spread for v in found], np.float64),
        np.array([v.inlier_weight / v.n_inliers / word_weight for v in found], np.float64),
        np.array([seen.evidence[image].probability for image in kept], np.float64),
        np.array([truth[image] for image in kept], np.bool_),
    )


def default_workers() -> int:
    """One process a core."""
    return os.cpu_count() or 1
