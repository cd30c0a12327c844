"""A flat drawing is asked on other grounds: what is drawn on white has other edges on a dark wall."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bof.engine import Engine
from bof.features.sift import no_features
from bof.images.decode import Picture
from bof.options import IndexOptions, SearchOptions
from bof.retrieval import regrounding
from bof.retrieval.query import Query
from bof.retrieval.regrounding import on_other_grounds
from bof.types import U8, Features
from tests.support.flat import SIDE, draw_logo, draw_wheel, hang_without_ground
from tests.support.scenes import draw_scene, write_picture

DARK = (70, 60, 90)


def on_dark(drawing: U8) -> U8:
    """The same on a dark ground."""
    return np.where((drawing == 255).all(axis=2)[..., None], np.uint8(DARK), drawing).astype(np.uint8)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    folder = tmp_path_factory.mktemp("grounds")
    write_picture(folder / "logo.png", hang_without_ground(draw_logo(), seed=5)[..., ::-1])
    for seed in range(50, 58):
        write_picture(folder / f"stranger-{seed}.png", draw_scene(seed))
    found = Engine.create(folder / "index")
    found.add(sorted(folder.glob("*.png")), IndexOptions(workers=1))
    return found


def query_of(engine: Engine, folder: Path, pixels: U8, box: tuple[float, float, float, float] | None = None) -> Query:
    write_picture(folder / "query.png", pixels[..., ::-1])
    return engine.query(folder / "query.png", box=box)


def test_a_drawing_on_white_is_drawn_on_two_other_grounds(engine: Engine, tmp_path: Path) -> None:
    variants = list(on_other_grounds(query_of(engine, tmp_path, draw_wheel())))
    assert len(variants) == 2
    assert {variant.name for variant in variants} == {None}
    for variant in variants:
        assert variant.query_xy_px is not None
        np.testing.assert_array_equal(variant.query_xy_px, variant.features.geometry.xy_px)
    assert not np.array_equal(variants[0].features.descriptors, variants[1].features.descriptors)


def test_of_a_dark_ground_the_light_ones_are_tried(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grounds: list[int] = []

    def extract(picture: Picture, *_: object) -> Features:
        grounds.append(int(picture.pixels[2, 2]))
        return no_features(picture.width, picture.height)

    monkeypatch.setattr(regrounding, "extract_features", extract)
    for drawing in (draw_wheel(), on_dark(draw_wheel())):
        assert len(list(on_other_grounds(query_of(engine, tmp_path, drawing)))) == 2
    assert grounds == [150, 75, 225, 150]


def test_a_box_is_drawn_where_it_lies(engine: Engine, tmp_path: Path) -> None:
    page = np.full((2 * SIDE, 2 * SIDE, 3), 255, np.uint8)
    page[SIDE:, SIDE:] = draw_wheel()
    box = (float(SIDE), float(SIDE), 2.0 * SIDE, 2.0 * SIDE)
    for variant in on_other_grounds(query_of(engine, tmp_path, page, box)):
        assert variant.query_xy_px is not None
        np.testing.assert_allclose(variant.query_xy_px - variant.features.geometry.xy_px, SIDE, atol=1e-3)


def test_a_photograph_has_no_other_ground(engine: Engine, tmp_path: Path) -> None:
    assert not list(on_other_grounds(query_of(engine, tmp_path, draw_scene(1))))


def test_more_points_of_a_drawing_agree_on_another_ground(engine: Engine) -> None:
    points = []
    for mode in ("auto", "never"):
        best = engine.search(draw_logo(), SearchOptions(inverse=mode), channels="RGB")[0]
        assert (best.name, best.verdict) == ("logo.png", "same")
        assert best.verification is not None
        points.append(best.verification.n_inliers)
    assert points[0] > points[1]
