"""The catalogue of an index: a SQLite file that alone says which images and which segment files exist."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bof.errors import IndexStoreError, MismatchError
from bof.store import filters
from bof.store.image_records import ImageRows, gather_rows
from bof.system.files import FileFact, fsync_path

FORMAT = 2
_READABLE = (1, 2)
FILE_NAME = "catalog.sqlite"
_APPLICATION_ID = 0x626F6631  # "bof1"
_PATIENCE_S = 60.0
"""Readers and the writer wait so long for each other's moments in the catalogue."""

_BATCH = 1 << 16
"""Rows read at once."""

_SCHEMA = """
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
CREATE UNIQUE INDEX live_name ON images (name) WHERE deleted = 0;
"""

_METADATA_SCHEMA = """
CREATE TABLE metadata (
    path BLOB NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (path, key, value)) WITHOUT ROWID;
CREATE VIRTUAL TABLE texts USING fts5(text, tokenize = 'unicode61 remove_diacritics 2');
"""
"""Tables that the first indexes of format 1 lacked; the next writer adds them."""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the catalogue knows of one image besides its features.

    name: what a person calls it (its path below the folder that was indexed); path: absolute; n_bytes, mtime_ns and
    sha256: the file when it was read; width and height: the original upright picture.
    """

    name: str
    path: str
    n_bytes: int
    mtime_ns: int
    sha256: str
    width: int
    height: int
    n_features: int


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One segment and the files that it must have."""

    number: int
    name: str
    n_images: int
    n_features: int
    files: dict[str, FileFact]


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A picture file as it was when it was indexed."""

    id: int
    name: str
    path: str
    n_bytes: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Commit:
    """What the catalogue says as of one commit: every segment, every image by segment and position."""

    generation: int
    segments: Sequence[SegmentRow]
    images: ImageRows


def stands(folder: Path) -> bool:
    """Is there a catalogue in this folder?"""
    return (folder / FILE_NAME).exists()


def create(folder: Path, meta: Mapping[str, Any]) -> None:
    """Write a new catalogue with these facts. Raises IndexStoreError where one stands or none can be written."""
    if stands(folder):
        raise IndexStoreError(f"{folder}: an index stands here already; open it, or name another folder")
    fresh = f".{FILE_NAME}.partial"
    (folder / fresh).unlink(missing_ok=True)
    with connect(folder, write=True, file=fresh, mode="rwc") as database:
        pragma = f"PRAGMA application_id = {_APPLICATION_ID}; BEGIN;"
        database.executescript(f"{pragma} {_SCHEMA} {_METADATA_SCHEMA}")
        rows = {"format": FORMAT, **meta}.items()
        database.executemany("INSERT INTO meta VALUES (?, ?)", [(key, json.dumps(value)) for key, value in rows])
        database.execute("COMMIT")
    os.replace(folder / fresh, folder / FILE_NAME)
    fsync_path(folder)


@contextmanager
def connect(
    folder: Path, *, write: bool, file: str = FILE_NAME, mode: str | None = None
) -> Iterator[sqlite3.Connection]:
    """A connection to the catalogue; every SQLite error becomes an IndexStoreError that names the file.

    A reader opens for writing too where it may: only so can SQLite roll back a commit that a crash cut short.
    """
    path = folder / file
    database = None
    try:
        mode = mode or ("rw" if write or os.access(path, os.W_OK) else "ro")
        uri = f"{path.absolute().as_uri()}?mode={mode}"
        database = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_PATIENCE_S)
        if write:
            database.execute("PRAGMA synchronous = EXTRA")
        yield database
    except sqlite3.Error as error:
        raise IndexStoreError(f"{path}: {error}; {_advice(error)}") from error
    finally:
        if database is not None:
            database.close()


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
    return "the catalogue is damaged; restore it from a copy, or delete the index folder and index again"


@contextmanager
def transaction(folder: Path) -> Iterator[sqlite3.Connection]:
    """One commit: all that is done inside, or nothing. Whoever calls it holds the writer's lock."""
    with connect(folder, write=True) as database:
        database.execute("BEGIN IMMEDIATE")
        _upgrade(database)
        yield database
        generation = database.execute("PRAGMA user_version").fetchone()[0]
        database.execute(f"PRAGMA user_version = {(generation + 1) % (1 << 31)}")
        database.execute("COMMIT")


def _upgrade(database: sqlite3.Connection) -> None:
    """Whatever is written from now on may be of this format; what stands is read as it is."""
    database.execute("UPDATE meta SET value = ? WHERE key = 'format'", (json.dumps(FORMAT),))
    if has_metadata(database):
        return
    for statement in _METADATA_SCHEMA.split(";\n"):
        database.execute(statement)
    rows = database.execute("SELECT id, name FROM images WHERE deleted = 0").fetchall()
    texts = [(number, filters.searchable(os.fsdecode(name), [])) for number, name in rows]
    database.executemany("INSERT INTO texts (rowid, text) VALUES (?, ?)", texts)


# -- Reading ----------------------------------------------------------------------------------------------------------


@contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection]:
    """All that is read inside belongs to one commit, and no other commit ends meanwhile."""
    with connect(folder, write=False) as database:
        database.execute("BEGIN")
        yield database


def read_meta(folder: Path) -> dict[str, Any]:
    """The index's facts. Raises IndexStoreError where there is no index, MismatchError on another format."""
    if not stands(folder):
        raise IndexStoreError(f"{folder}: no index here; build one with: python -m bof.index PHOTOS --index {folder}")
    with connect(folder, write=False) as database:
        rows = database.execute("SELECT key, value FROM meta").fetchall()
    try:
        meta = {key: json.loads(value) for key, value in rows}
    except ValueError as error:
        raise IndexStoreError(f"{folder / FILE_NAME}: {error}; {_advice(error)}") from error
    if (found := meta.get("format")) not in _READABLE:
        raise MismatchError(f"{folder}: expected index format 1 to {FORMAT}, found {found}; use the bof that wrote it")
    return meta


def read_generation(folder: Path) -> int:
    """A number that every commit changes."""
    with connect(folder, write=False) as database:
        return int(database.execute("PRAGMA user_version").fetchone()[0])


def read_commit(database: sqlite3.Connection) -> Commit:
    """Every segment and every image of the commit that `reading` holds."""
    (generation,) = database.execute("PRAGMA user_version").fetchone()
    found = database.execute(
        "SELECT name, path, width, height, segment, position, deleted, id FROM images ORDER BY segment, position"
    )
    images = gather_rows(iter(lambda: found.fetchmany(_BATCH), []))
    return Commit(generation, read_segments(database), images)


def read_segments(database: sqlite3.Connection) -> list[SegmentRow]:
    """Every segment with what its files must be."""
    files: dict[int, dict[str, FileFact]] = {}
    for segment, name, n_bytes, sha256 in database.execute("SELECT segment, name, n_bytes, sha256 FROM files"):
        files.setdefault(segment, {})[name] = FileFact(n_bytes, sha256)
    rows = database.execute("SELECT number, name, n_images, n_features FROM segments ORDER BY 1")
    return [SegmentRow(number, name, n, m, files.get(number, {})) for number, name, n, m in rows]


def read_places(database: sqlite3.Connection, segment: int) -> list[tuple[int, bool]]:
    """Of every image of a segment, by position: its id, and whether it lives."""
    rows = database.execute("SELECT id, deleted FROM images WHERE segment = ? ORDER BY position", (segment,))
    return [(number, not deleted) for number, deleted in rows]


def read_known(folder: Path) -> dict[str, KnownFile]:
    """Live images by path."""
    with reading(folder) as database:
        rows = database.execute("SELECT id, name, path, n_bytes, mtime_ns, sha256 FROM images WHERE deleted = 0")
        known = [KnownFile(number, os.fsdecode(name), os.fsdecode(path), *rest) for number, name, path, *rest in rows]
    return {entry.path: entry for entry in known}


def read_facts(folder: Path) -> dict[int, ImageFacts]:
    """Live images by id, in the order of their names."""
    with reading(folder) as database:
        rows = database.execute(
            "SELECT id, name, path, n_bytes, mtime_ns, sha256, width, height, n_features FROM images"
            " WHERE deleted = 0 ORDER BY name"
        )
        return {number: ImageFacts(os.fsdecode(name), os.fsdecode(path), *rest) for number, name, path, *rest in rows}


def has_metadata(database: sqlite3.Connection) -> bool:
    """Are there tables of metadata? The first indexes of format 1 lacked them."""
    return database.execute("SELECT 1 FROM sqlite_master WHERE name = 'metadata'").fetchone() is not None


def count_images(folder: Path) -> int:
    """Live images."""
    with connect(folder, write=False) as database:
        return int(database.execute("SELECT count(*) FROM images WHERE deleted = 0").fetchone()[0])


def count_features(folder: Path) -> int:
    """Features of all segments, those of removed images included."""
    with connect(folder, write=False) as database:
        return int(database.execute("SELECT coalesce(sum(n_features), 0) FROM segments").fetchone()[0])
