"""Planar transforms as 3 x 3 matrices target_from_source, applied to points; what boxes and sizes are in them."""

from __future__ import annotations

import numpy as np

from bof.types import F64, Box


def apply(target_from_source: F64, xy: F64) -> F64:
    """Map points f64 (n, 2)."""
    mapped = np.column_stack([xy, np.ones(len(xy))]) @ target_from_source.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:], np.float64)


def corners(box: Box) -> F64:
    """A box's corners f64 (4, 2) as pixel centres have it, from the top left clockwise."""
    x0, y0, x1, y1 = box
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64) - 0.5


def scaling(x: float, y: float) -> F64:
    """Sizes times x and y, as pixel centres have it: f64 (3, 3)."""
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]], np.float64)
