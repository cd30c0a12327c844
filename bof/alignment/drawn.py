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


def holes_in(pixels: U8, inside: Bool) -> Bool:
    """Where what a drawing shows encloses the colour of its ground, bool (h, w): a part of it, or a hole."""
    return _like_ground(pixels, inside) & ~_ground(pixels, inside)


def _ground(pixels: U8, inside: Bool) -> Bool:
    alike = _like_ground(pixels, inside)
    _, labels = cv2.connectedComponents(alike.astype(np.uint8))
    return np.asarray(alike & np.isin(labels, np.unique(labels[_edge(inside) & alike])), np.bool_)


def _like_ground(pixels: U8, inside: Bool) -> Bool:
    ground = np.median(pixels[_edge(inside)], axis=0)
    return np.asarray(inside & (np.abs(pixels - ground).max(axis=2) <= _GROUND_LEVELS), np.bool_)


def _edge(inside: Bool) -> Bool:
    return inside & ~shrunk(inside, _EDGE_PX)


def shrunk(mask: Bool, side_px: int) -> Bool:
    """A mask bool (h, w) without what a square of this side, odd, reaches from beyond it."""
    return np.asarray(cv2.erode(mask.astype(np.uint8), np.ones((side_px, side_px), np.uint8)) > 0, np.bool_)


def grown(mask: Bool, side_px: int) -> Bool:
    """A mask bool (h, w) with what a square of this side, odd, reaches from it."""
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side_px, side_px), np.uint8)) > 0, np.bool_)
