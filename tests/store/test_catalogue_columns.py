"""bof.store.catalog.catalogue_columns: the columns say what the rows said, whatever bytes and batches they came in."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bof.store.catalog.catalogue_columns import CatalogueRow, ImageRow, gather_rows

I31 = st.integers(1, 2**31 - 1)
texts = st.binary(max_size=12).map(lambda text: text.replace(b"\0", b""))
records = st.lists(
    st.tuples(texts, texts, I31, I31, I31, I31, st.integers(0, 1), st.integers(1, 2**63 - 1)), max_size=8
)
ODD = [b"caf\xe9.png", "café.png".encode(), b"", b"\n", b"a b", b"\xff\xfe", "写真".encode()]


def row_of(record: CatalogueRow) -> ImageRow:
    name, path, width, height, segment, position, deleted, number = record
    return ImageRow(os.fsdecode(name), os.fsdecode(path), width, height, segment, position, bool(deleted), number)


@given(st.lists(records, max_size=4))
def test_rows_are_the_records_in_order(batches: list[list[CatalogueRow]]) -> None:
    rows = gather_rows(batches)
    expected = [row_of(record) for batch in batches for record in batch]
    assert len(rows) == len(expected)
    assert list(rows) == expected == [rows[i] for i in range(len(rows))]
    assert [rows[i] for i in range(-len(rows), 0)] == expected
    assert list(reversed(rows)) == expected[::-1]


@given(st.lists(records, max_size=4))
def test_columns_are_those_of_the_rows(batches: list[list[CatalogueRow]]) -> None:
    rows = gather_rows(batches)
    for name in ("width", "height", "segment", "position", "deleted", "id"):
        column = getattr(rows, name)
        assert column.tolist() == [getattr(row, name) for row in rows]
        assert column.dtype == {"deleted": np.bool_, "id": np.int64}.get(name, np.int32)
    assert [rows.names[i] for i in range(len(rows))] == [row.name for row in rows]
    assert [rows.paths[i] for i in range(len(rows))] == [row.path for row in rows]


def test_names_keep_their_bytes() -> None:
    rows = gather_rows([[(name, b"/" + name, 1, 1, 1, i, 0, i + 1) for i, name in enumerate(ODD)]])
    assert [os.fsencode(row.name) for row in rows] == ODD
    assert [os.fsencode(row.path) for row in rows] == [b"/" + name for name in ODD]


@pytest.mark.parametrize("batches", [[], [[]], [[], []]])
def test_no_images_are_no_rows(batches: list[list[CatalogueRow]]) -> None:
    rows = gather_rows(batches)
    assert (len(rows), list(rows)) == (0, [])
    assert (rows.deleted.dtype, rows.id.dtype) == (np.dtype(np.bool_), np.dtype(np.int64))


def test_how_records_were_cut_into_batches_does_not_show() -> None:
    every = [(name, name, i, i, 1, i, i % 2, i) for i, name in enumerate(ODD, 1)]
    whole = list(gather_rows([every]))
    for cut in range(len(every) + 1):
        assert list(gather_rows([every[:cut], every[cut:]])) == whole


@pytest.mark.parametrize("i", [3, -4, 100])
def test_a_row_that_is_not_there_is_an_index_error(i: int) -> None:
    rows = gather_rows([[(b"a", b"a", 1, 1, 1, i, 0, i + 1) for i in range(3)]])
    with pytest.raises(IndexError, match=f"image {i} of 3"):
        rows[i]


def test_any_integer_of_numpy_is_an_index() -> None:
    rows = gather_rows([[(b"a", b"p", 7, 8, 1, 0, 1, 9)]])
    row = rows[np.int64(0)]  # type: ignore[index]
    assert row == ImageRow("a", "p", 7, 8, 1, 0, True, 9)
    assert {type(value) for value in (row.width, row.id)} == {int}
    assert type(row.deleted) is bool
