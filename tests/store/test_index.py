"""The index on disk: appends are whole or nothing, crashes leave no trace, damage is named."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bof.errors import IndexStoreError, MismatchError
from bof.geometry.hypotheses import placement_of
from bof.options import FeatureOptions, VoteOptions
from bof.retrieval.votes import vote
from bof.store import catalog, writer
from bof.store.catalog import ImageRecord, changes, checksums
from bof.store.index import Index, Snapshot
from bof.store.writer import Writer
from bof.system import files
from bof.types import QueryWords
from bof.vocabulary.vocabulary import Vocabulary
from tests.support.extracted import extracted


@pytest.fixture(scope="module")
def vocabulary(vocabulary_folder: Path) -> Vocabulary:
    return Vocabulary.load(vocabulary_folder)


@pytest.fixture
def index(tmp_path: Path, vocabulary: Vocabulary, vocabulary_folder: Path) -> Index:
    return Index.create(tmp_path / "index", vocabulary, vocabulary_folder, FeatureOptions())


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, vocabulary: Vocabulary, vocabulary_folder: Path) -> Index:
    """Two segments, three images; read it only."""
    folder = tmp_path_factory.mktemp("written") / "index"
    index = Index.create(folder, vocabulary, vocabulary_folder, FeatureOptions())
    change(index).append([extracted("a.jpg", 1), extracted("b.jpg", 2)])
    change(index).append([extracted("c.jpg", 3)])
    return index


@pytest.fixture
def filled(written: Index, tmp_path: Path) -> Index:
    """A copy of `written`, free to change."""
    return copied(written, tmp_path / "filled")


def copied(index: Index, folder: Path) -> Index:
    """The index as it lies on the disk now, in another place."""
    shutil.copytree(index.folder, folder)
    return dataclasses.replace(index, folder=folder)


def change(index: Index) -> Writer:
    """A writer without the lock: these tests have the index to themselves."""
    return Writer(index.folder, index.n_words)


def scores(snapshot: Snapshot, seed: int) -> NDArray[np.float64]:
    """How every image answers to the features of `described(..., seed)`."""
    columns = extracted("query", seed)[1]
    words = QueryWords(columns.word[:, None], columns.signature[:, None])
    return vote([s.postings for s in snapshot.segments], snapshot.weights, words, VoteOptions()).score


def state(index: Index) -> list[object]:
    """Everything that a reader can learn: rows and what searches answer."""
    snapshot = Index.open(index.folder).snapshot()
    answers = [scores(snapshot, seed).tolist() for seed in range(5)]
    return [list(snapshot.rows), answers, catalog.read_records(index.folder)]


def live_names(index: Index) -> set[str]:
    names = [row.name for row in index.snapshot().rows if not row.deleted]
    assert len(names) == len(set(names))
    return set(names)


def segment_folders(index: Index) -> set[str]:
    return {path.name for path in (index.folder / "segments").iterdir()}


# -- Create, append, remove -------------------------------------------------------------------------------------------


def test_images_of_every_segment_keep_words_and_places(written: Index) -> None:
    snapshot = written.snapshot()
    for image, seed in enumerate((1, 2, 3)):
        word, signature = snapshot.words(image)
        assert np.array_equal(word, extracted("x", seed)[1].word)
        assert np.array_equal(signature, extracted("x", seed)[1].signature)
    images, features = [2, 0, 1], [[29, 3], [0, 11, 7], [7]]
    indptr = np.array([0, 2, 5, 6])
    placed = snapshot.placement(np.array(images), indptr, np.concatenate(features).astype(np.uint16))
    for number, (image, rows) in enumerate(zip(images, features, strict=True)):
        expected = placement_of(snapshot.geometry(image, np.array(rows, np.uint16)))
        found = placed[:, indptr[number] : indptr[number + 1]]
        assert found[:2] == pytest.approx(expected[:2], abs=1e-6)
        assert found[2] == pytest.approx(expected[2], rel=1e-5)
        assert found[3] == pytest.approx(expected[3], abs=1e-4)


def test_a_new_index_is_empty(index: Index) -> None:
    snapshot = index.snapshot()
    assert (snapshot.n_images, list(snapshot.rows), list(snapshot.segments)) == (0, [], [])
    assert scores(snapshot, 1).tolist() == []


def test_open_gives_what_create_gave(index: Index, vocabulary: Vocabulary) -> None:
    opened = Index.open(index.folder)
    assert opened == index
    assert (opened.fingerprint, opened.n_words) == (vocabulary.fingerprint, vocabulary.n_words)
    assert opened.features == FeatureOptions()


def test_create_refuses_a_folder_with_an_index(filled: Index, vocabulary: Vocabulary) -> None:
    before = state(filled)
    with pytest.raises(IndexStoreError, match="there is an index here already"):
        Index.create(filled.folder, vocabulary, Path("v"), FeatureOptions())
    assert state(filled) == before


def test_create_names_a_place_that_cannot_hold_a_folder(tmp_path: Path, vocabulary: Vocabulary) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IndexStoreError, match="cannot create an index here"):
        Index.create(tmp_path / "file" / "index", vocabulary, Path("v"), FeatureOptions())


def test_appended_images_are_numbered_through_all_segments(filled: Index) -> None:
    snapshot = filled.snapshot()
    assert [row.name for row in snapshot.rows] == ["a.jpg", "b.jpg", "c.jpg"]
    assert [s.postings.first_image for s in snapshot.segments] == [0, 2]
    assert [int(scores(snapshot, seed).argmax()) for seed in (1, 2, 3)] == [0, 1, 2]


def test_each_image_has_the_geometry_it_came_with(filled: Index) -> None:
    snapshot = filled.snapshot()
    for image, seed in enumerate((1, 2, 3)):
        xy = extracted("x", seed)[1].xy
        np.testing.assert_allclose(snapshot.geometry(image).xy_px, xy / 65535 * 640 - 0.5, atol=1e-3)


def test_a_snapshot_does_not_see_later_appends(filled: Index) -> None:
    snapshot = filled.snapshot()
    change(filled).append([extracted("d.jpg", 4)])
    change(filled).remove(["a.jpg"])
    assert (len(snapshot.rows), snapshot.n_images) == (3, 3)


def test_an_image_of_the_same_path_replaces_the_older_one(filled: Index) -> None:
    change(filled).append([extracted("a.jpg", 9)])
    snapshot = filled.snapshot()
    assert snapshot.n_images == 3
    assert live_names(filled) == {"a.jpg", "b.jpg", "c.jpg"}
    assert snapshot.rows[int(scores(snapshot, 9).argmax())].name == "a.jpg"
    assert np.array_equal(snapshot.words(int(scores(snapshot, 9).argmax()))[0], extracted("x", 9)[1].word)


def test_two_images_of_one_name_are_refused_and_change_nothing(filled: Index) -> None:
    before, folders = state(filled), segment_folders(filled)
    facts, columns = extracted("a.jpg", 5)
    other = dataclasses.replace(facts, path="/elsewhere/a.jpg")
    with pytest.raises(IndexStoreError):
        change(filled).append([(other, columns)])
    assert (state(filled), segment_folders(filled)) == (before, folders)


def test_remove_counts_the_names_that_were_there(filled: Index) -> None:
    assert change(filled).remove(["a.jpg", "nobody.jpg", "a.jpg"]) == 1
    assert change(filled).remove(["a.jpg"]) == 0
    assert change(filled).remove([]) == 0
    assert live_names(filled) == {"b.jpg", "c.jpg"}


def test_features_of_removed_images_are_not_counted(filled: Index, index: Index) -> None:
    assert filled.snapshot().n_features == 90
    change(filled).remove(["b.jpg"])
    assert filled.snapshot().n_features == 60
    assert index.snapshot().n_features == 0


def test_a_removed_image_gets_no_votes_and_counts_in_no_weight(filled: Index, tmp_path: Path) -> None:
    change(filled).remove(["b.jpg"])
    left = filled.snapshot()
    assert "b.jpg" not in {left.rows[image].name for image in np.flatnonzero(scores(left, 2)).tolist()}
    same = dataclasses.replace(filled, folder=tmp_path / "same")
    (same.folder / "segments").mkdir(parents=True)
    catalog.create(same.folder, {})
    change(same).append([extracted("a.jpg", 1), extracted("c.jpg", 3)])
    np.testing.assert_array_equal(left.weights.idf, same.snapshot().weights.idf)
    live = [image for image, row in enumerate(left.rows) if not row.deleted]
    by_name = {left.rows[image].name: scores(left, 3)[image] for image in live}
    np.testing.assert_array_equal([by_name["a.jpg"], by_name["c.jpg"]], scores(same.snapshot(), 3))


def test_images_without_features_are_held(index: Index) -> None:
    change(index).append([extracted("blank.png", 0, n_features=0)])
    snapshot = index.snapshot()
    assert snapshot.n_images == 1
    assert len(snapshot.geometry(0)) == 0
    assert scores(snapshot, 1).tolist() == [0.0]


def test_names_that_are_not_utf8_survive(index: Index) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    change(index).append([extracted(name, 1)])
    (row,) = Index.open(index.folder).snapshot().rows
    assert (row.name, row.path) == (name, f"/photos/{name}")
    assert catalog.read_records(index.folder) == [
        ImageRecord(name, f"/photos/{name}", 1001, 1, "0" * 64, 640, 480, 30, 1)
    ]
    assert change(index).remove([name]) == 1


def test_size_on_disk_counts_every_file(filled: Index) -> None:
    assert filled.n_bytes() == sum(path.stat().st_size for path in filled.folder.rglob("*") if path.is_file())


def test_sweep_deletes_what_the_catalogue_does_not_name(filled: Index) -> None:
    before, folders = state(filled), segment_folders(filled)
    (filled.folder / "segments" / ".gone.partial").mkdir()
    (filled.folder / "segments" / "stray").mkdir()
    change(filled).sweep()
    assert (state(filled), segment_folders(filled)) == (before, folders)


# -- Crashes ----------------------------------------------------------------------------------------------------------


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fail_at(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, k: int) -> list[int]:
    """The k-th call of owner.name, counted from 0, raises ENOSPC; returns a list that grows with every call."""
    calls: list[int] = []
    original: Callable[..., Any] = getattr(owner, name)

    def counted(*arguments: Any, **named: Any) -> Any:
        calls.append(len(calls))
        return no_space() if calls[-1] == k else original(*arguments, **named)

    monkeypatch.setattr(owner, name, counted)
    return calls


FAILPOINTS = [
    (files, "fsync_path", 10),
    (np, "save", 8),
    (Path, "mkdir", 1),
    (Path, "rename", 1),
    (writer, "write_segment", 1),
    (changes, "insert_segment", 1),
]


@pytest.mark.parametrize(
    ("owner", "name", "k"),
    [pytest.param(owner, name, k, id=f"{name}-{k}") for owner, name, n in FAILPOINTS for k in range(n)],
)
def test_a_full_disk_at_any_write_leaves_the_index_as_it_was(
    owner: object, name: str, k: int, filled: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, folders = state(filled), segment_folders(filled)
    with monkeypatch.context() as patch:
        calls = fail_at(patch, owner, name, k)
        with pytest.raises(IndexStoreError, match=r"No space left on device.*the index is as it was"):
            change(filled).append([extracted("a.jpg", 7), extracted("d.jpg", 8)])
        assert len(calls) > k
    assert state(filled) == before
    change(filled).sweep()
    assert segment_folders(filled) == folders
    change(filled).append([extracted("a.jpg", 7), extracted("d.jpg", 8)])
    assert live_names(filled) == {"b.jpg", "c.jpg", "a.jpg", "d.jpg"}


@pytest.mark.parametrize(("owner", "name", "n"), [(files, "fsync_path", 10), (np, "save", 8)])
def test_an_append_writes_as_often_as_the_failpoints_count(
    owner: object, name: str, n: int, filled: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = fail_at(monkeypatch, owner, name, -1)
    change(filled).append([extracted("d.jpg", 8)])
    assert len(calls) == n


def limit_pages(monkeypatch: pytest.MonkeyPatch, *statements: str) -> None:
    """Every later connection runs these statements first."""
    connect = sqlite3.connect

    def limited(*arguments: Any, **named: Any) -> sqlite3.Connection:
        database: sqlite3.Connection = connect(*arguments, **named)
        for statement in statements:
            database.execute(statement)
        return database

    monkeypatch.setattr(sqlite3, "connect", limited)


def test_a_disk_too_full_for_the_catalogue_leaves_the_index_as_it_was(
    filled: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, folders = state(filled), segment_folders(filled)
    with monkeypatch.context() as patch:
        limit_pages(patch, "PRAGMA max_page_count = 1")
        with pytest.raises(IndexStoreError, match=r"database or disk is full; free some space"):
            change(filled).append([extracted(f"{'x' * 900}{i}.jpg", i) for i in range(40)])
    assert (state(filled), segment_folders(filled)) == (before, folders)


@pytest.mark.parametrize("act", ["append", "remove"])
def test_a_read_only_catalogue_says_so_and_leaves_the_index_as_it_was(
    act: str, filled: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, folders = state(filled), segment_folders(filled)
    with monkeypatch.context() as patch:
        limit_pages(patch, "PRAGMA query_only = 1")
        with pytest.raises(IndexStoreError, match=r"readonly database; the folder must be .* writable"):
            change(filled).append([extracted("d.jpg", 4)]) if act == "append" else change(filled).remove(["a.jpg"])
    assert (state(filled), segment_folders(filled)) == (before, folders)


def test_a_locked_catalogue_says_that_another_process_writes(filled: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    other = sqlite3.connect(filled.folder / catalog.FILE_NAME, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        limit_pages(monkeypatch, "PRAGMA busy_timeout = 1")
        with pytest.raises(IndexStoreError, match="another process is writing this index"):
            change(filled).append([extracted("d.jpg", 4)])
    finally:
        other.close()
    assert live_names(filled) == {"a.jpg", "b.jpg", "c.jpg"}


def test_an_index_opens_after_power_was_lost_inside_a_commit(filled: Index, tmp_path: Path) -> None:
    database = sqlite3.connect(filled.folder / catalog.FILE_NAME, isolation_level=None)
    try:
        database.execute("PRAGMA cache_size = 1")
        database.execute("BEGIN IMMEDIATE")
        rows = [(f"key {i}", "x" * 500) for i in range(500)]
        database.executemany("INSERT INTO meta VALUES (?, ?)", rows)
        database.execute("UPDATE images SET deleted = 1")
        crashed = copied(filled, tmp_path / "crashed")
        database.execute("ROLLBACK")
    finally:
        database.close()
    assert (crashed.folder / f"{catalog.FILE_NAME}-journal").stat().st_size > 0
    assert state(crashed) == state(filled)


def test_a_crash_while_an_index_is_created_can_be_repeated(
    tmp_path: Path, vocabulary: Vocabulary, vocabulary_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    with monkeypatch.context() as patch:
        limit_pages(patch, "PRAGMA max_page_count = 2")
        with pytest.raises(IndexStoreError, match="full"):
            Index.create(folder, vocabulary, vocabulary_folder, FeatureOptions())
    assert Index.create(folder, vocabulary, vocabulary_folder, FeatureOptions()).snapshot().n_images == 0


def test_a_second_writer_is_refused_and_told_who_the_first_is(filled: Index) -> None:
    with filled.writer() as writer:
        with (
            pytest.raises(IndexStoreError, match=rf"process {os.getpid()} on .* is writing this index"),
            filled.writer(),
        ):
            pass
        writer.remove(["a.jpg"])
    with filled.writer() as writer:
        writer.remove(["b.jpg"])
    assert live_names(filled) == {"c.jpg"}


# -- Mismatch and damage ----------------------------------------------------------------------------------------------


def edit_catalogue(index: Index, statement: str) -> None:
    """What a person does who knows of the checksums."""
    database = sqlite3.connect(index.folder / catalog.FILE_NAME, isolation_level=None)
    try:
        database.execute(statement)
        checksums.seal(database)
    finally:
        database.close()


def test_another_format_is_refused_with_both_numbers(filled: Index) -> None:
    edit_catalogue(filled, "UPDATE meta SET value = '99' WHERE key = 'format'")
    with pytest.raises(MismatchError, match="expected index format 1 to 4, found 99"):
        Index.open(filled.folder)


def test_another_vocabulary_is_refused_with_both_fingerprints(filled: Index, vocabulary: Vocabulary) -> None:
    filled.require(vocabulary)
    edit_catalogue(filled, f"""UPDATE meta SET value = '"{"ab" * 32}"' WHERE key = 'fingerprint'""")
    with pytest.raises(MismatchError, match=f"abababababab .* found {vocabulary.fingerprint[:12]}"):
        Index.open(filled.folder).require(vocabulary)


@pytest.mark.parametrize("key", ["fingerprint", "n_words", "features", "vocabulary_folder", "format"])
def test_a_catalogue_that_lacks_a_fact_is_refused(key: str, filled: Index) -> None:
    edit_catalogue(filled, f"DELETE FROM meta WHERE key = '{key}'")
    with pytest.raises(IndexStoreError, match=key if key != "format" else "found None"):
        Index.open(filled.folder)


@pytest.mark.parametrize("value", ["not json", "", '{"max_side": 1e9}', '{"max_sides": 3}', "[]", "7"])
def test_a_catalogue_with_a_damaged_fact_is_refused(value: str, filled: Index) -> None:
    edit_catalogue(filled, f"UPDATE meta SET value = '{value}' WHERE key = 'features'")
    with pytest.raises(IndexStoreError):
        Index.open(filled.folder)


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000, b"SQLite format 3\0" + b"\xff" * 8192])
def test_a_garbage_catalogue_is_named(content: bytes, filled: Index) -> None:
    path = filled.folder / catalog.FILE_NAME
    path.write_bytes(content)
    with pytest.raises(IndexStoreError, match=r"catalog.sqlite.*the catalogue is damaged"):
        Index.open(filled.folder).snapshot()
    assert path.read_bytes() == content


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_a_truncated_catalogue_is_named(share: float, filled: Index) -> None:
    path = filled.folder / catalog.FILE_NAME
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(IndexStoreError, match=r"catalog.sqlite"):
        Index.open(filled.folder).snapshot()


def test_no_page_of_the_catalogue_can_do_worse_than_an_index_error(filled: Index) -> None:
    path = filled.folder / catalog.FILE_NAME
    whole = path.read_bytes()
    for start in range(0, len(whole), 1024):
        path.write_bytes(whole[:start] + b"\x5a" * 1024 + whole[start + 1024 :])
        with contextlib.suppress(IndexStoreError):
            Index.open(filled.folder).snapshot()


def test_a_missing_catalogue_says_how_to_build_an_index(filled: Index) -> None:
    (filled.folder / catalog.FILE_NAME).unlink()
    with pytest.raises(IndexStoreError, match=r"no index here; build one with: bof index"):
        Index.open(filled.folder)


def test_a_missing_catalogue_is_not_made_anew_by_an_append(filled: Index) -> None:
    (filled.folder / catalog.FILE_NAME).unlink()
    with pytest.raises(IndexStoreError):
        change(filled).append([extracted("d.jpg", 4)])
    assert not catalog.exists(filled.folder)


def test_a_catalogue_that_lost_images_is_refused(filled: Index) -> None:
    edit_catalogue(filled, "DELETE FROM images WHERE name = CAST('b.jpg' AS BLOB)")
    with pytest.raises(IndexStoreError, match="expected 3 images in the catalogue, found 2"):
        filled.snapshot()


def test_a_truncated_segment_file_is_named_with_its_sizes(filled: Index) -> None:
    path = sorted((filled.folder / "segments").glob("*/signature.npy"))[0]
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(IndexStoreError) as caught:
        filled.snapshot()
    assert f"{path}: expected {len(whole)} bytes, found {len(whole) // 2}" in str(caught.value)


def test_a_missing_segment_is_named(filled: Index) -> None:
    folder = next((filled.folder / "segments").iterdir())
    shutil.rmtree(folder)
    with pytest.raises(IndexStoreError, match=f"{folder.name}.*cannot be opened"):
        filled.snapshot()
