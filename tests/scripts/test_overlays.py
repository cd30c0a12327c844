"""The experiment with overlays in short form: what is drawn, and that it is measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scripts.overlays.__main__ import measure
from scripts.overlays.drawing import OVERLAYS
from tests.support.scenes import draw_scene, warp, write_picture


@pytest.mark.parametrize("name", [name for name in OVERLAYS if name not in ("none", "own words")])
def test_an_overlay_is_alike_on_all_photographs(name: str) -> None:
    """On two grounds of one colour each the same pixels change, but for the faintest."""
    dark, light = (np.full((240, 320, 3), level, np.uint8) for level in (60, 70))
    one, other = OVERLAYS[name](dark), OVERLAYS[name](light)
    is_drawn = (one != dark).any(axis=2)
    assert one.shape == dark.shape
    assert (dark == 60).all()
    assert 0.02 < is_drawn.mean() < 0.6
    assert ((other != light).any(axis=2) != is_drawn).mean() < 0.005
    assert np.array_equal(one, OVERLAYS[name](dark))


def test_own_words_differ_between_photographs() -> None:
    dark, light = (np.full((240, 320, 3), level, np.uint8) for level in (60, 70))
    masks = [(OVERLAYS["own words"](ground) != ground).any(axis=2) for ground in (dark, light)]
    assert (masks[0] != masks[1]).mean() > 0.02


def test_photographs_under_a_caption_are_told_apart(tmp_path: Path) -> None:
    photographs = []
    for group in range(3):
        for view in range(4):
            turn = np.array([[1.0, -0.08 * view, 6.0 * view], [0.08 * view, 1.0, -4.0], [0.0, 0.0, 1.0]])
            file = tmp_path / "photographs" / f"ukbench{4 * group + view:05d}.jpg"
            photographs.append(write_picture(file, warp(draw_scene(group, 640, 480), turn)))
    found = measure("caption", OVERLAYS["caption"], 0, photographs, tmp_path / "work")
    assert (found.n_s, found.right_pairs, found.n_pairs) == (4.0, 18, 18)
    assert (found.wrong_same, found.missed) == (0, 0.0)
