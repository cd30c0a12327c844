"""What is drawn over a copy: captions as on shared pictures, an opaque badge."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator

from bof.types import U8, Bool

_WORDS = (
    "NEW",
    "when you see it",
    "SALE 50 %",
    "breaking news",
    "follow us",
    "Monday",
    "WOW",
    "sample",
    "for you",
    "2024",
)
_INKS = ((255, 255, 255), (255, 230, 0), (20, 20, 20), (230, 30, 30))
_LINE_SHARE = 0.16
"""Height of a line of text as a share of the picture's height."""


def write_captions(picture: U8, rng: Generator) -> U8:
    """Three lines of outlined text across the picture: near its top, about its middle, near its bottom."""
    canvas = picture.copy()
    words = rng.choice(_WORDS, 3, replace=False).tolist()
    ink = _INKS[int(rng.integers(0, len(_INKS)))]
    for text, middle in zip(words, (0.12, float(rng.uniform(0.4, 0.6)), 0.88), strict=True):
        _write(canvas, text, middle, ink)
    return canvas


def _write(canvas: U8, text: str, middle: float, ink: tuple[int, int, int]) -> None:
    """A rimmed line as large as fits into 90 % of the width, its middle at a share of the height."""
    height, width = canvas.shape[:2]
    face = cv2.FontFace("sans")
    size = max(1, round(_LINE_SHARE * height))
    needed = _measure(text, face, size)[2]
    size = max(1, min(size, int(size * 0.9 * width / needed)))
    x, y, w, h = _measure(text, face, size)
    left, base = round((width - w) / 2) - x, round(middle * height - h / 2) - y
    rim, step = ((0, 0, 0) if sum(ink) > 200 else (255, 255, 255)), max(1, size // 14)
    for dx, dy in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        cv2.putText(canvas, text, (left + dx * step, base + dy * step), rim, face, size, 700)
    cv2.putText(canvas, text, (left, base), ink, face, size, 700)


def _measure(text: str, face: cv2.FontFace, size: int) -> tuple[int, int, int, int]:
    """The box (x, y, width, height) of a text that is written at the origin, at least one pixel wide."""
    x, y, w, h = cv2.getTextSize((0, 0), text, (0, 0), face, size, 700)
    return int(x), int(y), max(1, int(w)), int(h)


def paste_logo(picture: U8, rng: Generator, share: float) -> U8:
    """An opaque badge, a disc or a tile with a star on it, over `share` of the area, anywhere inside."""
    canvas = picture.copy()
    height, width = canvas.shape[:2]
    w, h, is_disc = _badge_shape(width, height, share, rng.random() < 0.5)
    x, y = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
    mask = _disc(w) if is_disc else np.ones((h, w), np.bool_)
    canvas[y : y + h, x : x + w][mask] = _badge(w, h, rng)[mask]
    return canvas


def _badge_shape(width: int, height: int, share: float, wants_disc: bool) -> tuple[int, int, bool]:
    """(width, height, is it a disc): a disc or a square of `share` of the area, a rectangle where neither fits in."""
    area = share * width * height
    across = 2 * np.sqrt(area / np.pi)
    if wants_disc and across <= min(width, height):
        return max(1, round(across)), max(1, round(across)), True
    side = max(1.0, min(np.sqrt(area), width, height))
    w, h = (side, area / side) if width < height else (area / side, side)
    return min(width, max(1, round(w))), min(height, max(1, round(h))), False


def _disc(side: int) -> Bool:
    offset = np.arange(side) - (side - 1) / 2
    return np.asarray(offset[:, None] ** 2 + offset**2 <= (side / 2) ** 2)


def _badge(width: int, height: int, rng: Generator) -> U8:
    """A star on a ground, one bright and one dark, u8 (height, width, 3)."""
    back, front = (tuple(int(c) for c in rng.integers(low, low + 128, 3)) for low in rng.permutation([0, 128]))
    badge = np.full((height, width, 3), back, np.uint8)
    middle, radius = np.array([width - 1, height - 1]) / 2, min(width, height) / 2
    turn = np.pi * (np.arange(10) / 5 + float(rng.uniform(0, 1)))
    reach = radius * np.where(np.arange(10) % 2, 0.35, 0.85)
    star = middle + np.stack([np.cos(turn), np.sin(turn)], axis=1) * reach[:, None]
    cv2.fillPoly(badge, [np.rint(star).astype(np.int32)], front, cv2.LINE_AA)
    return badge
