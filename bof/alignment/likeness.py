"""Are two pictures one photograph? Laid over each other, their common part is compared cell by cell.

Points that agree prove that two pictures show the same thing; they cannot tell two photographs of it from one that was
copied. Pixels can: what was cropped, turned or recoloured agrees in every detail wherever nothing was drawn over it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bof.alignment.canvas import lay_over
from bof.alignment.differences import NOTHING as NO_DETAIL
from bof.alignment.differences import Differences, find_differences
from bof.alignment.grid import sums_of_cells
from bof.alignment.registration import refine
from bof.images.decode import Picture
from bof.types import F32, F64, U8, Bool

_CANVAS_PX, _FINE_PX = 256, 512
"""The common part of two pictures is compared at the first long side, and for small differences at the second."""

_CELLS_A_SIDE = 12
_CELL_PX = (8, 20)
"""The common part is cut into about so many cells a side, of a size within these limits."""

_SMOOTH_PX = 1.0
_TEXTURE = 5.0
"""Grey levels of standard deviation, in the livelier picture, from which a cell has detail to compare."""

_COVERED = 0.6
"""Share of a cell that both pictures must cover."""

_CORRELATION = 0.8
_FAR_LEVELS, _FAR_FLAT_LEVELS = 25.0, 14.0
"""A cell with detail agrees from this correlation on, at a level of light no farther off than this; a cell without by
its level alone. Levels are compared after brightness and contrast are made alike.
"""

_FAR_TINT_LEVELS, _FAR_TINT_SHARE = 24.0, 0.3
"""Colour that is farther off than this, in levels and as a share of the light, disagrees: captions and badges are the
same on many pictures, the ground that they stand on is not."""

_GREY_LEVELS = 3.0
"""A picture with less colour than this is taken for a grey one, whose colour says nothing."""

_DARK, _BURNT, _WHITE = 4.0, 235.0, 251.0
_MARRED_LEVELS = 20.0

_WHOLE, _SAME_SHARE, _NEAR_LEVELS, _SAME_LEVELS = 0.97, 0.95, 8.0, 4.0
"""Of a copy of all of a picture: the share of both that is common, and of its cells that agree; how far light and
colour are apart, in levels, where cells have detail, and where none has."""

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""Rec. 601."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """What the common part of two pictures says.

    agreement: share of its cells that agree; n_cells of them could be compared, n_detailed have detail in them; marred:
    share of cells whose pixels differ by more than compression makes them; shift and tint: mean difference in light and
    colour, in levels; covers: shares of the one's and the other's area that the common part takes; differences: where
    detail differs.
    """

    agreement: float
    n_cells: int
    n_detailed: int
    marred: float
    shift: float
    tint: float
    covers: tuple[float, float]
    differences: Differences

    @property
    def is_whole_copy(self) -> bool:
        """Do the two show the same from edge to edge, also where there is nothing but flat colour?"""
        found = self.differences
        is_flat = found.n_cells == 0 and max(self.shift, self.tint) <= _SAME_LEVELS
        is_same = found.is_none and self.agreement >= _SAME_SHARE and max(self.shift, self.tint) <= _NEAR_LEVELS
        return min(self.covers) >= _WHOLE and self.marred == 0 and (is_flat or is_same)


NOTHING_COMMON = Likeness(0.0, 0, 0, 1.0, 0.0, 0.0, (0.0, 0.0), NO_DETAIL)


@dataclass(frozen=True, slots=True)
class _Cells:
    """Of n cells of one picture, f64: mean level (n,), deviation (n,), red and blue above it (n, 2), lightest (n,)."""

    level: F64
    deviation: F64
    colour: F64
    lightest: F64


def compare(one: Picture, other: Picture, one_from_other: F64) -> Likeness:
    """Compare two pictures in RGB, u8 (h, w, 3), where they show the same. one_from_other: pixels of the originals."""
    found = _compare(one, other, refine(one, other, one_from_other))
    if found.differences.n_cells:
        return found
    return _compare(one, other, one_from_other)  # without detail nothing says where to move it


def _compare(one: Picture, other: Picture, one_from_other: F64) -> Likeness:
    laid = lay_over(one, other, one_from_other, _CANVAS_PX)
    if laid is None:
        return NOTHING_COMMON
    side = int(np.clip(round(np.sqrt(laid.mask.size) / _CELLS_A_SIDE), *_CELL_PX))
    area = sums_of_cells(laid.mask.astype(np.float32), side)
    covered = area >= _COVERED * side * side
    if not covered.any():
        return NOTHING_COMMON
    fine = lay_over(one, other, one_from_other, _FINE_PX)
    differences = NO_DETAIL if fine is None else find_differences(fine)
    grid = _CoveredGrid(laid.mask, side, covered, area)
    return _judge(_smoothed(laid.one), _smoothed(laid.other), grid, laid.covers, differences)


@dataclass(frozen=True, slots=True)
class _CoveredGrid:
    """Cells of side x side pixels on a canvas, those that are covered; mask bool (h, w), area f64 (rows, columns)."""

    mask: Bool
    side: int
    covered: Bool
    area: F64

    def mean(self, values: F32) -> F64:
        """The mean over each covered cell, f64 (n,), of values f32 (h, w)."""
        sums = sums_of_cells(values, self.side, self.mask)
        return np.asarray(sums[self.covered] / self.area[self.covered], np.float64)


def _judge(one: F32, other: F32, grid: _CoveredGrid, covers: tuple[float, float], differences: Differences) -> Likeness:
    grey, grey_other = one @ _LUMA, other @ _LUMA
    a, b = _cells(one, grey, grid), _cells(other, grey_other, grid)
    spread = np.maximum(a.deviation * b.deviation, 1e-3)
    correlation = (grid.mean(grey * grey_other) - a.level * b.level) / spread
    detailed = np.maximum(a.deviation, b.deviation) >= _TEXTURE
    fits = detailed & (correlation >= _CORRELATION)
    curve = _tone(a.level, b.level, fits)
    off = np.abs(a.level - np.polyval(curve, b.level))
    known = detailed | ~(_is_clipped(a.level) | _is_clipped(b.level))
    agrees = np.where(detailed, fits & (off <= _FAR_LEVELS), off <= _FAR_FLAT_LEVELS) & _has_same_colour(a, b) & known
    differs = np.abs(grey - np.polyval(curve.astype(np.float32), grey_other))
    n_known = int(known.sum())
    return Likeness(
        float(agrees.sum()) / max(1, n_known), n_known, int(detailed.sum()),
        float((grid.mean(differs) >= _MARRED_LEVELS).mean()), float(np.abs(a.level - b.level).mean()),
        float(np.abs(a.colour - b.colour).max(axis=1).mean()), covers, differences,
    )  # fmt: skip


def _cells(pixels: F32, grey: F32, grid: _CoveredGrid) -> _Cells:
    level = grid.mean(grey)
    deviation = np.sqrt(np.maximum(grid.mean(grey * grey) - level**2, 0))
    channels = np.stack([grid.mean(pixels[..., channel]) for channel in range(3)], axis=1)
    return _Cells(level, deviation, channels[:, [0, 2]] - level[:, None], channels.max(axis=1))


def _has_same_colour(a: _Cells, b: _Cells) -> Bool:
    """Is the colour alike, or is there none to compare? In levels or as a share: a darkened picture has less of it."""
    if min(float(np.median(np.abs(cells.colour).max(axis=1))) for cells in (a, b)) < _GREY_LEVELS:
        return np.ones(len(a.level), np.bool_)
    levels = np.abs(a.colour - b.colour).max(axis=1)
    share = np.abs(a.colour / (a.level + 20)[:, None] - b.colour / (b.level + 20)[:, None]).max(axis=1)
    burnt = np.maximum(a.lightest, b.lightest) >= _BURNT
    return np.asarray(burnt | (levels <= _FAR_TINT_LEVELS) | (share <= _FAR_TINT_SHARE), np.bool_)


def _is_clipped(level: F64) -> Bool:
    """Black or white as nothing but a ground is, or light that was cut off: such cells say nothing."""
    return np.asarray((level <= _DARK) | (level >= _WHITE), np.bool_)


def _tone(one: F64, other: F64, trusted: Bool) -> F64:
    """The curve, as polyval takes it, that gives the other's levels the one's brightness and contrast.

    Fitted to the cells that are trusted, those far off weighing less; as simple as their number and range ask.
    """
    if trusted.sum() < 8:
        return np.array([1.0, 0.0])
    x, y = other[trusted], one[trusted]
    if np.ptp(x) <= 20:
        return np.array([1.0, float(np.median(y - x))])
    n_levels = len(np.unique(np.rint(x / 8)))  # two flat colours leave a parabola undetermined
    degree = 2 if np.ptp(x) > 60 and len(x) > 16 and n_levels > 3 else 1
    weight = np.ones(len(x))
    for _ in range(4):
        curve = np.polyfit(x, y, degree, w=weight)
        weight = np.sqrt(1 / np.maximum(1.0, np.abs(np.polyval(curve, x) - y) / 5.0))
    return np.asarray(curve, np.float64)


def _smoothed(pixels: U8) -> F32:
    return np.asarray(cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), _SMOOTH_PX), np.float32)
