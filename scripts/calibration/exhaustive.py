"""The engine's `same` beside brute-force matching of every descriptor with every other, and the same geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

from scripts.calibration.truth import Subject
from scripts.common.data import UKBENCH

LEVELS = (6, 8, 10, 12)  # inliers from which exhaustive matching is said to verify a pair
PathPair = tuple[Path, Path]


@dataclass(frozen=True, slots=True)
class Level:
    """With at least n_inliers: matching pairs that exhaustive matching verifies and how many of them the engine calls
    the same; wrong pairs, out of those that the engine found a transform for, and the queries that they belong to.
    """

    n_inliers: int
    n_matching: int
    n_called_same: int
    n_wrong: int
    n_queries_wrong: int


def true_pairs(queries: Sequence[Path], subjects: Mapping[Path, Subject]) -> list[PathPair]:
    """Each query of UKBench with each other picture of its object. subjects: of all pictures."""
    chosen = set(queries)
    groups: dict[Subject, list[Path]] = {}
    for path, subject in subjects.items():
        if subject.folder == UKBENCH:
            groups.setdefault(subject, []).append(path)
    return [pair for group in groups.values() for pair in permutations(group, 2) if pair[0] in chosen]


def level(n: int, true: Mapping[PathPair, int], wrong: Mapping[PathPair, int], called_same: set[PathPair]) -> Level:
    """Count at one level. true, wrong: the inliers that exhaustive matching finds; called_same: by the engine."""
    verified = {pair for pair, n_inliers in true.items() if n_inliers >= n}
    misled = [pair for pair, n_inliers in wrong.items() if n_inliers >= n]
    return Level(n, len(verified), len(verified & called_same), len(misled), len({query for query, _ in misled}))
