"""Opening SQLite files that anyone may have written: nothing beside or inside one may hang, run, or reach outside."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

_SUFFIXES = ("", "-journal", "-wal", "-shm")
_SUPER_JOURNAL = bytes.fromhex("d9d505f920a163d7")
"""A journal that ends so names another file, which SQLite would read and delete."""

_KINDS = {
    stat.S_IFDIR: "a folder", stat.S_IFIFO: "a named pipe", stat.S_IFLNK: "a link", stat.S_IFSOCK: "a socket",
}  # fmt: skip

_MAX_CELL_BYTES = 1 << 26
_SETTINGS = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"


class DamagedDatabaseError(sqlite3.DatabaseError):
    """What a database holds is not what it should."""

    def __init__(self, expected: object, found: object) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected, self.found = str(expected), str(found)


def open_database(path: Path, mode: str, patience_s: float) -> sqlite3.Connection:
    """A connection in autocommit mode. mode: `ro`, `rw` or `rwc`, as SQLite's URIs have it.

    patience_s: how long it waits for another process' lock. Raises sqlite3.Error, among them DamagedDatabaseError where
    no regular file, or a journal that names other files, stands at the path or beside it.
    """
    for suffix in _SUFFIXES:
        _require_regular(f"{path}{suffix}")
    _refuse_super_journal(f"{path}-journal")
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    database = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=patience_s)
    try:
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_CELL_BYTES)
        database.executescript(_SETTINGS)
    except BaseException:
        database.close()
        raise
    return database


def _require_regular(path: str) -> None:
    """SQLite would wait at a named pipe for ever, and follow a link."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise sqlite3.OperationalError(f"unable to open: {error.strerror or error}") from error
    if not stat.S_ISREG(mode):
        raise DamagedDatabaseError(
            f"{os.path.basename(path)} as a regular file", _KINDS.get(stat.S_IFMT(mode), "a device")
        )


def _refuse_super_journal(path: str) -> None:
    try:
        with open(path, "rb") as journal:
            journal.seek(-len(_SUPER_JOURNAL), os.SEEK_END)
            end = journal.read()
    except OSError:  # none there, or shorter
        return
    if end == _SUPER_JOURNAL:
        raise DamagedDatabaseError("a journal of this database alone", "one that names another file")
