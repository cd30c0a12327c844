"""The common part of two pictures, cell by cell: is there detail, and is it the same?"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bof.alignment.canvas import Laid
from bof.types import F32, F64, U8, Bool

CELL_PX = (8, 20)
_CELLS_A_SIDE = 30
"""A cell has a thirtieth of the canvas' long side, within these limits."""

_COVERED = 0.6
"""Share of a cell that both pictures must cover."""

DETAIL, _FAINT = 6.0, 4.0
"""Grey levels of standard deviation: in the livelier picture, from which there is something to compare; in the other,
from which it shows something too. JPEG noise has less."""

EXACT, AGREES, DIFFERS = 0.9, 0.7, 0.35
"""Correlations from which a cell agrees in every detail, or agrees, and up to which it differs."""

_SURROUNDED = 2
"""Of the eight cells around a cell so many must agree exactly."""

_FLOW_SIDE_PX = 48
_FLOW_SHARE, _FLOW_SMOOTH_PX = 0.015, 21
"""A flow is looked for on a canvas of this short side, and goes no farther than this share of the long one."""

_SMOOTH_PX, _SHARPER, _STEPS = 0.8, 1.15, 4
"""The sharper picture is blurred, in so many steps at most, until its edges are about as soft as the other's."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of side x side pixels on a canvas, (rows, columns).

    correlation f64: of the light in both pictures; bool: covered; detailed: one of the pictures at least has detail;
    both: so have both; tint f64: how far the colours are apart, in levels, NaN where a picture is grey; moved f64: how
    far the flow goes, as a share of the canvas' long side.
    """

    side: int
    correlation: F64
    covered: Bool
    detailed: Bool
    both: Bool
    tint: F64
    moved: F64

    @property
    def agrees(self) -> Bool:
        """Cells with the same detail."""
        return np.asarray(self.detailed & (self.correlation >= AGREES), np.bool_)

    @property
    def breaks(self) -> Bool:
        """Cells that differ although all around them the pictures fit exactly: something was put in their place."""
        exact = (self.both & (self.correlation >= EXACT)).astype(np.float32)
        near = cv2.boxFilter(exact, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        return np.asarray(self.differs & (near >= _SURROUNDED), np.bool_)

    @property
    def differs(self) -> Bool:
        """Cells with other detail in each picture."""
        return np.asarray(self.both & (self.correlation <= DIFFERS), np.bool_)


def compare_cells(laid: Laid) -> Cells:
    """Compare what is laid over each other, after a flow of a few pixels has taken out what no plane explains."""
    one, other = laid.one, laid.other
    flow = _flow(_grey(one), _grey(other))
    if flow is not None:
        other = _moved(other, flow)
    side = int(np.clip(round(max(one.shape[:2]) / _CELLS_A_SIDE), *CELL_PX))
    grid = _Grid.of(laid.mask, side)
    a, b = equally_sharp(_grey(one).astype(np.float32), _grey(other).astype(np.float32))
    mean_a, mean_b = grid.mean(a), grid.mean(b)
    spread_a = np.sqrt(np.maximum(grid.mean(a * a) - mean_a**2, 0.0))
    spread_b = np.sqrt(np.maximum(grid.mean(b * b) - mean_b**2, 0.0))
    correlation = (grid.mean(a * b) - mean_a * mean_b) / np.maximum(spread_a * spread_b, 1.0)
    detailed = grid.covered & (np.maximum(spread_a, spread_b) >= DETAIL)
    both = detailed & (np.minimum(spread_a, spread_b) >= _FAINT) & (spread_a * spread_b >= DETAIL**2)
    moved = np.zeros_like(correlation) if flow is None else grid.mean(_length(flow)) / max(one.shape[:2])
    return Cells(side, correlation, grid.covered, detailed, both, _tint(one, other, grid), moved)


def find_detailed(pixels: U8, side: int) -> Bool:
    """Which cells of a picture, grey or RGB, have detail, bool (rows, columns)."""
    grid = _Grid.of(np.ones(pixels.shape[:2], np.bool_), side)
    grey = np.asarray(cv2.GaussianBlur(_grey(pixels).astype(np.float32), (0, 0), _SMOOTH_PX), np.float32)
    return np.asarray(grid.mean(grey * grey) - grid.mean(grey) ** 2 >= DETAIL**2, np.bool_)


@dataclass(frozen=True, slots=True)
class _Grid:
    """A canvas cut into cells: mask f32 (h, w), 1 where both pictures are; area f64 (rows, columns), a share."""

    mask: F32
    side: int
    area: F64

    @classmethod
    def of(cls, mask: Bool, side: int) -> _Grid:
        shown = mask.astype(np.float32)
        return cls(shown, side, _means(shown, side))

    @property
    def covered(self) -> Bool:
        return np.asarray(self.area >= _COVERED, np.bool_)

    def mean(self, values: F32) -> F64:
        """The mean over what is covered of each cell, f64 (rows, columns), of values f32 (h, w)."""
        return _means(np.asarray(values * self.mask, np.float32), self.side) / np.maximum(self.area, 1e-6)

    def mean_chroma(self, pixels: U8) -> F64:
        """Cr and Cb (Rec. 601) of the mean colour of each cell, f64 (rows, columns, 2), of pixels u8 (h, w, 3).

        Lab would cost as much as all else that is compared, and 160 ms for its tables when a process first asks.
        """
        red, green, blue = (self.mean(np.asarray(pixels[..., channel], np.float32)) for channel in range(3))
        luma = 0.299 * red + 0.587 * green + 0.114 * blue
        return np.stack([0.713 * (red - luma), 0.564 * (blue - luma)], axis=-1)


def _means(values: F32, side: int) -> F64:
    """Means over cells; what is left at the right and the bottom is not looked at."""
    height, width = values.shape
    rows, columns = max(1, height // side), max(1, width // side)
    whole = values[: min(height, rows * side), : min(width, columns * side)]
    return np.asarray(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA), np.float64)


def _grey(pixels: U8) -> U8:
    return pixels if pixels.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def _flow(one: U8, other: U8) -> F32 | None:
    """How far to move each pixel f32 (h, w, 2); None where the canvas is too small to tell.

    Dense inverse search: Kroeger et al. 2016.
    """
    if min(one.shape) < _FLOW_SIDE_PX:
        return None
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    flow = np.asarray(search.calc(one, other, np.zeros((*one.shape, 2), np.float32)), np.float32)
    length = _length(flow)
    limit = np.float32(_FLOW_SHARE * max(one.shape))
    flow *= np.minimum(np.float32(1), limit / np.maximum(length, np.float32(1e-6)))[..., None]
    return np.asarray(cv2.blur(flow, (_FLOW_SMOOTH_PX, _FLOW_SMOOTH_PX)), np.float32)


def _length(flow: F32) -> F32:
    x, y = np.ascontiguousarray(flow[..., 0]), np.ascontiguousarray(flow[..., 1])
    return np.asarray(cv2.magnitude(x, y), np.float32)


def _moved(pixels: U8, flow: F32) -> U8:
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def equally_sharp(one: F32, other: F32) -> tuple[F32, F32]:
    """Both as soft as the softer: a photograph out of focus is no other picture."""
    pair = [np.asarray(cv2.GaussianBlur(pixels, (0, 0), _SMOOTH_PX), np.float32) for pixels in (one, other)]
    edges = [_edges(pixels) for pixels in pair]
    for _ in range(_STEPS):
        sharper = int(edges[1] > edges[0])
        if edges[sharper] <= _SHARPER * edges[1 - sharper]:
            break
        pair[sharper] = np.asarray(cv2.GaussianBlur(pair[sharper], (0, 0), 1.0), np.float32)
        edges[sharper] = _edges(pair[sharper])
    return pair[0], pair[1]


def _edges(pixels: F32) -> float:
    """How hard the edges of a picture are, whatever its contrast."""
    fine = float(cv2.norm(cv2.Laplacian(pixels, cv2.CV_32F), cv2.NORM_L1))
    coarse = float(cv2.norm(pixels, cv2.blur(pixels, (15, 15)), cv2.NORM_L1))
    return fine / (coarse + 0.5 * pixels.size)


def _tint(one: U8, other: U8, grid: _Grid) -> F64:
    """How far colours are apart in each cell, in levels of chroma, beyond what light does to all of them."""
    if one.ndim == 2 or other.ndim == 2:
        return np.full(grid.area.shape, np.nan)
    apart = grid.mean_chroma(one) - grid.mean_chroma(other)
    usual = np.median(apart[grid.covered], axis=0) if grid.covered.any() else 0.0
    return np.asarray(np.abs(apart - usual).max(axis=-1), np.float64)
