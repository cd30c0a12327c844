"""Where do two pictures that lie over each other differ, and is what differs drawn over one of them?

A copy agrees wherever it has detail, up to what compression makes of it. What was drawn over it shows on one side
alone: few colours, or detail where the other has none. Two forms that were filled in otherwise, two pictures in one
frame or under one watermark differ where both have something of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from bof.alignment.canvas import Laid
from bof.alignment.cells import equally_sharp
from bof.alignment.drawings import even_pixels
from bof.alignment.grid import Grid
from bof.alignment.registration import drift
from bof.images.decode import to_grey
from bof.types import F32, F64, U8, Bool

_DETAIL, _FAINT = 6.0, 4.0
"""Grey levels of standard deviation: from which a cell has detail, and below which it has none."""
_AGREES, _DIFFERS = 0.85, 0.6
"""Correlations from which a cell agrees, and below which it may differ."""
_LEAST_LEVELS, _NOISE, _MOST_LEVELS = 3.0, 3.0, 25.0
"""A cell differs from so many times the noise of those that agree, in levels, within these limits."""
_DIFFERS_DRAWN, _NOISE_DRAWN = 0.9, 4.0
"""The same of drawings, whose cells hold some letters each."""
_STEADY_CELLS, _STEADY_LEVELS, _LEAST_CONTRAST = 8, 20.0, 0.1
"""Brightness and contrast are made alike from so many cells that agree, contrast where their levels range so far."""
_MARK_LEVELS, _MARK_NOISE = 12.0, 4.0
"""Pixels of a cell that differs are compared from so many levels, or so many times the noise."""
_LEAST_MARKS = 20
_COLOURS, _STEP_LEVELS = 3, 32
"""The commonest of colours in steps of so many levels."""
_DRAWN = 0.2
"""Photographs have up to 0.15 of even pixels in cells that agree, most drawings 0.3 to 0.8."""
_UNLIKE, _UNLIKE_DRAWN = 0.3, 0.02
"""Cells that do not correlate, of copies, for noise alone: JPEG of quality 3 makes up to 0.24 in photographs."""
_CELLS_A_STRAY = 200
"""Of so many cells of a photograph one may differ: light that was cut off, a speck."""
_FEW_COLOURS, _SOME_COLOURS, _STRANGE, _SURELY_STRANGE = 0.9, 0.55, 0.2, 0.5
"""Shares of the three commonest colours: of what is opaque, of writing; and what the picture below has not of them."""
_CLEAR, _VERY_CLEAR = 0.96, 0.985
_ALL_ELSE, _ALL_ELSE_CLEAR = 0.95, 0.78
"""Of an overlay all else agrees: in so many of the other cells, fewer where it is very clear."""
_LEAST_PATCH = 0.05
_MOST_PASTED, _PASTED_ELSE, _PASTED_STRANGE = 0.3, 0.93, 0.28
"""A patch takes at least and, where both have something of their own in it, at most these shares of the cells."""
_SHARED = 0.1
"""So many cells agree in two pictures of one form."""
_DRIFT_PX, _DRIFT_SHARE = 1.0, 0.9
"""Nine cells in ten of a copy drift less, those of another photograph 1.4 pixels and more."""
_STILL_PX = 0.5
_HIDDEN, _ALONE, _MOST = 0.02, 0.4, 0.5
"""Writing hides next to no detail, though it shows on detail; where it shows alone in so many cells, or where fewer
than so many differ, it is told from a picture."""


@dataclass(frozen=True, slots=True)
class Differences:
    """What cells with detail say.

    n_cells: their number; agree, unlike, differ: shares of them that agree, that do not correlate, and that show
    something else, which noise does not explain; n_differ: the number of the last, n_patches: of their patches;
    clearness: the median correlation of those that agree; evenness: the median share of even pixels in those;
    own: of the cells that differ, the shares in which the one, and the other, alone has detail; colours: the shares of
    the pixels that differ with the three commonest colours of the one, and of the other; strange: what of that share
    the other picture has not; drift: how far what the transform does not explain goes, in pixels of the canvas.
    """

    n_cells: int
    agree: float
    unlike: float
    differ: float
    n_differ: int
    n_patches: int
    clearness: float
    evenness: float
    own: tuple[float, float]
    colours: tuple[float, float]
    strange: tuple[float, float]
    drift: float

    @property
    def is_drawn(self) -> bool:
        """Is what agrees even between its edges, as drawings, texts and screens are?"""
        return self.evenness > _DRAWN

    @property
    def is_none(self) -> bool:
        """Does nothing differ but by noise?"""
        unlike, n_stray = (_UNLIKE_DRAWN, 0) if self.is_drawn else (_UNLIKE, self.n_cells // _CELLS_A_STRAY)
        return self.n_differ <= n_stray and self.unlike <= unlike and self.drift <= _DRIFT_PX

    @property
    def is_overlay(self) -> bool:
        """Is all that differs drawn over one of two photographs, and all else the same?"""
        return self._is_over(may_be_pasted=True)

    @property
    def is_drawn_over(self) -> bool:
        """Is it writing or a mark, and no other picture in the frame of both?"""
        return self._is_over(may_be_pasted=False)

    def _is_over(self, *, may_be_pasted: bool) -> bool:
        is_clear = self.clearness >= _VERY_CLEAR
        if self.differ < _LEAST_PATCH and not (is_clear and self.drift <= _STILL_PX):
            return False  # as little as this differs in a photograph from nearly the same place
        share = _ALL_ELSE_CLEAR if is_clear else _ALL_ELSE
        if not self.n_differ or self.agree < share * (1 - self.differ) or self.clearness < _CLEAR:
            return False
        if may_be_pasted and self._is_pasted():
            return True
        return not self.is_drawn and any(self._is_drawn_over(side) for side in (0, 1))

    @property
    def is_template(self) -> bool:
        """Do the pictures lie over each other to the pixel, and yet have other content?"""
        is_shared = self.is_drawn or (self.agree >= _SHARED and self.clearness >= _VERY_CLEAR)
        return is_shared and not self.is_none and not self.is_overlay

    def _is_pasted(self) -> bool:
        """Is there one patch with nothing in common, and all else the very same?"""
        is_one = self.n_patches == 1 and _LEAST_PATCH <= self.differ <= _MOST_PASTED
        return is_one and self.agree >= _PASTED_ELSE * (1 - self.differ) and min(self.strange) >= _PASTED_STRANGE

    def _is_drawn_over(self, side: int) -> bool:
        own, hidden = self.own[side], self.own[1 - side]
        if self.differ >= _LEAST_PATCH and self.colours[side] >= _FEW_COLOURS and self.strange[side] >= _STRANGE:
            return True  # opaque, of few colours that the picture below has not
        if hidden > _HIDDEN or (self.differ > _MOST and own < _ALONE):
            return False
        # Writing: wherever it stands there is detail, whatever is below
        if self.differ < _LEAST_PATCH:
            return self.colours[side] >= _SOME_COLOURS and self.strange[side] >= _SURELY_STRANGE
        return own >= _ALONE or (self.colours[side] >= _SOME_COLOURS and self.strange[side] >= _STRANGE)


NOTHING = Differences(0, 0.0, 1.0, 1.0, 0, 0, 0.0, 1.0, (0.0, 0.0), (0.0, 0.0), (0.0, 0.0), 9.0)


def find_differences(laid: Laid) -> Differences:
    """Compare two pictures in RGB that are laid over each other to a fraction of a pixel."""
    grid = Grid.of(laid.mask)
    one, other = equally_sharp(_light(laid.one), _light(laid.other))
    (mean, spread), (mean_other, spread_other) = grid.moments(one), grid.moments(other)
    correlation = (grid.mean(one * other) - mean * mean_other) / np.maximum(spread * spread_other, 1.0)
    detailed = grid.covered & (np.maximum(spread, spread_other) >= _DETAIL)
    agrees = detailed & (correlation >= _AGREES)
    n_cells = int(detailed.sum())
    if not agrees.any():
        return replace(NOTHING, n_cells=n_cells)
    apart = _apart(one, other, *_tone(mean[agrees], mean_other[agrees]))
    residual = np.sqrt(grid.mean(apart * apart))
    noise = float(np.quantile(residual[agrees], 0.75))
    evenness = _evenness(laid, grid, agrees)
    unlike = detailed & (correlation < _DIFFERS) & (residual > _LEAST_LEVELS)
    differs = unlike & (residual > np.clip(_NOISE * noise, _LEAST_LEVELS, _MOST_LEVELS))
    if evenness > _DRAWN:  # a figure differs, and its neighbours in the cell do not
        clear = np.clip(_NOISE_DRAWN * noise, _LEAST_LEVELS, _MOST_LEVELS)
        differs |= detailed & (correlation < _DIFFERS_DRAWN) & (residual > clear)
    marks = _near(differs, grid) & (apart > max(_MARK_LEVELS, _MARK_NOISE * noise)) & laid.mask
    n_differ = int(differs.sum())
    own = [float((differs & (s < _FAINT)).sum()) / max(1, n_differ) for s in (spread_other, spread)]
    colours, strange = _colours(laid.one[marks], laid.other[marks])
    return Differences(
        n_cells, float(agrees.sum()) / n_cells, float(unlike.sum()) / n_cells, n_differ / n_cells, n_differ,
        cv2.connectedComponents(differs.astype(np.uint8), connectivity=8)[0] - 1,
        float(np.median(correlation[agrees])), evenness,
        (own[0], own[1]), colours, strange, _drift(laid),
    )  # fmt: skip


def _drift(laid: Laid) -> float:
    moved = drift(laid)
    return float(np.quantile(moved, _DRIFT_SHARE)) if len(moved) else 0.0


def _light(pixels: U8) -> F32:
    return to_grey(pixels).astype(np.float32)


def _tone(mean: F64, mean_other: F64) -> tuple[float, float]:
    """Contrast and brightness that give the other's light the one's, from the means of cells that agree f64 (n,)."""
    if len(mean) >= _STEADY_CELLS and np.ptp(mean_other) > _STEADY_LEVELS:
        contrast, brightness = np.polyfit(mean_other, mean, 1).tolist()
        if contrast >= _LEAST_CONTRAST:
            return contrast, brightness
    return 1.0, float(np.median(mean - mean_other))


def _apart(one: F32, other: F32, contrast: float, brightness: float) -> F32:
    """How far the light is apart f32 (h, w); light that either has lost at black or white counts as it is left."""
    forth = np.abs(one - np.clip(contrast * other + brightness, 0, 255))
    back = np.abs(other - np.clip((one - brightness) / contrast, 0, 255))
    return np.asarray(np.minimum(forth, back), np.float32)


def _near(cells: Bool, grid: Grid) -> Bool:
    """The pixels of some cells and of those next to them, bool (h, w)."""
    grown = np.asarray(cv2.dilate(cells.astype(np.uint8), np.ones((3, 3), np.uint8)))
    whole = np.kron(grown, np.ones((grid.side, grid.side), np.uint8)) > 0
    near = np.zeros(grid.mask.shape, np.bool_)
    near[: whole.shape[0], : whole.shape[1]] = whole
    return near


def _colours(one: U8, other: U8) -> tuple[tuple[float, float], tuple[float, float]]:
    """Of pixels u8 (n, 3) that differ: the share of the commonest colours in each, and what of it the other has not."""
    if len(one) < _LEAST_MARKS:
        return (0.0, 0.0), (0.0, 0.0)
    steps = np.array([1, 8, 64])
    codes = [(pixels.astype(np.int64) // _STEP_LEVELS) @ steps for pixels in (one, other)]
    common = [np.argsort(-np.bincount(code, minlength=512), kind="stable")[:_COLOURS] for code in codes]
    own = [float(np.isin(code, top).mean()) for code, top in zip(codes, common, strict=True)]
    shared = [float(np.isin(codes[1 - side], common[side]).mean()) for side in (0, 1)]
    return (own[0], own[1]), (own[0] - shared[0], own[1] - shared[1])


def _evenness(laid: Laid, grid: Grid, agrees: Bool) -> float:
    """The median share of even pixels in cells that agree, in the picture that has fewer: copies lose their noise."""
    shares = [grid.mean(even_pixels(to_grey(pixels)).astype(np.float32)) for pixels in (laid.one, laid.other)]
    return float(np.median(np.minimum(*shares)[agrees]))
