"""Outlines of what two pictures share: convex, in pixels."""

from __future__ import annotations

import cv2
import numpy as np

from bof.types import F32, F64

_LEAST = 0.3
"""Less of the outline of the points than this where pixels agree too says nothing of where the part lies."""


def hull(xy: F32) -> F64:
    """The convex outline of points f32 (m, 2), f64 (n, 2)."""
    return np.asarray(cv2.convexHull(np.ascontiguousarray(xy, np.float32)).reshape(-1, 2), np.float64)


def area(outline: F64) -> float:
    """Of a convex outline f64 (n, 2), in square pixels."""
    return float(cv2.contourArea(outline.astype(np.float32)))


def intersection(points: F64, pixels: F64) -> F64 | None:
    """Where the convex outlines of the points and of the pixels that agree overlap, f64 (n, 2).

    Stray points and pixels that agree by chance lie in one of both alone. None where hardly anything is in both.
    """
    size, common = cv2.intersectConvexConvex(points.astype(np.float32), pixels.astype(np.float32))
    if common is None or len(common) < 3 or size < _LEAST * area(points):
        return None
    return np.asarray(common.reshape(-1, 2), np.float64)
