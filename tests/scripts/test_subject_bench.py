"""The benchmark of the subject: scenes tell where their object lies, and boxes overlap as areas do."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from scripts.subject import scenes
from scripts.subject.report import overlap
from tests.support.scenes import draw_scene


@pytest.mark.parametrize("edge", ["bare", "framed", "feathered"])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_scene_tells_where_its_object_lies(edge: str, seed: int) -> None:
    scene = scenes.compose(draw_scene(seed), [draw_scene(9)], "plain", edge, np.random.default_rng(seed))
    again = scenes.compose(draw_scene(seed), [draw_scene(9)], "plain", edge, np.random.default_rng(seed))
    assert np.array_equal(scene.pixels, again.pixels)
    x0, y0, x1, y1 = scene.box
    assert 0 <= x0 < x1 <= scenes.WIDTH
    assert 0 <= y0 < y1 <= scenes.HEIGHT
    blurred = cv2.GaussianBlur(scene.pixels, (0, 0), 2).astype(np.float32)
    ground = np.ones(blurred.shape[:2], np.bool_)
    ground[max(0, int(y0) - 8) : int(y1) + 8, max(0, int(x0) - 8) : int(x1) + 8] = False
    colour = np.median(blurred[ground], axis=0)
    assert np.abs(blurred[ground] - colour).max() < 8
    object_pixels = cv2.fillConvexPoly(np.zeros(ground.shape, np.uint8), np.rint(scene.corners).astype(np.int32), 1) > 0
    assert 0.08 < object_pixels.mean() < 0.47
    assert (np.abs(blurred - colour).max(axis=2) > 16)[object_pixels].mean() > 0.5


def test_figures_of_boxes_are_shares_of_areas() -> None:
    assert overlap((0, 0, 4, 4), (2, 2, 6, 6)) == (4 / 28, 4 / 16)
    assert overlap((0, 0, 4, 4), (1, 1, 2, 3)) == (2 / 16, 1.0)
    assert overlap((0, 0, 4, 4), (4, 0, 8, 4)) == (0.0, 0.0)
