"""Folders in object stores and on web servers are indexed as local ones; a listing that fails changes nothing."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import fsspec
import pytest

from bof.engine import Engine
from bof.errors import ImageError
from bof.images.cloud import is_cloud, source_of, url_of
from bof.options import IndexOptions
from tests.ingest.test_documents import write_zip
from tests.support.object_stores import s3_server
from tests.support.scenes import draw_scene

ALONE = IndexOptions(workers=1)


def png(seed: int) -> bytes:
    return cv2.imencode(".png", draw_scene(seed)[:, :, ::-1])[1].tobytes()


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket",
        "s3://b/a b/c.jpg",
        "s3://b/a//b/../c",
        "https://h:8000/x/%20?.png#1",
        "gs://b/日本",
        "s3://b/a///b",
    ],
)
def test_a_url_is_the_same_when_its_path_has_been_through_pathlib(url: str) -> None:
    path = Path(str(source_of(url)))
    assert is_cloud(path)
    assert url_of(path) == url


@pytest.mark.parametrize("text", ["/a/b", "C:/a/b", "file:///a/b", "a:b"])
def test_what_is_no_url(text: str) -> None:
    assert not is_cloud(source_of(text))


class Store:
    """A folder of some store."""

    def __init__(self, url: str) -> None:
        self.url, self.system = url, fsspec.core.url_to_fs(url)[0]

    def write(self, name: str, data: bytes) -> None:
        with self.system.open(f"{self.url}/{name}", "wb") as stream:
            stream.write(data)
        self.system.invalidate_cache()

    def remove(self, name: str) -> None:
        self.system.rm(f"{self.url}/{name}")
        self.system.invalidate_cache()


@pytest.fixture(scope="module")
def s3() -> Iterator[None]:
    """An S3 of our own on loopback."""
    with s3_server("pictures"):
        yield


@pytest.fixture(params=["memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "s3":
        request.getfixturevalue("s3")
        return Store(f"s3://pictures/{tmp_path.name}")
    return Store(f"memory://{tmp_path.name}")


@pytest.fixture
def engine(tmp_path: Path, vocabulary_folder: Path) -> Engine:
    return Engine.create(tmp_path / "index", vocabulary_folder)


def names(engine: Engine) -> set[str]:
    return {record.name for record in engine.select().records}


def test_a_folder_in_a_store_is_followed_as_a_local_one(engine: Engine, store: Store, tmp_path: Path) -> None:
    store.write("a.png", png(1))
    store.write("sub/b c.png", png(2))
    store.write("notes.txt", b"x")
    store.write("broken.jpg", b"\xff\xd8\xff")
    write_zip(tmp_path / "z.zip", [draw_scene(5)])
    store.write("z.zip", (tmp_path / "z.zip").read_bytes())
    first = engine.add(store.url, ALONE)
    assert names(engine) == {"a.png", "sub/b c.png", "z.zip#member=in/0.png"}
    assert first.passed_over == {".txt": 1}
    assert len(first.skipped) == 1
    assert "broken.jpg" in first.skipped[0].path
    assert engine.roots == [source_of(store.url)]
    hit = engine.search(draw_scene(2))[0]
    assert (hit.name, hit.verdict) == ("sub/b c.png", "same")
    assert hit.agreement is not None, "its pixels were fetched to be compared"

    again = engine.add(store.url, ALONE)
    assert (again.n_added, again.n_changed, again.n_unchanged) == (0, 0, 3)
    store.write("a.png", png(3))
    store.remove("sub/b c.png")
    store.write("d.png", png(4))
    changed = engine.add(store.url, ALONE, delete=True)
    assert (changed.n_added, changed.n_changed, changed.n_removed) == (1, 1, 1)
    assert names(engine) == {"a.png", "d.png", "z.zip#member=in/0.png"}
    assert engine.search(draw_scene(3))[0].name == "a.png"


def test_a_listing_that_fails_changes_nothing(engine: Engine, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write("a.png", png(1))
    engine.add(store.url, ALONE)

    def fail(*_: Any, **__: Any) -> None:
        raise TimeoutError("the store does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(type(store.system), "find", fail)
        with pytest.raises(ImageError, match="does not answer"):
            engine.add(store.url, ALONE, delete=True)
    assert names(engine) == {"a.png"}
    with pytest.raises(ImageError, match="nothing is there"):
        engine.add(f"{store.url}/nowhere", ALONE)


def test_a_folder_of_a_web_server(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "www" / "sub").mkdir(parents=True)
    (tmp_path / "www" / "a.png").write_bytes(png(1))
    (tmp_path / "www" / "sub" / "b.png").write_bytes(png(2))
    handler = functools.partial(Quiet, directory=str(tmp_path / "www"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        engine.add(url, ALONE)
        assert names(engine) == {"a.png", "sub/b.png"}
        assert engine.add(url, ALONE).n_unchanged == 2
        (tmp_path / "www" / "a.png").write_bytes(png(3))
        assert engine.add(url, ALONE).n_changed == 1
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_store_whose_package_is_missing_says_how_to_get_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", fail)
    with pytest.raises(ImageError, match=r'pip install "bof-search\[cloud\]"'):
        engine.add("s3://bucket", ALONE)
