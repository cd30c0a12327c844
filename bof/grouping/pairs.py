"""What was found out of pairs of pictures, kept beside the index: a run that was ended goes on, a grown collection
searches only with what is new. All of it can be found out again; the file may be deleted at any time.
"""

from __future__ import annotations

import json
import logging
import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bof.alignment.differences import Differences
from bof.alignment.first_look import Unlike
from bof.alignment.likeness import Likeness
from bof.alignment.photograph import ExactFit
from bof.errors import IndexStoreError
from bof.system.database import SUFFIXES, DamagedDatabaseError, open_database, require_tables
from bof.types import F64

FILE_NAME = "pairs.sqlite"
SETTINGS_VERSION = 4
"""Changes when pictures are searched with or compared otherwise: what was found before is found out again."""

_PATIENCE_S = 60.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS recipe (value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS asked (sha256 TEXT PRIMARY KEY, compared INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pairs (
    asked TEXT NOT NULL, found TEXT NOT NULL, n_inliers INTEGER NOT NULL, probability REAL NOT NULL,
    n_exact INTEGER NOT NULL, transform BLOB NOT NULL, exact BLOB, likeness TEXT,
    PRIMARY KEY (asked, found)) WITHOUT ROWID;
"""

log = logging.getLogger("bof")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two contents, by sha256, and how the second shows the first (see candidates.VerifiedCandidate).

    likeness: what their pixels say, None where they were not compared; is_unlike: a first look at them says that they
    are no copies, and nothing else was compared.
    """

    query: str
    found: str
    n_inliers: int
    probability: float
    n_exact: int
    transform: F64
    exact: F64 | None
    likeness: Likeness | None = None
    is_unlike: bool = False

    @property
    def fit(self) -> ExactFit:
        """How exactly the points agree."""
        return ExactFit(self.exact, self.n_exact, self.n_inliers)


class PairStore:
    """The pairs of one index; a context manager. Where nothing can be written they are kept in memory alone."""

    def __init__(self, folder: Path, facts: Mapping[str, object]) -> None:
        settings = json.dumps({"recipe": SETTINGS_VERSION, **facts}, sort_keys=True)
        self._path = folder / FILE_NAME
        self._database = _open(self._path, settings)

    @property
    def is_on_disk(self) -> bool:
        """Is what is found kept for the next run?"""
        (_, _, path) = self._database.execute("PRAGMA database_list").fetchone()
        return bool(path)

    def __enter__(self) -> PairStore:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    @contextmanager
    def _commit(self) -> Iterator[sqlite3.Connection]:
        """All that is done inside, or nothing. Raises IndexStoreError where the file or its disk fails."""
        try:
            with self._database:
                self._database.execute("BEGIN")
                yield self._database
        except sqlite3.Error as error:
            advice = "free some space or delete this file, and run it again: what it held is found again"
            raise IndexStoreError(str(error), path=self._path, advice=advice) from error

    def searched(self) -> dict[str, bool]:
        """The contents that were searched with, and whether all that they found was compared."""
        with self._commit() as database:
            return {sha256: bool(done) for sha256, done in database.execute("SELECT sha256, compared FROM asked")}

    def add(self, found: Iterable[tuple[str, Sequence[Pair]]]) -> None:
        """Contents that were searched with, each with what it found; one commit."""
        with self._commit() as database:
            for sha256, pairs in found:
                database.execute("INSERT OR REPLACE INTO asked VALUES (?, 0)", (sha256,))
                database.executemany("INSERT OR REPLACE INTO pairs VALUES (?,?,?,?,?,?,?,?)", map(_row, pairs))

    def compare(self, found: Iterable[tuple[str, Mapping[str, Likeness | Unlike | None]]]) -> None:
        """Contents whose pairs were compared, each with what was found out by content; one commit.

        A content stays to be compared where one of its pairs could not be.
        """
        with self._commit() as database:
            for sha256, likenesses in found:
                rows = [(_text(likeness), sha256, other) for other, likeness in likenesses.items() if likeness]
                database.executemany("UPDATE pairs SET likeness = ? WHERE asked = ? AND found = ?", rows)
                is_done = len(rows) == len(likenesses)
                database.execute("UPDATE asked SET compared = ? WHERE sha256 = ?", (is_done, sha256))

    def pairs(self, contents: set[str]) -> list[Pair]:
        """The pairs of which both are among these contents, in order."""
        with self._commit() as database:
            rows = database.execute("SELECT * FROM pairs ORDER BY asked, found")
            return [_pair(row) for row in rows if row[0] in contents and row[1] in contents]


def _row(pair: Pair) -> tuple[object, ...]:
    exact = None if pair.exact is None else _blob(pair.exact)
    numbers = pair.n_inliers, pair.probability, pair.n_exact
    known = Unlike.UNLIKE if pair.is_unlike else pair.likeness
    return pair.query, pair.found, *numbers, _blob(pair.transform), exact, known and _text(known)


def _pair(row: tuple[Any, ...]) -> Pair:
    """Raises DamagedDatabaseError where a cell is not what `_row` makes."""
    query, found, n_inliers, probability, n_exact, transform, exact, text = row
    try:
        if not (type(n_inliers) is type(n_exact) is int and type(probability) is float and math.isfinite(probability)):
            raise TypeError("numbers of another type")
        is_unlike = text == Unlike.UNLIKE.value
        likeness = None if text is None or is_unlike else _likeness(json.loads(text))
        place = _matrix(transform), None if exact is None else _matrix(exact)
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise DamagedDatabaseError("pairs as bof keeps them", error) from error
    return Pair(query, found, n_inliers, probability, n_exact, *place, likeness, is_unlike)


def _text(known: Likeness | Unlike) -> str:
    return known.value if isinstance(known, Unlike) else json.dumps(asdict(known))


def _likeness(fields: Any) -> Likeness:
    """Raises TypeError, ValueError, KeyError or AttributeError for what `_text` has not written."""
    found, differences = _numbers_of(fields), _numbers_of(fields["differences"])
    return Likeness(**found, differences=Differences(**differences))


def _numbers_of(fields: Any) -> dict[str, Any]:
    """Numbers, and pairs of numbers, by name."""
    found = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    found.pop("differences", None)
    for value in found.values():
        numbers = value if isinstance(value, tuple) else (value,)
        if not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
            raise TypeError("numbers of another type")
    return found


def _blob(matrix: F64) -> bytes:
    return matrix.astype("<f8").tobytes()


def _matrix(blob: bytes) -> F64:
    return np.frombuffer(blob, "<f8").astype(np.float64).reshape(3, 3)


def _open(path: Path, settings: str) -> sqlite3.Connection:
    try:
        try:
            return _connect(path, settings)
        except sqlite3.OperationalError:
            raise
        except (sqlite3.DatabaseError, ValueError) as error:
            for suffix in SUFFIXES:
                Path(f"{path}{suffix}").unlink(missing_ok=True)
            log.warning("%s: damaged (%s); started again", path, error)
            return _connect(path, settings)
    except (sqlite3.Error, OSError) as error:
        log.warning("%s: cannot be written (%s); what is found is not kept for the next run", path, error)
        return _connect(None, settings)


def _connect(path: Path | None, settings: str) -> sqlite3.Connection:
    """The tables of a file, or of memory alone."""
    database = open_database(path, "rwc", _PATIENCE_S) if path else sqlite3.connect(":memory:", isolation_level=None)
    try:
        database.executescript(_SCHEMA)
        require_tables(database, _SCHEMA)
        with database:
            database.execute("BEGIN")
            known = database.execute("SELECT value FROM recipe").fetchone()
            if known != (settings,):
                for table in ("recipe", "asked", "pairs"):
                    database.execute(f"DELETE FROM {table}")
                database.execute("INSERT INTO recipe VALUES (?)", (settings,))
            database.execute("SELECT asked.sha256, pairs.likeness FROM asked, pairs LIMIT 1").fetchone()
    except BaseException:
        database.close()
        raise
    return database
