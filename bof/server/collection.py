"""The index as the server sees it: one commit a request, following what other processes commit; facts of images."""

from __future__ import annotations

import copy
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from bof.engine import Engine
from bof.errors import BofError, MismatchError, display_name
from bof.images.address import Address, file_of, is_part
from bof.native.mapped_file import ShrunkFileError
from bof.retrieval.indexed_pictures import MAX_BYTES, read_as_indexed
from bof.server.http.problems import ProblemError, not_found
from bof.store import catalog
from bof.store.catalog import TAG, TITLE, Fields, ImageRecord, Selection, compile_where
from bof.store.index import Index
from bof.system.database import DamagedDatabaseError
from bof.system.units import when

log = logging.getLogger("bof")

Commit = tuple[int, int, int]
"""Device and number of the catalogue's file, and the commit's number in it."""

FOLLOW_SECONDS = 0.5
"""What other processes have committed is seen after this long."""

_UNREADABLE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR}
"""What SQLite says of a catalogue that is damaged or gone."""


class ServedCollection:
    """Hands out the engine as of one commit, and reads the catalogue. Safe from any thread."""

    def __init__(self, engine: Engine, uploads: Path) -> None:
        self._engine = engine
        self.select, self.select_ids = engine.select, engine.select_ids
        self.uploads = Path(os.path.abspath(uploads))
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
        if self.is_due and self._refreshing.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._refreshing.release()
        self.require()
        return copy.copy(self._engine)

    @property
    def folder(self) -> Path:
        """Where the index lies: of a published index each publication has a folder of its own."""
        return self._engine.folder

    @property
    def is_due(self) -> bool:
        """Is it time to look whether others have committed?"""
        return time.monotonic() - self._checked >= FOLLOW_SECONDS

    def require(self) -> None:
        """Raises ProblemError, no-index, where the index was found deleted or damaged."""
        if self._trouble:
            raise self._unreadable(self._trouble)

    def trouble_after(self, error: Exception) -> ProblemError | None:
        """The problem, no-index, where a request failed with this error because the index was deleted or damaged."""
        cause = error.__cause__
        if isinstance(cause, DamagedDatabaseError) or getattr(cause, "sqlite_errorcode", 0) & 0xFF in _UNREADABLE:
            return self._unreadable(str(error))
        with self._refreshing:
            self._look()
        if not self._trouble and isinstance(error, ShrunkFileError):  # the file is back, and was opened again
            return self._unreadable(str(error))
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
        return next(self._engine.index.wrong_sizes(), "")

    def _unreadable(self, reason: str) -> ProblemError:
        return ProblemError("no-index", reason.replace(str(self.folder), "the index"))

    def commit_of(self, engine: Engine) -> Commit:
        """Which commit of which index an engine has."""
        return (*self._identity, engine.generation)

    def refresh(self) -> None:
        """See at once what has been committed."""
        with self._refreshing:
            self._follow()
            self._checked = time.monotonic()

    @property
    def roots(self) -> list[Path]:
        """The folders that are indexed."""
        return self._engine.roots

    def record(self, number: int) -> ImageRecord:
        """One image. Raises ProblemError, not-found."""
        found = self.select(ids=[number]).records
        if not found:
            raise not_found(f"image {number}")
        return found[0]

    def ids_of_content(self, sha256: str) -> list[int]:
        """The ids of the images whose files have this content."""
        return [number for number, _ in self.ids_of_contents([sha256])]

    def ids_of_contents(self, contents: Iterable[str]) -> list[tuple[int, str]]:
        """The id and the content of each image whose file has one of these, by id."""
        ordered = sorted(contents)
        return self._engine.index.ids_of_contents(ordered) if ordered else []

    def count_values(self, key: str, ids: Collection[int]) -> dict[str, int]:
        """How many of some images have each value of a field, or lie in each first folder of a name."""
        return self._engine.index.count_values(key, ids)

    def records(self, numbers: Sequence[int]) -> list[ImageRecord]:
        """These images, in this order. Raises ProblemError, not-found, where one is not there."""
        found = {record.id: record for record in self.select(ids=numbers).records}
        lacking = [number for number in numbers if number not in found]
        if lacking:
            more = f" and {len(lacking) - 1} more" if lacking[1:] else ""
            raise not_found(f"image {lacking[0]}{more}")
        return [found[number] for number in numbers]

    def ids_at(self, paths: Iterable[str]) -> dict[str, int]:
        """The ids of the images of some files, by path, in the order of the paths; of a file with parts, of each."""
        paths = list(paths)
        ids = {record.path: record.id for record in self.select(paths=paths).records}
        return {path: ids[path] for path in paths if path in ids} | {
            record.path: record.id for path in paths if path not in ids for record in self.parts_of(path)
        }

    def parts_of(self, path: str) -> list[ImageRecord]:
        """The images that are parts of a file. Reads every row of the catalogue."""
        found = self.select(f"folder = {quoted(path)}").records
        return [record for record in found if is_part(record.path) and file_of(record.path) == path]

    def content(self, image: ImageRecord) -> bytes:
        """The file of an image, if it still is what was indexed. Raises ProblemError, gone."""
        try:
            data = read_as_indexed(image, self.folder, image.n_bytes if not is_part(image.path) else MAX_BYTES)
        except BofError:
            data = None
        if data is None:
            raise ProblemError("gone", f"expected image {image.id} as it was indexed, found its file gone or changed")
        return data

    def is_uploaded(self, path: str) -> bool:
        """Did this server put the file there?"""
        return Path(file_of(path)).parent == self.uploads

    def name_of(self, image: ImageRecord, fields: Fields) -> str:
        """What to show: the name that an upload was given, else the catalogue's."""
        given = fields.get(TITLE)
        return given[0] if given and self.is_uploaded(image.path) else display_name(image.name)

    def show(self, number: int) -> dict[str, Any]:
        """An image as the API reports it. Raises ProblemError, not-found."""
        found = self.show_all(self.select(ids=[number]))
        if not found:
            raise not_found(f"image {number}")
        return found[0]

    def show_all(self, selection: Selection) -> list[dict[str, Any]]:
        """Images as the API reports them."""
        return [self._show(image, selection.fields[image.id]) for image in selection.records]

    def show_contents(self, contents: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
        """The images of some contents as the API reports them, by SHA-256; a content that the index lacks has none."""
        ids = dict(self.ids_of_contents(set(contents)))
        found: dict[str, list[dict[str, Any]]] = {}
        for one in self.show_all(self.select(ids=list(ids))):
            found.setdefault(ids[one["id"]], []).append(one)
        return found

    def fields_of(self, images: Iterable[ImageRecord]) -> dict[str, Fields]:
        """What some images are annotated with, tags included, by path."""
        found = self.select(ids=[image.id for image in images])
        return {record.path: found.fields[record.id] for record in found.records}

    def _show(self, image: ImageRecord, fields: Fields) -> dict[str, Any]:
        return {
            "id": image.id, "name": self.name_of(image, fields), "file_name": display_name(image.name),
            "version": version_of(image), "width": image.width, "height": image.height,
            "n_features": image.n_features, "n_bytes": image.n_bytes, "modified": when(image.mtime_ns / 1e9),
            "tags": list(fields.get(TAG, [])), "fields": {key: fields[key] for key in fields if key != TAG},
            "uploaded": self.is_uploaded(image.path), "part": Address.parse(image.path).part,
        }  # fmt: skip


def version_of(image: ImageRecord) -> str:
    """What of the content's hash is reported."""
    return image.sha256[:16]


def all_of(where: str, tags: Iterable[str], folder: str) -> str:
    """One condition of the filters that a request may have. Raises OptionError for a condition without sense."""
    if where.strip():
        compile_where(where)  # what is no condition of its own must not become one in parentheses
    parts = [f"({where})"] if where.strip() else []
    parts += [f"{TAG} = {quoted(tag)}" for tag in tags if tag]
    parts += [f"folder = {quoted(folder)}"] if folder else []
    return " and ".join(parts)


def quoted(value: str) -> str:
    """Text as a condition has it."""
    return "'" + value.replace("'", "''") + "'"
