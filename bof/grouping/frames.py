"""What is the picture, and what was put round it? Frames, letterboxes and the corners that a rotation filled in are one
colour, and end where another picture of the group ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from bof.geometry import transforms
from bof.types import F32, F64, U8, Bool

_SIDE_PX = 256
"""Pictures are looked at at this long side."""
_LEAST_SHARE = 0.01
"""Less than this around a picture is no frame."""
_EDGE_PX, _RING_PX = 3, 3
"""Pixels along the border between frame and picture that belong to neither, and those inside that are its edge."""
_FLAT_LEVELS, _FLAT_SHARE = 6.0, 0.97
"""So much of a frame lies so near to its one colour."""
_ASKEW = 0.01
_ON = 0.6
"""The frame's colour on so much of the picture's edge is the picture's ground, which goes on."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A picture in small, grey f32 (h, w), and its size in pixels."""

    light: F32
    width: int
    height: int

    @classmethod
    def of(cls, grey: U8) -> Preview:
        """grey: u8 (h, w)."""
        height, width = grey.shape
        scale = min(1.0, _SIDE_PX / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        return cls(np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32), width, height)

    @property
    def outline(self) -> F64:
        """Its corners f64 (4, 2)."""
        return transforms.corners((0, 0, self.width, self.height))


def without_frame(picture: Preview, other_outline: F64) -> F64:
    """The outline f64 (n, 2) of a picture without a frame, in its pixels.

    other_outline f64 (m, 2), convex: where another picture of the same ends. What lies beyond is a frame where it is of
    one colour, on opposite sides or round a turned picture, and the picture's edge is not of that colour.
    """
    if not np.isfinite(other_outline).all():
        return picture.outline
    height, width = picture.light.shape
    small_from_picture = transforms.scaling(width / picture.width, height / picture.height)
    inner = _filled(transforms.apply(small_from_picture, other_outline), picture.light)
    if not _is_framed(picture.light, inner, ends_at_an_edge=_is_turned(other_outline)):
        return picture.outline
    area, shared = cv2.intersectConvexConvex(wound(picture.outline), wound(other_outline))
    return shared.reshape(-1, 2).astype(np.float64) if shared is not None and area > 0 else picture.outline


def unframed(previews: Mapping[int, Preview], first: int, common_from: Mapping[int, F64]) -> dict[int, F64]:
    """The outline of each picture without a frame, by its key, in its pixels.

    first: the picture that the others are held against; common_from f64 (3, 3): to pixels that all share.
    """
    outlines = {key: picture.outline for key, picture in previews.items()}

    def seen_in(key: int, other: int) -> F64:
        try:
            transform = np.linalg.solve(common_from[key], common_from[other])
        except np.linalg.LinAlgError:
            return np.full((4, 2), np.nan)
        return transforms.apply(np.asarray(transform, np.float64), outlines[other])

    for other in previews:
        own = without_frame(previews[first], seen_in(first, other))
        if area_of(own) < area_of(outlines[first]):
            outlines[first] = own
    for key in previews:
        if key != first:
            outlines[key] = without_frame(previews[key], seen_in(key, first))
    return outlines


def area_of(outline: F64) -> float:
    """The area in a polygon f64 (n, 2)."""
    return abs(float(cv2.contourArea(outline.astype(np.float32))))


def wound(outline: F64) -> F32:
    """The corners f32 (n, 2) in one sense of rotation: a mirrored picture's run the other way."""
    corners = outline.astype(np.float32)
    return corners[::-1].copy() if cv2.contourArea(corners, oriented=True) < 0 else corners


def _filled(outline: F64, like: F32) -> Bool:
    inside = np.zeros(like.shape, np.uint8)
    cv2.fillConvexPoly(inside, np.rint(np.clip(outline, -1e4, 1e4) * 16).astype(np.int32), 1, shift=4)
    return np.asarray(inside > 0, np.bool_)


def _is_turned(outline: F64) -> bool:
    """Are its sides askew? Then it ends there, whatever colours meet."""
    sides = np.abs(np.roll(outline, -1, axis=0) - outline)
    return bool((sides.min(axis=1) > _ASKEW * sides.max(axis=1)).all())


def _is_framed(pixels: F32, inner: Bool, *, ends_at_an_edge: bool) -> bool:
    """Is all beyond the inner part of one colour, which its edge has not, unless it ends there in any case?"""
    near = np.ones((2 * _EDGE_PX + 1,) * 2, np.uint8)
    beyond = cv2.dilate(inner.astype(np.uint8), near) == 0
    core = cv2.erode(inner.astype(np.uint8), near, borderValue=1)
    ring = (core > 0) & (cv2.erode(core, np.ones((2 * _RING_PX + 1,) * 2, np.uint8), borderValue=1) == 0)
    if beyond.mean() < _LEAST_SHARE or not ring.any() or not _has_opposite_sides(beyond):
        return False
    colour = np.median(pixels[beyond])
    is_flat = (np.abs(pixels[beyond] - colour) <= _FLAT_LEVELS).mean() >= _FLAT_SHARE
    goes_on = (np.abs(pixels[ring] - colour) <= 2 * _FLAT_LEVELS).mean() > _ON
    return bool(is_flat and (ends_at_an_edge or not goes_on))


def _has_opposite_sides(beyond: Bool) -> bool:
    sides = [bool(side.any()) for side in (beyond[0], beyond[-1], beyond[:, 0], beyond[:, -1])]
    return (sides[0] and sides[1]) or (sides[2] and sides[3])
