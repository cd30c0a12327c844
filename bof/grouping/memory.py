"""What a person has said of pairs: these two are no duplicates. Kept in the index folder, by content.

Content, not names or numbers: what was said survives renames, moves, merges and indexing again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bof.errors import IndexStoreError

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
    if not (folder / FILE_NAME).exists():
        return set()
    with _connected(folder, write=False) as database:
        return {frozenset(pair) for pair in database.execute("SELECT one, other FROM rejected")}


def _ordered(one: str, other: str) -> tuple[str, str]:
    return min(one, other), max(one, other)


@contextmanager
def _connected(folder: Path, *, write: bool) -> Iterator[sqlite3.Connection]:
    path = folder / FILE_NAME
    uri = f"{path.absolute().as_uri()}?mode={'rwc' if write else 'ro'}"
    try:
        database = sqlite3.connect(uri, uri=True, timeout=_PATIENCE_S)
        try:
            with database:
                if write:
                    database.execute(_SCHEMA)
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
