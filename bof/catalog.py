"""The catalogue of an index: a SQLite file that alone says which images and which segment files exist."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bof.errors import IndexStoreError, MismatchError
from bof.files import FileFact, fsync_path

FORMAT = 1
FILE_NAME = "catalog.sqlite"
_APPLICATION_ID = 0x626F6631  # "bof1"

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
class ImageRow:
    """One image of the index and where its features lie."""

    name: str
    path: str
    width: int
    height: int
    segment: int
    position: int
    deleted: bool


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """One segment and the files that it must have."""

    number: int
    name: str
    n_images: int
    files: dict[str, FileFact]


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
        database.executescript(f"PRAGMA application_id = {_APPLICATION_ID}; BEGIN; {_SCHEMA}")
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
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None)
        if write:
            database.execute("PRAGMA synchronous = FULL")
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
    return "the catalogue is damaged; restore it from a copy, or delete the index folder and index again"


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
    if meta.get("format") != FORMAT:
        found = meta.get("format")
        raise MismatchError(f"{folder}: expected index format {FORMAT}, found {found}; use the bof that wrote it")
    return meta


def read_rows(folder: Path) -> tuple[list[SegmentRow], list[ImageRow]]:
    """Every segment and every image, by segment and position, as of one moment."""
    with connect(folder, write=False) as database:
        database.execute("BEGIN")
        files: dict[int, dict[str, FileFact]] = {}
        for segment, name, n_bytes, sha256 in database.execute("SELECT segment, name, n_bytes, sha256 FROM files"):
            files.setdefault(segment, {})[name] = FileFact(n_bytes, sha256)
        segments = [
            SegmentRow(number, name, n_images, files.get(number, {}))
            for number, name, n_images in database.execute("SELECT number, name, n_images FROM segments ORDER BY 1")
        ]
        images = [
            ImageRow(os.fsdecode(name), os.fsdecode(path), width, height, segment, position, bool(deleted))
            for name, path, width, height, segment, position, deleted in database.execute(
                "SELECT name, path, width, height, segment, position, deleted FROM images ORDER BY segment, position"
            )
        ]
    return segments, images


def read_known(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Live images by path: name, size in bytes and modification time."""
    with connect(folder, write=False) as database:
        rows = database.execute("SELECT path, name, n_bytes, mtime_ns FROM images WHERE deleted = 0")
        return {os.fsdecode(path): (os.fsdecode(name), n_bytes, mtime) for path, name, n_bytes, mtime in rows}


def insert_segment(folder: Path, target: Path, files: Mapping[str, FileFact], images: list[ImageFacts]) -> None:
    """Make a written segment part of the index, and replace older images of the same paths: one transaction."""
    with connect(folder, write=True) as database:
        database.execute("BEGIN IMMEDIATE")
        if not target.is_dir():
            raise IndexStoreError(f"{target}: another process swept it away; let one process write at a time")
        n_features = sum(image.n_features for image in images)
        cursor = database.execute(
            "INSERT INTO segments (name, n_images, n_features) VALUES (?, ?, ?)", (target.name, len(images), n_features)
        )
        number = cursor.lastrowid
        rows = [(number, file, fact.n_bytes, fact.sha256) for file, fact in files.items()]
        database.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", rows)
        paths = [(os.fsencode(image.path),) for image in images]
        database.executemany("UPDATE images SET deleted = 1 WHERE path = ? AND deleted = 0", paths)
        database.executemany(
            "INSERT INTO images (name, path, n_bytes, mtime_ns, sha256, width, height, n_features, segment, position)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [_image_values(image, number, position) for position, image in enumerate(images)],
        )
        database.execute("COMMIT")


def _image_values(image: ImageFacts, segment: int | None, position: int) -> tuple[Any, ...]:
    return (
        os.fsencode(image.name), os.fsencode(image.path), image.n_bytes, image.mtime_ns, image.sha256,
        image.width, image.height, image.n_features, segment, position,
    )  # fmt: skip


def mark_deleted(folder: Path, names: Iterable[str]) -> int:
    """Flag images as deleted by name; returns how many there were."""
    with connect(folder, write=True) as database:
        database.execute("BEGIN IMMEDIATE")
        rows = [(os.fsencode(name),) for name in names]
        before = database.total_changes
        database.executemany("UPDATE images SET deleted = 1 WHERE name = ? AND deleted = 0", rows)
        n_deleted = database.total_changes - before
        database.execute("COMMIT")
    return n_deleted


@contextmanager
def no_commits(folder: Path) -> Iterator[set[str]]:
    """The segment folders that the catalogue names; nothing is committed meanwhile."""
    with connect(folder, write=True) as database:
        database.execute("BEGIN IMMEDIATE")
        yield {name for (name,) in database.execute("SELECT name FROM segments")}
