"""Asks the engine every query and keeps what it measured of each pair that it verified."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from bof.cli.progress import progress_bar
from bof.engine import Engine
from bof.retrieval.shortlist import Candidates, VoteAndVerify
from bof.system.stopwatch import Stopwatch
from bof.types import F64, I64, Bool
from scripts.calibration.truth import Subject, matches, subject_of
from scripts.common.arguments import n_cores
from scripts.common.features import prepare


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


def gather(index: Path, data: Path, queries: Sequence[Path]) -> Gathered:
    """Vote and verify with the default options for every query. index: the folder of an index."""
    tasks = (delayed(_ask)(index, data, path, row) for row, path in enumerate(queries))
    answers = []
    with progress_bar(" queries") as show:
        for answer in Parallel(n_jobs=n_cores(), return_as="generator")(tasks):
            answers.append(answer)
            show(len(answers), len(queries))
    parts = [answer.pairs for answer in answers]
    pairs = Pairs(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Pairs)))
    counts = [(answer.n_matching, answer.n_wrong, answer.n_left_out) for answer in answers]
    return Gathered(pairs, *map(sum, zip(*counts, strict=True)))


@lru_cache(maxsize=1)
def _open(index: Path, data: Path) -> tuple[Engine, list[Subject]]:
    """Once a process."""
    engine = Engine.open(index)
    return engine, [subject_of(Path(row.path), data) for row in engine.images]


def _ask(index: Path, data: Path, path: Path, row: int) -> Gathered:
    engine, subjects = _open(index, data)
    features = prepare(engine, path).features
    stages = VoteAndVerify(engine.searcher().collection, engine.vocabulary)
    voted = stages.votes(features, Stopwatch())
    seen = stages.candidates(features, Stopwatch(), voted=voted)
    others = [image for image in seen.verifications if Path(engine.images[image].path) != path]
    shown = subject_of(path, data)
    truth = {image: matches(shown, subjects[image]) for image in others}
    counts = [list(truth.values()).count(verdict) for verdict in (True, False, None)]
    return Gathered(_pairs(seen, voted.word_weight, row, truth), *counts)


def _pairs(seen: Candidates, word_weight: float, row: int, truth: dict[int, bool | None]) -> Pairs:
    """What was measured of the pairs that have a transform and a truth."""
    found_at = {image: v for image, v in seen.verifications.items() if v.database_from_query is not None}
    retained = [image for image, match in truth.items() if match is not None and image in found_at]
    found = [found_at[image] for image in retained]
    return Pairs(
        np.full(len(retained), row, np.int64),
        np.array(retained, np.int64),
        np.array([v.n_inliers for v in found], np.int64),
        np.array([v.spread for v in found], np.float64),
        np.array([v.inlier_weight / v.n_inliers / word_weight for v in found], np.float64),
        np.array([seen.evidence[image].probability for image in retained], np.float64),
        np.array([truth[image] for image in retained], np.bool_),
    )
