"""The colours of two pictures that lie over each other: does the light that falls on them explain how they differ?

The grey of a flat logo does not show what is another colour, and what it hangs on is no part of it: what a drawing
shows on its ground is compared for itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bof.alignment.canvas import lay_over
from bof.alignment.drawn import DrawnMask, grown, shrunk
from bof.geometry.transforms import apply, corners, translation
from bof.images.decode import Picture, correlation
from bof.types import F64, U8, Bool

_CANVAS_PX = 256
_LEAST_PX2, _LEAST_DRAWN_PX2 = 400, 200
"""A common part of fewer pixels says nothing, nor does less that is drawn in it."""

_BLUR_PX, _BESIDE_PX, _NOISE_LEVELS, _FITS = 1.5, 4.0, 4.0, 5
_FAR_LEVELS, _LEAST_CONTRAST, _LEAST_STRUCTURE = 16.0, 12.0, 25.0
"""Colour that is farther off differs: noise and edges of the same stay below 12. A part of less contrast is flat, and
what is drawn has one colour where it varies by less than the last of these."""

_OTHER_LEVELS, _BURNT, _PALE = 32.0, 240, 200
"""Quite another colour is farther off than this. What shines white in the larger picture says nothing."""

_SMALL_PX = 192
"""What is laid out smaller than this may be a pixel off where colours meet."""

_THROUGH = 0.5
"""The share of a hole that differs where the picture is seen through it."""

_FAR_PX, _FAR_BLUR_PX, _LEAST_FAR_PX2 = 64, 1.5, 64
"""What is looked at from far is laid out at this long side and blurred by so much; fewer pixels say nothing."""


@dataclass(frozen=True, slots=True)
class DrawnColours:
    """How the colours of what a drawing shows on its ground compare with those of a larger picture.

    unexplained: the share whose colour no change of light explains, 1 where it has one colour; patch: the largest patch
    of quite another colour, as a share of it; beyond: the share that is quite another colour, in small pictures than
    all that lies within a pixel; outlined: the share of what lies round it whose colour is another in the larger
    picture too; ground: the share of the common part that is not drawn.
    """

    unexplained: float
    patch: float
    beyond: float
    outlined: float
    ground: float


NOTHING_DRAWN = DrawnColours(1.0, 0.0, 0.0, 0.0, 1.0)
"""Hardly anything is drawn, or nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Colours:
    """How the colours of two pictures compare where both are, after the light of one is made that of the other.

    unexplained: the share whose colour no change of light explains, 1 where all is flat; drawn: of what the smaller
    picture shows on its ground; covers: the shares of the one's and the other's area that both show.
    """

    unexplained: float
    drawn: DrawnColours
    covers: tuple[float, float]


def resemblance(one: Picture, drawing: Picture, one_from_drawing: F64) -> tuple[float, float]:
    """How well the colours of a drawing correlate with a picture's where it may lie, looked at from far, in 1 ms: all
    of it, and what it shows on its ground, 0 where that has one colour.

    Of drawings that few points lay some pixels off, all of the right one has 0.86 and more, of a sibling 0.55.
    """
    part, part_from_drawing = _around(one, drawing, one_from_drawing)
    laid = lay_over(part, drawing, part_from_drawing, _FAR_PX)
    if laid is None or np.count_nonzero(laid.mask) < _LEAST_FAR_PX2:
        return 0.0, 0.0
    drawn = DrawnMask.of(laid.other, laid.mask).drawn(3)
    has_colours = _has_colours(laid.other, drawn, _LEAST_FAR_PX2)
    pair = [np.asarray(cv2.GaussianBlur(pixels, (0, 0), _FAR_BLUR_PX), np.float64) for pixels in (laid.one, laid.other)]
    of_all = correlation(pair[0][laid.mask], pair[1][laid.mask])
    return of_all, correlation(pair[0][drawn], pair[1][drawn]) if has_colours else 0.0


def _around(one: Picture, drawing: Picture, one_from_drawing: F64) -> tuple[Picture, F64]:
    """The part of a picture in which a drawing lies, and how it lies there: what is far is not shrunk."""
    outline = apply(one_from_drawing, corners((0, 0, drawing.width, drawing.height)))
    height, width = one.pixels.shape[:2]
    shrunk_by, limits = np.array([width / one.width, height / one.height]), np.array([width, height])
    low, high = np.floor(outline.min(axis=0) * shrunk_by) - 1, np.ceil(outline.max(axis=0) * shrunk_by) + 2
    if not np.isfinite([low, high]).all() or np.any(high <= 0) or np.any(low >= limits):
        return one, one_from_drawing
    low, high = np.maximum(low, 0).astype(int), np.minimum(high, limits).astype(int)
    (x0, y0), (x1, y1) = low.tolist(), high.tolist()
    size = np.maximum(1, np.rint((high - low) / shrunk_by)).astype(int).tolist()
    part = Picture(one.pixels[y0:y1, x0:x1], *size)
    return part, translation(*(-low / shrunk_by).tolist()) @ one_from_drawing


def compare_colours(one: Picture, other: Picture, one_from_other: F64) -> Colours:
    """Compare two pictures in RGB that lie right. one_from_other f64 (3, 3): in pixels of the originals.

    Light may change each channel in brightness and contrast. What is seen so is a difference in colour too, which the
    grey of a flat logo does not show.
    """
    laid = lay_over(one, other, one_from_other, _CANVAS_PX)
    if laid is None:
        return Colours(1.0, NOTHING_DRAWN, (0.0, 0.0))
    unknown, inside = Colours(1.0, NOTHING_DRAWN, laid.covers), shrunk(laid.mask, 5)
    if np.count_nonzero(inside) < _LEAST_PX2:
        return unknown
    colours, others = (
        np.asarray(cv2.GaussianBlur(all_, (0, 0), _BLUR_PX), np.uint8) for all_ in (laid.one, laid.other)
    )
    if max(float(pixels[inside].std(axis=0).max()) for pixels in (colours, others)) < _LEAST_CONTRAST:
        return unknown
    smaller, larger = (laid.one, laid.other) if laid.covers[0] >= laid.covers[1] else (laid.other, laid.one)
    unexplained = float((_apart(colours[inside], others[inside]) > _FAR_LEVELS).mean())
    return Colours(unexplained, _compare_drawn(smaller, larger, inside), laid.covers)


def _compare_drawn(smaller: U8, larger: U8, inside: Bool) -> DrawnColours:
    """Of what the smaller picture, RGB u8 (h, w, 3), shows on its ground and nothing outshines."""
    shines = grown((larger.min(axis=2) >= _BURNT) & (smaller.min(axis=2) < _PALE), 9)
    mask = DrawnMask.of(smaller, inside)
    drawn, inner = (mask.drawn(apart_px) & ~shines for apart_px in (5, 7))
    n_drawn = int(np.count_nonzero(drawn))
    if n_drawn < _LEAST_DRAWN_PX2:
        return NOTHING_DRAWN
    to_ground = mask.drawn(1)
    outlined, ground = _outlined(larger, drawn, to_ground), 1 - float(to_ground[inside].mean())
    smaller, larger = (_blurred_in(pixels, drawn, _BLUR_PX) for pixels in (smaller, larger))
    apart, beyond = np.zeros(inside.shape), np.zeros(inside.shape)
    apart[drawn] = _apart(smaller[drawn], larger[drawn])
    drawn, inner = (each & ~_seen_through(apart, drawn, grown(mask.holes, 5)) for each in (drawn, inner))
    apart[~drawn] = 0
    ends = _range_around(larger) if max(inside.shape) < _SMALL_PX else (larger, larger)
    beyond[drawn] = _beyond(smaller[drawn], *(each[drawn] for each in (larger, *ends)))
    _, _, stats, _ = cv2.connectedComponentsWithStats((apart > _OTHER_LEVELS).astype(np.uint8), connectivity=8)
    patch = float(stats[1:, cv2.CC_STAT_AREA].max(initial=0)) / n_drawn
    is_known = _has_colours(smaller, inner, _LEAST_DRAWN_PX2)
    unexplained = float((apart[inner] > _FAR_LEVELS).mean()) if is_known else 1.0
    return DrawnColours(unexplained, patch, float((beyond > _OTHER_LEVELS).sum()) / n_drawn, outlined, ground)


def _outlined(pixels: U8, drawn: Bool, to_ground: Bool) -> float:
    """The share of a ring round what is drawn where a picture RGB u8 (h, w, 3) has another colour than beside it.

    drawn: less its edge; to_ground: with it.
    """
    ring = grown(to_ground, 9) & ~grown(to_ground, 5)
    beside = _blurred_in(pixels, drawn, _BESIDE_PX)
    blurred = cv2.GaussianBlur(pixels, (0, 0), 1.0)
    apart = cv2.absdiff(blurred, beside).max(axis=2) > _FAR_LEVELS
    return float(apart[ring].mean()) if ring.any() else 0.0


def _blurred_in(pixels: U8, where: Bool, blur_px: float) -> U8:
    """Blurred by what is there alone: no colour of the ground comes in."""
    weight = where.astype(np.float32)
    blurred = cv2.GaussianBlur(pixels * weight[..., None], (0, 0), blur_px)
    share = cv2.GaussianBlur(weight, (0, 0), blur_px)
    return np.asarray(np.rint(blurred / np.maximum(share, 1e-3)[..., None]), np.uint8)


def _has_colours(pixels: U8, where: Bool, least_px2: int) -> bool:
    """Do so many pixels at least show more than one colour?"""
    return bool(np.count_nonzero(where) >= least_px2 and pixels[where].std(axis=0).max() >= _LEAST_STRUCTURE)


def _seen_through(apart: F64, drawn: Bool, holes: Bool) -> Bool:
    """The holes bool (h, w) of a drawing through which the picture shows something else: they are ground too."""
    n, labels = cv2.connectedComponents((holes & drawn).astype(np.uint8))
    through = [label for label in range(1, n) if float((apart[labels == label] > _FAR_LEVELS).mean()) > _THROUGH]
    return np.asarray(np.isin(labels, through), np.bool_)


def _apart(one: U8, other: U8) -> F64:
    """How far the colours RGB u8 (n, 3) of two pictures are apart f64 (n,), in the channel that differs most."""
    return _beyond(one, other, other, other)


def _range_around(pixels: U8) -> list[U8]:
    """The least and the highest level of each channel within a pixel, u8 (h, w, 3) each."""
    around = np.ones((3, 3), np.uint8)
    return [np.asarray(reach(pixels, around), np.uint8) for reach in (cv2.erode, cv2.dilate)]


def _beyond(one: U8, other: U8, least: U8, highest: U8) -> F64:
    """How far the colours RGB u8 (n, 3) of one picture are from all between the least and the highest of the other, in
    the light of the first: f64 (n,), in the channel that differs most.
    """
    apart = np.zeros(len(one))
    for channel in range(3):
        levels = one[:, channel].astype(np.float64)
        contrast, brightness = _fitted(levels, other[:, channel].astype(np.float64))
        low, high = (contrast * end[:, channel] + brightness for end in (least, highest))
        apart = np.maximum(apart, np.maximum(low - levels, levels - high))
    return apart


def _fitted(levels: F64, others: F64) -> tuple[float, float]:
    """The contrast, 0 or more, and the brightness that bring levels f64 (n,) of the other picture nearest to one's.

    They are fitted to what they explain: what is far off weighs less each time.
    """
    weight, contrast, brightness = np.ones(len(levels)), 1.0, 0.0
    for _ in range(_FITS):
        mean, mean_other = np.average(levels, weights=weight), np.average(others, weights=weight)
        spread = np.average((others - mean_other) ** 2, weights=weight)
        cross = np.average((others - mean_other) * (levels - mean), weights=weight)
        contrast = max(float(cross / max(spread, 1.0)), 0.0)
        brightness = float(mean - contrast * mean_other)
        weight = 1 / np.maximum(1.0, np.abs(levels - brightness - contrast * others) / _NOISE_LEVELS)
    return contrast, brightness
