"""Text that is laid over a film in a band near the bottom: bright strokes, close together, in the middle of a line."""

from __future__ import annotations

import cv2
import numpy as np

from bof.types import I32, U8, Bool

_TOP = 0.62
"""Subtitles stand below this share of the frame's height."""

_BRIGHT, _CONTRAST = 170, 80
_STROKE = 0.012
"""Strokes are at most so wide, as a share of the frame's long side."""

_CLOSE = 0.03
"""Strokes of one line are at most so far apart."""

_DENSITY = 0.12
_MIN_WIDTH, _MIN_HEIGHT, _MOST_HEIGHT = 0.08, 0.012, 0.2
_OFF_CENTRE = 0.2


def find_text(pixels: U8, shape: tuple[int, ...]) -> Bool:
    """Where a frame u8 (h, w), grey, may have a subtitle, as a mask of another size: bool `shape`."""
    height, width = pixels.shape
    top = int(_TOP * height)
    below = pixels[top:]
    strokes = (_bright_strokes(below, max(3, round(_STROKE * max(height, width)))) * 255).astype(np.uint8)
    density = cv2.blur(strokes, (max(3, round(_CLOSE * width)), max(3, round(_MIN_HEIGHT * height))))
    n, labels, stats, centres = cv2.connectedComponentsWithStats((density > _DENSITY * 255).astype(np.uint8))
    lines = [i for i in range(1, n) if _is_line(stats[i], float(centres[i][0]), width, height)]
    mask = np.zeros(pixels.shape, np.uint8)
    mask[top:] = np.isin(labels, lines)
    return np.asarray(cv2.resize(mask, shape[1::-1], interpolation=cv2.INTER_AREA) > 0) if lines else np.zeros(
        shape, np.bool_)  # fmt: skip


def _bright_strokes(pixels: U8, width: int) -> Bool:
    """Bright pixels with much darker ones at both sides, not further than a stroke is wide."""
    kernel = np.ones((1, 2 * width + 1), np.uint8)
    return np.asarray((pixels > _BRIGHT) & (cv2.morphologyEx(pixels, cv2.MORPH_TOPHAT, kernel) > _CONTRAST))


def _is_line(stats: I32, centre_x: float, width: int, height: int) -> bool:
    is_wide = stats[cv2.CC_STAT_WIDTH] >= _MIN_WIDTH * width
    is_flat = stats[cv2.CC_STAT_HEIGHT] <= min(_MOST_HEIGHT * height, stats[cv2.CC_STAT_WIDTH])
    return bool(is_wide and is_flat and abs(centre_x - width / 2) <= _OFF_CENTRE * width)
