"""Copies of pictures with next to no features are found in a search, and other flat pictures are not taken for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bof.engine import Engine
from bof.images.decode import read_image
from bof.options import IndexOptions, SearchOptions, VerifyOptions
from bof.types import U8, Box, Hit

RED, BLUE, GREEN = (200, 30, 40), (30, 60, 170), (30, 140, 60)
CRIMSON, PURE_RED = (206, 17, 38), (255, 0, 0)
"""As light as each other."""


def flag(left: tuple[int, int, int], right: tuple[int, int, int]) -> U8:
    pixels = np.full((200, 300, 3), left, np.uint8)
    pixels[:, 150:] = right
    return pixels


def icon(seed: int) -> U8:
    return np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)


PICTURES = {
    "flag": flag(RED, BLUE), "other flag": flag(RED, GREEN), "turned": flag(BLUE, RED),
    "crimson": flag(CRIMSON, (255, 255, 255)), "red": flag(PURE_RED, (255, 255, 255)),
    "white": np.full((300, 200, 3), 255, np.uint8), "icon": icon(1), "other icon": icon(2),
}  # fmt: skip


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory, vocabulary_folder: Path) -> Engine:
    folder = tmp_path_factory.mktemp("flat")
    for name, pixels in PICTURES.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")
    engine = Engine.create(tmp_path_factory.mktemp("index") / "index", vocabulary_folder)
    engine.add([folder], IndexOptions(workers=1))
    return engine


def same(engine: Engine, path: Path, pixels: int = 20, box: Box | None = None) -> list[Hit]:
    options = SearchOptions(verify=VerifyOptions(pixels=pixels))
    grey = read_image(path, grey=True, max_side=engine.features.max_side)
    query = engine.prepare(grey, box, options, colours=read_image(path))
    return [hit for hit in engine.hits(query, engine.answer(query, options), options) if hit.verdict == "same"]


@pytest.mark.parametrize("name", PICTURES)
def test_a_flat_picture_stored_again_is_the_same_and_no_other_is(flat: Engine, name: str, tmp_path: Path) -> None:
    path = tmp_path / "again.jpg"
    Image.fromarray(PICTURES[name]).save(path, quality=90, subsampling=0)
    (hit,) = same(flat, path)
    assert (hit.name, hit.basis) == (f"{name}.png", "whole")
    height, width = PICTURES[name].shape[:2]
    expected = np.array([[0, 0], [width, 0], [width, height], [0, height]]) - 0.5
    assert hit.outline == pytest.approx(expected)


def test_it_is_found_in_another_size_and_in_a_box(flat: Engine, tmp_path: Path) -> None:
    Image.fromarray(PICTURES["flag"]).resize((150, 100)).save(tmp_path / "small.png")
    page = Image.new("RGB", (500, 400), (250, 240, 220))
    page.paste(Image.fromarray(PICTURES["flag"]), (120, 90))
    page.save(tmp_path / "page.png")
    assert [hit.name for hit in same(flat, tmp_path / "small.png")] == ["flag.png"]
    (hit,) = same(flat, tmp_path / "page.png", box=(120, 90, 420, 290))
    assert hit.name == "flag.png"
    assert hit.outline == pytest.approx(np.array([[0, 0], [300, 0], [300, 200], [0, 200]]) - 0.5)


def test_a_query_in_grey_is_answered_too(flat: Engine, tmp_path: Path) -> None:
    Image.fromarray(PICTURES["white"]).save(tmp_path / "again.png")
    grey = read_image(tmp_path / "again.png", grey=True)
    options = SearchOptions(verify=VerifyOptions(pixels=20))
    query = flat.prepare(grey, None, options, colours=grey)
    same = [hit for hit in flat.hits(query, flat.answer(query, options), options) if hit.verdict == "same"]
    assert [(hit.name, hit.basis) for hit in same] == [("white.png", "whole")]


def test_without_pixels_nothing_is_claimed(flat: Engine, tmp_path: Path) -> None:
    Image.fromarray(PICTURES["flag"]).save(tmp_path / "again.jpg")
    assert same(flat, tmp_path / "again.jpg", pixels=0) == []


def test_a_file_that_changed_is_not_taken_for_what_it_was(tmp_path: Path, vocabulary_folder: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.fromarray(PICTURES["flag"]).save(tmp_path / "photos" / "flag.png")
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add([tmp_path / "photos"], IndexOptions(workers=1))
        Image.fromarray(PICTURES["flag"]).save(tmp_path / "again.jpg")
        Image.fromarray(PICTURES["other flag"]).save(tmp_path / "photos" / "flag.png")
        assert same(engine, tmp_path / "again.jpg") == []


def test_removed_pictures_do_not_answer(tmp_path: Path, vocabulary_folder: Path) -> None:
    (tmp_path / "photos").mkdir()
    for name in ("flag", "white"):
        Image.fromarray(PICTURES[name]).save(tmp_path / "photos" / f"{name}.png")
    Image.fromarray(PICTURES["flag"]).save(tmp_path / "again.jpg")
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add([tmp_path / "photos"], IndexOptions(workers=1))
        engine.remove(["flag.png"])
        assert same(engine, tmp_path / "again.jpg") == []
