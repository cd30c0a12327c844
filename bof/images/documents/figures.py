"""Where a scanned page has pictures among its print: boxes of what is dense over more than the height of a line.

The strongest features of a printed page are its letters; a small picture beside them would have none left. So it
becomes a picture of its own.
"""

from __future__ import annotations

import cv2
import numpy as np

from bof.types import I32, U8

_INK = 28
"""Grey levels, in one channel or more, between paper and what is printed."""

_JOINED_PT, _LINE_PT, _GROWN_PT, _LEAST_PT = 3, 20, 15, 60
"""Lines of an engraving so near are one area; print is lower than this, but for headlines; so far an area grows to
where it is paler; a smaller one is an initial."""

_LEAST_WORDS = 100
"""A page with fewer marks as low as print, beside its pictures, is a plate and no page of print."""

_LEAST_FILLED, _MOST_OF_PAGE = 0.35, 0.8
"""Of its box: less is a frame, or the edge of the page. Of the page: more is the page itself."""

_MOST = 16

PixelBox = tuple[int, int, int, int]
"""Left, top, width, height, in pixels."""


def find_figures(rgb: U8) -> list[PixelBox]:
    """Boxes of the pictures in a page RGB u8 (h, w, 3) of one pixel a point (1/72 inch), the largest first."""
    height, width = rgb.shape[:2]
    printed = _ink(rgb)
    ink = _close(printed, _JOINED_PT)
    dense = np.asarray(cv2.dilate(_open(ink, _LINE_PT), np.ones((_GROWN_PT, _GROWN_PT), np.uint8)), np.uint8)
    if sum(down <= _LINE_PT for _, _, _, down, _ in _components(printed & (1 - dense))) < _LEAST_WORDS:
        return []
    boxes = []
    for left, top, across, down, n_filled in _components(_close(ink & dense, _GROWN_PT)):
        is_large = min(across, down) >= _LEAST_PT and across * down <= _MOST_OF_PAGE * width * height
        if is_large and n_filled >= _LEAST_FILLED * across * down:
            boxes.append((left, top, across, down))
    return sorted(boxes, key=lambda box: (-box[2] * box[3], box))[:_MOST]


def _components(mask: U8) -> list[list[int]]:
    """Left, top, width, height and number of pixels of what hangs together."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    found: list[list[int]] = np.asarray(stats, np.int32)[1:].tolist()
    return found


def _ink(rgb: U8) -> U8:
    """1 where a pixel u8 (h, w) is not the paper's."""
    bright = rgb[rgb.mean(axis=2) >= np.percentile(rgb.mean(axis=2), 60)]
    paper: I32 = np.median(bright, axis=0).astype(np.int32)
    return np.asarray(np.abs(rgb.astype(np.int32) - paper).max(axis=2) > _INK, np.uint8)


def _close(mask: U8, side: int) -> U8:
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8)), np.uint8)


def _open(mask: U8, side: int) -> U8:
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((side, side), np.uint8)), np.uint8)
