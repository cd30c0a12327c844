"""What was said of pictures: tags and fields, which belong to a path; read, asked for, and changed in a transaction."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from sqlite3 import Connection

from bof.errors import IndexStoreError, OptionError
from bof.store import catalog, filters

TAG = "tag"
"""The key of a tag."""


def read_metadata(folder: Path) -> dict[str, dict[str, list[str]]]:
    """What was said of pictures: path -> key -> values."""
    said: dict[str, dict[str, list[str]]] = {}
    with catalog.reading(folder) as database:
        if catalog.has_metadata(database):
            for path, key, value in database.execute("SELECT path, key, value FROM metadata ORDER BY 1, 2, 3"):
                said.setdefault(os.fsdecode(path), {}).setdefault(key, []).append(value)
    return said


def select_ids(folder: Path, where: str, text: str) -> set[int]:
    """The ids of the live images that meet a condition and hold some words (see filters); empty: any.

    Raises OptionError where either cannot be understood.
    """
    condition, parameters = filters.compile_where(where) if where else ("1", [])
    words = filters.compile_text(text) if text else None
    with catalog.reading(folder) as database:
        if not catalog.has_metadata(database):
            raise IndexStoreError(f"{folder}: expected metadata, found none; any change of the index adds the tables")
        filters.register(database)
        found = database.execute(f"SELECT id FROM images WHERE deleted = 0 AND ({condition})", parameters)
        ids = {number for (number,) in found}
        if words is not None:
            matches = database.execute("SELECT rowid FROM texts WHERE texts MATCH ?", (words,))
            ids &= {number for (number,) in matches}
    return ids


# -- Inside catalog.transaction ---------------------------------------------------------------------------------------


def set_values(database: Connection, paths: Iterable[str], key: str, values: Sequence[str]) -> None:
    """Give a field of some images these values instead of those it had; none: remove it."""
    _check_key(key)
    encoded = [os.fsencode(path) for path in paths]
    database.executemany("DELETE FROM metadata WHERE path = ? AND key = ?", [(path, key) for path in encoded])
    add_values(database, map(os.fsdecode, encoded), key, values)


def add_values(database: Connection, paths: Iterable[str], key: str, values: Sequence[str]) -> None:
    """Add values to a field of some images; tags are values of the field `tag`."""
    _check_key(key)
    paths = list(paths)
    rows = [(os.fsencode(path), key, value) for path in paths for value in values]
    database.executemany("INSERT OR IGNORE INTO metadata VALUES (?, ?, ?)", rows)
    _rewrite_texts(database, paths)


def remove_values(database: Connection, paths: Iterable[str], key: str, values: Sequence[str]) -> None:
    """Take single values from a field of some images."""
    paths = list(paths)
    rows = [(os.fsencode(path), key, value) for path in paths for value in values]
    database.executemany("DELETE FROM metadata WHERE path = ? AND key = ? AND value = ?", rows)
    _rewrite_texts(database, paths)


def _check_key(key: str) -> None:
    if not key.strip() or key in filters.BUILT_IN:
        known = ", ".join(sorted(filters.BUILT_IN))
        raise OptionError(f"field {key!r}: expected a name other than those that every image has ({known})")


def _rewrite_texts(database: Connection, paths: Iterable[str]) -> None:
    numbers = []
    for path in paths:
        query = "SELECT id FROM images WHERE path = ? AND deleted = 0"
        numbers += [number for (number,) in database.execute(query, (os.fsencode(path),))]
    write_texts(database, numbers)


def write_texts(database: Connection, numbers: Iterable[int]) -> None:
    """What full-text search reads of images: name and metadata."""
    for number in numbers:
        name, path = database.execute("SELECT name, path FROM images WHERE id = ?", (number,)).fetchone()
        values = [value for (value,) in database.execute("SELECT value FROM metadata WHERE path = ?", (path,))]
        database.execute("DELETE FROM texts WHERE rowid = ?", (number,))
        text = filters.searchable(os.fsdecode(name), values)
        database.execute("INSERT INTO texts (rowid, text) VALUES (?, ?)", (number, text))
