"""The methods that duplicates_bench.py compares: bof's groups by kind, and perceptual hashes at every threshold."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from copy_methods import DISTANCE, HASHES
from duplicates_judge import Figures, Link, components, judge_groups
from duplicates_truth import Truth

from bof.engine import Engine
from bof.grouping.finding import find_groups
from bof.grouping.types import Group, Kind
from bof.images.decode import read_image
from bof.options import DuplicateOptions
from bof.types import U64

KINDS: tuple[Kind, ...] = ("copy", "crop")
SAME_NAME = ("phash", "dhash", "PHash", "DHash")
"""Of the hashes of imagehash and imagededup those that are used to find duplicates."""

Progress = Callable[[int, int], None]


def run_bof(
    truth: Truth, folder: Path, options: DuplicateOptions | None = None, progress: Progress | None = None
) -> list[Figures]:
    """bof's groups of each kind. The first kind's seconds hold all that is asked and compared; the next ask nothing."""
    start = time.perf_counter()
    with Engine.open_or_create(folder) as engine:
        engine.add([Path(picture) for picture in truth.pictures])
        print(f"indexed in {time.perf_counter() - start:.0f} s", flush=True)
        figures = []
        for kind in KINDS:
            start = time.perf_counter()
            groups = find_groups(engine, kind, options, progress)
            seconds = time.perf_counter() - start
            figures.append(judge_groups(f"bof {kind}", truth, [links_of(group) for group in groups], seconds))
    return figures


def links_of(group: Group) -> list[Link]:
    """A group's links by path."""
    return [(str(member.path), str(group.head.path)) for member, _ in group.others]


def run_hashes(family: str, truth: Truth) -> list[Figures]:
    """Of each hash: the largest threshold at which no group is wrong, and what its users take. Raises ImportError."""
    kinds, _ = HASHES[family]
    figures = []
    for name, function in kinds().items():
        if name in SAME_NAME:
            start = time.perf_counter()
            hashes = np.concatenate([function(read_image(Path(path)).pixels)[:1] for path in truth.pictures])
            near = near_pairs(hashes, DISTANCE)
            seconds = time.perf_counter() - start
            figures += _at_thresholds(f"{family} {name}", truth, near, seconds)
    return figures


def _at_thresholds(name: str, truth: Truth, near: Sequence[tuple[int, int, int]], seconds: float) -> list[Figures]:
    found = []
    for limit in range(DISTANCE + 1):
        links = [(truth.pictures[i], truth.pictures[j]) for i, j, distance in near if distance <= limit]
        found.append(judge_groups(f"{name}, {limit} bits", truth, components(links), seconds))
    flawless = [figures for figures in found if not figures.n_wrong_groups]
    return [flawless[-1] if flawless else found[0], found[-1]]


def near_pairs(hashes: U64, limit: int) -> list[tuple[int, int, int]]:
    """Rows i < j of hashes u64 (n,) that differ in at most `limit` bits, and in how many."""
    pairs = []
    for i in range(len(hashes) - 1):
        distance = np.bitwise_count(hashes[i + 1 :] ^ hashes[i])
        near = np.flatnonzero(distance <= limit)
        pairs += [(i, i + 1 + int(j), int(distance[j])) for j in near.tolist()]
    return pairs
