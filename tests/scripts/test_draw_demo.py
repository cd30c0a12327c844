"""The demo collection: complete, readable, the same bytes for the same seed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from scripts.demo import collection as draw_demo
from scripts.demo.art import draw_poster
from scripts.demo.scenes import WALL_HEIGHT, WALL_WIDTH


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    draw_demo.draw_collection(folder)
    return folder


def _pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _digest(rgb: np.ndarray) -> str:
    return hashlib.sha256(rgb.tobytes()).hexdigest()


def test_collection_has_sixty_photographs_and_three_queries(out: Path) -> None:
    assert len(_pictures(out / "photos")) == 60
    assert len(_pictures(out / "queries")) == 3


def test_every_picture_is_readable_and_of_the_same_size(out: Path) -> None:
    for path in _pictures(out):
        picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None, path
        assert picture.shape == (480, 640, 3), path
        assert picture.std() > 10, path


def test_no_two_pictures_are_equal(out: Path) -> None:
    pictures = _pictures(out)
    assert len({hashlib.sha256(path.read_bytes()).digest() for path in pictures}) == len(pictures)


def test_names_cover_another_script_spaces_and_png(out: Path) -> None:
    names = [path.relative_to(out / "photos").as_posix() for path in _pictures(out / "photos")]
    assert sum(name.endswith(".png") for name in names) == 1
    assert [name for name in names if not name.isascii()] == ["旅行 2024/海报 照片.jpg"]


def test_queries_and_their_answers_exist(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw_demo, "save", lambda *_: None)
    monkeypatch.setattr(draw_demo, "_drawings", lambda *_: iter(()))
    collection = draw_demo.draw_collection(out)
    assert sorted(collection.queries) == _pictures(out / "queries")
    for query, names in collection.queries.items():
        assert query.is_file()
        assert len(set(names)) == 3
        assert all((collection.photos / name).is_file() for name in names)


def test_same_seed_draws_the_same_bytes(out: Path, tmp_path: Path) -> None:
    """Drawn alone and in another order, pictures of each kind have the bytes that the collection has."""
    drawings = list(draw_demo._drawings(out, 0))
    qualities = np.random.default_rng([0, 5]).integers(55, 93, len(drawings)).tolist()
    for row in (62, 50, 43, 9, 4, 0):
        path, draw = drawings[row]
        again = tmp_path / path.name
        draw_demo.save(again, draw(), qualities[row])
        assert again.read_bytes() == path.read_bytes(), path


def test_another_seed_draws_another_collection() -> None:
    assert _digest(draw_demo.poster_photo(0, 0, 0, 0.0)) != _digest(draw_demo.poster_photo(0, 1, 0, 0.0))


def test_posters_are_all_different() -> None:
    count = draw_demo.N_POSTERS + draw_demo.N_OTHER_POSTERS
    assert len({_digest(draw_poster(number, 0)) for number in range(count)}) == count


def test_camera_keeps_the_middle_of_the_wall_in_the_middle() -> None:
    camera = draw_demo.Camera(0.7, 25.0, 10.0, -30.0, (11.0, -7.0))
    middle = draw_demo.picture_from_wall(camera) @ np.array([WALL_WIDTH / 2, WALL_HEIGHT / 2, 1])
    assert middle[:2] / middle[2] == pytest.approx((320 + 11, 240 - 7))
