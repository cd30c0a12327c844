"""Kept weights: just what would be derived, of just this commit, and never needed."""

from __future__ import annotations

import os
import shutil
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bof.engine import Engine
from bof.options import IndexOptions
from bof.store import index as index_module
from bof.store.index import Index
from bof.store.inverted_file import Weights
from bof.store.weights_cache import FILE_NAME, load_weights

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
    monkeypatch.setattr(index_module, "weigh", must_not_derive)
    assert_equal(index.snapshot().weights, expected)


def test_every_change_keeps_anew(index: Index, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine.open(index.folder)
    engine.add([sorted(photos.glob("*.png"))[5]], ONE)
    engine.remove(["scene-01.png"])
    expected = derived(index)
    monkeypatch.setattr(index_module, "weigh", must_not_derive)
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

    monkeypatch.setattr("bof.store.array_archive.fsync_path", full)
    Engine.open(index.folder).add([sorted(photos.glob("*.png"))[7]], ONE)
    assert len(Engine.open(index.folder)) == 5
    assert_equal(index.snapshot().weights, derived(index))
    assert not [name for name in os.listdir(index.folder) if "partial" in name]


def test_a_small_collection_keeps_nothing(photos: Path, vocabulary_folder: Path, tmp_path: Path) -> None:
    engine = Engine.create(tmp_path / "small", vocabulary_folder)
    engine.add([sorted(photos.glob("*.png"))[0]], ONE)
    assert not (tmp_path / "small" / FILE_NAME).exists()


# -- What somebody else left there ------------------------------------------------------------------------------------


def arrays_of(path: Path) -> dict[str, Any]:
    with np.load(path) as retained:
        return {name: retained[name] for name in retained.files}


def inflating(path: Path) -> None:
    """500 KB that would inflate to 512 MB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("idf.npy", "w") as stream:
        np.lib.format.write_array_header_1_0(
            stream, {"descr": "<f8", "fortran_order": False, "shape": (1 << 26,)}
        )  # fmt: skip
        for _ in range(1 << 9):
            stream.write(bytes(1 << 20))


def compressed(path: Path) -> None:
    np.savez_compressed(path, **arrays_of(path))


def of_another_type(path: Path) -> None:
    np.savez(path, **{**arrays_of(path), "idf": arrays_of(path)["idf"].astype(np.float32)})


def of_another_shape(path: Path) -> None:
    np.savez(path, **{**arrays_of(path), "norm": arrays_of(path)["norm"][:, None]})


def with_one_more(path: Path) -> None:
    np.savez(path, **arrays_of(path), more=np.zeros(3))


def without_numbers(path: Path) -> None:
    np.savez(path, **{**arrays_of(path), "idf": arrays_of(path)["idf"] * np.nan})


def behind_a_link(path: Path) -> None:
    path.symlink_to(shutil.move(path, path.with_name("elsewhere.npz")))


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.skipif(sys.platform == "win32", reason="no links and pipes there")
@pytest.mark.parametrize(
    "spoil",
    [
        compressed, of_another_type, of_another_shape, with_one_more, without_numbers, behind_a_link, a_pipe,
    ],
    ids=lambda spoil: spoil.__name__,
)  # fmt: skip
def test_what_bof_does_not_write_is_not_read(index: Index, spoil: Callable[[Path], None]) -> None:
    expected = derived(index)
    spoil(index.folder / FILE_NAME)
    live = np.ones(len(expected.norm), np.bool_)
    found = index.snapshot()
    assert load_weights(index.folder, found.generation, found.names, live, index.n_words) is None
    assert_equal(found.weights, expected)


def test_what_would_inflate_is_refused_at_once(index: Index) -> None:
    inflating(index.folder / FILE_NAME)
    assert (index.folder / FILE_NAME).stat().st_size < 1 << 20
    found = index.snapshot()
    start = time.process_time()
    assert load_weights(index.folder, found.generation, found.names, found.weights.live, index.n_words) is None
    assert time.process_time() - start < 0.2


@pytest.mark.skipif(sys.platform == "win32", reason="no links there")
def test_a_link_in_the_place_of_what_is_written_leads_nowhere(index: Index, photos: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (index.folder / f".{FILE_NAME}.partial.npz").symlink_to(victim)
    (index.folder / FILE_NAME).unlink()
    (index.folder / FILE_NAME).symlink_to(victim)
    Engine.open(index.folder).add([sorted(photos.glob("*.png"))[7]], ONE)
    assert victim.read_bytes() == b"precious"
    assert not (index.folder / FILE_NAME).is_symlink()
