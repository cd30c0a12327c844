"""Films through the server: hits at exact frames, their small pictures, and comparisons with the keyframe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from bof.engine import Engine
from bof.images.decode import decode
from bof.images.draw import encode_jpeg
from bof.images.films.film import Film
from bof.options import IndexOptions
from tests.support.films import pan, write_film
from tests.support.scenes import draw_scene, write_picture
from tests.support.serving import API, PNG, TestClient, refused, search, served

RATE = 10


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pans of 2 seconds."""
    path = tmp_path_factory.mktemp("films") / "a.mp4"
    return write_film(path, [frame for seed in (1, 2) for frame in pan(seed, 20, 4)], rate=RATE)


@pytest.fixture(scope="module")
def client(film: Path, tmp_path_factory: pytest.TempPathFactory, vocabulary_folder: Path) -> Iterator[TestClient]:
    index = tmp_path_factory.mktemp("collection") / "index"
    write_picture(film.parent / "other.png", draw_scene(7))
    Engine.create(index, vocabulary_folder).add([film.parent], IndexOptions(workers=1))
    with served(index, uploads=index.with_name("uploads")) as client:
        yield client


@pytest.fixture
def still() -> bytes:
    """A frame that the keyframe, in the middle of its shot, is far from."""
    return encode_jpeg(np.ascontiguousarray(pan(2, 20, 4)[16]))


def test_the_small_picture_of_a_hit_is_of_the_frame_that_its_outline_is_in(
    client: TestClient, film: Path, still: bytes
) -> None:
    hit = search(client, still)["hits"][0]
    assert hit["film"]["time"] == pytest.approx(2 + 16 / RATE, abs=0.11)
    np.testing.assert_allclose(np.array(hit["outline"])[[0, 2]], [[0, 0], [320, 240]], atol=6)
    address = f"{API}/images/{hit['id']}/thumbnail"
    keyframe = client.get(address)
    exact = client.get(address, params={"t": f"{hit['film']['time']:.3f}"})
    assert keyframe.headers["etag"] != exact.headers["etag"]
    with Film(str(film)) as opened:
        (shown,) = [f for f in opened.frames() if abs(float(f.time) - hit["film"]["time"]) < 0.001]
    assert _difference(exact.content, shown.pixels) < 6 < _difference(keyframe.content, shown.pixels)


def _difference(jpeg: bytes, pixels: np.ndarray) -> float:
    return float(cv2.absdiff(decode(jpeg).pixels, pixels).mean())


def test_a_comparison_is_with_the_keyframe_whose_picture_is_shown(client: TestClient, still: bytes) -> None:
    hit = search(client, still)["hits"][0]
    found = client.post(f"{API}/matches/{hit['id']}", content=still, headers=PNG).json()
    points, transform = found["points"], np.array(found["hit_from_query"])
    inlier = np.array(points["inlier"])
    source, target = np.array(points["query"])[inlier], np.array(points["hit"])[inlier]
    mapped = np.column_stack([source, np.ones(len(source))]) @ transform.T
    np.testing.assert_allclose(mapped[:, :2] / mapped[:, 2:], target, atol=12)
    part = client.get(f"{API}/images/{hit['id']}").json()["part"]
    assert part.startswith(f"t={found['hit']['film']['time']:.3f}&")
    assert abs(found["hit"]["film"]["time"] - hit["film"]["time"]) > 0.3


@pytest.mark.parametrize("text", ["x", "-1", "1e3", "99999999999", "1&shot=0,2"])
def test_a_time_that_is_none_is_refused(client: TestClient, still: bytes, text: str) -> None:
    number = search(client, still)["hits"][0]["id"]
    assert text in refused(client.get(f"{API}/images/{number}/thumbnail", params={"t": text}), 400)


def test_a_picture_has_no_time(client: TestClient) -> None:
    (number,) = [image["id"] for image in client.get(f"{API}/images").json()["images"] if not image["part"]]
    assert "of a film" in refused(client.get(f"{API}/images/{number}/thumbnail", params={"t": "1"}), 400)
