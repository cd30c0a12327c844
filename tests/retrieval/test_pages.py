"""Clean pages of one font share letters: that alone makes no page another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from bof.alignment.agreement import agree
from bof.alignment.drawings import is_page
from bof.engine import Engine
from bof.options import IndexOptions
from bof.retrieval.proving import is_other_page
from bof.types import F32, U8
from tests.support.flat import hang, picture_of
from tests.support.scenes import draw_scene

LETTERS = "abcdefghijklmnopqrstuvwxyz     "


def page(seed: int) -> U8:
    """A page of letters, RGB u8 (640, 480, 3)."""
    rng, drawn = np.random.default_rng(seed), Image.new("RGB", (480, 640), "white")
    draw, font = ImageDraw.Draw(drawn), ImageFont.load_default(14)
    for y in range(40 + 7 * (seed % 3), 600, 20):
        draw.text((40, y), "".join(rng.choice(list(LETTERS), 52)), "black", font)
    return np.asarray(drawn)


def corners_of_page() -> F32:
    return np.array([[60, 60], [420, 60], [420, 560], [60, 560]], np.float32)


def is_other(one: U8, other: U8, n_inliers: int) -> bool:
    pair = picture_of(one), picture_of(other)
    found = agree(*pair, np.eye(3), corners_of_page())
    assert found is not None
    return is_other_page(*pair, found, n_inliers)


def test_pages_are_known_by_their_light_and_evenness() -> None:
    assert is_page(picture_of(page(1)))
    assert is_page(picture_of(255 - page(1)))
    assert not is_page(picture_of(draw_scene(1)))
    assert not is_page(picture_of(hang(page(1)[:240, :240])))


def test_other_words_in_the_places_of_letters_are_another_page() -> None:
    assert is_other(page(1), page(2), 10)
    assert not is_other(page(1), page(1), 10)


def test_many_points_are_believed() -> None:
    assert not is_other(page(1), page(2), 20)


def test_a_photograph_is_no_page() -> None:
    assert not is_other(draw_scene(1), draw_scene(2), 10)


def test_pages_of_other_text_are_not_the_same(shared: Path, tmp_path: Path) -> None:
    case = shared / "cases" / "text-pages"
    with Engine.create(tmp_path / "index") as engine:
        engine.add([case / "db"], IndexOptions(workers=1))
        for name in ("q-unseen.png", "q-unseen7.png"):
            hits = engine.search(case / name)
            assert hits
            assert not [hit.name for hit in hits if hit.verdict == "same"]


@pytest.mark.parametrize("seed", [11, 12])
def test_a_page_is_the_same_where_it_is(seed: int, tmp_path: Path) -> None:
    for number in (11, 12, 13):
        Image.fromarray(page(number)).save(tmp_path / f"{number}.png")
    with Engine.create(tmp_path / "index") as engine:
        engine.add(sorted(tmp_path.glob("*.png")), IndexOptions(workers=1))
        smaller = np.asarray(Image.fromarray(page(seed)).resize((360, 480)))
        assert [hit.name for hit in engine.search(smaller, channels="RGB") if hit.verdict == "same"] == [f"{seed}.png"]
