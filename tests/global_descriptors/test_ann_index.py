"""The most alike: what is proposed by a graph or by codes, against comparing all; and what is kept, and when."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bof.global_descriptors import ann_index
from bof.global_descriptors.ann_index import (
    FOLDER,
    AnnIndex,
    EmbeddingPart,
    kind_of,
    make_faiss_index,
    open_ann_index,
    save_ann_index,
)
from bof.global_descriptors.embedding import similarity
from bof.global_descriptors.faiss_check import is_sound
from bof.system.files import sha256_of
from bof.system.memory import peak_memory

Rows = NDArray[np.float16]
D = 32
KINDS = ["graph", "codes"]


def draw_rows(n: int, seed: int = 0) -> Rows:
    """Directions around 40 centres, f16 (n, D)."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((40, D))[rng.integers(0, 40, n)] + 0.7 * rng.standard_normal((n, D))
    found: NDArray[np.float16] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)
    return found


ROWS = draw_rows(3000)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every collection counts as large enough for this kind of faiss index, which looks at a tenth of it."""
    monkeypatch.setattr(ann_index, "COMPARED_ALL", 500 * D)
    monkeypatch.setattr(ann_index, "GRAPH_ROWS", 1 if request.param == "codes" else 1 << 30)
    monkeypatch.setattr(ann_index, "_CANDIDATES", 300)
    monkeypatch.setattr(ann_index, "_BITS", 4)
    monkeypatch.setattr(ann_index, "n_threads", lambda: 1)
    return str(request.param)


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    path = tmp_path_factory.mktemp("rows") / "rows.npy"
    np.save(path, ROWS)
    return np.asarray(np.load(path, mmap_mode="r"))


def all_of(query: Rows, rows: Rows, k: int, live: NDArray[np.bool_] | None = None) -> tuple[Any, Any]:
    """By sorting everything."""
    alike = similarity(query, rows)
    chosen = np.flatnonzero(live) if live is not None else np.arange(len(rows))
    best = sorted(chosen.tolist(), key=lambda row: (-alike[row], row))[:k]
    return best, alike[best]


def in_parts(rows: Rows, *cuts: int) -> list[EmbeddingPart]:
    return [EmbeddingPart(f"{i}", a, rows[a:b]) for i, (a, b) in enumerate(pairwise([0, *cuts, len(rows)]))]


def test_without_finders_all_rows_are_compared_however_they_are_cut(mapped: Rows) -> None:
    live = np.random.default_rng(1).random(len(ROWS)) < 0.3
    for parts in (in_parts(mapped), in_parts(mapped, 1, 1000, 1000)):
        collection = AnnIndex(parts, {})
        for k, allowed in ((1, None), (10, None), (10, live), (5000, None), (5000, live)):
            rows, alike = collection.search(ROWS[5], k, allowed)
            expected_rows, expected = all_of(ROWS[5], ROWS, k, allowed)
            assert (rows.dtype, alike.dtype) == (np.dtype(np.int64), np.dtype(np.float32))
            assert rows.tolist() == expected_rows
            np.testing.assert_array_equal(alike, expected)


def test_ties_go_to_the_first_row() -> None:
    rows = np.repeat(ROWS[:3], 20, axis=0)
    found, alike = AnnIndex([EmbeddingPart("a", 0, rows)], {}).search(ROWS[1], 7)
    assert found.tolist() == list(range(20, 27))
    assert len(set(alike.tolist())) == 1


def test_an_empty_collection_has_nothing() -> None:
    for parts in ([], [EmbeddingPart("a", 0, ROWS[:0])]):
        rows, alike = AnnIndex(parts, {}).search(ROWS[0], 5)
        assert (len(rows), len(alike)) == (0, 0)


def test_what_is_proposed_is_nearly_all_and_compared_as_exactly(kind: str, mapped: Rows) -> None:
    assert kind_of(*mapped.shape) == kind
    collection = AnnIndex([EmbeddingPart("a", 0, mapped)], {"a": make_faiss_index(mapped)})
    recall = []
    for query in draw_rows(60, seed=1):
        rows, alike = collection.search(query, 10)
        expected, _ = all_of(query, ROWS, 10)
        np.testing.assert_array_equal(alike, similarity(query, ROWS)[rows])
        recall.append(len({*rows.tolist()} & {*expected}) / 10)
    assert np.mean(recall) > 0.9


@pytest.mark.parametrize("share", [0.01, 0.4])
def test_only_what_lives_is_found(kind: str, mapped: Rows, share: float) -> None:
    """Both where few rows live, which are compared, and where the faiss index is asked."""
    collection = AnnIndex([EmbeddingPart("a", 0, mapped)], {"a": make_faiss_index(mapped)})
    live = np.random.default_rng(2).random(len(ROWS)) < share
    recall = []
    for query in draw_rows(20, seed=3):
        rows, _ = collection.search(query, 10, live)
        assert live[rows].all()
        recall.append(len({*rows.tolist()} & {*all_of(query, ROWS, 10, live)[0]}) / 10)
    assert np.mean(recall) > (0.9 if share == 0.4 else 0.999)
    assert len(collection.search(ROWS[0], 10, np.zeros(len(ROWS), np.bool_))[0]) == 0


def test_threads_change_no_bit_of_a_finder(
    kind: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import faiss

    monkeypatch.setattr(ann_index, "_AT_ONCE", 300 * D)
    made = []
    for n in (2, 1):
        monkeypatch.setattr(ann_index, "n_threads", lambda n=n: n)
        made.append(faiss.serialize_index(make_faiss_index(ROWS[:1000])).tobytes())
    assert made[0] == made[1]
    assert capfd.readouterr() == ("", "")


def test_what_was_kept_is_opened_and_not_made_again(
    kind: str, mapped: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts, steps = in_parts(mapped, 1400, 2900), list[tuple[int, int]]()
    save_ann_index(tmp_path, parts, lambda *step: steps.append(step))
    assert steps[-1] == (2900, 2900)
    collection = open_ann_index(tmp_path, parts)
    assert sorted(collection.faiss_indexes) == ["0", "1"]  # the third is small enough to be compared
    made = AnnIndex(parts, {part.name: make_faiss_index(part.rows) for part in parts[:2]})
    for query in draw_rows(5, seed=4):
        for found, expected in zip(collection.search(query, 10), made.search(query, 10), strict=True):
            np.testing.assert_array_equal(found, expected)
    monkeypatch.setattr(ann_index, "make_faiss_index", must_not_make)
    save_ann_index(tmp_path, parts)


def must_not_make(*_: object) -> None:
    raise AssertionError("was kept, and yet made again")


def test_another_segment_spoils_no_finder(mapped: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ann_index, "COMPARED_ALL", 500 * D)
    first, second, third = in_parts(mapped, 1000, 2000)
    save_ann_index(tmp_path, [first, second])
    made = list[int]()

    def count(rows: Rows, _: object) -> object:
        made.append(len(rows))
        return make_faiss_index(rows)

    monkeypatch.setattr(ann_index, "make_faiss_index", count)
    save_ann_index(tmp_path, [dataclasses.replace(second, first=0), dataclasses.replace(third, first=1000)])
    assert made == [1000]
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == ["1.faiss", "1.json", "2.faiss", "2.json"]


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("name", ["0.faiss", "0.json"])
@pytest.mark.parametrize("harm", [damage, halve, Path.unlink])
def test_a_damaged_finder_is_none_and_is_made_again(
    mapped: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
    name: str, harm: Any,
) -> None:  # fmt: skip
    monkeypatch.setattr(ann_index, "COMPARED_ALL", 500 * D)
    parts = [EmbeddingPart("0", 0, mapped[:600])]
    save_ann_index(tmp_path, parts)
    harm(tmp_path / FOLDER / name)
    collection = open_ann_index(tmp_path, parts)
    assert not collection.faiss_indexes
    assert "no ANN index for 600 embeddings, which are all compared instead; the next bof index" in caplog.text
    assert collection.search(ROWS[5], 10)[0].tolist() == all_of(ROWS[5], ROWS[:600], 10)[0]
    save_ann_index(tmp_path, parts)
    assert open_ann_index(tmp_path, parts).faiss_indexes


def test_other_rows_than_it_was_made_of_do_not_fit(
    mapped: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ann_index, "COMPARED_ALL", 500 * D)
    save_ann_index(tmp_path, [EmbeddingPart("0", 0, mapped[:600])])
    assert not open_ann_index(tmp_path, [EmbeddingPart("0", 0, mapped[:700])]).faiss_indexes


def test_a_disk_that_fails_loses_nothing(mapped: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ann_index, "COMPARED_ALL", 500 * D)
    parts = [EmbeddingPart("0", 0, mapped[:600])]
    with monkeypatch.context() as patch:
        patch.setattr(ann_index, "fsync_path", full)
        save_ann_index(tmp_path, parts)
    assert not list((tmp_path / FOLDER).iterdir())
    assert not open_ann_index(tmp_path, parts).faiss_indexes


def test_without_faiss_all_are_compared_and_it_is_said(
    mapped: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    small = [EmbeddingPart("0", 0, mapped)]
    monkeypatch.setitem(sys.modules, "faiss", None)
    save_ann_index(tmp_path, small)
    open_ann_index(tmp_path, small)
    assert not caplog.records  # a small collection misses nothing
    monkeypatch.setattr(ann_index, "COMPARED_ALL", 500 * D)
    save_ann_index(tmp_path, small)
    found = open_ann_index(tmp_path, small).search(ROWS[5], 10)[0]
    assert found.tolist() == all_of(ROWS[5], ROWS, 10)[0]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert all('pip install "bof-search[onnx]"' in record.message for record in caplog.records)


@pytest.mark.parametrize(
    ("n", "d", "expected"),
    [
        (170_000, 384, "all"), (180_000, 384, "graph"), (32_768, 2048, "all"), (600_000, 384, "codes"),
        (1_000_000, 128, "codes"), (600_000, 379, "graph"), (0, 384, "all"),
    ],
)  # fmt: skip
def test_the_size_decides(n: int, d: int, expected: str) -> None:
    """A dimension that is a prime cannot be cut into codes."""
    assert kind_of(n, d) == expected


# -- A faiss index from a stranger, whose note agrees -----------------------------------------------------------------


def saved_index(folder: Path, rows: Rows) -> tuple[Path, list[EmbeddingPart]]:
    parts = [EmbeddingPart("0", 0, rows[:600])]
    save_ann_index(folder, parts)
    assert open_ann_index(folder, parts).faiss_indexes
    return folder / FOLDER / "0.faiss", parts


def test_nothing_is_read_through_a_link_or_a_pipe(kind: str, mapped: Rows, tmp_path: Path) -> None:
    (tmp_path / "index").mkdir()
    path, parts = saved_index(tmp_path / "index", mapped)
    elsewhere = tmp_path / "elsewhere"
    for name in (path, path.with_suffix(".json"), path.parent):
        name.rename(elsewhere)
        name.symlink_to(elsewhere)
        assert not open_ann_index(tmp_path / "index", parts).faiss_indexes
        name.unlink()
        if name is not path.parent and hasattr(os, "mkfifo"):
            os.mkfifo(name)
            assert not open_ann_index(tmp_path / "index", parts).faiss_indexes
            name.unlink()
        elsewhere.rename(name)
        assert open_ann_index(tmp_path / "index", parts).faiss_indexes


@pytest.mark.parametrize("text", ["[" * 100_000, '{"format": 1, "shape": [1e999], "kind": {}}', "9" * 5000, "\0", ""])
def test_a_note_without_sense_is_none(kind: str, mapped: Rows, tmp_path: Path, text: str) -> None:
    path, parts = saved_index(tmp_path, mapped)
    path.with_suffix(".json").write_text(text, encoding="utf-8")
    assert not open_ann_index(tmp_path, parts).faiss_indexes


def view(faiss_index: Any, vector: Any, kind: str) -> Any:
    """The numbers of one of faiss' vectors, which can be changed."""
    return ann_index.faiss().rev_swig_ptr(vector.data(), vector.size()).view(kind)


def link_to_a_row_that_has_no_such_level(faiss_index: Any) -> None:
    levels = view(faiss_index, faiss_index.hnsw.levels, "i4")
    offsets = view(faiss_index, faiss_index.hnsw.offsets, "u8")
    links = view(faiss_index, faiss_index.hnsw.neighbors, "i4")
    high, low = int(np.argmax(levels)), int(np.argmin(levels))
    links[int(offsets[high]) + 64] = low


def link_outside(faiss_index: Any) -> None:
    view(faiss_index, faiss_index.hnsw.neighbors, "i4")[3] = 600


def entry_that_is_too_low(faiss_index: Any) -> None:
    faiss_index.hnsw.entry_point = int(np.argmin(view(faiss_index, faiss_index.hnsw.levels, "i4")))


def offsets_that_fall(faiss_index: Any) -> None:
    view(faiss_index, faiss_index.hnsw.offsets, "u8")[5] = 1 << 40


def levels_that_are_too_high(faiss_index: Any) -> None:
    faiss_index.hnsw.max_level = 40


@pytest.mark.parametrize(
    "harm", [link_to_a_row_that_has_no_such_level, link_outside, entry_that_is_too_low, offsets_that_fall,
             levels_that_are_too_high],
)  # fmt: skip
def test_a_graph_that_would_be_followed_outside_is_none(mapped: Rows, harm: Any) -> None:
    faiss_index = ann_index._filled(ann_index._empty_graph(D), mapped[:600], None)
    assert is_sound(ann_index.faiss(), faiss_index, ann_index._empty_graph(D), 600)
    harm(faiss_index)
    assert not is_sound(ann_index.faiss(), faiss_index, ann_index._empty_graph(D), 600)


@pytest.mark.parametrize("row", [600, -1, 1 << 40, "another"])
def test_codes_of_rows_that_do_not_exist_are_none(kind: str, mapped: Rows, row: Any) -> None:
    if kind == "graph":
        pytest.skip("has no lists")
    faiss = ann_index.faiss()
    faiss_index, fresh = make_faiss_index(mapped[:600]), ann_index._empty_codes(600, D)
    assert is_sound(faiss, faiss_index, fresh, 600)
    lists = faiss.downcast_InvertedLists(faiss_index.invlists)
    number = max(range(lists.nlist), key=lists.list_size)
    rows = faiss.rev_swig_ptr(lists.get_ids(number), lists.list_size(number))
    rows[0] = rows[1] if row == "another" else row
    assert not is_sound(faiss, faiss_index, fresh, 600)


def test_an_index_of_another_kind_or_size_is_none(kind: str, mapped: Rows) -> None:
    faiss = ann_index.faiss()
    faiss_index = make_faiss_index(mapped[:600])
    others = [ann_index._empty_codes(600, 64), ann_index._empty_graph(64), faiss.IndexFlatIP(D)]
    assert not any(is_sound(faiss, faiss_index, other, 600) for other in others)
    assert not is_sound(faiss, faiss.IndexFlatIP(D), ann_index._empty_graph(D), 600)


def test_an_index_that_names_more_than_its_file_holds_takes_no_memory(kind: str, mapped: Rows, tmp_path: Path) -> None:
    """Every number of eight bytes in it, set to what would take gigabytes."""
    path, parts = saved_index(tmp_path, mapped)
    content, note = path.read_bytes(), path.with_suffix(".json")
    fields = json.loads(note.read_text(encoding="utf-8"))
    for at in range(0, 400, 4):
        changed = content[:at] + (1 << 33).to_bytes(8, "little") + content[at + 8 :]
        path.write_bytes(changed)
        note.write_text(json.dumps({**fields, "sha256": sha256_of(path)}), encoding="utf-8")
        before = peak_memory()
        open_ann_index(tmp_path, parts).search(ROWS[5], 10)
        assert peak_memory() - before < 300 << 20
