"""bof.alignment.first_look: copies, whatever was done to them, may be copies; other pictures in one frame are not."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from bof.alignment.first_look import may_be_copy, small_copy
from bof.images.decode import Picture
from bof.types import F64, U8
from tests.support.scenes import draw_scene


def picture_of(pixels: U8) -> Picture:
    colour = pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)
    return small_copy(Picture(colour, colour.shape[1], colour.shape[0]))


def written_over(pixels: U8) -> U8:
    marked = pixels.copy()
    cv2.putText(marked, "COPY", (10, pixels.shape[0] // 2), cv2.FONT_HERSHEY_SIMPLEX, 3, 255, 12)
    return marked


CHANGES: dict[str, Callable[[U8], U8]] = {
    "the same": lambda pixels: pixels,
    "darker": lambda pixels: (pixels * 0.6).astype(np.uint8),
    "blurred": lambda pixels: np.asarray(cv2.GaussianBlur(pixels, (0, 0), 1.5), np.uint8),
    "written over": written_over,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("off_px", [0.0, 2.0])
def test_a_copy_may_be_one_though_geometry_is_some_pixels_off(change: str, off_px: float) -> None:
    scene = draw_scene(1)
    shifted: F64 = np.array([[1, 0, off_px], [0, 1, off_px], [0, 0, 1.0]])
    assert may_be_copy(picture_of(scene), picture_of(CHANGES[change](scene)), shifted)


def test_another_picture_is_none() -> None:
    assert not may_be_copy(picture_of(draw_scene(1)), picture_of(draw_scene(2)), np.eye(3))


def test_where_nothing_tells_they_may_be_copies() -> None:
    flat = np.full((200, 300), 90, np.uint8)
    assert may_be_copy(picture_of(flat), picture_of(flat), np.eye(3))


def test_pictures_with_nothing_in_common_are_none() -> None:
    far: F64 = np.array([[1, 0, 1e4], [0, 1, 0], [0, 0, 1.0]])
    assert not may_be_copy(picture_of(draw_scene(1)), picture_of(draw_scene(1)), far)
