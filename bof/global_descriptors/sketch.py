"""A picture in very small: what finds copies of those that have too few features to be found by them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bof.types import I64, U8

_SIDE = 8
ARRAYS: Mapping[str, tuple[str, tuple[int, ...]]] = MappingProxyType({"levels": ("|u1", (_SIDE, _SIDE))})
"""What is stored of a picture: dtype and shape of a row by name."""

LEVELS = "sketch.levels"
"""The column's name."""

FEW_FEATURES = 128
"""A picture with fewer may not be found by them, not even in itself: it is compared as a whole."""

NEAR_LEVELS = 8
"""Sketches of copies are this near in every place, in levels of grey."""

SAME_ASPECT = 0.02
"""And the logarithms of their widths by their heights are no farther apart."""

_BLOCK_ROWS = 1 << 16


def describe(pixels: U8) -> dict[str, NDArray[Any]]:
    """The mean levels of grey of the 8 x 8 parts of a picture u8 (h, w) or, in RGB, (h, w, 3)."""
    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return {"levels": sketch_of(np.asarray(grey if grey.size else np.zeros((1, 1)), np.uint8))}


def sketch_of(pixels: U8) -> U8:
    """The means of the 8 x 8 parts of pixels u8 (h, w) or (h, w, 3)."""
    return np.asarray(cv2.resize(pixels, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def distances(query: U8, rows: U8) -> I64:
    """How far sketches u8 (n, 8, 8) are from the query's u8 (8, 8), i64 (n,): 256 times the farthest place's levels,
    plus the mean of all places.
    """
    found = np.empty(len(rows), np.int64)
    for first in range(0, len(rows), _BLOCK_ROWS):
        block = rows[first : first + _BLOCK_ROWS].astype(np.int16).reshape(-1, _SIDE * _SIDE)
        apart = np.abs(block - query.ravel().astype(np.int16))
        found[first : first + len(block)] = 256 * apart.max(axis=1).astype(np.int64) + apart.mean(axis=1).astype(int)
    return found


def are_near(distance: I64) -> NDArray[np.bool_]:
    """Which distances are those of copies, bool (n,)."""
    return np.asarray(distance < 256 * (NEAR_LEVELS + 1), np.bool_)
