"""An index as immutable files: what readers see is one publication, the old or the new, whole and read-only."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bof.engine import Engine
from bof.errors import IndexStoreError, OptionError
from bof.options import IndexOptions
from bof.options.published import CacheOptions
from bof.retrieval.hits import Hits
from bof.store.index import Index
from bof.store.parts.making import repart
from bof.store.published import copies, publishing
from bof.store.published.buckets import open_bucket
from bof.store.published.contents import IndexContents, SourceFile
from bof.store.published.manifest import Publication, PublishedFile, parse_manifest
from bof.store.published.publishing import publish, sweep
from tests.support.object_stores import Shelf, folder_shelf, s3_server
from tests.support.scenes import draw_scene, write_picture

ALONE = IndexOptions(workers=1)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server("published") as endpoint:
        yield endpoint


@pytest.fixture(params=["folder", "s3"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    if request.param == "s3":
        request.getfixturevalue("s3")
        return Shelf(f"s3://published/{tmp_path.name}/a")
    return folder_shelf(tmp_path / "shelf")


@pytest.fixture
def cache(tmp_path: Path) -> CacheOptions:
    return CacheOptions(str(tmp_path / "cache"), 100)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, vocabulary_folder: Path) -> Path:
    """Photographs and their index."""
    folder = tmp_path_factory.mktemp("made")
    for seed in range(4):
        write_picture(folder / "photos" / f"{seed}.png", draw_scene(seed))
    with Engine.create(folder / "index", vocabulary_folder) as engine:
        engine.add(folder / "photos", ALONE)
    return folder


@pytest.fixture(params=[0, 3], ids=["ordinary", "in parts"])
def engine(request: pytest.FixtureRequest, made: Path, tmp_path: Path) -> Engine:
    shutil.copytree(made / "index", tmp_path / "index")
    if request.param:
        repart(Index.open(tmp_path / "index"), request.param)
    return Engine.open(tmp_path / "index")


@pytest.fixture
def ordinary(made: Path, tmp_path: Path) -> Engine:
    shutil.copytree(made / "index", tmp_path / "index")
    return Engine.open(tmp_path / "index")


def push(engine: Engine, shelf: Shelf) -> publishing.PublishReport:
    return publish(engine.index, open_bucket(shelf.place, write=True))


def facts(hits: Hits) -> list[tuple[Any, ...]]:
    return [(hit.name, hit.score, hit.verdict, hit.probability, hit.image) for hit in hits]


def test_a_publication_answers_what_the_index_answers(engine: Engine, shelf: Shelf, cache: CacheOptions) -> None:
    engine.judge("0.png", "1.png", is_same=False)
    first = push(engine, shelf)
    assert first.n_stored == len(first.manifest.contents) == len(shelf.names())
    with Engine.open(shelf.text, cache=cache) as copy:
        assert len(copy) == 4
        assert copy.generation == engine.generation
        assert copy.judgments() == engine.judgments()
        for seed in range(4):
            assert facts(copy.search(draw_scene(seed))) == facts(engine.search(draw_scene(seed)))
        assert copy.check().is_sound
        assert not copy.check().strays


def test_what_is_there_is_not_stored_again(engine: Engine, shelf: Shelf, cache: CacheOptions, tmp_path: Path) -> None:
    push(engine, shelf)
    again = push(engine, shelf)
    assert again.n_stored == 0
    before = set(shelf.names())
    write_picture(tmp_path / "more.png", draw_scene(9))
    engine.add(tmp_path / "more.png", ALONE)
    more = push(engine, shelf)
    assert 0 < more.n_stored < len(before)
    assert set(shelf.names()) > before
    opened = copies.open_publication(shelf.place, cache)
    fetched = opened.n_bytes_fetched
    assert fetched == more.manifest.n_bytes
    assert copies.open_publication(shelf.place, cache).n_bytes_fetched == 0

    n_swept, n_bytes = sweep(open_bucket(shelf.place, write=True), more.manifest)
    assert n_swept == len(before - {file.object_name for file in more.manifest.files}) > 0
    assert n_bytes > 0
    assert set(shelf.names()) == {file.object_name for file in more.manifest.files}


def test_a_sweep_deletes_nothing_that_is_no_object(ordinary: Engine, shelf: Shelf) -> None:
    manifest = push(ordinary, shelf).manifest
    for name in ("files/notes.txt", "files/ab/README", f"files/ab/{'0' * 64}"):
        shelf.write(name, b"x") if shelf.url.startswith("s3") else _write(Path(shelf.place) / name)
    sweep(open_bucket(shelf.place, write=True), manifest)
    assert set(shelf.names()) - {file.object_name for file in manifest.files} == {"files/notes.txt", "files/ab/README"}


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")


def test_a_sweep_of_an_older_publication_deletes_nothing(ordinary: Engine, shelf: Shelf, tmp_path: Path) -> None:
    older = push(ordinary, shelf).manifest
    write_picture(tmp_path / "more.png", draw_scene(9))
    ordinary.add(tmp_path / "more.png", ALONE)
    push(ordinary, shelf)
    before = shelf.names()
    with pytest.raises(IndexStoreError, match="published here meanwhile"):
        sweep(open_bucket(shelf.place, write=True), older)
    assert shelf.names() == before


def test_a_reader_keeps_its_publication_and_then_sees_the_next(
    engine: Engine, shelf: Shelf, cache: CacheOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(engine, shelf)
    monkeypatch.setattr(copies, "LOOK_S", 0.0)
    with Engine.open(shelf.text, cache=cache) as copy:
        before = facts(copy.search(draw_scene(1)))
        write_picture(tmp_path / "more.png", draw_scene(9))
        engine.add(tmp_path / "more.png", ALONE)
        manifest = push(engine, shelf).manifest
        sweep(open_bucket(shelf.place, write=True), manifest)
        folder = copy.folder
        assert facts(copy.search(draw_scene(1))) == before
        until = time.monotonic() + 60
        while not copy.refresh():
            assert time.monotonic() < until
            time.sleep(0.05)
        assert len(copy) == 5
        assert copy.search(draw_scene(9))[0].name == "more.png"
        assert copy.folder != folder
        assert not folder.exists(), "nobody has it open any more"
        assert copy.vocabulary_folder == copy.folder / "vocabulary"
        assert copy.judgments() == []


def test_another_index_in_its_place_is_not_followed(
    ordinary: Engine, shelf: Shelf, cache: CacheOptions, tmp_path: Path, vocabulary_folder: Path,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    push(ordinary, shelf)
    monkeypatch.setattr(copies, "LOOK_S", 0.0)
    with Engine.open(shelf.text, cache=cache) as copy:
        len(copy)
        push(Engine.create(tmp_path / "other", vocabulary_folder), shelf)
        until = time.monotonic() + 60
        while "an older or another index" not in caplog.text:
            assert not copy.refresh()
            assert time.monotonic() < until
            time.sleep(0.05)
        assert len(copy) == 4
    assert len(Engine.open(shelf.text, cache=cache)) == 0


def test_a_publication_is_read_only(engine: Engine, shelf: Shelf, cache: CacheOptions, tmp_path: Path) -> None:
    push(engine, shelf)
    write_picture(tmp_path / "more.png", draw_scene(9))
    with Engine.open(shelf.text, cache=cache) as copy:
        for change in (
            lambda: copy.add(tmp_path / "more.png", ALONE),
            lambda: copy.remove(["0.png"]),
            lambda: copy.judge("0.png", "1.png", is_same=True),
            lambda: copy.merge(),
            lambda: copy.index.repair(),
        ):
            with pytest.raises(IndexStoreError, match="a published index is read-only"):
                change()
        assert len(copy) == 4


def test_what_is_published_is_what_was_written(ordinary: Engine, shelf: Shelf) -> None:
    array = next((ordinary.folder / "segments").glob("*/signature.npy"))
    data = bytearray(array.read_bytes())
    data[-1] ^= 1
    array.write_bytes(data)
    with pytest.raises(IndexStoreError, match=r"content has changed.*nothing was published"):
        push(ordinary, shelf)
    assert not shelf.system.exists(f"{shelf.root}/publication.json")


def test_what_no_reader_would_take_is_not_published(
    ordinary: Engine, shelf: Shelf, cache: CacheOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(ordinary, shelf)
    contents = publishing.contents_of_index

    def more(index: Index, scratch: Path) -> IndexContents:
        found = contents(index, scratch)
        other = SourceFile.of("catalog.sqlite.old", index.folder / "catalog.sqlite")
        return replace(found, files=(*found.files, other))

    monkeypatch.setattr(publishing, "contents_of_index", more)
    with pytest.raises(IndexStoreError, match=r"'catalog\.sqlite\.old' is no file of an index; nothing was published"):
        push(ordinary, shelf)
    assert len(Engine.open(shelf.text, cache=cache)) == 4


def test_a_merge_meanwhile_begins_it_anew(
    ordinary: Engine, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: CacheOptions
) -> None:
    write_picture(tmp_path / "more.png", draw_scene(9))
    ordinary.add(tmp_path / "more.png", ALONE)
    store, merged = publishing._store, []

    def late(*arguments: Any) -> int:
        if not merged:
            merged.append(ordinary.merge())
        return store(*arguments)

    monkeypatch.setattr(publishing, "_store", late)
    monkeypatch.setattr(publishing, "_AT_ONCE", 1)
    push(ordinary, shelf)
    assert merged == [2]
    with Engine.open(shelf.text, cache=cache) as copy:
        assert len(copy) == 5
        assert len(copy.segments()) == 1


@pytest.mark.parametrize("n_done", [0, 1, 7])
def test_publishing_that_is_cut_short_leaves_what_was_there(
    ordinary: Engine, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: CacheOptions, n_done: int
) -> None:
    push(ordinary, shelf)
    write_picture(tmp_path / "more.png", draw_scene(9))
    ordinary.add(tmp_path / "more.png", ALONE)
    store, n = publishing._store, [0]

    def die(*arguments: Any) -> int:
        if n[0] == n_done:
            raise KeyboardInterrupt
        n[0] += 1
        return store(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "_store", die)
        patched.setattr(publishing, "_AT_ONCE", 1)
        with pytest.raises(KeyboardInterrupt):
            push(ordinary, shelf)
    assert len(Engine.open(shelf.text, cache=cache)) == 4
    report = push(ordinary, shelf)
    assert report.n_stored > 0
    assert len(Engine.open(shelf.text, cache=cache)) == 5


def test_the_catalogue_is_the_same_to_the_byte_when_nothing_changed(engine: Engine, shelf: Shelf) -> None:
    assert push(engine, shelf).manifest == push(engine, shelf).manifest


def test_web_servers_are_not_written() -> None:
    pytest.importorskip("aiohttp")
    with pytest.raises(OptionError, match="web servers are read from alone"):
        open_bucket("cloud:https:/example.org/x", write=True)


def test_a_hostile_manifest_is_refused() -> None:
    sha256 = hashlib.sha256(b"").hexdigest()
    good = Publication(1, 0, "f", (PublishedFile("catalog.sqlite", 0, sha256),))
    assert parse_manifest(good.as_json()) == good
    paths = [
        "../x", "/etc/passwd", "segments/../../x/word.npy", "parts/x/catalog.sqlite", "writer.lock", "read-only.json",
        "commit.json", "segments/a/word.npy/x", "pictures/aa/../b", "catalog.sqlite\n", "catalog.sqlite", "", ".",
        "vocabulary/.x.npy", "C:\\x", "segments/a/b.npy\0",
    ]  # fmt: skip
    for path in paths:
        bad = Publication(1, 0, "f", (*good.files, PublishedFile(path, 0, sha256)))
        with pytest.raises(ValueError, match=r"no file of an index|a file twice"):
            parse_manifest(bad.as_json())
    for n_bytes, digest in ((-1, sha256), (1 << 51, sha256), (1 << 80, sha256), (0, "0" * 63), (0, "Z" * 64)):
        with pytest.raises(ValueError, match=r"no size|no number"):
            parse_manifest(Publication(1, 0, "f", (PublishedFile("catalog.sqlite", n_bytes, digest),)).as_json())
    whole = json.loads(good.as_json())
    for change in ({"format": 2}, {"generation": 7}, {"seal": "x"}, {"files": []}):
        with pytest.raises(ValueError, match=r"format|changed"):
            parse_manifest(json.dumps({**whole, **change}).encode())
    for end in range(0, len(good.as_json()), 7):
        with pytest.raises((ValueError, KeyError, TypeError)):
            parse_manifest(good.as_json()[:end])
