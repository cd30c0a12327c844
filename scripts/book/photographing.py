"""A photograph of one picture in a book: from a slant, in uneven light, a little blurred, saved as JPEG."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from bof.types import F64, U8
from scripts.siblings.streams import Rng
from scripts.torture.mutants import saved

LONG_SIDE = 900
_TILT, _LEAST_MARGIN, _MOST_MARGIN = 0.07, -0.03, 0.08


def photograph(page: U8, corners: F64, rng: Rng) -> tuple[bytes, F64]:
    """The file of a photograph of a picture on a page RGB u8, and what of the page is seen: its corners f64 (4, 2).

    corners f64 (4, 2): of the picture, in pixels of the page, from its top left clockwise. The frame is a little larger
    than the picture, or cuts a little of it.
    """
    across, down = (np.hypot(*(corners[other] - corners[0])) for other in (1, 3))
    width, height = (LONG_SIDE * side / max(across, down) for side in (across, down))
    seen = _seen(corners, rng)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
    transform = cv2.getPerspectiveTransform(seen.astype(np.float32), target)
    view = cv2.warpPerspective(
        page, transform, (round(width), round(height)), flags=cv2.INTER_AREA, borderValue=(96, 84, 70)
    )
    return saved(Image.fromarray(_developed(np.asarray(view, np.uint8), rng)), "JPEG", quality=_quality(rng)), seen


def _quality(rng: Rng) -> int:
    return int(rng.integers(55, 88))


def _seen(corners: F64, rng: Rng) -> F64:
    """The corners of the frame on the page."""
    centre = corners.mean(axis=0)
    larger = centre + (corners - centre) * (1 + 2 * rng.uniform(_LEAST_MARGIN, _MOST_MARGIN))
    size = np.ptp(corners, axis=0)
    moved: F64 = larger + rng.uniform(-_TILT, _TILT, (4, 2)) * size
    return moved


def _developed(view: U8, rng: Rng) -> U8:
    height, width = view.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    towards = rng.uniform(0, 2 * np.pi)
    light = 1 + 0.25 * (x * np.cos(towards) + y * np.sin(towards)) + rng.uniform(-0.15, 0.1)
    tint = rng.uniform(0.92, 1.06, 3)
    lit = np.clip(view * light[:, :, None] * tint, 0, 255).astype(np.float32)
    blurred = cv2.GaussianBlur(lit, (0, 0), float(rng.uniform(0.7, 1.6)))
    noisy: U8 = np.clip(blurred + rng.normal(0, 4, view.shape), 0, 255).astype(np.uint8)
    return noisy
