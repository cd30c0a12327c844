"""The local copy of what was fetched: bounded, checked, shared by processes, and whole after any death."""

from __future__ import annotations

import errno
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bof.engine import Engine
from bof.errors import IndexStoreError
from bof.options import IndexOptions
from bof.options.published import CacheOptions
from bof.store.published import buckets, copies, file_cache
from bof.store.published.buckets import MissingObjectError, open_bucket
from bof.store.published.copies import open_publication
from bof.store.published.manifest import Publication, read_manifest
from bof.store.published.publishing import publish
from tests.support.object_stores import Shelf, folder_shelf, forget_stores, s3_server
from tests.support.scenes import draw_scene, write_picture

ALONE = IndexOptions(workers=1)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server("cached") as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, vocabulary_folder: Path) -> Path:
    folder = tmp_path_factory.mktemp("cached")
    write_picture(folder / "photos" / "0.png", draw_scene(0))
    with Engine.create(folder / "index", vocabulary_folder) as engine:
        engine.add(folder / "photos", ALONE)
    return folder / "index"


@pytest.fixture(params=["folder", "s3"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path, index: Path) -> Shelf:
    if request.param == "s3":
        request.getfixturevalue("s3")
        made = Shelf(f"s3://cached/{tmp_path.name}")
    else:
        made = folder_shelf(tmp_path / "shelf")
    publish(Engine.open(index).index, open_bucket(made.place, write=True))
    return made


@pytest.fixture
def local(tmp_path: Path, index: Path) -> Shelf:
    made = folder_shelf(tmp_path / "shelf")
    publish(Engine.open(index).index, open_bucket(made.place, write=True))
    return made


def options(tmp_path: Path, megabytes: int = 100) -> CacheOptions:
    return CacheOptions(str(tmp_path / "cache"), megabytes)


def largest(manifest: Publication) -> str:
    return max(manifest.files, key=lambda file: file.n_bytes).object_name


def cached(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "cache" / "files").rglob("*") if path.is_file()]


def test_an_object_that_is_not_what_it_should_be_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    manifest = open_publication(shelf.place, options(tmp_path)).manifest
    name = largest(manifest)
    data = shelf.read(name)
    other = CacheOptions(str(tmp_path / "other"), 100)
    for wrong, message in (
        (data[:-1], "truncated"),
        (b"", "truncated"),
        (data[:-1] + bytes([data[-1] ^ 1]), "checksum"),
        (data + b"x", "more|at most"),
    ):
        shelf.write(name, wrong)
        with pytest.raises(IndexStoreError, match=message) as caught:
            Engine.open(shelf.text, cache=other)
        assert name in str(caught.value)
        assert not (tmp_path / "other" / name).exists()
    shelf.remove(name)
    with pytest.raises(MissingObjectError, match=r"is not there.*publish the index again") as caught:
        Engine.open(shelf.text, cache=other)
    assert name in str(caught.value)
    shelf.write(name, data)
    assert len(Engine.open(shelf.text, cache=other)) == 1


def test_a_damaged_manifest_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    data = shelf.read()
    for wrong in (data[:-10], b"", b"[]", data.replace(b'"n_images": 1', b'"n_images": 2')):
        shelf.write("publication.json", wrong)
        with pytest.raises(IndexStoreError, match="a damaged publication"):
            Engine.open(shelf.text, cache=options(tmp_path))


def test_what_nobody_publishes_is_no_index(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingObjectError, match="no index is published here"):
        Engine.open("s3://cached/nothing", cache=options(tmp_path))
    with pytest.raises(MissingObjectError, match="bucket does not exist"):
        Engine.open("s3://no-such-bucket/x", cache=options(tmp_path))
    with pytest.raises(IndexStoreError, match="bucket does not exist"):
        open_bucket("cloud:s3:/no-such-bucket/x", write=True).sizes("files")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    forget_stores()
    with pytest.raises(IndexStoreError, match=r"[Cc]redentials"):
        Engine.open("s3://cached/nothing", cache=options(tmp_path))
    forget_stores()


def test_a_store_that_cannot_be_reached_is_an_error(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: Path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    forget_stores()
    with pytest.raises(IndexStoreError, match="cannot be reached"):
        Engine.open("s3://cached/x", cache=options(tmp_path))
    with pytest.raises(IndexStoreError, match="cannot be reached"):
        publish(Engine.open(index).index, open_bucket("cloud:s3:/cached/x", write=True))
    forget_stores()


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(IndexStoreError, match=r'pip install "bof-search\[cloud\]"'):
        open_bucket("cloud:s3:/a/b")


def test_a_reader_outlives_a_network_that_fails(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(copies, "LOOK_S", 0.0)
    with Engine.open(shelf.text, cache=options(tmp_path)) as engine:
        assert len(engine) == 1

        def fail(*_: Any) -> bytes:
            raise IndexStoreError("cannot be reached", path=shelf.text)

        monkeypatch.setattr(engine._copy.bucket, "read", fail)
        until = time.monotonic() + 30
        while "a newer publication cannot be seen" not in caplog.text:
            assert not engine.refresh()
            assert time.monotonic() < until
            time.sleep(0.02)
        assert engine.search(draw_scene(0))[0].name == "0.png"


def test_a_publication_on_a_web_server_is_read(local: Shelf, tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    handler = partial(Quiet, directory=str(local.place))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Engine.open(f"http://127.0.0.1:{server.server_port}", cache=options(tmp_path)) as engine:
            assert engine.search(draw_scene(0))[0].name == "0.png"
        server.shutdown()


# -- The cache itself -------------------------------------------------------------------------------------------------


def test_a_content_that_was_changed_here_is_fetched_again(local: Shelf, tmp_path: Path) -> None:
    copy = open_publication(local.place, options(tmp_path))
    chosen = tmp_path / "cache" / largest(copy.manifest)
    n_bytes = chosen.stat().st_size
    del copy
    for change in ("flip", "shorten", "only the time"):
        chosen.chmod(0o644)
        data = chosen.read_bytes()
        if change == "flip":
            chosen.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        elif change == "shorten":
            chosen.write_bytes(data[:-1])
        else:
            os.utime(chosen)
        again = open_publication(local.place, options(tmp_path))
        assert again.n_bytes_fetched == (0 if change == "only the time" else n_bytes)
        assert chosen.read_bytes() == local.read(largest(again.manifest))
        del again


def test_what_was_used_least_recently_goes_first(local: Shelf, tmp_path: Path, index: Path) -> None:
    cache = file_cache.FileCache(tmp_path / "cache", 0)
    manifest = open_publication(local.place, options(tmp_path)).manifest
    stray = tmp_path / "cache" / "files" / "aa" / ("a" * 64)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"x" * 1000)
    os.utime(stray, ns=(1, 1))
    cache.limit = manifest.n_bytes + 500
    cache._make_room(0)
    assert not stray.exists()
    assert len(cached(tmp_path)) == len(manifest.contents)
    held = open_publication(local.place, options(tmp_path))
    with pytest.raises(
        IndexStoreError, match=r"the cache is full of what is in use.*raise cache_size, name another cache"
    ):
        cache._make_room(501)
    assert len(cached(tmp_path)) == len(manifest.contents), "a living reader has them"
    del held
    cache._make_room(501)
    assert sum(path.stat().st_size for path in cached(tmp_path)) <= cache.limit - 501


def test_what_does_not_fit_is_not_fetched(local: Shelf, tmp_path: Path) -> None:
    bucket = open_bucket(local.place)
    manifest = read_manifest(bucket)
    small = file_cache.FileCache(tmp_path / "small", manifest.n_bytes - 1)
    with pytest.raises(IndexStoreError, match="does not fit: expected a cache_size of 1 megabytes or more, found 0"):
        copies.PublishedCopy(bucket, small, manifest)
    assert not list((tmp_path / "small").rglob("*.npy"))


def test_a_disk_that_is_full_is_an_error_that_leaves_nothing(
    local: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch, n = buckets._FolderBucket.fetch, [0]

    def full(*arguments: Any) -> None:
        n[0] += 1
        if n[0] > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fetch(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(buckets._FolderBucket, "fetch", full)
        with pytest.raises(IndexStoreError, match=r"No space left.*another cache"):
            Engine.open(local.text, cache=options(tmp_path))
    assert len(cached(tmp_path)) <= 3
    assert len(Engine.open(local.text, cache=options(tmp_path))) == 1


def test_a_cache_that_cannot_be_written_is_an_error(local: Shelf, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(IndexStoreError, match=r"cannot be written.*name a cache"):
        Engine.open(local.text, cache=CacheOptions(str(tmp_path / "file" / "cache"), 100))


_OPEN = """
import sys, time
from bof.engine import Engine
from bof.options.published import CacheOptions
with Engine.open(sys.argv[1], cache=CacheOptions(sys.argv[2], 100)) as engine:
    print(len(engine), engine.folder, flush=True)
    sys.stdin.readline()
"""


def reader(shelf: Shelf, tmp_path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _OPEN, shelf.text, str(tmp_path / "cache")]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_processes_share_the_cache_and_the_dead_leave_nothing(local: Shelf, tmp_path: Path) -> None:
    readers = [reader(local, tmp_path) for _ in range(4)]
    folders = []
    for one in readers:
        n_images, folder = one.stdout.readline().split()
        assert n_images == "1"
        folders.append(Path(folder))
    assert len(set(folders)) == 4
    assert len({(folder / "catalog.sqlite").stat().st_ino for folder in folders}) == 1, "one content, fetched once"
    readers[0].send_signal(signal.SIGKILL)
    for one in readers:
        one.communicate("\n" if one is not readers[0] else None, timeout=60)
    assert [folder.exists() for folder in folders] == [True, False, False, False]
    assert len(Engine.open(local.text, cache=options(tmp_path))) == 1
    assert not folders[0].exists()


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.15, 0.3, 0.5])
def test_a_reader_that_is_killed_while_it_fetches_harms_nobody(local: Shelf, tmp_path: Path, delay: float) -> None:
    one = reader(local, tmp_path)
    until = time.monotonic() + 60
    while not (tmp_path / "cache" / "open").exists() and time.monotonic() < until:
        time.sleep(0.001)
    time.sleep(delay / 10)
    one.kill()
    one.communicate(timeout=60)
    with Engine.open(local.text, cache=options(tmp_path)) as engine:
        assert engine.check().is_sound
        assert engine.search(draw_scene(0))[0].name == "0.png"
        assert len(list((tmp_path / "cache" / "open").iterdir())) == 2, "its folder and its lock"
