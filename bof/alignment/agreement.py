"""How much of two pictures agrees, pixel by pixel, where geometry lays one over the other?

Points that agree prove that two pictures share something: a thing, or the form, frame or artwork that many things have
in common. Pixels tell which. The common part is cut into cells; those with detail in them agree where their pixels
correlate, after a flow of a few pixels has taken out what no plane explains.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bof.alignment.canvas import Laid, lay_over
from bof.geometry import transforms
from bof.images.decode import Picture, to_grey
from bof.types import F32, F64, U8, Bool

DECODED_SIDE_PX = 640
"""Pictures are compared at this long side or less."""

_CELL_PX = (8, 20)
_CELLS_A_SIDE = 30
"""A cell has a thirtieth of the canvas' long side, within these limits."""

_COVERED = 0.6
"""Share of a cell that both pictures must cover."""

_DETAIL = 6.0
"""Grey levels of standard deviation, in the livelier picture, from which a cell has detail to compare."""

_AGREES, _DISAGREES = 0.7, 0.35
"""Correlations from which a cell agrees, and up to which it does not."""

_FLOW_SIDE_PX = 48
_FLOW_SHARE = 0.03
"""A flow is looked for on a canvas of this short side, and goes no farther than this share of the long one."""

_RINGS = (1.0, 1.5, 2.2)
"""The hull of the inliers, and the same enlarged: what surrounds a shared part is looked at by itself."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Cells of side x side pixels on a canvas, f64 and bool (rows, columns).

    correlation: of the light in both pictures; detailed: is there enough to compare; covered; tint: the difference in
    colour, in levels, 0 where a picture is grey.
    """

    side: int
    correlation: F64
    covered: Bool
    detailed: Bool
    both: Bool
    tint: F64

    @property
    def agrees(self) -> Bool:
        """Cells with detail that is the same."""
        return np.asarray(self.detailed & (self.correlation >= _AGREES), np.bool_)

    @property
    def differs(self) -> Bool:
        """Cells with detail that is not the same."""
        return np.asarray(self.detailed & (self.correlation <= _DISAGREES), np.bool_)


_dis: dict[int, object] = {}


def _flow(one: U8, other: U8) -> F32:
    finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    flow = np.asarray(finder.calc(one, other, None), np.float32)
    limit = _FLOW_SHARE * max(one.shape)
    length = np.sqrt((flow**2).sum(axis=2))
    flow *= np.minimum(1.0, limit / np.maximum(length, 1e-6))[..., None]
    return np.asarray(cv2.blur(flow, (9, 9)), np.float32)


def compare_cells(laid: Laid) -> Cells:
    one, other = laid.one, laid.other
    grey, grey_other = to_grey(one) if one.ndim == 2 else cv2.cvtColor(one, cv2.COLOR_RGB2GRAY), to_grey(other) if other.ndim == 2 else cv2.cvtColor(other, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    if min(height, width) >= _FLOW_SIDE_PX:
        flow = _flow(grey, grey_other)
        x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        other = cv2.remap(other, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        grey_other = other if other.ndim == 2 else cv2.cvtColor(other, cv2.COLOR_RGB2GRAY)
    side = int(np.clip(round(max(height, width) / _CELLS_A_SIDE), *_CELL_PX))
    mask = laid.mask.astype(np.float32)
    area = _means(mask, side)
    covered = area >= _COVERED
    a, b = _alike_sharp(grey.astype(np.float32), grey_other.astype(np.float32), laid.mask)
    weight = np.where(area > 0, area, 1.0)
    mean = lambda v: _means(v * mask, side) / weight
    ma, mb = mean(a), mean(b)
    da, db = np.sqrt(np.maximum(mean(a * a) - ma**2, 0)), np.sqrt(np.maximum(mean(b * b) - mb**2, 0))
    corr = (mean(a * b) - ma * mb) / np.maximum(da * db, 1.0)
    detailed = covered & (np.maximum(da, db) >= _DETAIL)
    both = covered & (np.minimum(da, db) >= 4.0) & (da * db >= _DETAIL**2)
    if one.ndim == 3:
        la, lb = cv2.cvtColor(one, cv2.COLOR_RGB2LAB), cv2.cvtColor(other, cv2.COLOR_RGB2LAB)
        diffs = []
        for c in (1, 2):
            d = mean(cv2.subtract(la[..., c], lb[..., c], dtype=cv2.CV_32F))
            diffs.append(d - (np.median(d[covered]) if covered.any() else 0))
        tint = np.maximum(np.abs(diffs[0]), np.abs(diffs[1]))
    else:
        tint = np.zeros_like(corr)
    return Cells(side, corr, covered, detailed, both, tint)


def _alike_sharp(one: F32, other: F32, mask: Bool) -> tuple[F32, F32]:
    """Both with the sharpness of the less sharp."""
    one, other = cv2.GaussianBlur(one, (0, 0), 0.8), cv2.GaussianBlur(other, (0, 0), 0.8)
    inner = cv2.erode(mask.astype(np.uint8), np.ones((9, 9), np.uint8), borderValue=0) > 0

    def edges(p: F32) -> float:
        g = cv2.Laplacian(p, cv2.CV_32F)
        c = p - cv2.blur(p, (15, 15))
        return float(np.abs(g[inner]).mean() / (np.abs(c[inner]).mean() + 0.5)) if inner.any() else 1.0

    ea, eb = edges(one), edges(other)
    for _ in range(4):
        if ea > 1.15 * eb:
            one = cv2.GaussianBlur(one, (0, 0), 1.0)
            ea = edges(one)
        elif eb > 1.15 * ea:
            other = cv2.GaussianBlur(other, (0, 0), 1.0)
            eb = edges(other)
        else:
            break
    return one, other


def _means(values: F32, side: int) -> F64:
    rows, columns = max(1, values.shape[0] // side), max(1, values.shape[1] // side)
    h, w = min(values.shape[0], rows * side), min(values.shape[1], columns * side)
    return np.asarray(cv2.resize(values[:h, :w], (columns, rows), interpolation=cv2.INTER_AREA), np.float64)
