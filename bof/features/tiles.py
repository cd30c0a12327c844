"""Long pictures in tiles: SIFT sees pieces as large as other pictures, and the features lie in one frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bof.types import F32, U8

Extractor = Callable[[U8, int], tuple[F32, U8]]
"""Key points f32 (n, 4) and descriptors of pixels u8 (h, w), at most so many, strongest first."""

_OVERLAP_PX = 96
"""What a tile sees beyond its own features on either side: a feature of a diameter of 30 pixels is described whole."""

_SPARE = 1.25
"""More features are found in a tile than it may keep, as some lie in the overlap."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A piece of the long side: features in [first, stop) are its own, it is seen from `begin` to `end`, in pixels."""

    begin: int
    first: int
    stop: int
    end: int


def tiles_of(long_side: int, tile_side: int) -> list[Tile]:
    """Tiles of about one size, tile_side pixels or less each, that cover a long side."""
    own = max(1, tile_side - 2 * _OVERLAP_PX)
    n = -(-long_side // own)
    edges = np.rint(np.linspace(0, long_side, n + 1)).astype(int).tolist()
    return [
        Tile(max(0, first - _OVERLAP_PX), first, stop, min(long_side, stop + _OVERLAP_PX))
        for first, stop in pairwise(edges)
    ]


def extract_tiled(pixels: U8, tile_side: int, n_most: int, extract: Extractor) -> tuple[F32, U8]:
    """Features of pixels u8 (h, w), n_most at most, as many in each tile as in others of its length.

    Every tile has the same share, so that no busy piece leaves a plain one without.
    """
    height, width = pixels.shape
    axis = 0 if width >= height else 1
    tiles = tiles_of(max(width, height), tile_side)
    share = -(-n_most // len(tiles))
    found = [_of_tile(pixels, tile, axis, share, extract) for tile in tiles]
    keypoints, descriptors = (np.concatenate(columns) for columns in zip(*found, strict=True))
    return keypoints[:n_most], descriptors[:n_most]


def _of_tile(pixels: U8, tile: Tile, axis: int, share: int, extract: Extractor) -> tuple[F32, U8]:
    seen = pixels[:, tile.begin : tile.end] if axis == 0 else pixels[tile.begin : tile.end]
    keypoints, descriptors = extract(np.ascontiguousarray(seen), round(share * _SPARE))
    place = keypoints[:, axis] + np.float32(tile.begin)
    own = np.flatnonzero((place >= tile.first - 0.5) & (place < tile.stop - 0.5))[:share]
    keypoints = keypoints[own].copy()
    keypoints[:, axis] = place[own]
    return keypoints, descriptors[own]
