"""What few points have laid over each other roughly is brought to a fraction of a pixel, as one plane seen from aside.

Evangelidis and Psarakis 2008 (ECC): the homography that correlates the light of both most. Unlike `registration`, which
asks each cell with detail how far it is off, it moves all of the pictures at once: of a flat logo only a few edges can
tell, and a handful of points leaves them several pixels off.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bof.alignment.canvas import Laid, lay_over
from bof.images.decode import Picture, to_grey
from bof.types import F64, U8, Bool

_CANVAS_PX = 256
_SMOOTH_PX = (9, 5)
"""Of each round, in pixels of the canvas, odd: wide first."""

_CRITERIA = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 40, 1e-4)
_LEAST_PX2, _LEAST_DRAWN_PX2 = 400, 200
"""A common part of fewer pixels says nothing, nor does less that is drawn in it."""

_BLUR_PX, _NOISE_LEVELS, _FITS = 1.5, 4.0, 5
_FAR_LEVELS, _LEAST_CONTRAST = 16.0, 12.0
"""Colour that is farther off differs: noise and edges of the same stay below 12. A part of less contrast is flat."""

_OTHER_LEVELS, _BURNT, _GROUND_LEVELS = 32.0, 240, 24
"""Quite another colour is farther off than this. What shines white in the larger picture says nothing, and what is
within so many levels of the colour at the edge is the ground."""

_FAR_PX, _FAR_BLUR_PX, _LEAST_FAR_PX2, _RESEMBLES = 64, 2.0, 64, 0.5

_EVEN_LEVELS, _EVEN = 3, 0.9
"""Neighbours of an even pixel are this near. Clean logos have 0.93 of them and more; of 3,359 photographs and scans of
five kinds, at 640 pixels, five have 0.85 and none has 0.9."""

_EVEN_PAGE, _BLACK, _WHITE = 0.6, 15.0, 240.0
"""Pages of text have 0.68 and more. Of the same pictures 91 are pages so, 86 of them things on white in `train/`."""


def refine_plane(one: Picture, other: Picture, one_from_other: F64) -> F64:
    """A transform f64 (3, 3), in pixels of the originals, of pictures in RGB; what cannot be refined is returned."""
    for smooth_px in _SMOOTH_PX:
        laid = lay_over(one, other, one_from_other, _CANVAS_PX)
        step = None if laid is None else _step(laid, smooth_px)
        if laid is None or step is None:
            return one_from_other
        one_from_other = laid.moved(step, one_from_other)
    return one_from_other


def _step(laid: Laid, smooth_px: int) -> F64 | None:
    """The homography f64 (3, 3) on the canvas that brings the other to the one; None where there is none."""
    mask = laid.mask
    if np.count_nonzero(mask) < _LEAST_PX2:
        return None
    contrast = laid.one[mask].std(axis=0) * laid.other[mask].std(axis=0)
    channel = int(np.argmax(contrast))  # colours of one grey differ in one of the three
    template, moving = (np.asarray(pixels[..., channel], np.float32) for pixels in (laid.one, laid.other))
    start = np.eye(3, dtype=np.float32)
    try:
        _, found = cv2.findTransformECC(
            template, moving, start, cv2.MOTION_HOMOGRAPHY, _CRITERIA, mask.astype(np.uint8), smooth_px
        )
        step = np.linalg.inv(found.astype(np.float64))
    except (cv2.error, np.linalg.LinAlgError):  # it has lost its way: the pictures differ
        return None
    return np.asarray(step, np.float64) if np.isfinite(step).all() else None


@dataclass(frozen=True, slots=True)
class Colours:
    """How the colours of two pictures compare where both are, after the light of one is made that of the other.

    unexplained: the share whose colour no change of light explains, 1 where all is flat; patch: the largest patch of
    quite another colour, as a share of what the smaller picture shows on its ground.
    """

    unexplained: float
    patch: float


UNKNOWN = Colours(1.0, 0.0)


def is_flat(picture: Picture) -> bool:
    """Is it drawn in even colours, as clean logos and icons are? No photograph is, nor a scan."""
    return _evenness(to_grey(picture.pixels)) >= _EVEN


def is_page(picture: Picture) -> bool:
    """Is it dark on white or light on black, as clean pages and drawings are?"""
    grey = to_grey(picture.pixels)
    return not _BLACK < float(np.median(grey)) < _WHITE and _evenness(grey) >= _EVEN_PAGE


def _evenness(grey: U8) -> float:
    """The share of pixels whose neighbours are of about the same light."""
    around = np.ones((3, 3), np.uint8)
    range_ = cv2.subtract(cv2.dilate(grey, around), cv2.erode(grey, around))
    return float((range_ <= _EVEN_LEVELS).mean())


def may_lie(one: Picture, other: Picture, one_from_other: F64) -> bool:
    """Do two pictures in RGB resemble each other as few points lay them, looked at from far? It takes 2 ms.

    Of flat drawings, points of which lie some pixels off, the right one correlates in 0.86 and more, a sibling in 0.55.
    """
    laid = lay_over(one, other, one_from_other, _FAR_PX)
    if laid is None or np.count_nonzero(laid.mask) < _LEAST_FAR_PX2:
        return False
    pair = [cv2.GaussianBlur(pixels, (0, 0), _FAR_BLUR_PX)[laid.mask] for pixels in (laid.one, laid.other)]
    channel = int(np.argmax(pair[0].std(axis=0) * pair[1].std(axis=0)))
    levels, others = (pixels[:, channel] - pixels[:, channel].mean() for pixels in pair)
    spread = float(np.sqrt((levels @ levels) * (others @ others)))
    return float(levels @ others) >= _RESEMBLES * max(spread, 1.0)


def compare_colours(one: Picture, other: Picture, one_from_other: F64) -> Colours:
    """Compare two pictures in RGB that lie right. one_from_other f64 (3, 3): in pixels of the originals.

    Light may change each channel in brightness and contrast. What is seen so is a difference in colour too, which the
    grey of a flat logo does not show.
    """
    laid = lay_over(one, other, one_from_other, _CANVAS_PX)
    if laid is None:
        return UNKNOWN
    inside = _shrunk(laid.mask, 5)
    if np.count_nonzero(inside) < _LEAST_PX2:
        return UNKNOWN
    colours, others = (
        np.asarray(cv2.GaussianBlur(all_, (0, 0), _BLUR_PX), np.uint8) for all_ in (laid.one, laid.other)
    )
    if max(float(pixels[inside].std(axis=0).max()) for pixels in (colours, others)) < _LEAST_CONTRAST:
        return UNKNOWN
    smaller, larger = (colours, others) if laid.covers[0] >= laid.covers[1] else (others, colours)
    unexplained = float((_apart(colours[inside], others[inside]) > _FAR_LEVELS).mean())
    return Colours(unexplained, _largest_patch(smaller, larger, inside))


def _largest_patch(smaller: U8, larger: U8, inside: Bool) -> float:
    """The largest patch of quite another colour, as a share of what the smaller picture, RGB u8 (h, w, 3), shows on its
    ground and nothing outshines; 0 where that is hardly anything.
    """
    drawn = inside & ~_grown(_ground(smaller, inside), 5) & ~_grown(larger.min(axis=2) >= _BURNT, 9)
    n_drawn = int(np.count_nonzero(drawn))
    if n_drawn < _LEAST_DRAWN_PX2:
        return 0.0
    differs = np.zeros(inside.shape, np.bool_)
    differs[drawn] = _apart(smaller[drawn], larger[drawn]) > _OTHER_LEVELS
    _, _, stats, _ = cv2.connectedComponentsWithStats(differs.astype(np.uint8), connectivity=8)
    return float(stats[1:, cv2.CC_STAT_AREA].max(initial=0)) / n_drawn


def _ground(pixels: U8, inside: Bool) -> Bool:
    """What is joined to the edge and has its colour: what a logo stands on, which is another wherever it hangs."""
    edge = inside & ~_shrunk(inside, 7)
    alike = inside & (np.abs(pixels - np.median(pixels[edge], axis=0)).max(axis=2) <= _GROUND_LEVELS)
    _, labels = cv2.connectedComponents(alike.astype(np.uint8))
    return np.asarray(alike & np.isin(labels, np.unique(labels[edge & alike])), np.bool_)


def _shrunk(mask: Bool, side: int) -> Bool:
    return np.asarray(cv2.erode(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0, np.bool_)


def _grown(mask: Bool, side: int) -> Bool:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0, np.bool_)


def _apart(one: U8, other: U8) -> F64:
    """How far the colours RGB u8 (n, 3) of two pictures are apart f64 (n,), in the channel that differs most."""
    return np.asarray(np.max([_apart_in(one[:, i], other[:, i]) for i in range(3)], axis=0), np.float64)


def _apart_in(one: U8, other: U8) -> F64:
    """How far levels u8 (n,) are from those of the other picture u8 (n,), in the light of the first.

    Brightness and contrast are fitted to what they explain: what is far off weighs less each time.
    """
    levels, others = one.astype(np.float64), other.astype(np.float64)
    weight = np.ones(len(levels))
    for _ in range(_FITS):
        mean, mean_other = np.average(levels, weights=weight), np.average(others, weights=weight)
        spread = np.average((others - mean_other) ** 2, weights=weight)
        cross = np.average((others - mean_other) * (levels - mean), weights=weight)
        contrast = max(float(cross / max(spread, 1.0)), 0.0)
        apart = np.abs(levels - mean - contrast * (others - mean_other))
        weight = 1 / np.maximum(1.0, apart / _NOISE_LEVELS)
    return np.asarray(apart, np.float64)
