"""Planar transforms as 3 x 3 matrices target_from_source, applied to points; what boxes and sizes are in them."""

from __future__ import annotations

from typing import Any

import numpy as np

from bof.types import F64, Box

_NEAREST = 1e-9
"""What a homography must divide by at least, for a point to be before the viewer."""


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


def translation(x: float, y: float) -> F64:
    """So many pixels to the right and down: f64 (3, 3)."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def rotation(turn: float) -> F64:
    """About the origin, by so many radians from the right towards down: f64 (3, 3)."""
    cosine, sine = np.cos(turn), np.sin(turn)
    return np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])


def mirroring(width: float) -> F64:
    """From a picture of this width to its mirror image, left to right: f64 (3, 3)."""
    return np.array([[-1.0, 0.0, width - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


def zoom(target_from_source: F64) -> float:
    """How many times larger a transform makes lengths, at the origin and on average of all directions."""
    return float(np.sqrt(abs(np.linalg.det(target_from_source[:2, :2]))))


def lies_in(target_from_source: F64, source: tuple[int, int], target: tuple[int, int]) -> F64 | None:
    """Where the frame of a picture lies in another, clipped to that: corners f64 (n, 2); None where nothing of it does.

    Sizes are width and height in pixels. Half-planes cut the outline in homogeneous coordinates (Sutherland and Hodgman
    1974), so that what lies behind the viewer is cut off too.
    """
    (left, top), (right, bottom) = corners((0, 0, *target))[[0, 2]]
    edges = np.array([[0, 0, 1], [1, 0, -left], [-1, 0, right], [0, 1, -top], [0, -1, bottom]], np.float64)
    outline = np.column_stack([corners((0, 0, *source)), np.ones(4)]) @ target_from_source.T
    for edge, least in zip(edges, (_NEAREST, 0.0, 0.0, 0.0, 0.0), strict=True):
        outline = _cut(outline, outline @ edge - least)
        if len(outline) < 3:
            return None
    return np.asarray(outline[:, :2] / outline[:, 2:], np.float64)


def _cut(outline: F64, inside: F64) -> F64:
    """The part of a polygon f64 (n, 3) where a linear function of its points, f64 (n,) at its corners, is positive."""
    points = []
    for (a, b), (x, y) in zip(_sides(outline), _sides(inside), strict=True):
        if x >= 0:
            points.append(a)
        if (x < 0) != (y < 0):
            points.append(a + (b - a) * (x / (x - y)))
    return np.array(points, np.float64).reshape(-1, 3)


def _sides(values: F64) -> list[tuple[Any, Any]]:
    """Each value with the one after it."""
    return list(zip(values, np.roll(values, -1, axis=0), strict=True))
