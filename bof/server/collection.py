"""The index as the server sees it: one commit a request, following what other processes commit; facts of images."""

from __future__ import annotations

import copy
import hashlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from bof.engine import Engine
from bof.errors import BofError, IndexStoreError, MismatchError
from bof.images.decode import display_name, read_bytes
from bof.server.http.answers import when
from bof.server.http.problems import ProblemError, not_found
from bof.store import catalog, filters
from bof.store.catalog import ImageFacts
from bof.store.check import SEGMENTS, wrong_files
from bof.store.index import Index
from bof.store.metadata import TAG

log = logging.getLogger("bof")

FOLLOW_SECONDS = 0.5
"""What other processes have committed is seen after this long."""

_UNREADABLE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR}
"""What SQLite says of a catalogue that is damaged or gone."""

TITLE = "title"
"""The field that keeps the name which an uploaded file was given."""

_COLUMNS = "id, name, path, n_bytes, mtime_ns, sha256, width, height, n_features"


@dataclass(frozen=True, slots=True)
class ImageFact(ImageFacts):
    """One image of the index by its id, and what was said of it."""

    id: int
    fields: dict[str, list[str]]

    @property
    def version(self) -> str:
        """What of the content's hash is told."""
        return self.sha256[:16]

    @property
    def tags(self) -> list[str]:
        """Its tags."""
        return self.fields.get(TAG, [])


@dataclass(frozen=True, slots=True)
class Selection:
    """Which images, in which order, and which of these."""

    where: str = ""
    text: str = ""
    newest: bool = False
    offset: int = 0
    limit: int = 50


class Collection:
    """Hands out the engine as of one commit, and reads the catalogue. Safe from any thread."""

    def __init__(self, engine: Engine, uploads: Path) -> None:
        self._engine = engine
        self.folder, self.uploads = engine.folder, Path(os.path.abspath(uploads))
        self._refreshing = threading.Lock()
        self._checked = 0.0
        self._identity = self._identify()
        self._trouble = ""
        self.refresh()

    def now(self) -> Engine:
        """The engine as of the newest commit that is known here: whoever has it keeps that commit.

        While one thread opens a new commit, the others go on with the old one. Raises ProblemError, no-index, where the
        index was deleted or damaged.
        """
        if time.monotonic() - self._checked >= FOLLOW_SECONDS and self._refreshing.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._refreshing.release()
        if self._trouble:
            raise self._unreadable(self._trouble)
        return copy.copy(self._engine)

    def trouble_after(self, error: Exception) -> ProblemError | None:
        """The problem, no-index, where a request failed with this error because the index was deleted or damaged."""
        if getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF in _UNREADABLE:
            return self._unreadable(str(error))
        with self._refreshing:
            self._look()
        return self._unreadable(self._trouble) if self._trouble else None

    def _look(self) -> None:
        """See what has been committed, and whether the files are there that the catalogue names, in their sizes."""
        before = self._trouble
        try:
            self._follow()
            self._trouble = self._wrong_file()
        except (BofError, OSError) as error:
            self._trouble = str(error)
        self._checked = time.monotonic()
        if self._trouble and self._trouble != before:
            log.error("the index cannot be read: %s", self._trouble)

    def _follow(self) -> None:
        """See the newest commit, also of another index in this one's place. Raises MismatchError unless it fits."""
        if (found := self._identify()) != self._identity:
            index = Index.open(self.folder)
            index.require(self._engine.vocabulary)
            if index.features != self._engine.features:
                raise MismatchError(
                    path=self.folder, expected=self._engine.features, found=f"an index with {index.features}",
                    advice="restart the server",
                )  # fmt: skip
            self._engine.close()
            self._identity = found
        self._engine.refresh()

    def _identify(self) -> tuple[int, int]:
        """Which file the catalogue is: commits leave it, another index has another."""
        status = os.stat(self.folder / catalog.FILE_NAME)
        return status.st_dev, status.st_ino

    def _wrong_file(self) -> str:
        with catalog.reading(self.folder) as database:
            for row in catalog.read_segments(database):
                for reason in wrong_files(self.folder / SEGMENTS / row.name, row, contents=False):
                    return reason
        return ""

    def _unreadable(self, reason: str) -> ProblemError:
        return ProblemError("no-index", reason.replace(str(self.folder), "the index"))

    def refresh(self) -> None:
        """See at once what has been committed."""
        with self._refreshing:
            self._follow()
            self._checked = time.monotonic()

    def facts(self, numbers: Sequence[int]) -> dict[int, ImageFact]:
        """Images by id; those that are not in the index are left out."""
        marks = ",".join("?" * len(numbers))
        with catalog.reading(self.folder) as database:
            query = f"SELECT {_COLUMNS} FROM images WHERE deleted = 0 AND id IN ({marks})"
            rows = database.execute(query, list(numbers)).fetchall()
            return {fact.id: fact for fact in _with_fields(database, rows)}

    def fact(self, number: int) -> ImageFact:
        """One image. Raises ProblemError, not-found."""
        found = self.facts([number])
        if not found:
            raise not_found(f"image {number}")
        return found[number]

    def facts_at(self, paths: Iterable[str]) -> list[ImageFact]:
        """The images of some files."""
        with catalog.reading(self.folder) as database:
            query = f"SELECT {_COLUMNS} FROM images WHERE deleted = 0 AND path = ?"
            rows = [row for path in paths for row in database.execute(query, (os.fsencode(path),))]
            return _with_fields(database, rows)

    def select(self, chosen: Selection) -> tuple[int, list[ImageFact]]:
        """How many images are meant, and a page of them. Raises OptionError for a condition without sense."""
        condition, parameters = filters.compile_where(chosen.where) if chosen.where else ("1", [])
        if chosen.text:
            condition = f"({condition}) AND id IN (SELECT rowid FROM texts WHERE texts MATCH ?)"
            parameters = [*parameters, filters.compile_text(chosen.text)]
        order = "id DESC" if chosen.newest else "name"
        with catalog.reading(self.folder) as database:
            if (chosen.where or chosen.text) and not catalog.has_metadata(database):
                raise IndexStoreError(f"{self.folder}: expected metadata, found none; any change of the index adds it")
            filters.register(database)
            source = f"FROM images WHERE deleted = 0 AND ({condition})"
            (total,) = database.execute(f"SELECT count(*) {source}", parameters).fetchone()
            page = f"SELECT {_COLUMNS} {source} ORDER BY {order} LIMIT ? OFFSET ?"
            rows = database.execute(page, [*parameters, chosen.limit, chosen.offset]).fetchall()
            return total, _with_fields(database, rows)

    def content(self, fact: ImageFact) -> bytes:
        """The file of an image, if it still is what was indexed. Raises ProblemError, gone."""
        try:
            data = read_bytes(Path(fact.path)) if os.stat(fact.path).st_size == fact.n_bytes else b""
        except (OSError, BofError):
            data = b""
        if hashlib.sha256(data).hexdigest() != fact.sha256:
            raise ProblemError("gone", f"expected image {fact.id} as it was indexed, found its file gone or changed")
        return data

    def is_uploaded(self, path: str) -> bool:
        """Did this server put the file there?"""
        return Path(path).parent == self.uploads

    def name_of(self, fact: ImageFact) -> str:
        """What to show: the name that an upload was given, else the catalogue's."""
        given = fact.fields.get(TITLE)
        return given[0] if given and self.is_uploaded(fact.path) else display_name(fact.name)

    def describe(self, fact: ImageFact) -> dict[str, Any]:
        """An image as the API tells of it."""
        return {
            "id": fact.id, "name": self.name_of(fact), "file_name": display_name(fact.name), "version": fact.version,
            "width": fact.width, "height": fact.height, "n_features": fact.n_features, "n_bytes": fact.n_bytes,
            "modified": when(fact.mtime_ns / 1e9), "tags": fact.tags,
            "fields": {key: values for key, values in fact.fields.items() if key != TAG},
            "uploaded": self.is_uploaded(fact.path),
        }  # fmt: skip


def _with_fields(database: Connection, rows: Sequence[tuple[Any, ...]]) -> list[ImageFact]:
    fields: dict[bytes, dict[str, list[str]]] = {row[2]: {} for row in rows}
    if catalog.has_metadata(database):
        query = "SELECT key, value FROM metadata WHERE path = ? ORDER BY key, value"
        for path, said in fields.items():
            for key, value in database.execute(query, (path,)):
                said.setdefault(key, []).append(value)
    return [
        ImageFact(*(os.fsdecode(name), os.fsdecode(path), *rest, number, fields[path]))
        for number, name, path, *rest in rows
    ]


def all_of(where: str, tags: Iterable[str], folder: str) -> str:
    """One condition of the filters that a request may have. Raises OptionError for a condition without sense."""
    if where.strip():
        filters.compile_where(where)  # what is no condition of its own must not become one in parentheses
    parts = [f"({where})"] if where.strip() else []
    parts += [f"{TAG} = {quoted(tag)}" for tag in tags if tag]
    parts += [f"folder = {quoted(folder)}"] if folder else []
    return " and ".join(parts)


def quoted(value: str) -> str:
    """Text as a condition has it."""
    return "'" + value.replace("'", "''") + "'"
