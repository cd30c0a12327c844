"""The one opener of the catalogue: a SQLite file that alone says which images and which segment files exist."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bof.errors import IndexStoreError, MismatchError, reason_of
from bof.store.catalog import checksums, schema
from bof.store.catalog.metadata import write_texts
from bof.system.database import DamagedDatabaseError, open_database
from bof.system.files import fsync_path

FILE_NAME = "catalog.sqlite"
PATIENCE_S = 60.0
"""Readers and the writer wait so long for each other's moments in the catalogue."""

_SAFE = "PRAGMA synchronous = EXTRA"


def exists(folder: Path) -> bool:
    """Is there a catalogue in this folder?"""
    return (folder / FILE_NAME).exists()


def require_none(folder: Path) -> None:
    """Raises IndexStoreError where there is a catalogue in this folder."""
    if exists(folder):
        raise IndexStoreError("there is an index here already", path=folder, advice="open it, or name another folder")


def create(folder: Path, meta: Mapping[str, Any]) -> None:
    """Write a new catalogue with these facts. Raises IndexStoreError where there is one or none can be written."""
    require_none(folder)
    _write_new(folder, meta)


def replace(folder: Path, meta: Mapping[str, Any], generation: int) -> None:
    """Put a new catalogue with these facts in the place of the one that is there, as the commit of this number.

    Raises IndexStoreError where none can be written: the old one stands.
    """
    try:
        _write_new(folder, meta, generation)
    except OSError as error:
        raise IndexStoreError(reason_of(error), path=folder / FILE_NAME, advice="the index is as it was") from error


def _write_new(folder: Path, meta: Mapping[str, Any], generation: int = 0) -> None:
    fresh = folder / f".{FILE_NAME}.partial"
    fresh.unlink(missing_ok=True)
    with _opened(fresh, "rwc") as database:
        database.execute(_SAFE)
        database.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        database.execute("BEGIN")
        schema.create_tables(database)
        facts = {"format": schema.FORMAT, **meta}.items()
        database.executemany("INSERT INTO meta VALUES (?, ?)", [(key, json.dumps(value)) for key, value in facts])
        checksums.seal(database)
        database.execute(f"PRAGMA user_version = {generation}")
        database.execute("COMMIT")
    os.replace(fresh, folder / FILE_NAME)
    fsync_path(folder)


@contextmanager
def _opened(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    """A connection; every SQLite error, also of what is done inside, becomes an IndexStoreError that names the file."""
    database = None
    try:
        database = open_database(path, mode, PATIENCE_S)
        yield database
    except DamagedDatabaseError as error:
        raise IndexStoreError(path=path, expected=error.expected, found=error.found, advice=_DAMAGED) from error
    except (sqlite3.Error, UnicodeDecodeError) as error:  # SQLite's own messages may quote what is damaged
        raise IndexStoreError(str(error), path=path, advice=_advice(error)) from error
    finally:
        if database is not None:
            database.close()


@contextmanager
def connect(folder: Path, *, write: bool) -> Iterator[sqlite3.Connection]:
    """A connection to the catalogue, whose tables are ours. Raises IndexStoreError, MismatchError on another format.

    A reader opens for writing too where it may: only so can SQLite roll back a commit that a crash cut short.
    """
    path = folder / FILE_NAME
    with _opened(path, "rw" if write or os.access(path, os.W_OK) else "ro") as database:
        database.execute(_SAFE if write else "PRAGMA query_only = ON")
        try:
            schema.require_schema(database)
        except DamagedDatabaseError:
            _refuse_other_format(folder, database)
            raise
        yield database


def _refuse_other_format(folder: Path, database: sqlite3.Connection) -> None:
    """What a later version wrote is not damaged."""
    try:
        value = database.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
    except sqlite3.Error:
        return
    if value and str(value[0]).isdigit():
        require_format(folder, int(value[0]))


def require_format(folder: Path, found: object) -> None:
    """Raises MismatchError on a format that this version cannot read."""
    if found not in schema.READABLE:
        expected = f"index format 1 to {schema.READABLE[-1]}"
        raise MismatchError(path=folder, expected=expected, found=found, advice="use the bof that wrote it")


_DAMAGED = "the catalogue is damaged; restore it from a copy, or delete the index folder and index again"


def _advice(error: Exception) -> str:
    text = str(error)
    if "full" in text:
        return "free some space and run it again; the index is as it was"
    if "readonly" in text or "unable to open" in text:
        return "the folder must be readable, and writable to change the index"
    if "locked" in text:
        return "another process is writing this index; wait for it to end"
    if "disk I/O" in text:
        return "the disk failed; the index is as it was"
    return _DAMAGED


@contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection]:
    """All that is read inside belongs to one commit, and no other commit ends meanwhile."""
    with connect(folder, write=False) as database:
        database.execute("BEGIN")
        yield database


@contextmanager
def transaction(folder: Path) -> Iterator[sqlite3.Connection]:
    """One commit: all that is done inside, or nothing. Whoever calls it holds the writer's lock."""
    with connect(folder, write=True) as database:
        database.execute("BEGIN IMMEDIATE")
        _upgrade(database)
        checksums.require_index(database)
        yield database
        checksums.seal_index(database)
        generation = database.execute("PRAGMA user_version").fetchone()[0]
        database.execute(f"PRAGMA user_version = {(generation + 1) % (1 << 31)}")
        database.execute("COMMIT")


def _upgrade(database: sqlite3.Connection) -> None:
    """Whatever is written from now on may be of this format; what stands is read as it is."""
    if not schema.has_table(database, "metadata"):
        schema.create_tables(database, "metadata")
        write_texts(database, [number for (number,) in database.execute("SELECT id FROM images WHERE deleted = 0")])
    if not schema.has_table(database, "checksums"):
        database.execute("UPDATE meta SET value = ? WHERE key = 'format'", (json.dumps(schema.FORMAT),))
        schema.create_tables(database, "checksums")
        checksums.seal(database)
