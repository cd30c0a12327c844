"""What a drawing shows on its ground: a logo hangs on another one wherever it is seen."""

from __future__ import annotations

import cv2
import numpy as np

from bof.types import U8, Bool

_EDGE_PX, _GROUND_LEVELS = 7, 24
"""The ground is what is joined to an edge of so many pixels and is within so many levels of its colour."""


def drawn_pixels(pixels: U8, inside: Bool, apart_px: int) -> Bool:
    """Where a drawing RGB u8 (h, w, 3) shows something, bool (h, w), so far from its ground, an odd number.

    inside bool (h, w): where the drawing is.
    """
    return inside & ~grown(_ground(pixels, inside), apart_px)


def _ground(pixels: U8, inside: Bool) -> Bool:
    edge = inside & ~shrunk(inside, _EDGE_PX)
    alike = inside & (np.abs(pixels - np.median(pixels[edge], axis=0)).max(axis=2) <= _GROUND_LEVELS)
    _, labels = cv2.connectedComponents(alike.astype(np.uint8))
    return np.asarray(alike & np.isin(labels, np.unique(labels[edge & alike])), np.bool_)


def shrunk(mask: Bool, side_px: int) -> Bool:
    """A mask bool (h, w) without what a square of this side, odd, reaches from beyond it."""
    return np.asarray(cv2.erode(mask.astype(np.uint8), np.ones((side_px, side_px), np.uint8)) > 0, np.bool_)


def grown(mask: Bool, side_px: int) -> Bool:
    """A mask bool (h, w) with what a square of this side, odd, reaches from it."""
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side_px, side_px), np.uint8)) > 0, np.bool_)
