"""How alike a picture and a frame are where geometry lays one over the other, and how much of both that is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bof.geometry import transforms
from bof.images.decode import Picture, correlation
from bof.types import F64, U8, Bool

_SIDE_PX = 240
_LEAST_PX = 64


@dataclass(frozen=True, slots=True)
class FrameLikeness:
    """value: the share of the light that the frame explains, the square of their correlation, times the share of the
    picture that lies in the frame; iou: intersection over union of what both show, 1 where they end at the same place.
    """

    value: float
    iou: float

    @classmethod
    def of(cls, pixels: U8, frame: Picture, frame_from_pixels: F64) -> FrameLikeness:
        """Of a picture u8 (h, w) and a frame, both in grey. frame_from_pixels f64 (3, 3): to pixels of the original."""
        scale = _SIDE_PX / max(frame.width, frame.height)
        small_from_pixels = transforms.scaling(scale, scale) @ frame_from_pixels
        size = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
        inside: Bool = cv2.warpPerspective(np.full_like(pixels, 255), small_from_pixels, size) > 250
        n_inside = int(inside.sum())
        if n_inside < _LEAST_PX:
            return cls(0.0, 0.0)
        laid = cv2.warpPerspective(_as_small(pixels, small_from_pixels), small_from_pixels, size)
        seen = cv2.GaussianBlur(cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA), (0, 0), 1.0)
        area = _area(pixels, small_from_pixels)
        alike = correlation(laid[inside].astype(np.float64), seen[inside].astype(np.float64))
        value = max(alike, 0.0) ** 2 * min(1.0, n_inside / max(area, 1.0))
        return cls(value, n_inside / max(area + inside.size - n_inside, 1.0))


def _as_small(pixels: U8, small_from_pixels: F64) -> U8:
    """As blurred as it will be when it is made small."""
    sigma = max(1.0, 1.0 / max(transforms.zoom(small_from_pixels), 1e-3))
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.7 * sigma), np.uint8)


def _area(pixels: U8, small_from_pixels: F64) -> float:
    """Of the picture as it is laid, in pixels."""
    height, width = pixels.shape
    outline = transforms.apply(small_from_pixels, transforms.corners((0, 0, width, height)))
    return abs(cv2.contourArea(outline.astype(np.float32)))
