"""What a person has said of pairs: these two are no duplicates. Kept in the index folder, by content.

Content, not names or numbers: what was said survives renames, moves, merges and indexing again.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bof.errors import IndexStoreError
from bof.system.database import DamagedDatabaseError, open_database, require_tables

FILE_NAME = "rejected.sqlite"
_PATIENCE_S = 60.0
_SCHEMA = "CREATE TABLE IF NOT EXISTS rejected (one TEXT, other TEXT, PRIMARY KEY (one, other)) WITHOUT ROWID"

Pair = frozenset[str]
"""Two contents by their sha256; one, where exact copies are meant."""


def reject(folder: Path, pairs: Iterable[tuple[str, str]]) -> None:
    """Remember pairs of sha256 that are no duplicates of each other. folder: the index's.

    Raises IndexStoreError where it cannot be written.
    """
    rows = sorted({_ordered(*pair) for pair in pairs})
    with _connected(folder, write=True) as database:
        database.executemany("INSERT OR IGNORE INTO rejected VALUES (?, ?)", rows)


def allow(folder: Path, pairs: Iterable[tuple[str, str]]) -> None:
    """Forget that these pairs were rejected."""
    with _connected(folder, write=True) as database:
        database.executemany("DELETE FROM rejected WHERE one = ? AND other = ?", [_ordered(*pair) for pair in pairs])


def rejected(folder: Path) -> set[Pair]:
    """Every rejected pair. Raises IndexStoreError where the file is damaged: what a person said is not passed over."""
    if not os.path.lexists(folder / FILE_NAME):
        return set()
    with _connected(folder, write=False) as database:
        pairs = database.execute("SELECT one, other FROM rejected").fetchall()
        for cell in (cell for pair in pairs for cell in pair):
            if not isinstance(cell, str):
                raise DamagedDatabaseError("two SHA-256 a pair", type(cell).__name__)
        return {frozenset(pair) for pair in pairs}


def _ordered(one: str, other: str) -> tuple[str, str]:
    return min(one, other), max(one, other)


@contextmanager
def _connected(folder: Path, *, write: bool) -> Iterator[sqlite3.Connection]:
    path = folder / FILE_NAME
    try:
        database = open_database(path, "rwc" if write else "ro", _PATIENCE_S)
        try:
            with database:
                database.execute("BEGIN")
                if write:
                    database.execute(_SCHEMA)
                require_tables(database, _SCHEMA)
                yield database
        finally:
            database.close()
    except sqlite3.Error as error:
        raise IndexStoreError(
            path=path,
            expected="the pairs that were rejected",
            found=error,
            advice="make the folder writable, or restore the file from a copy (without it every pair is asked about "
            "again)",
        ) from error
