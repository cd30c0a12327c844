"""Opening SQLite files that anyone may have written: nothing beside or inside one may hang, run, or reach outside."""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

SUFFIXES = ("", "-journal", "-wal", "-shm")
"""Of a database's file, and of those that SQLite keeps beside it."""

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
    for suffix in SUFFIXES:
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


Object = tuple[str, str, str, str]


def objects_of(database: sqlite3.Connection) -> frozenset[Object]:
    """Type, name, table and statement of all tables, indexes, views and triggers."""
    rows = database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    return frozenset((str(kind), str(name), str(table), _plain(sql)) for kind, name, table, sql in rows)


def require_tables(database: sqlite3.Connection, statements: str) -> None:
    """Raises DamagedDatabaseError unless a database has what these statements make, and nothing else.

    A trigger, a view or another column would make of our statements what their writer wishes.
    """
    model = sqlite3.connect(":memory:", isolation_level=None)
    try:
        model.executescript(statements)
        expected, found = objects_of(model), objects_of(database)
    finally:
        model.close()
    if found != expected:
        kind, name, *_ = min(found - expected, default=min(expected - found, default=("", "", "", "")))
        verb = "another" if found - expected else "no"
        raise DamagedDatabaseError("the tables that bof makes", f"{verb} {kind} {name}")


def _plain(sql: object) -> str:
    """A statement without what does not matter in it."""
    return " ".join(str(sql).replace("'", '"').split())


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
