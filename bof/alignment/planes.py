"""What few points have laid over each other roughly is brought to a fraction of a pixel, as one plane seen from aside.

Evangelidis and Psarakis 2008 (ECC): the homography that correlates the light of both most. Unlike `registration`, which
asks each cell with detail how far it is off, it moves all of the pictures at once: of a flat logo only a few edges can
tell, and a handful of points leaves them several pixels off.
"""

from __future__ import annotations

import cv2
import numpy as np

from bof.alignment.canvas import Laid, lay_over
from bof.images.decode import Picture
from bof.types import F64

_CANVAS_PX = 256
_SMOOTH_PX = (9, 5)
"""Of each round, in pixels of the canvas, odd: wide first."""

_CRITERIA = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 40, 1e-4)
_LEAST_PX2 = 400
"""A common part of fewer pixels says nothing."""

_BLUR_PX, _NOISE_LEVELS, _FITS = 1.5, 4.0, 5
_FAR_LEVELS, _LEAST_CONTRAST = 16.0, 12.0
"""Colour that is farther off differs: noise and edges of the same stay below 12. A part of less contrast is flat."""


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


def unexplained(one: Picture, other: Picture, one_from_other: F64) -> float:
    """The share of what two pictures in RGB have in common whose colour no change of light explains; 1 if all is flat.

    Light may change each channel in brightness and contrast. What is seen so is a difference in colour too, which the
    grey of a flat logo does not show.
    """
    laid = lay_over(one, other, one_from_other, _CANVAS_PX)
    if laid is None:
        return 1.0
    inside = cv2.erode(laid.mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if np.count_nonzero(inside) < _LEAST_PX2:
        return 1.0
    colours, others = (
        cv2.GaussianBlur(pixels, (0, 0), _BLUR_PX)[inside].astype(np.float64) for pixels in (laid.one, laid.other)
    )
    if max(float(colours.std(axis=0).max()), float(others.std(axis=0).max())) < _LEAST_CONTRAST:
        return 1.0
    apart = [_apart(colours[:, channel], others[:, channel]) for channel in range(3)]
    return float((np.max(apart, axis=0) > _FAR_LEVELS).mean())


def _apart(levels: F64, others: F64) -> F64:
    """How far levels f64 (n,) are from those of the other picture f64 (n,), in the light of the first.

    Brightness and contrast are fitted to what they explain: what is far off weighs less each time.
    """
    weight = np.ones(len(levels))
    for _ in range(_FITS):
        mean, mean_other = np.average(levels, weights=weight), np.average(others, weights=weight)
        spread = np.average((others - mean_other) ** 2, weights=weight)
        cross = np.average((others - mean_other) * (levels - mean), weights=weight)
        contrast = max(float(cross / max(spread, 1.0)), 0.0)
        apart = np.abs(levels - mean - contrast * (others - mean_other))
        weight = 1 / np.maximum(1.0, apart / _NOISE_LEVELS)
    return np.asarray(apart, np.float64)
