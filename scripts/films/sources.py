"""What films are made of: photographs, real clips and objects, in two halves: one to develop on, one to judge with."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bof.errors import BenchmarkError
from bof.images.decode import read_image
from bof.images.listing import walk_images
from bof.types import F64
from scripts.common.data import DVD, TRAIN, UKBENCH

HALVES = ("develop", "judge")

_CLIPS = (("bigbuckbunny.mp4", "bikes.mp4", "v2.m4v"), ("rgb.m4v", "v1.m4v", "carphone_pristine.mp4"))
_FOR_UNSHOWN = 6
_PER_OBJECT = 4
_TWINS = 0.93
_CAMERAS = ("Canon", "Droid", "E63", "Palm")
_LEFT_OUT = re.compile(r"Faces|Faces_easy|cougar_face|flamingo_head|crocodile_head")
"""Categories of Caltech-101 that are cut out of others' photographs, and one room with the same people in it."""


@dataclass(frozen=True, slots=True)
class SeenObject:
    """A photograph of a thing that a film shows, and other photographs of the same thing, which are queries."""

    shown: Path
    others: Sequence[Path]


@dataclass(frozen=True, slots=True)
class Sources:
    """Of one half: what films show once each; unshown: photographs of categories that no film shows."""

    photographs: Sequence[Path]
    clips: Sequence[Path]
    objects: Sequence[SeenObject]
    unshown: Sequence[Path]


def find_sources(data: Path, half: str) -> Sources:
    """What DIR/train, ukbench1000, dvd_covers and video hold for a half. Raises BenchmarkError where one is empty.

    Categories, not photographs, are dealt out: two photographs of one category may show the very same thing.
    """
    odd = HALVES.index(half)
    ours = {name: files for number, (name, files) in enumerate(_categories(data)) if number % 2 == odd}
    chosen = {name for number, name in enumerate(ours) if number % _FOR_UNSHOWN == 0}
    return Sources(
        [file for name, files in ours.items() if name not in chosen for file in _without_twins(files)],
        [data / "video" / name for name in _CLIPS[odd] if (data / "video" / name).is_file()],
        [*_ukbench(data, odd), *_covers(data, odd)],
        [file for name in chosen for file in ours[name]],
    )


def _without_twins(files: Sequence[Path]) -> list[Path]:
    """Without photographs that a category has twice, mirrored or not: of each the first."""
    chosen: list[Path] = []
    seen: list[F64] = []
    for file in files:
        sketch = _sketch(file)
        if not any(max((sketch * one).sum(), (sketch[:, ::-1] * one).sum()) > _TWINS for one in seen):
            chosen.append(file)
            seen.append(sketch)
    return chosen


def _sketch(file: Path) -> F64:
    """16 x 16 levels of grey without their mean, of length 1: a product of two is their correlation."""
    grey = read_image(file, max_side=256, grey=True).pixels
    small = np.asarray(cv2.resize(grey, (16, 16), interpolation=cv2.INTER_AREA), np.float64)
    small -= small.mean()
    return np.asarray(small / max(1e-9, float(np.linalg.norm(small))), np.float64)


def category_of(file: Path) -> str:
    """What its name says that it shows: `accordion_0002.jpg` an accordion."""
    return re.sub(r"_\d+$", "", file.stem)


def _categories(data: Path) -> list[tuple[str, list[Path]]]:
    groups: dict[str, list[Path]] = {}
    for file in sorted(Path(os.path.abspath(path)) for path in walk_images(data / TRAIN)):
        if not _LEFT_OUT.fullmatch(category_of(file)):
            groups.setdefault(category_of(file), []).append(file)
    if len(groups) < 2 * _FOR_UNSHOWN:
        problem = f"expected photographs of at least {2 * _FOR_UNSHOWN} categories, found {len(groups)}"
        raise BenchmarkError(problem, path=data / TRAIN, advice="see data/README.md")
    return sorted(groups.items())


def _ukbench(data: Path, odd: int) -> list[SeenObject]:
    files = sorted(walk_images(data / UKBENCH)) if (data / UKBENCH).is_dir() else []
    groups = [files[at : at + _PER_OBJECT] for at in range(0, len(files), _PER_OBJECT)]
    return [SeenObject(group[0], group[1:]) for group in groups[odd::2]]


def _covers(data: Path, odd: int) -> list[SeenObject]:
    folder = data / DVD
    shown = sorted(walk_images(folder / "Reference")) if (folder / "Reference").is_dir() else []
    return [SeenObject(each, [folder / camera / each.name for camera in _CAMERAS]) for each in shown[odd::2]]
