"""Optional columns: gathered, joined, overlaid, filled, dropped; and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from bof.errors import IndexStoreError
from bof.store import catalog, columns
from bof.store.catalog import SegmentRecord
from bof.store.check import check
from bof.store.columns import gather, join, known, overlay
from bof.store.index import Index
from bof.system.files import map_array
from tests.support.extracted import rows
from tests.support.living import columns_by_name, flip, make, segments_of, state, writer_of

N = 7


def read(folder: Path) -> dict[str, np.ndarray]:
    return {path.stem: map_array(path) for path in folder.glob("*.npy")}


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and np.array_equal(one[name], other[name]) for name in one
    )


def ahash(*values: int) -> list[dict[str, np.ndarray]]:
    return [{"hash.ahash": np.array([value], np.uint64)} for value in values]


def test_an_image_without_rows_is_not_known_and_takes_zeros() -> None:
    found = gather([*ahash(5), {}, *ahash(0)])
    assert found["hash.ahash"].tolist() == [[5], [0], [0]]
    assert known(found, "hash", 3).tolist() == [True, False, True]
    assert known(found, "color", 3).tolist() == [False] * 3


def test_no_rows_are_no_columns() -> None:
    assert gather([{}, {}]) == {}


def test_joined_parts_are_what_one_segment_would_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "_CHUNK", 2)
    images = [rows(seed) for seed in range(N)]
    keep = [np.array([True, False, True]), np.array([True, True, False, True])]
    join(tmp_path, [(gather(images[:3]), keep[0]), (gather(images[3:]), keep[1])])
    retained = [one for one, is_live in zip(images, np.concatenate(keep).tolist(), strict=True) if is_live]
    assert same(read(tmp_path), gather(retained))


def test_what_only_dropped_images_had_is_no_column(tmp_path: Path) -> None:
    join(tmp_path, [(gather([*ahash(1), {}]), np.array([False, True]))])
    assert read(tmp_path) == {}


def test_rows_of_another_width_are_not_known(tmp_path: Path) -> None:
    narrow = gather([{"embedding.embedding": np.array([1, 2], np.float16)}])
    wide = gather([{"embedding.embedding": np.array([1, 2, 3], np.float16)}])
    join(tmp_path, [(narrow, np.array([True])), (wide, np.array([True]))])
    found = read(tmp_path)
    assert found["embedding.embedding"].tolist() == [[0, 0, 0], [1, 2, 3]]
    assert found["embedding.known"].tolist() == [False, True]


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_an_overlay_changes_just_what_it_brings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(columns, "_CHUNK", chunk)
    images = [rows(seed) for seed in range(N)]
    fresh = {2: rows(101), 5: rows(104), 0: rows(102)}
    written = overlay(tmp_path, N, gather(images), fresh)
    assert sorted(written) == sorted(read(tmp_path))
    after = [{**one, **fresh.get(i, {})} for i, one in enumerate(images)]
    assert same(read(tmp_path), gather(after))


def test_an_overlay_of_another_width_makes_the_others_unknown(tmp_path: Path) -> None:
    before = gather([{"embedding.embedding": np.array([1, 2], np.float16)}] * 3)
    overlay(tmp_path, 3, before, {1: {"embedding.embedding": np.array([7, 8, 9], np.float16)}})
    assert read(tmp_path)["embedding.known"].tolist() == [False, True, False]


# -- In an index ------------------------------------------------------------------------------------------------------


@pytest.fixture
def index(tmp_path: Path) -> Index:
    make(tmp_path / "index")
    return Index.open(tmp_path / "index")


def first_segment(index: Index) -> SegmentRecord:
    with catalog.reading(index.folder) as database:
        return catalog.read_segments(database)[0]


def test_filling_adds_columns_and_changes_nothing_else(index: Index) -> None:
    before, writer = state(index.folder), writer_of(index.folder)
    writer.backfill(first_segment(index).number, {1: ahash(7)[0], 3: ahash(9)[0]})
    files, features, idf, reported, texts, (roots, column_spec, found) = state(index.folder)
    assert (files, features, idf, reported, texts, (roots, column_spec)) == (*before[:-1], before[-1][:2])
    assert {name: one["hash.ahash"] for name, one in found.items() if one} == {
        "b.jpg": np.array([7], np.uint64).tobytes(),
        "d.jpg": np.array([9], np.uint64).tobytes(),
    }
    assert not check(index.folder, index.n_words).damages
    assert len(segments_of(index.folder)) == len(list((index.folder / "segments").iterdir()))


def test_columns_live_through_merging_and_go_with_their_images(index: Index) -> None:
    writer = writer_of(index.folder)
    writer.backfill(first_segment(index).number, {1: ahash(7)[0], 3: ahash(9)[0]})
    before = columns_by_name(index.snapshot())
    writer.merge()
    assert columns_by_name(index.snapshot()) == before
    writer.remove(["b.jpg"])
    writer.merge()
    assert columns_by_name(index.snapshot()) == {name: one for name, one in before.items() if name != "b.jpg"}


def test_a_reader_that_stands_sees_new_columns_and_keeps_its_own(index: Index) -> None:
    old = index.snapshot()
    writer = writer_of(index.folder)
    writer.backfill(first_segment(index).number, {1: ahash(7)[0]})
    filled = index.snapshot(old)
    assert not old.columns_known("hash").any()
    assert filled.columns_known("hash").tolist() == [False, True, *[False] * 6]
    writer.set_facts({"columns": []}, ["hash"])
    assert not index.snapshot(filled).columns_known("hash").any()
    assert columns_by_name(filled)["b.jpg"]["hash.ahash"] == np.array([7], np.uint64).tobytes()
    assert not list(index.folder.glob("segments/*/hash.*"))


def test_a_damaged_column_is_found(index: Index) -> None:
    writer_of(index.folder).backfill(first_segment(index).number, {1: ahash(7)[0]})
    flip(next(index.folder.glob("segments/*/hash.ahash.npy")))
    (damage,) = check(index.folder, index.n_words).damages
    assert "hash.ahash.npy" in damage.reasons[0]


def test_a_missing_or_cut_column_is_refused(index: Index, tmp_path: Path) -> None:
    writer_of(index.folder).backfill(first_segment(index).number, {1: ahash(7)[0]})
    for name in ("hash.ahash.npy", "hash.known.npy"):
        copy = tmp_path / name
        shutil.copytree(index.folder, copy)
        next(copy.glob(f"segments/*/{name}")).unlink()
        with pytest.raises(IndexStoreError, match=name):
            Index.open(copy).snapshot()
