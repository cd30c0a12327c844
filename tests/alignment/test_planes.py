"""A flat picture in another is brought to a fraction of a pixel, and other colours in it are seen."""

from __future__ import annotations

import numpy as np
import pytest

from bof.alignment.planes import refine_plane, unexplained
from bof.geometry.transforms import translation
from tests.support.flat import SEEN_AT, draw_logo, error_px, hang, picture_of, roughly, transform_to

NOTHING_ELSE = 0.002


@pytest.mark.parametrize("far_px", [1.0, 3.0, 5.0])
def test_what_lies_some_pixels_off_is_laid_right(far_px: float) -> None:
    logo, scene = picture_of(draw_logo()), picture_of(hang(draw_logo()))
    assert error_px(roughly(far_px)) == pytest.approx(far_px, abs=1e-3)
    assert error_px(refine_plane(scene, logo, roughly(far_px))) < 0.6


def test_either_picture_may_be_the_smaller() -> None:
    logo, scene = picture_of(draw_logo()), picture_of(hang(draw_logo()))
    found = refine_plane(logo, scene, np.linalg.inv(roughly(3.0)))
    assert error_px(np.asarray(np.linalg.inv(found), np.float64)) < 0.6


def test_what_has_nothing_in_common_is_left_as_it_is() -> None:
    apart = translation(5000, 5000)
    logo = picture_of(draw_logo())
    assert refine_plane(logo, logo, apart) is apart
    flat = picture_of(np.full((200, 200, 3), 90, np.uint8))
    assert refine_plane(flat, flat, np.eye(3)) == pytest.approx(np.eye(3))


def test_light_explains_brightness_and_contrast_of_each_channel() -> None:
    logo = draw_logo()
    warmer = np.clip(logo * np.array([0.95, 0.8, 0.6]) + np.array([10, 5, 0]), 0, 255).astype(np.uint8)
    assert unexplained(picture_of(logo), picture_of(warmer), np.eye(3)) == 0.0


def test_the_same_in_a_scene_is_explained_and_what_differs_is_not() -> None:
    scene, seen = picture_of(hang(draw_logo())), transform_to(SEEN_AT)
    inside = transform_to(SEEN_AT) @ translation(6, 6)
    assert unexplained(scene, picture_of(draw_logo()[6:-6, 6:-6]), inside) <= NOTHING_ELSE
    others = [draw_logo(ink=(90, 160, 30)), draw_logo("GAR"), draw_logo(at=(90, 170))]
    assert min(unexplained(scene, picture_of(other[6:-6, 6:-6]), inside) for other in others) > 5 * NOTHING_ELSE
    assert unexplained(scene, picture_of(draw_logo()), seen @ translation(4, 0)) > 5 * NOTHING_ELSE


def test_what_is_flat_explains_nothing() -> None:
    flat = picture_of(np.full((200, 200, 3), 90, np.uint8))
    assert unexplained(flat, flat, np.eye(3)) == 1.0
    assert unexplained(flat, flat, translation(5000, 0)) == 1.0
