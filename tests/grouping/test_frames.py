"""A border, a letterbox and the corners that a rotation filled in are no content; a ground that goes on is."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bof.geometry import transforms
from bof.grouping.frames import Preview, area_of, unframed
from bof.types import F64, U8
from tests.support.scenes import draw_scene

ITSELF = np.eye(3)


def grey(seed: int = 1, width: int = 480, height: int = 360) -> U8:
    return np.asarray(cv2.cvtColor(draw_scene(seed, width, height), cv2.COLOR_RGB2GRAY), np.uint8)


def areas(pictures: list[U8], first_from: list[F64]) -> list[float]:
    """Of each picture its area without a frame, in pixels of the first."""
    previews = {key: Preview.of(pixels) for key, pixels in enumerate(pictures)}
    outlines = unframed(previews, 0, dict(enumerate(first_from)))
    return [area_of(transforms.apply(first_from[key], outlines[key])) for key in previews]


@pytest.mark.parametrize("degrees", [3.0, -10.0, 40.0])
@pytest.mark.parametrize("fill", [0, 255, 130])
def test_corners_that_a_rotation_filled_in_are_no_content(degrees: float, fill: int) -> None:
    pixels = grey()
    height, width = pixels.shape
    side = int(np.hypot(width, height)) + 4
    matrix = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0), [0, 0, 1]])
    matrix[:2, 2] += (side - width) / 2, (side - height) / 2
    turned = np.asarray(cv2.warpAffine(pixels, matrix[:2], (side, side), borderValue=(fill,)), np.uint8)
    found = areas([turned, pixels], [ITSELF, matrix])
    assert found[0] == pytest.approx(found[1], rel=0.03)
    back = areas([pixels, turned], [ITSELF, np.linalg.inv(matrix)])
    assert back[1] == pytest.approx(back[0], rel=0.03)


@pytest.mark.parametrize("border", [(40, 40, 40, 40), (60, 60, 0, 0), (0, 0, 30, 50)])
def test_a_border_and_a_letterbox_are_no_content_of_the_first_and_of_others(border: tuple[int, int, int, int]) -> None:
    pixels = grey()
    framed = np.asarray(cv2.copyMakeBorder(pixels, *border, cv2.BORDER_CONSTANT, value=(0,)), np.uint8)
    again = framed.copy()
    shift = np.array([[1.0, 0, border[2]], [0, 1, border[0]], [0, 0, 1]])
    found = areas([framed, pixels, again], [ITSELF, shift, ITSELF])
    assert found == pytest.approx([pixels.size] * 3, rel=0.02)


def test_a_white_ground_that_goes_on_and_a_part_that_was_cut_off_are_content() -> None:
    ground = np.full((360, 480), 255, np.uint8)
    ground[120:240, 160:320] = grey()[120:240, 160:320]
    crop = ground[80:280, 120:360]
    shift = np.array([[1.0, 0, 120], [0, 1, 80], [0, 0, 1]])
    assert areas([ground, crop], [ITSELF, shift])[0] == pytest.approx(ground.size)
    pixels = grey()
    shift = np.array([[1.0, 0, 50], [0, 1, 40], [0, 0, 1]])
    assert areas([pixels, pixels[40:300, 50:400]], [ITSELF, shift])[0] == pytest.approx(pixels.size)
