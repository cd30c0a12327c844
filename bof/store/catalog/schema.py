"""The tables of the catalogue: docs/format.md says what they hold. Each version of the format adds some."""

from __future__ import annotations

from functools import cache
from sqlite3 import Connection, connect

from bof.system.database import DamagedDatabaseError, Object, objects_of

FORMAT = 3
FORMAT_IN_PARTS = 4
"""Of the catalogue of an index in parts, which has no images of its own: an older bof refuses it."""

READABLE = (1, 2, 3, FORMAT_IN_PARTS)
APPLICATION_ID = 0x626F6631  # "bof1"

_FIRST = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE segments (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, n_images INTEGER NOT NULL, n_features INTEGER NOT NULL);
CREATE TABLE files (
    segment INTEGER NOT NULL REFERENCES segments(number), name TEXT NOT NULL, n_bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL, PRIMARY KEY (segment, name)) WITHOUT ROWID;
CREATE TABLE images (
    id INTEGER PRIMARY KEY, name BLOB NOT NULL, path BLOB NOT NULL, n_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL, sha256 TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,
    n_features INTEGER NOT NULL, segment INTEGER NOT NULL REFERENCES segments(number), position INTEGER NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0, UNIQUE (segment, position));
CREATE UNIQUE INDEX live_path ON images (path) WHERE deleted = 0;
CREATE UNIQUE INDEX live_name ON images (name) WHERE deleted = 0
"""

TEXTS = "CREATE VIRTUAL TABLE texts USING fts5(text, tokenize = 'unicode61 remove_diacritics 2')"

_METADATA = f"""
CREATE TABLE metadata (
    path BLOB NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (path, key, value)) WITHOUT ROWID;
{TEXTS}
"""

_CHECKSUMS = """
CREATE TABLE checksums (
    part TEXT NOT NULL, segment INTEGER NOT NULL, block INTEGER NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (part, segment, block)) WITHOUT ROWID
"""

_STEPS = {"images": _FIRST, "metadata": _METADATA, "checksums": _CHECKSUMS}
"""By a table that each makes. The first indexes of format 1 lack the second step's, those of format 2 the third's."""


def create_tables(database: Connection, table: str = "") -> None:
    """Make all tables inside a transaction, or only those that came into the format with `table`."""
    for statements in [_STEPS[table]] if table else _STEPS.values():
        for statement in statements.split(";\n"):
            database.execute(statement)


def has_table(database: Connection, table: str) -> bool:
    """Does the catalogue have the tables that came with `table`? An older one lacks some."""
    return database.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is not None


def require_schema(database: Connection) -> None:
    """Raises DamagedDatabaseError unless a catalogue has the tables and indexes of some format, and nothing else.

    A trigger, a view or another column would make of our statements what their writer wishes.
    """
    found = objects_of(database)
    formats = _formats()
    if found not in formats:
        fullest = formats[-1]
        odd = sorted(found - fullest) or sorted(fullest - found)
        kind, name, *_ = odd[0]
        verb = "another" if found - fullest else "no"
        raise DamagedDatabaseError("the tables of an index", f"{verb} {kind} {name}")
    (encoding,) = database.execute("PRAGMA encoding").fetchone()
    (journal,) = database.execute("PRAGMA journal_mode").fetchone()
    if (encoding, journal == "wal") != ("UTF-8", False):
        raise DamagedDatabaseError("text in UTF-8 and no write-ahead log", f"{encoding}, journal mode {journal}")


@cache
def _formats() -> list[frozenset[Object]]:
    """The objects of each format, as SQLite itself writes them down."""
    database = connect(":memory:", isolation_level=None)
    try:
        formats = []
        for table in _STEPS:
            create_tables(database, table)
            formats.append(objects_of(database))
        return formats
    finally:
        database.close()
