"""How much of two pictures agrees where geometry lays one over the other?

Points that agree prove that two pictures share something: a thing, or the form, frame or artwork that many things have
in common. Pixels tell which: where the thing is the same, so is what lies between the points and around them.
"""

from __future__ import annotations

import cv2
import numpy as np

from bof.alignment.brightness import in_light
from bof.alignment.canvas import Laid, decoded_from_original, lay_over
from bof.alignment.cells import AGREES, DIFFERS, EXACT, Cells, compare_cells, find_detailed
from bof.geometry import transforms
from bof.images.decode import Picture
from bof.options import Extent
from bof.types import F32, F64, Agreement, Bool

DECODED_SIDE_PX = 640
"""Pictures are read at this long side or less."""

DECODED = Extent(DECODED_SIDE_PX)
"""And long ones at this extent."""

_CANVAS_PX = 480
"""And compared at this one."""

_RINGS = (1.0, 1.5, 2.2)
"""The hull of the inliers, and the same enlarged: what surrounds a shared part is judged by itself."""

CONTENT_CELL_PX = 16
_REGION, _EVERYWHERE = "region", "all"
_UNKNOWN_TINT = 8.0
"""Stands for the difference in colour where a picture is grey."""

_OF_A_RING = ("cells", "exact", "agree", "differ", "breaks", "median", "low", "tint")
MEASURES = (
    *(f"{name} {ring}" for ring in (*_RINGS, _REGION, _EVERYWHERE) for name in _OF_A_RING),
    "one-sided", "largest difference", "in region", "covered", "moved", "moved most",
)  # fmt: skip
"""What `Agreement.measures` holds."""


def agree(
    one: Picture, other: Picture, other_from_one: F64, points: F32, detail: F64 | None = None
) -> Agreement | None:
    """Compare two pictures, grey or RGB, where they show the same; None where they have nothing in common.

    other_from_one f64 (3, 3): in pixels of the originals; points f32 (n, 2): where the one has what geometry found;
    detail: `detail_of(one)`, where many are compared with it.
    """
    shown, other = in_light(one, other)
    detail = detail_of(shown) if detail is None or shown is not one else detail
    one = shown
    if one.pixels.ndim != other.pixels.ndim:
        one, other = (_in_grey(picture) for picture in (one, other))
    try:
        one_from_other = np.asarray(np.linalg.inv(other_from_one), np.float64)
    except np.linalg.LinAlgError:
        return None
    laid = lay_over(one, other, one_from_other, _CANVAS_PX)
    if laid is None:
        return None
    cells = compare_cells(laid)
    hull = _hull(cells)
    measures = np.array(_measures(laid, cells, points, hull), np.float64)
    region = (
        None if hull is None else transforms.apply(np.asarray(np.linalg.inv(laid.canvas_from_one), np.float64), hull)
    )
    region_in_other = None if region is None else transforms.apply(other_from_one, region)
    overlaps = _overlaps((detail, detail_of(other)), one_from_other, laid, cells)
    return Agreement(*overlaps, region, region_in_other, int(cells.differs.sum()), measures, _on_grid(one, laid, cells))


GRID = 32
"""A picture is divided into so many places a side, whatever its shape, so that several answers to it compare."""


def _on_grid(one: Picture, laid: Laid, cells: Cells) -> F32:
    """The correlation at each place of the one f32 (GRID, GRID); NaN where nothing was compared."""
    steps = (np.arange(GRID) + 0.5) / GRID
    x, y = np.meshgrid(steps * one.width - 0.5, steps * one.height - 0.5)
    places = transforms.apply(laid.canvas_from_one, np.column_stack([x.ravel(), y.ravel()])) / cells.side
    rows, columns = cells.correlation.shape
    column, row = np.floor(places).astype(np.int64).T
    inside = (column >= 0) & (row >= 0) & (column < columns) & (row < rows)
    found = np.full(GRID * GRID, np.nan, np.float32)
    at = row[inside], column[inside]
    found[inside] = np.where(cells.detailed[at], cells.correlation[at], np.nan)
    return found.reshape(GRID, GRID)


def _in_grey(picture: Picture) -> Picture:
    pixels = picture.pixels
    grey = pixels if pixels.ndim == 2 else np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    return Picture(grey, picture.width, picture.height)


def _measures(laid: Laid, cells: Cells, points: F32, hull: F64 | None) -> list[float]:
    found: list[float] = []
    nothing = np.zeros_like(cells.covered)
    region = nothing if hull is None else _inside(hull / cells.side - 0.5, cells)
    for ring in [*_rings(laid, cells, points), region, np.ones_like(cells.covered)]:
        found.extend(_of_ring(cells, ring))
    one_sided = float((cells.detailed & ~cells.both).sum()) / max(1.0, float(cells.detailed.sum()))
    return [*found, one_sided, _largest(cells, ~nothing), _largest(cells, region), max(laid.covers), *_moved(cells)]


def _of_ring(cells: Cells, ring: Bool) -> list[float]:
    correlation = cells.correlation[ring & cells.both]
    tint = cells.tint[ring & cells.covered]
    n = len(correlation)
    low, median = _quantiles(correlation, 0.1, 0.5) if n else (0.0, 0.0)
    agree = float((correlation >= AGREES).mean()) if n else 0.0
    differ = float((correlation <= DIFFERS).mean()) if n else 1.0
    exact = float((correlation >= EXACT).mean()) if n else 0.0
    breaks = float((cells.breaks & ring).sum()) / max(1, n)
    apart = _quantiles(tint, 0.8)[0] if len(tint) else np.nan
    tint_of_ring = _UNKNOWN_TINT if np.isnan(apart) else apart
    shares = exact, agree, differ, breaks
    return [float(np.log1p(n)), *shares, median, low, float(np.log1p(tint_of_ring))]


def _quantiles(values: F64, *shares: float) -> list[float]:
    """As np.quantile has them, of at least one value: it takes longer to ask than to sort."""
    ranked = np.sort(values)
    found = []
    for share in shares:
        place = share * (len(ranked) - 1)
        below = int(place)
        above = min(below + 1, len(ranked) - 1)
        found.append(float(ranked[below] + (place - below) * (ranked[above] - ranked[below])))
    return found


def _rings(laid: Laid, cells: Cells, points: F32) -> list[Bool]:
    """The cells in the hull of the points, and in the same enlarged round its middle."""
    on_canvas = transforms.apply(laid.canvas_from_one, points.astype(np.float64))
    hull = cv2.convexHull(on_canvas.astype(np.float32)).reshape(-1, 2)
    middle = hull.mean(axis=0)
    return [_inside((middle + (hull - middle) * factor) / cells.side - 0.5, cells) for factor in _RINGS]


def _moved(cells: Cells) -> tuple[float, float]:
    """How far the flow goes where the pictures agree: usually, and at most."""
    moved = cells.moved[cells.agrees]
    if not len(moved):
        return 0.0, 0.0
    usual, most = _quantiles(moved, 0.5, 0.9)
    return usual, most


def _inside(corners: F64, cells: Cells) -> Bool:
    """The cells whose middle lies in a convex polygon f64 (n, 2), counted in cells."""
    inside = np.zeros(cells.correlation.shape, np.uint8)
    cv2.fillConvexPoly(inside, np.rint(np.clip(corners, -1e4, 1e4) * 16).astype(np.int32), 1, shift=4)
    return np.asarray(inside > 0, np.bool_)


def _largest(cells: Cells, ring: Bool) -> float:
    """The largest patch of cells that differ, as a share of those with detail in both."""
    differs, both = cells.differs & ring, cells.both & ring
    n, _, stats, _ = cv2.connectedComponentsWithStats(differs.astype(np.uint8), connectivity=8)
    return float(stats[1:, cv2.CC_STAT_AREA].max()) / max(1.0, float(both.sum())) if n > 1 else 0.0


def _hull(cells: Cells) -> F64 | None:
    """The outline of the largest patch that agrees f64 (n, 2), in pixels of the canvas."""
    joined = cv2.morphologyEx(cells.agrees.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    n, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    if n < 2:
        return None
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    y, x = np.nonzero(labels == largest)
    corners = np.concatenate([np.stack([x + dx, y + dy], axis=1) for dx in (0, 1) for dy in (0, 1)])
    return cv2.convexHull(corners.astype(np.float32) * cells.side).reshape(-1, 2).astype(np.float64)


def detail_of(picture: Picture) -> F64:
    """Where a picture has detail: the middles of cells f64 (n, 2), in pixels of the original."""
    row, column = np.nonzero(find_detailed(picture.pixels, CONTENT_CELL_PX))
    decoded = (np.column_stack([column, row]) + 0.5) * CONTENT_CELL_PX - 0.5
    original_from_decoded = np.asarray(np.linalg.inv(decoded_from_original(picture)), np.float64)
    return transforms.apply(original_from_decoded, np.asarray(decoded, np.float64))


def _overlaps(details: tuple[F64, F64], one_from_other: F64, laid: Laid, cells: Cells) -> tuple[float, float]:
    """Shares of the detail of each picture that agrees: of what is in the common part, and how much of all is there."""
    agreeing = float(cells.agrees.sum()) / max(1.0, float(cells.detailed.sum()))
    canvas_from_other = laid.canvas_from_one @ one_from_other
    return (
        agreeing * _share_inside(details[0], laid.canvas_from_one, laid.mask),
        agreeing * _share_inside(details[1], canvas_from_other, laid.mask),
    )


def _share_inside(detail: F64, canvas_from_picture: F64, mask: Bool) -> float:
    """The share of a picture's detail f64 (n, 2) that lies in the common part."""
    if not len(detail):
        return 1.0
    x, y = np.rint(transforms.apply(canvas_from_picture, detail)).T
    inside = (x >= 0) & (y >= 0) & (x < mask.shape[1]) & (y < mask.shape[0])
    inside[inside] = mask[y[inside].astype(np.int64), x[inside].astype(np.int64)]
    return float(inside.mean())
