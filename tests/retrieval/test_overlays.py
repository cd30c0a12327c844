"""overlays: what many pictures share at one place proves nothing, copies of one picture share it all."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from bof.engine import Engine
from bof.images.decode import Picture
from bof.options import IndexOptions, SearchOptions, VerifyOptions
from bof.retrieval import overlays, shortlist
from bof.retrieval.answer import Answer
from bof.retrieval.overlays import MIN_IMAGES, lie_together
from bof.search import main
from bof.types import U8
from tests.support.scenes import draw_scene, warp, write_picture

N_SCENES = 6
BAR = 70
"""Height of the bar at the bottom that a set has in common."""

SHIFT = np.array([[0.9, -0.15, 30.0], [0.15, 0.9, -14.0], [0.0, 0.0, 1.0]])


def under_a_bar(pixels: U8) -> U8:
    """The picture with a bar full of detail at the bottom."""
    bar = draw_scene(999, pixels.shape[1], BAR)
    return np.concatenate([pixels[:-BAR], bar])


def two_views(seed: int) -> tuple[U8, U8]:
    scene = draw_scene(seed)
    return scene, warp(scene, SHIFT)


def make_engine(folder: Path, vocabulary: Path, pictures: dict[str, U8]) -> Engine:
    for name, pixels in pictures.items():
        write_picture(folder / name, pixels)
    engine = Engine.create(folder / "index", vocabulary)
    engine.add([folder / name for name in pictures], IndexOptions(workers=1))
    engine.refresh()
    return engine


@pytest.fixture(scope="module")
def barred(vocabulary_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Two views of each scene, all of them under one bar."""
    views = {f"{s}-{'ab'[i]}.png": under_a_bar(view) for s in range(N_SCENES) for i, view in enumerate(two_views(s))}
    return make_engine(tmp_path_factory.mktemp("barred"), vocabulary_folder, views)


def ask(engine: Engine, pixels: U8) -> tuple[Answer, list[str], list[str]]:
    """The answer, its names in order, and those called the same."""
    options = SearchOptions(verify=VerifyOptions(pixels=0))
    picture = Picture(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8), *pixels.shape[1::-1])
    answer = engine.answer(engine.prepare(picture), options)
    images = answer.images.tolist()
    same = [engine.images[i].name for i in images if answer.verdict(i, options.verify) == "same"]
    return answer, [engine.images[i].name for i in images], same


def without_overlays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortlist, "find_overlay", lambda *_: None)


@pytest.mark.parametrize("seed", range(N_SCENES))
def test_what_lies_under_the_bar_decides(barred: Engine, seed: int) -> None:
    answer, names, same = ask(barred, under_a_bar(two_views(seed)[0]))
    assert set(names[:2]) == set(same) == {f"{seed}-a.png", f"{seed}-b.png"}
    assert answer.overlay is not None
    assert answer.overlay.n_images >= N_SCENES


def test_the_bar_alone_called_everything_the_same(barred: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the test above would say without the search for overlays."""
    without_overlays(monkeypatch)
    assert len(ask(barred, under_a_bar(two_views(0)[0]))[2]) == 2 * N_SCENES


def test_an_unknown_scene_under_the_bar_is_nothing(barred: Engine) -> None:
    answer, _, same = ask(barred, under_a_bar(draw_scene(77)))
    assert same == []
    assert answer.overlay is not None
    x0, y0, x1, y1 = answer.overlay.box
    assert 0 <= x0 < x1 <= 320
    assert 240 - BAR - 10 < y0 < y1 <= 240


def test_the_command_says_what_was_left_out(barred: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    query = write_picture(tmp_path / "query.png", under_a_bar(draw_scene(77)))
    flags = [str(query), "--index", str(barred.folder)]
    assert main(flags) == 0
    said = re.search(
        r"an overlay of (\d+) features in [\d,]+ that 12 pictures share was left out", capsys.readouterr().out
    )
    assert said
    assert main([*flags, "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["overlay"]["n_features"], result["overlay"]["n_images"]) == (int(said[1]), 12)
    assert len(result["overlay"]["box"]) == 4
    plain = write_picture(tmp_path / "plain.png", draw_scene(3))
    assert main([str(plain), "--index", str(barred.folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["overlay"] is None


def test_inliers_are_rows_of_the_whole_query(barred: Engine) -> None:
    """The proof of a hit names features of the query as it was given, none of them in the overlay."""
    answer, names, _ = ask(barred, under_a_bar(two_views(3)[0]))
    image = answer.images.tolist()[names.index("3-b.png")]
    found = answer.verifications[image]
    assert answer.overlay is not None
    assert not np.isin(found.inliers.query, answer.overlay.features).any()
    pixels = under_a_bar(two_views(3)[0])
    picture = Picture(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8), 320, 240)
    query = barred.prepare(picture)
    one, other = found.points_in(query.features.geometry), barred.points_in(image, found.inliers)
    moved = one @ SHIFT[:2, :2].T.astype(np.float32) + SHIFT[:2, 2].astype(np.float32)
    assert np.median(np.abs(moved - other).max(axis=1)) < 2


def test_partners_are_those_of_one_scene(barred: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    names = barred.images.names
    best = {names[one.image]: names[one.others[0][0]] for one in barred.neighbours(1)}
    assert best == {f"{s}-{a}.png": f"{s}-{b}.png" for s in range(N_SCENES) for a, b in ("ab", "ba")}
    without_overlays(monkeypatch)
    gain = [one.others[1][1] / one.others[0][1] for one in barred.neighbours(2)]
    monkeypatch.undo()
    assert np.median([one.others[1][1] / one.others[0][1] for one in barred.neighbours(2)]) < np.median(gain) / 3


def spoiled(pixels: U8, number: int) -> U8:
    """A copy: compressed, blurred or smaller, by number."""
    if number % 3 == 0:
        quality = [cv2.IMWRITE_JPEG_QUALITY, 20 + 8 * number]
        return np.asarray(cv2.imdecode(cv2.imencode(".jpg", pixels, quality)[1], cv2.IMREAD_COLOR), np.uint8)
    if number % 3 == 1:
        return np.asarray(cv2.GaussianBlur(pixels, (0, 0), 0.5 + 0.2 * number), np.uint8)
    return np.asarray(cv2.resize(pixels, None, fx=1 - 0.06 * number, fy=1 - 0.06 * number), np.uint8)


@pytest.mark.parametrize("distinct", [True, False], ids=["spoiled", "identical"])
def test_of_ten_copies_nothing_is_left_out(
    vocabulary_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, distinct: bool
) -> None:
    scene = draw_scene(5)
    pictures = {f"copy-{i}.png": spoiled(scene, i) if distinct else scene for i in range(10)}
    pictures |= {f"other-{i}.png": draw_scene(60 + i) for i in range(5)}
    engine = make_engine(tmp_path, vocabulary_folder, pictures)
    answer, _, same = ask(engine, scene)
    assert answer.overlay is None
    assert {f"copy-{i}.png" for i in range(10)} == set(same)
    before = list(engine.neighbours(12))
    without_overlays(monkeypatch)
    assert list(engine.neighbours(12)) == before


def test_without_an_overlay_answers_are_as_before(index_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine.open(index_folder)
    found = [ask(engine, draw_scene(seed)) for seed in range(6)]
    pairs = list(engine.neighbours(5))
    without_overlays(monkeypatch)
    for (answer, names, same), seed in zip(found, range(6), strict=True):
        plain, plain_names, plain_same = ask(engine, draw_scene(seed))
        assert (names, same) == (plain_names, plain_same)
        assert answer.scores.tobytes() == plain.scores.tobytes()
    assert list(engine.neighbours(5)) == pairs


def test_nothing_but_the_bar_answers_as_without_overlays(barred: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    flat = np.full((240, 320, 3), 128, np.uint8)
    answer, names, same = ask(barred, under_a_bar(flat))
    assert answer.overlay is None
    without_overlays(monkeypatch)
    assert (names, same) == ask(barred, under_a_bar(flat))[1:]
    assert len(same) == 2 * N_SCENES


def test_fewer_pictures_than_many_are_no_overlay(vocabulary_folder: Path, tmp_path: Path) -> None:
    pictures = {f"{s}.png": under_a_bar(draw_scene(s)) for s in range(MIN_IMAGES - 1)}
    engine = make_engine(tmp_path, vocabulary_folder, pictures)
    assert ask(engine, under_a_bar(draw_scene(50)))[0].overlay is None
    assert MIN_IMAGES > len(ask(engine, under_a_bar(draw_scene(50)))[2]) > 0


def places(n: int) -> Sequence[Sequence[float]]:
    rng = np.random.default_rng(n)
    return rng.uniform(0, 1000, (n, 2)).tolist()


def test_points_of_a_corner_lie_together_and_points_by_chance_do_not() -> None:
    xy = np.array(places(800))
    by_chance = np.random.default_rng(1).random(800) < 0.3
    assert lie_together(xy, (xy < 550).all(axis=1)) > 0.8
    assert abs(lie_together(xy, by_chance)) < 0.06
    assert lie_together(xy, np.ones(800, np.bool_)) == 0.0
    assert lie_together(np.zeros((1, 2)), np.ones(1, np.bool_)) == 0.0


def test_what_is_turned_or_larger_is_not_at_one_place(barred: Engine) -> None:
    """Shifts are known of views that have the query's scale and angle alone."""
    answer, names, _ = ask(barred, under_a_bar(two_views(2)[0]))
    image = answer.images.tolist()[names.index("2-b.png")]
    pixels = under_a_bar(two_views(2)[0])
    picture = Picture(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), np.uint8), 320, 240)
    features = barred.prepare(picture).features.geometry
    found = answer.verifications[image]
    collection = barred.searcher().collection
    assert overlays.unturned(collection, features, {image: found}) == {}
    straight = np.array([[1.0, 0, 16], [0, 1, -32], [0, 0, 1]])
    shifted = dataclasses.replace(found, database_from_query=straight)
    assert overlays.unturned(collection, features, {image: shifted})[image] == pytest.approx((0.05, -0.1))
