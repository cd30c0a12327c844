"""A flat picture in another is brought to a fraction of a pixel, and other colours in it are seen."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bof.alignment.colours import NOTHING_DRAWN, Colours, DrawnColours, compare_colours, resemblance
from bof.alignment.drawings import is_flat_drawing
from bof.alignment.planes import refine_plane
from bof.geometry.transforms import translation
from bof.images.decode import Picture
from bof.types import U8
from tests.support.flat import SEEN_AT, draw_logo, error_px, hang, picture_of, roughly, transform_to
from tests.support.scenes import draw_scene

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
    found = compare_colours(picture_of(logo), picture_of(warmer), np.eye(3))
    assert found == Colours(0.0, DrawnColours(0.0, 0.0, 0.0, 1.0, found.drawn.ground), (1.0, 1.0))
    assert 0.4 < found.drawn.ground < 0.8


INSIDE = transform_to(SEEN_AT) @ translation(6, 6)
OTHERS = {"colour": draw_logo(ink=(90, 160, 30)), "letters": draw_logo("GAR"), "place": draw_logo(at=(90, 170))}


def inner(logo: U8) -> Picture:
    return picture_of(logo[6:-6, 6:-6])


def test_the_same_in_a_scene_is_explained_and_what_lies_beside_it_is_not() -> None:
    scene = picture_of(hang(draw_logo()))
    found = compare_colours(scene, inner(draw_logo()), INSIDE)
    assert found.unexplained <= NOTHING_ELSE
    assert found.drawn.patch == 0.0
    beside = transform_to(SEEN_AT) @ translation(4, 0)
    assert compare_colours(scene, picture_of(draw_logo()), beside).unexplained > 5 * NOTHING_ELSE


@pytest.mark.parametrize("changed", OTHERS)
def test_another_colour_and_other_letters_are_not_explained(changed: str) -> None:
    scene = picture_of(hang(draw_logo()))
    found = compare_colours(scene, inner(OTHERS[changed]), INSIDE)
    assert found.unexplained > 5 * NOTHING_ELSE
    assert found.drawn.patch > 0.01
    there = np.asarray(np.linalg.inv(INSIDE), np.float64)
    assert compare_colours(inner(OTHERS[changed]), scene, there).drawn.patch == pytest.approx(
        found.drawn.patch, rel=0.3
    )


def test_the_ground_that_a_drawing_stands_on_is_no_part_of_it() -> None:
    on_yellow = draw_logo()
    on_yellow[(on_yellow > 250).all(axis=2)] = (250, 230, 40)
    found = compare_colours(picture_of(hang(on_yellow)), inner(draw_logo()), INSIDE)
    assert found.unexplained > 0.1
    assert found.drawn.patch < 0.01


def test_what_shines_white_hides_what_is_there() -> None:
    shining = draw_logo()
    cv2.circle(shining, (110, 120), 20, (255, 255, 255), -1)
    seen = hang(shining)
    seen[(seen.min(axis=2) > 190)] = 255
    assert compare_colours(picture_of(seen), inner(draw_logo()), INSIDE).drawn.patch < 0.01


def test_what_is_flat_explains_nothing() -> None:
    flat = picture_of(np.full((200, 200, 3), 90, np.uint8))
    assert compare_colours(flat, flat, np.eye(3)) == Colours(1.0, NOTHING_DRAWN, (1.0, 1.0))
    assert compare_colours(flat, flat, translation(5000, 0)) == Colours(1.0, NOTHING_DRAWN, (0.0, 0.0))


def test_clean_drawings_are_flat_and_photographs_are_not() -> None:
    assert is_flat_drawing(picture_of(draw_logo()))
    assert not is_flat_drawing(picture_of(hang(draw_logo())))
    assert not is_flat_drawing(picture_of(draw_scene(3)))


@pytest.mark.parametrize("far_px", [0.0, 4.0])
def test_what_lies_roughly_there_resembles_it_and_what_does_not_does_not(far_px: float) -> None:
    scene = picture_of(hang(draw_logo()))
    assert min(resemblance(scene, picture_of(draw_logo()), roughly(far_px))) > 0.8
    assert min(resemblance(scene, picture_of(draw_logo("GAR")), roughly(far_px))) > 0.5
    assert max(resemblance(scene, picture_of(draw_logo()), translation(20, 60))) < 0.5
    assert resemblance(scene, picture_of(draw_logo()), translation(5000, 0)) == (0.0, 0.0)
