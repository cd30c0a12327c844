"""What a person has said of pairs: these two are no duplicates. Kept in the index folder, by content.

Content, not names or numbers: what was said survives renames, moves, merges and indexing again.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bof.store.judgments import read_judgments
from bof.store.side_database import SideDatabase
from bof.system.database import DamagedDatabaseError

FILE_NAME = "rejected.sqlite"

_FILE = SideDatabase(
    FILE_NAME,
    "CREATE TABLE IF NOT EXISTS rejected (one TEXT, other TEXT, PRIMARY KEY (one, other)) WITHOUT ROWID",
    "the pairs that were rejected",
    "make the folder writable, or restore the file from a copy (without it every pair is asked about again)",
)

Pair = frozenset[str]
"""Two contents by their sha256; one, where exact copies are meant."""


def reject(folder: Path, pairs: Iterable[tuple[str, str]]) -> None:
    """Remember pairs of sha256 that are no duplicates of each other. folder: the index's.

    Raises IndexStoreError where it cannot be written.
    """
    rows = sorted({_ordered(*pair) for pair in pairs})
    with _FILE.connected(folder, write=True) as database:
        database.executemany("INSERT OR IGNORE INTO rejected VALUES (?, ?)", rows)


def allow(folder: Path, pairs: Iterable[tuple[str, str]]) -> None:
    """Forget that these pairs were rejected."""
    with _FILE.connected(folder, write=True) as database:
        database.executemany("DELETE FROM rejected WHERE one = ? AND other = ?", [_ordered(*pair) for pair in pairs])


def rejected(folder: Path) -> set[Pair]:
    """Every rejected pair. Raises IndexStoreError where the file is damaged: what a person said is not passed over."""
    if not _FILE.exists(folder):
        return set()
    with _FILE.connected(folder, write=False) as database:
        pairs = database.execute("SELECT one, other FROM rejected").fetchall()
        for cell in (cell for pair in pairs for cell in pair):
            if not isinstance(cell, str):
                raise DamagedDatabaseError("two SHA-256 a pair", type(cell).__name__)
        return {frozenset(pair) for pair in pairs}


def no_duplicates(folder: Path) -> set[Pair]:
    """Every pair that was rejected, and every pair that was judged not to show the same thing.

    A rejection says less than such a judgment: two photographs of one tower are no duplicates and show the same thing.
    """
    different = (judged for judged in read_judgments(folder) if not judged.is_same)
    return rejected(folder) | {frozenset((judged.one, judged.other)) for judged in different}


def _ordered(one: str, other: str) -> tuple[str, str]:
    return min(one, other), max(one, other)
