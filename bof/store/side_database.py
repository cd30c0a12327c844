"""A SQLite file beside the catalogue, for what no commit makes: what a person has said of pictures, or watches."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bof.errors import IndexStoreError
from bof.system.database import open_database, require_tables
from bof.system.locking import require_changeable

_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class SideDatabase:
    """One kind of such a file. schema: the statements that make its tables; holds, advice: for errors."""

    name: str
    schema: str
    holds: str
    advice: str

    def exists(self, folder: Path) -> bool:
        """Was anything ever written?"""
        return os.path.lexists(folder / self.name)

    @contextmanager
    def connected(self, folder: Path, *, write: bool) -> Iterator[sqlite3.Connection]:
        """A transaction on the file in an index folder, which is made where it is written first.

        Raises IndexStoreError where the file is damaged, or cannot be written: what a person said is not passed over.
        """
        path = folder / self.name
        if write:
            require_changeable(folder)
        try:
            database = open_database(path, _mode(path, write=write), _PATIENCE_S)
            try:
                with database:
                    if write:
                        database.execute("PRAGMA synchronous = EXTRA")
                    database.execute("BEGIN IMMEDIATE" if write else "BEGIN")
                    for statement in self.schema.split(";\n") if write else ():
                        database.execute(statement)
                    require_tables(database, self.schema)
                    yield database
            finally:
                database.close()
        except sqlite3.Error as error:
            raise IndexStoreError(path=path, expected=self.holds, found=error, advice=self.advice) from error


def _mode(path: Path, *, write: bool) -> str:
    """A reader opens for writing too where it may: only so can SQLite roll back what a crash cut short."""
    return "rwc" if write else "rw" if os.access(path, os.W_OK) else "ro"
