"""Two pictures are laid over each other to a fraction of a pixel: what geometry found is refined on their light.

Lucas and Kanade 1981, for an affine transform, from coarse to fine; light is made alike locally first, so that neither
brightness nor contrast counts, and each cell weighs as much as it agrees, so that what was drawn over does not either.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from bof.alignment.canvas import Laid, lay_over
from bof.alignment.grid import Grid
from bof.geometry.transforms import apply, corners
from bof.images.decode import Picture, to_grey
from bof.types import F32, F64, U8

_SMOOTH_PX = (3.0, 3.0, 1.5, 1.5, 1.0)
"""Of each step, in pixels of the canvas: wide first, to reach what is some pixels off."""
_CANVAS_PX = 256
_WINDOW_PX, _NOISE_LEVELS2 = 17, 36.0
"""Light is compared relative to the mean and deviation of a window; deviations below 6 levels count less."""
_FARTHEST_PX = 6.0
"""A step that goes farther has lost its way."""
_NEAR_PX = 0.25
"""After a step shorter than this the next of the same width is left out: what is left of it is a tenth as long."""
_LEAST_WEIGHT = 0.005
"""Flat pictures are left where they are."""
_NEAR_CELLS = 5
"""Cells down and across that are asked together how far they are off."""
_LEAST_SHAPE, _LEAST_TEXTURE = 0.02, 0.001
"""Cells with edges of one direction alone, or with next to none, cannot tell."""


def refine(one: Picture, other: Picture, one_from_other: F64) -> F64:
    """A transform f64 (3, 3), in pixels of the originals, brought from some pixels off to a fraction of one.

    The pictures: grey, or in RGB, of which the grey is taken. What cannot be refined is returned as it is.
    """
    one, other = (replace(picture, pixels=to_grey(picture.pixels)) for picture in (one, other))
    moved_px, before_px = _FARTHEST_PX, 0.0
    for smooth_px in _SMOOTH_PX:
        if smooth_px == before_px and moved_px < _NEAR_PX:
            continue
        laid = lay_over(one, other, one_from_other, _CANVAS_PX)
        step = None if laid is None else _step(laid, smooth_px)
        if laid is None or step is None:
            break
        before_px, moved_px = smooth_px, _moved_px(step, laid)
        one_from_other = laid.moved(step, one_from_other)
    return one_from_other


def _moved_px(step: F64, laid: Laid) -> float:
    """How far a step moves the corners of the canvas at the most."""
    height, width = laid.mask.shape
    frame = corners((0, 0, width, height))
    return float(np.abs(apply(step, frame) - frame).max())


def _step(laid: Laid, smooth_px: float) -> F64 | None:
    """The affine transform f64 (3, 3) on the canvas that brings the other nearer to the one; None where none does."""
    if min(laid.mask.shape) < 2 * _WINDOW_PX:  # an icon: a window takes in most of it
        return None
    one, other = (_relative(pixels, smooth_px) for pixels in (laid.one, laid.other))
    across, down = _slopes(one + other)
    grid = Grid.of(laid.mask)
    weight = _weight(one, other, grid)
    if not weight.size or weight.mean() < _LEAST_WEIGHT:
        return None
    apart = other - one
    places = grid.places() / max(one.shape)
    points = np.column_stack([np.ones(len(places)), places]) * 1.0

    def summed(values: F32) -> F64:
        """Over the cells, with the products of places f64 (3, 3)."""
        by_cell = (weight * grid.mean(values)).ravel()
        return np.asarray((points * by_cell[:, None]).T @ points, np.float64)

    cross = summed(across * down)
    normal = np.block([[summed(across * across), cross], [cross, summed(down * down)]])
    normal[np.diag_indices(6)] += 1e-6 * np.trace(normal) + 1e-9
    right = np.concatenate([summed(across * apart)[0], summed(down * apart)[0]])
    found = np.linalg.solve(normal, right)
    if not np.isfinite(found).all() or np.abs(found).max() > _FARTHEST_PX:
        return None
    scale = float(max(one.shape))
    step = np.eye(3)
    for row in range(2):
        still, x, y = found[3 * row : 3 * row + 3].tolist()
        step[row] += [x / scale, y / scale, still]
    return step


def drift(laid: Laid) -> F64:
    """How far neighbouring cells together are off f64 (n,), in pixels of the canvas, where they can tell.

    What is left after an affine transform: of a copy next to nothing, whatever its noise; of another photograph what
    depth, lens and viewpoint make.
    """
    one, other = (_relative(to_grey(pixels), 1.0) for pixels in (laid.one, laid.other))
    across, down = _slopes(one + other)
    grid = Grid.of(laid.mask)
    weight = _weight(one, other, grid)
    apart = np.asarray(other - one, np.float32)
    products = (across * across, across * down, down * down, across * apart, down * apart)
    xx, xy, yy, x, y = (cv2.blur(weight * grid.mean(p), (_NEAR_CELLS, _NEAR_CELLS)) for p in products)
    area = xx * yy - xy * xy
    can_tell = grid.covered & (area > _LEAST_SHAPE * (xx + yy) ** 2) & (xx + yy > _LEAST_TEXTURE)
    moved = np.hypot(yy * x - xy * y, xx * y - xy * x)[can_tell] / area[can_tell]
    return np.asarray(moved, np.float64)


def _slopes(light: F32) -> tuple[F32, F32]:
    """How the light f32 (h, w) of two pictures together changes, to the right and down."""
    right, down = (cv2.Sobel(light, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
    return np.asarray(right / 16, np.float32), np.asarray(down / 16, np.float32)


def _relative(grey: U8, smooth_px: float) -> F32:
    """Light relative to its surroundings f32 (h, w)."""
    light = cv2.GaussianBlur(grey.astype(np.float32), (0, 0), smooth_px)
    mean = cv2.blur(light, (_WINDOW_PX, _WINDOW_PX))
    spread = cv2.blur(light * light, (_WINDOW_PX, _WINDOW_PX)) - mean * mean
    return np.asarray((light - mean) / np.sqrt(np.maximum(spread, 0) + _NOISE_LEVELS2), np.float32)


def _weight(one: F32, other: F32, grid: Grid) -> F64:
    """Of each cell: the square of its correlation where that is positive, 0 where the pictures do not cover it."""
    spread = np.sqrt(np.maximum(grid.mean(one * one) * grid.mean(other * other), 1e-9))
    return np.asarray(np.clip(grid.mean(one * other) / spread, 0, 1) ** 2 * grid.covered, np.float64)
