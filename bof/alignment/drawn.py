"""What a drawing shows on its ground: a logo hangs on another one wherever it is seen."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bof.types import U8, Bool

_EDGE_PX, _GROUND_LEVELS = 7, 24
"""The ground is what is joined to an edge of so many pixels and is within so many levels of its colour."""


@dataclass(frozen=True, slots=True)
class DrawnMask:
    """Of a drawing bool (h, w) each: where it is, where its ground is, and where what it shows encloses the ground's
    colour: a part of it, or a hole.
    """

    inside: Bool
    ground: Bool
    holes: Bool

    @classmethod
    def of(cls, pixels: U8, inside: Bool) -> DrawnMask:
        """Of a drawing RGB u8 (h, w, 3) that is in a part bool (h, w) of a canvas."""
        edge = inside & ~shrunk(inside, _EDGE_PX)
        if not edge.any():  # two pixels wide, or high
            return cls(inside, edge, edge)
        colour = np.median(pixels[edge], axis=0)
        alike = np.asarray(inside & (np.abs(pixels - colour).max(axis=2) <= _GROUND_LEVELS), np.bool_)
        _, labels = cv2.connectedComponents(alike.astype(np.uint8))
        ground = np.asarray(alike & np.isin(labels, np.unique(labels[edge & alike])), np.bool_)
        return cls(inside, ground, alike & ~ground)

    @classmethod
    def of_whole(cls, pixels: U8) -> DrawnMask:
        """Of a drawing RGB u8 (h, w, 3) by itself, less its outermost pixels."""
        inside = np.zeros(pixels.shape[:2], np.bool_)
        inside[1:-1, 1:-1] = True
        return cls.of(pixels, inside)

    def drawn(self, apart_px: int) -> Bool:
        """Where it shows something, bool (h, w), so far from its ground, an odd number."""
        return self.inside & ~grown(self.ground, apart_px)


def shrunk(mask: Bool, side_px: int) -> Bool:
    """A mask bool (h, w) without what a square of this side, odd, reaches from beyond it."""
    return np.asarray(cv2.erode(mask.astype(np.uint8), np.ones((side_px, side_px), np.uint8)) > 0, np.bool_)


def grown(mask: Bool, side_px: int) -> Bool:
    """A mask bool (h, w) with what a square of this side, odd, reaches from it."""
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side_px, side_px), np.uint8)) > 0, np.bool_)
