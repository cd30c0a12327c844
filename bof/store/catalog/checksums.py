"""Checksums of what the catalogue holds, so that a changed bit in it is found and not believed.

Images are summed a block of 4,096 positions of a segment at a time, so that a change of one costs no more than its
block, and opening a commit reads no more columns than it needs: `images` sums what `catalogue_columns` has, `records`
the other columns. A writer compares a block before it changes it: no damage is given a new checksum.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from sqlite3 import Connection
from typing import Any

import numpy as np

from bof.store.catalog.catalogue_columns import COLUMNS, CatalogueColumns, gather_rows
from bof.store.catalog.records import Row, SegmentRecord, checked
from bof.store.catalog.schema import has_table
from bof.system.database import DamagedDatabaseError

BLOCK = 4096
"""Positions of a segment that share a checksum."""

_OTHERS = "n_bytes, mtime_ns, sha256, n_features"
_INDEX = {
    "meta": ("key, value", "key"),
    "segments": ("number, name, n_images, n_features", "number"),
    "files": ("segment, name, n_bytes, sha256", "segment, name"),
}
"""Small tables that have one checksum together: their columns, their order."""

Block = tuple[int, int]
"""Number of a segment, and which block of its positions."""

Key = tuple[str, int, int]
"""Part, number of a segment and block, 0 where they do not matter."""

_SMALL, _METADATA = ("index", 0, 0), ("metadata", 0, 0)


def seal(database: Connection) -> None:
    """Everything is from now on as it is: a new catalogue, or one that had no checksums."""
    _seal_blocks(database, _blocks(database, "1", ()))
    seal_metadata(database)
    seal_index(database)


# -- Facts, segments and files ----------------------------------------------------------------------------------------


def require_index(database: Connection) -> None:
    """Raises DamagedDatabaseError where facts, segments or files are not what was written."""
    if has_table(database, "checksums"):
        _compare(database, _SMALL, _index_sum(database), "the facts, segments and files that were written")


def seal_index(database: Connection) -> None:
    """Facts, segments and files are from now on as they are."""
    _store(database, _SMALL, _index_sum(database))


def _index_sum(database: Connection) -> str:
    digest = hashlib.sha256()
    for table, (columns, order) in _INDEX.items():
        rows = checked(table, columns, database.execute(f"SELECT {columns} FROM {table} ORDER BY {order}"))
        digest.update("".join(f"{cell}\0" for row in rows for cell in row).encode())
    return digest.hexdigest()


# -- Images -----------------------------------------------------------------------------------------------------------


def require_columns(database: Connection, columns: CatalogueColumns, segments: Sequence[SegmentRecord]) -> None:
    """Raises DamagedDatabaseError where these images, all of some segments, are not what was written."""
    if not has_table(database, "checksums"):
        return
    stored = _stored(database, "images")
    first = 0
    for segment in segments:
        for start in range(0, segment.n_images, BLOCK):
            stop = min(start + BLOCK, segment.n_images)
            block = segment.number, start // BLOCK
            if _columns_sum(columns, first + start, first + stop) != stored.get(block):
                raise DamagedDatabaseError(_written(block), "others (checksum)")
        first += segment.n_images


def seals(database: Connection) -> dict[int, tuple[str, ...]]:
    """The checksums of the images of each segment that has some, by its number."""
    stored = _stored(database, "images") if has_table(database, "checksums") else {}
    found: dict[int, list[str]] = {}
    for segment, block in sorted(stored):
        found.setdefault(segment, []).append(stored[segment, block])
    return {segment: tuple(values) for segment, values in found.items()}


@contextmanager
def changing_images(database: Connection, where: str, values: Iterable[Sequence[Any]]) -> Iterator[None]:
    """Images are changed inside, in place. where: a condition on them with parameters, for each of `values`.

    Raises DamagedDatabaseError before anything is changed where their blocks are not what was written.
    """
    blocks = {block for parameters in values for block in _blocks(database, where, parameters)}
    _require_blocks(database, blocks)
    yield
    _seal_blocks(database, blocks)


def require_segment(database: Connection, segment: int) -> None:
    """Raises DamagedDatabaseError where the images of a segment are not what was written."""
    if has_table(database, "checksums"):
        _require_blocks(database, _blocks(database, "segment = ?", (segment,)))


def seal_segment(database: Connection, segment: int) -> None:
    """The images of a segment are from now on as they are."""
    _seal_blocks(database, _blocks(database, "segment = ?", (segment,)))


def _blocks(database: Connection, where: str, parameters: Sequence[Any]) -> set[Block]:
    query = f"SELECT DISTINCT segment, position / {BLOCK} FROM images WHERE {where}"
    return set(checked("checksums", "segment, block", database.execute(query, parameters)))


def _require_blocks(database: Connection, blocks: Iterable[Block]) -> None:
    for block in sorted(blocks):
        for part, value in _sums(database, block):
            _compare(database, (part, *block), value, _written(block))


def _seal_blocks(database: Connection, blocks: Iterable[Block]) -> None:
    for block in sorted(blocks):
        for part, value in _sums(database, block):
            _store(database, (part, *block), value)


def _sums(database: Connection, block: Block) -> list[tuple[str, str]]:
    columns = gather_rows([_rows(database, block, COLUMNS)])
    others = checked("images", _OTHERS, _rows(database, block, _OTHERS))
    return [("images", _columns_sum(columns, 0, len(columns))), ("records", _others_sum(others))]


def _rows(database: Connection, block: Block, columns: str) -> list[Any]:
    number, first = block[0], block[1] * BLOCK
    query = f"SELECT {columns} FROM images WHERE segment = ? AND position BETWEEN ? AND ? ORDER BY position"
    return database.execute(query, (number, first, first + BLOCK - 1)).fetchall()


def _columns_sum(columns: CatalogueColumns, first: int, stop: int) -> str:
    digest = hashlib.sha256()
    for column in (columns.id, columns.width, columns.height, columns.deleted):
        digest.update(column[first:stop].data)
    for texts in (columns.names, columns.paths):
        for part in texts.parts(first, stop):
            digest.update(part.data)
    return digest.hexdigest()


def _others_sum(rows: Sequence[Row]) -> str:
    n_bytes, mtime_ns, sha256, n_features = zip(*rows, strict=True) if rows else ((),) * 4
    numbers = np.array([n_bytes, mtime_ns, n_features], np.int64)
    return hashlib.sha256(numbers.tobytes() + "".join(sha256).encode()).hexdigest()


def _written(block: Block) -> str:
    first = block[1] * BLOCK
    return f"the images that were written at {first} to {first + BLOCK - 1} of segment {block[0]}"


# -- Metadata ---------------------------------------------------------------------------------------------------------


@contextmanager
def changing_metadata(database: Connection, paths: Iterable[bytes]) -> Iterator[None]:
    """Metadata of some paths are changed inside: the sum of all rows' checksums changes by theirs."""
    paths = set(paths)
    before = sum(_metadata_sum(database, "path = ?", (path,)) for path in paths)
    yield
    change = sum(_metadata_sum(database, "path = ?", (path,)) for path in paths) - before
    if change:
        _store(database, _METADATA, _hex(int(_stored(database, "metadata")[_METADATA[1:]], 16) + change))


def require_metadata(database: Connection) -> None:
    """Raises DamagedDatabaseError where metadata are not what was written."""
    if has_table(database, "checksums"):
        _compare(database, _METADATA, _hex(_metadata_sum(database, "1", ())), "the metadata that were written")


def seal_metadata(database: Connection) -> None:
    """Metadata are from now on as they are."""
    _store(database, _METADATA, _hex(_metadata_sum(database, "1", ())))


def _metadata_sum(database: Connection, where: str, parameters: Sequence[Any]) -> int:
    rows = database.execute(f"SELECT path, key, value FROM metadata WHERE {where}", parameters)
    found = checked("metadata", "path, key, value", rows)
    cells = (b"\0".join((path, key.encode(), value.encode())) for path, key, value in found)
    return sum(int.from_bytes(hashlib.sha256(row).digest(), "little") for row in cells)


def _hex(total: int) -> str:
    return f"{total % (1 << 256):064x}"


# -- The table --------------------------------------------------------------------------------------------------------


def _stored(database: Connection, part: str) -> dict[Block, str]:
    rows = database.execute("SELECT segment, block, value FROM checksums WHERE part = ?", (part,))
    return {(segment, block): value for segment, block, value in checked("checksums", "segment, block, value", rows)}


def _compare(database: Connection, key: Key, value: str, expected: str) -> None:
    query = "SELECT 1 FROM checksums WHERE (part, segment, block, value) = (?, ?, ?, ?)"
    if database.execute(query, (*key, value)).fetchone() is None:
        raise DamagedDatabaseError(expected, "others (checksum)")


def _store(database: Connection, key: Key, value: str) -> None:
    database.execute("INSERT OR REPLACE INTO checksums VALUES (?, ?, ?, ?)", (*key, value))
