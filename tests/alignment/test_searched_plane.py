"""What a flat drawing shows on its ground is brought to a fraction of a pixel, whatever ground it hangs on."""

from __future__ import annotations

import warnings

import cv2
import numpy as np
import pytest

from bof.alignment.colours import compare_colours
from bof.alignment.drawn import DrawnMask
from bof.alignment.searched_plane import search_drawing
from bof.types import U8
from tests.support import flat
from tests.support.flat import draw_logo, draw_wheel, error_px, hang_without_ground, picture_of, roughly

LITTLE = 0.01


@pytest.mark.parametrize("far_px", [1.0, 4.0, 8.0])
@pytest.mark.parametrize("drawing", [draw_logo(), draw_wheel()], ids=["logo", "wheel"])
def test_on_another_ground_what_is_drawn_is_laid_right_and_explained(drawing: U8, far_px: float) -> None:
    scene, logo = picture_of(hang_without_ground(drawing)), picture_of(drawing)
    *_, found = search_drawing(scene, logo, roughly(far_px))
    assert error_px(found) < 8  # of the corners, where nothing is drawn
    colours = compare_colours(scene, logo, found)
    assert max(colours.drawn.unexplained, colours.drawn.patch) <= LITTLE
    assert colours.unexplained > colours.drawn.ground / 4
    assert colours.drawn.outlined > 0.9


@pytest.mark.parametrize("sibling", [draw_logo(ink=(90, 160, 30)), draw_logo("GAR"), draw_logo(at=(90, 170))])
def test_a_sibling_is_not_explained(sibling: U8) -> None:
    scene, logo = picture_of(hang_without_ground(draw_logo())), picture_of(sibling)
    for found in search_drawing(scene, logo, roughly(2.0)):
        colours = compare_colours(scene, logo, found)
        assert max(colours.drawn.unexplained, colours.drawn.patch) > LITTLE


def test_a_smaller_shape_in_a_larger_one_of_its_colours_has_no_outline_there() -> None:
    large, small = (np.full((flat.SIDE, flat.SIDE, 3), 255, np.uint8) for _ in range(2))
    for drawing, half in ((large, 90), (small, 55)):
        cv2.rectangle(drawing, (120 - half, 120 - half), (120, 120 + half), (30, 120, 200), -1)
        cv2.rectangle(drawing, (120, 120 - half), (120 + half, 120 + half), (200, 90, 30), -1)
    scene = picture_of(hang_without_ground(large))
    whole, part = (compare_colours(scene, picture_of(one), flat.transform_to(flat.SEEN_AT)) for one in (large, small))
    assert max(whole.drawn.unexplained, part.drawn.unexplained) <= LITTLE
    assert whole.drawn.outlined > 0.9
    assert part.drawn.outlined < 0.5


def test_where_nothing_is_drawn_nothing_is_found() -> None:
    blank = picture_of(np.full((flat.SIDE, flat.SIDE, 3), 255, np.uint8))
    assert list(search_drawing(picture_of(hang_without_ground(draw_logo())), blank, roughly(0))) == []
    other = picture_of(hang_without_ground(draw_wheel(), seed=5))
    assert list(search_drawing(other, picture_of(draw_logo()), roughly(0))) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 2, 3), (1, 40, 3), (40, 2, 3), (3, 3, 3)])
def test_a_picture_of_a_few_pixels_has_no_ground(shape: tuple[int, ...]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mask = DrawnMask.of_whole(np.zeros(shape, np.uint8))
    assert mask.ground.sum() == (shape == (3, 3, 3))
    assert not mask.drawn(1).any() or shape != (3, 3, 3)
