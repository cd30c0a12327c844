"""The watch-list in an index's folder: pictures, how far the index was compared with them, and hits; one SQLite file.

Which pictures of the index were compared is one number, the highest id so far. It moves in the transaction that records
the hits: a process that is killed has done both or neither, and of two processes the second finds that it has moved.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from bof.errors import OptionError
from bof.standing_queries.types import WatchedPicture, WatchHit
from bof.store.side_database import SideDatabase
from bof.system.database import DamagedDatabaseError
from bof.types import Verdict

FILE_NAME = "watched.sqlite"
MAX_WATCHED = 1000
MAX_BYTES = 32 << 20
"""Of a watched picture's file."""

MAX_NAME, MAX_NOTE = 200, 2000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS watched (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, note TEXT NOT NULL, sha256 TEXT NOT NULL,
    created REAL NOT NULL, since INTEGER NOT NULL, picture BLOB NOT NULL, words BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS hits (
    number INTEGER PRIMARY KEY AUTOINCREMENT, watched INTEGER NOT NULL, image INTEGER NOT NULL, name BLOB NOT NULL,
    path BLOB NOT NULL, sha256 TEXT NOT NULL, verdict TEXT NOT NULL, score REAL NOT NULL, probability REAL,
    n_inliers INTEGER NOT NULL, found REAL NOT NULL, UNIQUE (watched, image));
CREATE TABLE IF NOT EXISTS compared (last INTEGER NOT NULL);
"""
_FILE = SideDatabase(
    FILE_NAME,
    _SCHEMA,
    "the watch-list",
    "make the folder writable, or restore the file from a copy (without it nothing is watched)",
)
_WATCHED = "SELECT id, name, note, sha256, created, since, (SELECT count(*) FROM hits h WHERE h.watched = w.id)"
_HIT = "SELECT number, watched, image, name, path, sha256, verdict, score, probability, n_inliers, found FROM hits"
_VERDICTS = frozenset(get_args(Verdict))


@dataclass(frozen=True, slots=True)
class WatchList:
    """The watch-list of an index. folder: the index's. Raises IndexStoreError where it cannot be read or written."""

    folder: Path

    # -- Watched pictures ---------------------------------------------------------------------------------------------

    def add(
        self, name: str, note: str, sha256: str, since: int, picture: bytes, words: bytes, created: float | None = None
    ) -> WatchedPicture:
        """Watch a picture; images of higher ids than `since` are compared with it. Raises OptionError for too much.

        created: when it was watched first, None: now.
        """
        _require(name, note, picture)
        with self._changing() as database:
            (n,) = database.execute("SELECT count(*) FROM watched").fetchone()
            if n >= MAX_WATCHED:
                raise OptionError("picture", expected=f"at most {MAX_WATCHED} watched pictures", found=f"{n} of them")
            if not n:  # what came while nobody watched is not compared
                _set_last_compared(database, since)
            row = name, note, sha256, time.time() if created is None else created, since, picture, words
            names = "name, note, sha256, created, since, picture, words"
            number = database.execute(f"INSERT INTO watched ({names}) VALUES (?, ?, ?, ?, ?, ?, ?)", row).lastrowid
        return WatchedPicture(int(number or 0), *row[:5])

    def remove(self, numbers: Sequence[int]) -> int:
        """Watch these no more, and forget their hits; returns how many of them there were."""
        with self._changing() as database:
            rows = [(number,) for number in numbers]
            database.executemany("DELETE FROM hits WHERE watched = ?", rows)
            return database.executemany("DELETE FROM watched WHERE id = ?", rows).rowcount

    def pictures(self) -> list[WatchedPicture]:
        """All of them, the last added first."""
        with self._reading() as database:
            rows = database.execute(f"{_WATCHED} FROM watched w ORDER BY id DESC").fetchall() if database else []
            return [WatchedPicture(*_checked(row, int, str, str, str, float, int, int)) for row in rows]

    def get(self, number: int) -> WatchedPicture | None:
        """One of them; None where there is none."""
        with self._reading() as database:
            query = f"{_WATCHED} FROM watched w WHERE id = ?"
            row = database.execute(query, (number,)).fetchone() if database else None
            return WatchedPicture(*_checked(row, int, str, str, str, float, int, int)) if row else None

    def picture(self, number: int) -> bytes | None:
        """The file of one; None where there is none."""
        return self._blob("picture", number)

    def words(self, number: int) -> bytes | None:
        """What it is looked up by: see `WatchedWords.pack`."""
        return self._blob("words", number)

    def _blob(self, column: str, number: int) -> bytes | None:
        with self._reading() as database:
            query = f"SELECT {column} FROM watched WHERE id = ?"
            row = database.execute(query, (number,)).fetchone() if database else None
            return _checked(row, bytes)[0] if row else None

    # -- Hits ---------------------------------------------------------------------------------------------------------

    def hits(self, after: int = 0, limit: int = -1, watched: int | None = None) -> list[WatchHit]:
        """Hits with higher numbers, in their order; of one watched picture, or of all. limit: -1: all."""
        condition, parameters = (
            ("number > ?", (after,)) if watched is None else ("number > ? AND watched = ?", (after, watched))
        )
        with self._reading() as database:
            query = f"{_HIT} WHERE {condition} ORDER BY number LIMIT ?"
            rows = database.execute(query, (*parameters, limit)).fetchall() if database else []
            return [_hit(row) for row in rows]

    def last_compared(self) -> int | None:
        """The highest id of the index whose image was compared; None where nothing is watched."""
        with self._reading() as database:
            if database is None or not database.execute("SELECT 1 FROM watched LIMIT 1").fetchone():
                return None
            return _last_compared(database)

    def record(self, before: int, last: int, hits: Sequence[WatchHit]) -> bool:
        """Record hits of the images after `before` up to `last`, whose numbers are given here, and that these were
        compared. False where another process has done so meanwhile: then nothing is recorded.
        """
        with self._changing() as database:
            if _last_compared(database) != before:
                return False
            database.executemany(
                "INSERT OR IGNORE INTO hits"
                " (watched, image, name, path, sha256, verdict, score, probability, n_inliers, found)"
                " SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM watched WHERE id = ?)",
                [(*_row(hit), hit.watched) for hit in hits],
            )
            _set_last_compared(database, last)
        return True

    # -- The file -----------------------------------------------------------------------------------------------------

    def _changing(self) -> AbstractContextManager[sqlite3.Connection]:
        return _FILE.connected(self.folder, write=True)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection | None]:
        """None where nothing was ever watched."""
        if not _FILE.exists(self.folder):
            yield None
            return
        with _FILE.connected(self.folder, write=False) as database:
            yield database


def _require(name: str, note: str, picture: bytes) -> None:
    for option, text, most in (("name", name, MAX_NAME), ("note", note, MAX_NOTE)):
        if len(text) > most:
            raise OptionError(option, expected=f"at most {most} characters", found=f"{len(text)}")
    if len(picture) > MAX_BYTES:
        raise OptionError("picture", expected=f"a file of at most {MAX_BYTES} bytes", found=f"{len(picture)}")


def _checked(row: Sequence[Any], *kinds: type) -> Sequence[Any]:
    """The cells of a row. Raises DamagedDatabaseError where one is of another kind."""
    for cell, kind in zip(row, kinds, strict=True):
        if type(cell) is not kind:
            raise DamagedDatabaseError(f"{kind.__name__} in a cell of the watch-list", type(cell).__name__)
    return row


def _hit(row: Sequence[Any]) -> WatchHit:
    probability = float if row[8] is not None else type(None)
    _checked(row, int, int, int, bytes, bytes, str, str, float, probability, int, float)
    if row[6] not in _VERDICTS:
        raise DamagedDatabaseError("a verdict in the watch-list", repr(row[6])[:40])
    number, watched, image, name, path, sha256, verdict, score, found_probability, n_inliers, found = row
    names = os.fsdecode(name), os.fsdecode(path)
    return WatchHit(number, watched, image, *names, sha256, verdict, score, found_probability, n_inliers, found)


def _row(hit: WatchHit) -> tuple[Any, ...]:
    return (
        hit.watched, hit.image, os.fsencode(hit.name), os.fsencode(hit.path), hit.sha256, hit.verdict,
        float(hit.score), None if hit.probability is None else float(hit.probability), hit.n_inliers, hit.found,
    )  # fmt: skip


def _last_compared(database: sqlite3.Connection) -> int:
    row = database.execute("SELECT max(last) FROM compared").fetchone()
    return int(_checked(row, int)[0])


def _set_last_compared(database: sqlite3.Connection, last: int) -> None:
    database.execute("DELETE FROM compared")
    database.execute("INSERT INTO compared VALUES (?)", (last,))
