"""Photographs as canvases of an archive, and queries: parts of some, and photographs that the archive does not have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bof.images.decode import read_image, to_rgb
from bof.types import U8
from scripts.archive.server import Archive

_A_MANIFEST = 100
_SIDE_PX = 320
"""The long side of a canvas' picture."""

_SHARE, _SCALE, _QUALITY, _MOST_DEGREES = 0.7, 0.8, 60, 4.0
"""A query shows so much of each side of a picture, in this size, turned by at most so much."""


@dataclass(frozen=True, slots=True)
class PlantedQuery:
    """A query and the number of the photograph that it is a part of, None where the archive does not have it."""

    path: Path
    source: int | None


def fill(archive: Archive, photographs: Sequence[Path]) -> str:
    """Put the photographs into manifests of 100 canvases; returns the URL of the collection of all."""
    manifests = []
    for first in range(0, len(photographs), _A_MANIFEST):
        names = [
            archive.add(f"p{number}", _enlarged(photographs[number]))
            for number in range(first, min(first + _A_MANIFEST, len(photographs)))
        ]
        manifests.append(archive.manifest(f"/book{first // _A_MANIFEST}", names))
    return archive.collection("/all", manifests)


def make_queries(
    photographs: Sequence[Path], others: Sequence[Path], n: int, folder: Path, seed: int
) -> list[PlantedQuery]:
    """Write n queries: three of four are parts of photographs, the fourth is a part of one of the others."""
    rng = np.random.default_rng(seed)
    folder.mkdir()
    queries = []
    for number in range(n):
        source = None if number % 4 == 3 else int(rng.integers(len(photographs)))
        path = others[number % len(others)] if source is None else photographs[source]
        target = folder / f"query{number:03d}.jpg"
        part = cv2.cvtColor(_part(_enlarged(path), rng), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(target), part, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        queries.append(PlantedQuery(target, source))
    return queries


def _enlarged(path: Path) -> U8:
    pixels = to_rgb(read_image(path).pixels)
    scale = _SIDE_PX / max(pixels.shape[:2])
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8)


def _part(pixels: U8, rng: np.random.Generator) -> U8:
    """A part of a picture, turned a little and shrunk."""
    height, width = pixels.shape[:2]
    size = round(width * _SHARE * _SCALE), round(height * _SHARE * _SCALE)
    centre = (float(width * rng.uniform(0.42, 0.58)), float(height * rng.uniform(0.42, 0.58)))
    degrees = float(rng.uniform(-_MOST_DEGREES, _MOST_DEGREES))
    turn = np.asarray(cv2.getRotationMatrix2D(centre, degrees, _SCALE), np.float64)
    turn[:, 2] += np.array(size) / 2 - centre
    return np.asarray(cv2.warpAffine(pixels, turn, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT), np.uint8)
