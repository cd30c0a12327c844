"""What other machines have answered, so that they need not send it again: INDEX/iiif.sqlite, which may be deleted."""

from __future__ import annotations

import sqlite3
import zlib
from dataclasses import dataclass
from pathlib import Path

from bof.errors import IndexStoreError
from bof.iiif.json_values import MOST_BYTES
from bof.system.database import DamagedDatabaseError, open_database, require_tables

FILE_NAME = "iiif.sqlite"

_PATIENCE_S = 60.0
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS answers (url TEXT PRIMARY KEY, etag TEXT, modified TEXT, sha256 TEXT, body BLOB)"
    " WITHOUT ROWID"
)
_COLUMNS = "etag, modified, sha256, body"


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer: the header fields ETag and Last-Modified, "" where there were none, and the SHA-256 of the content.

    body: the content itself, if it is no picture.
    """

    etag: str
    modified: str
    sha256: str
    body: bytes | None = None

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What asks for the content only if it is another now."""
        fields = {"If-None-Match": self.etag, "If-Modified-Since": "" if self.etag else self.modified}
        return [(name, value) for name, value in fields.items() if value]


class Answers:
    """The answers that are remembered beside an index. Use it as a context manager."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    @classmethod
    def open(cls, folder: Path) -> Answers:
        """Of the index in a folder; a file that is damaged is begun anew. Raises IndexStoreError."""
        path = folder / FILE_NAME
        try:
            return cls(_opened(path))
        except DamagedDatabaseError as error:
            raise IndexStoreError(str(error), path=path, advice="delete it: it is derived") from error
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise IndexStoreError(str(error), path=path) from error
            path.unlink()
            return cls(_opened(path))

    def __enter__(self) -> Answers:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def find(self, url: str) -> Remembered | None:
        """What a URL has answered, if that is remembered whole."""
        row = self._run(f"SELECT {_COLUMNS} FROM answers WHERE url = ?", (url,)).fetchone()
        if row is None or not all(isinstance(cell, str) for cell in row[:3]):
            return None
        etag, modified, sha256, packed = row
        body = None if packed is None else _unpacked(packed)
        return Remembered(etag, modified, sha256, body) if packed is None or body is not None else None

    def remember(self, url: str, answer: Remembered) -> None:
        """From now on a URL has answered this."""
        body = None if answer.body is None else zlib.compress(answer.body, 1)
        row = url, answer.etag, answer.modified, answer.sha256, body
        self._run("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", row)

    def _run(self, statement: str, values: tuple[object, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._database.execute(statement, values)
        except sqlite3.Error as error:
            advice = f"delete {FILE_NAME} beside the index's catalogue: it is derived"
            raise IndexStoreError(str(error), path=FILE_NAME, advice=advice) from error


def _unpacked(packed: object) -> bytes | None:
    """A content that was packed; None where it is not whole, or larger than any that is read."""
    inflater = zlib.decompressobj()
    try:
        body = inflater.decompress(packed, MOST_BYTES)  # type: ignore[arg-type]
    except (zlib.error, TypeError):
        return None
    return body if inflater.eof else None


def _opened(path: Path) -> sqlite3.Connection:
    database = open_database(path, "rwc", _PATIENCE_S)
    try:
        database.execute("PRAGMA synchronous = OFF")  # what a power cut damages is begun anew
        database.execute(_SCHEMA)
        require_tables(database, _SCHEMA)
    except BaseException:
        database.close()
        raise
    return database
