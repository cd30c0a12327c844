"""Two pictures laid over each other on one small canvas, where both show something."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bof.geometry.transforms import apply, corners, scaling, zoom
from bof.images.decode import Picture
from bof.types import F64, U8, Bool

_MIN_AREA_PX = 64.0
_FARTHEST_PX = 1e5
"""Corners beyond are drawn as if they were here: the canvas is smaller."""
_MIN_DEPTH = 0.1
"""A transform that brings a corner nearer than this to the horizon folds the picture: no copy does."""


@dataclass(frozen=True, slots=True)
class Laid:
    """one and other u8 (h, w) or (h, w, 3) on one canvas; mask bool (h, w): where both are.

    covers: the shares of the one's and the other's area that the common part takes; canvas_from_one f64 (3, 3): from
    pixels of the one's original.
    """

    one: U8
    other: U8
    mask: Bool
    covers: tuple[float, float]
    canvas_from_one: F64

    def moved(self, step: F64, one_from_other: F64) -> F64:
        """The transform f64 (3, 3) that lays the other as a step f64 (3, 3) on the canvas moves it."""
        canvas_from_other = step @ self.canvas_from_one @ one_from_other
        return np.asarray(np.linalg.solve(self.canvas_from_one, canvas_from_other), np.float64)


def lay_over(one: Picture, other: Picture, one_from_other: F64, max_side: int) -> Laid | None:
    """Both pictures, grey or both RGB, where they show the same; None where they have nothing in common.

    one_from_other: in pixels of the originals; max_side: the common part is laid out at this long side or less, and no
    finer than the coarser picture has it.
    """
    decoded = decoded_from_original(one) @ one_from_other @ np.linalg.inv(decoded_from_original(other))
    quad = _seen_outline(_outline(other.pixels), decoded)
    if quad is None:
        return None
    frame = _outline(one.pixels)
    area, shared = cv2.intersectConvexConvex(frame.astype(np.float32), quad.astype(np.float32))
    if shared is None or area < _MIN_AREA_PX:
        return None
    low, high = shared.reshape(-1, 2).min(axis=0), shared.reshape(-1, 2).max(axis=0)
    finer = np.sqrt(_area(quad) / _area(_outline(other.pixels)))
    scale = min(1.0, 1 / finer, max_side / float(max(high - low)))
    width, height = (max(1, int(np.ceil(side))) for side in ((high - low) * scale).tolist())
    x, y = (-low * scale - 0.5).tolist()
    canvas_from_one = np.array([[scale, 0, x], [0, scale, y], [0, 0, 1.0]])
    pixels, mask = _drawn(one.pixels, canvas_from_one, (width, height))
    pixels_other, mask_other = _drawn(other.pixels, canvas_from_one @ decoded, (width, height))
    covers = area / _area(frame), area / _area(quad)
    return Laid(pixels, pixels_other, mask & mask_other, covers, canvas_from_one @ decoded_from_original(one))


def decoded_from_original(picture: Picture) -> F64:
    """Pixel centres of the original to those of the picture as it was decoded."""
    height, width = picture.pixels.shape[:2]
    return scaling(width / picture.width, height / picture.height)


def _outline(pixels: U8) -> F64:
    height, width = pixels.shape[:2]
    return corners((0, 0, width, height))


def _seen_outline(outline: F64, target_from_source: F64) -> F64 | None:
    """An outline under a transform, in the sense of the original; None where it folds or has no area."""
    if not np.all(np.column_stack([outline, np.ones(4)]) @ target_from_source[2] > _MIN_DEPTH):
        return None
    quad = apply(target_from_source, outline)
    quad = quad if _area(quad) > 0 else quad[::-1]
    if not np.isfinite(quad).all() or _area(quad) < _MIN_AREA_PX or not cv2.isContourConvex(quad.astype(np.float32)):
        return None
    return quad


def _area(polygon: F64) -> float:
    """Of a polygon f64 (n, 2); negative where it is mirrored."""
    x, y = polygon.T
    next_x, next_y = np.append(x[1:], x[:1]), np.append(y[1:], y[:1])
    return float(x @ next_y - y @ next_x) / 2


def _drawn(pixels: U8, canvas_from_picture: F64, size: tuple[int, int]) -> tuple[U8, Bool]:
    """A picture on the canvas, u8 (h, w, 3), and where it is; what one pixel of the canvas takes in is averaged."""
    scale = zoom(canvas_from_picture)
    if scale < 0.8:
        height, width = pixels.shape[:2]
        small = max(1, round(width * scale)), max(1, round(height * scale))
        pixels = np.asarray(cv2.resize(pixels, small, interpolation=cv2.INTER_AREA), np.uint8)
        canvas_from_picture = canvas_from_picture @ scaling(width / small[0], height / small[1])
    drawn = cv2.warpPerspective(
        pixels, canvas_from_picture, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(drawn, np.uint8), _inside(pixels.shape[:2], canvas_from_picture, size)


def _inside(shape: tuple[int, ...], canvas_from_picture: F64, size: tuple[int, int]) -> Bool:
    """Where a picture of a shape covers the canvas, less one pixel at its edges."""
    height, width = shape[:2]
    centres = corners((0.5, 0.5, width - 0.5, height - 0.5))
    outline = np.clip(apply(canvas_from_picture, centres), -_FARTHEST_PX, _FARTHEST_PX)
    mask = np.zeros(size[::-1], np.uint8)
    cv2.fillConvexPoly(mask, np.rint(outline * 16).astype(np.int32), 1, shift=4)
    return np.asarray(cv2.erode(mask, np.ones((3, 3), np.uint8), borderValue=0) > 0, np.bool_)
