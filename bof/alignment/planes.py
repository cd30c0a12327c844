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
    """The transform f64 (3, 3) on the canvas that brings the other to the one; None for none."""
    mask = laid.mask
    if np.count_nonzero(mask) < _LEAST_PX2:
        return None
    contrast = laid.one[mask].std(axis=0) * laid.other[mask].std(axis=0)
    channel = int(np.argmax(contrast))  # colours of one grey differ in one of the three
    template, moving = (np.asarray(pixels[..., channel], np.float32) for pixels in (laid.one, laid.other))
    start, motion = np.eye(3, dtype=np.float32), cv2.MOTION_HOMOGRAPHY
    try:
        _, found = cv2.findTransformECC(template, moving, start, motion, _CRITERIA, mask.astype(np.uint8), smooth_px)
        step = np.linalg.inv(found.astype(np.float64))
    except (cv2.error, np.linalg.LinAlgError):  # it has lost its way: the pictures differ
        return None
    return np.asarray(step, np.float64) if np.isfinite(step).all() else None
