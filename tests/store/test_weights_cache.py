"""Kept weights: just what would be derived, of just this commit, and never needed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from bof.engine import Engine
from bof.options import IndexOptions
from bof.store import index as index_module
from bof.store.index import Index
from bof.store.inverted_file import Weights
from bof.store.weights_cache import FILE_NAME

ONE = IndexOptions(workers=1)


@pytest.fixture
def index(photos: Path, vocabulary_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """A small index that counts as large enough for its weights to be kept."""
    monkeypatch.setattr(index_module, "WORTH_CACHING", 1)
    engine = Engine.create(tmp_path / "index", vocabulary_folder)
    engine.add(sorted(photos.glob("*.png"))[:4], ONE)
    return Index.open(engine.folder)


def derived(index: Index) -> Weights:
    """Without what was kept."""
    copy = index.folder.with_name("copy")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(index.folder, copy)
    (copy / FILE_NAME).unlink(missing_ok=True)
    return Index.open(copy).snapshot().weights


def assert_equal(one: Weights, other: Weights) -> None:
    for column in ("idf", "norm", "live"):
        np.testing.assert_array_equal(getattr(one, column), getattr(other, column))


def must_not_derive(*_: object) -> Weights:
    raise AssertionError("weights were kept, and yet derived")


def test_a_reader_takes_what_the_writer_kept(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = derived(index)
    monkeypatch.setattr(index_module, "derive_weights", must_not_derive)
    assert_equal(index.snapshot().weights, expected)


def test_every_change_keeps_anew(index: Index, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine.open(index.folder)
    engine.add([sorted(photos.glob("*.png"))[5]], ONE)
    engine.remove(["scene-01.png"])
    expected = derived(index)
    monkeypatch.setattr(index_module, "derive_weights", must_not_derive)
    found = index.snapshot()
    assert_equal(found.weights, expected)
    assert not found.weights.live[[row.name for row in found.rows].index("scene-01.png")]


def test_those_of_another_commit_are_passed_over(index: Index, photos: Path) -> None:
    retained = (index.folder / FILE_NAME).read_bytes()
    Engine.open(index.folder).add([sorted(photos.glob("*.png"))[6]], ONE)
    (index.folder / FILE_NAME).write_bytes(retained)
    assert_equal(index.snapshot().weights, derived(index))


@pytest.mark.parametrize("at", [0.0, 0.3, 0.6, 0.99])
def test_a_damaged_file_is_passed_over(index: Index, at: float) -> None:
    path = index.folder / FILE_NAME
    content = bytearray(path.read_bytes())
    content[int(at * len(content))] ^= 0xFF
    path.write_bytes(content)
    assert_equal(index.snapshot().weights, derived(index))
    path.write_bytes(content[: len(content) // 2])
    assert_equal(index.snapshot().weights, derived(index))


def test_a_disk_that_fails_loses_nothing(index: Index, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bof.store.weights_cache.fsync_path", full)
    Engine.open(index.folder).add([sorted(photos.glob("*.png"))[7]], ONE)
    assert len(Engine.open(index.folder)) == 5
    assert_equal(index.snapshot().weights, derived(index))
    assert not [name for name in os.listdir(index.folder) if "partial" in name]


def test_a_small_collection_keeps_nothing(photos: Path, vocabulary_folder: Path, tmp_path: Path) -> None:
    engine = Engine.create(tmp_path / "small", vocabulary_folder)
    engine.add([sorted(photos.glob("*.png"))[0]], ONE)
    assert not (tmp_path / "small" / FILE_NAME).exists()
