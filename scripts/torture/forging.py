"""Catalogues as a stranger or a failing disk leaves them: cells, schemas."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bof.store import catalog
from bof.store.catalog import checksums
from bof.system.database import DamagedDatabaseError


@contextmanager
def opened(folder: Path) -> Iterator[sqlite3.Connection]:
    """A connection in autocommit mode, closed in the end."""
    database = sqlite3.connect(folder / catalog.FILE_NAME, isolation_level=None)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def forging(folder: Path) -> Iterator[sqlite3.Connection]:
    """Whatever is changed inside gets checksums that agree, where cells that cannot be summed do not prevent it."""
    with opened(folder) as database:
        yield database
        with suppress(DamagedDatabaseError, sqlite3.Error, UnicodeError):
            checksums.seal(database)


def agree(folder: Path, path: Path) -> None:
    """The catalogue says of a segment's file what it is now; of one that is larger than 1 GB only how large."""
    n_bytes, sha256 = path.stat().st_size, "0" * 64
    if n_bytes <= 1 << 30:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    with forging(folder) as database:
        where = "name = ? AND segment = (SELECT number FROM segments WHERE name = ?)"
        values = n_bytes, sha256, path.name, path.parent.name
        database.execute(f"UPDATE files SET n_bytes = ?, sha256 = ? WHERE {where}", values)


def files_below(folder: Path) -> list[Path]:
    """Every regular file of an index, in order; no link is followed."""
    found = [Path(root) / name for root, _, names in os.walk(folder) for name in names]
    return sorted(path for path in found if path.is_file() and not path.is_symlink())


def arrays_below(folder: Path) -> list[Path]:
    """The files of the segments, in order."""
    return sorted((folder / "segments").glob("*/*.npy"))


def damage(folder: Path, *statements: str) -> None:
    """What a failing disk does: the checksums stay as they were."""
    with opened(folder) as database:
        for statement in statements:
            database.execute(statement)


def forge(folder: Path, *statements: str) -> None:
    """What a stranger does who knows of the checksums."""
    damage(folder, *statements)
    with opened(folder) as database:
        checksums.seal(database)


def age(folder: Path) -> Path:
    """A catalogue of format 2, which has no checksums."""
    damage(folder, "DROP TABLE checksums", "UPDATE meta SET value = '2' WHERE key = 'format'")
    return folder


def rewrite_schema(folder: Path, change: Callable[[str, str], str]) -> dict[str, str]:
    """Put other texts into the schema, each made of a name and its text; returns those that were there."""
    with opened(folder) as database:
        texts = dict(database.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
        database.execute("PRAGMA writable_schema = ON")
        for name, sql in texts.items():
            database.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (change(name, sql), name))
    return texts


def columns_of(folder: Path) -> list[tuple[str, str]]:
    """Every column of every table, those included in which SQLite keeps the words of texts."""
    with opened(folder) as database:
        query = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
        return [pair for pair in database.execute(query) if pair[0] != "texts"]


def set_cell(folder: Path, table: str, column: str, row: int, expression: str, *values: Any) -> bool:
    """Change one cell to anything, whatever the schema says; returns whether that could be done."""
    strict = rewrite_schema(folder, lambda _, sql: re.sub(r" (INTEGER|TEXT|BLOB) NOT NULL", "", sql))
    try:
        with opened(folder) as database:
            found = database.execute(f"SELECT * FROM {table}")
            names, rows = [each[0] for each in found.description], found.fetchall()
            where = " AND ".join(f"{name} IS ?" for name in names)
            cells = rows[row % len(rows)]
            database.execute(f"UPDATE {table} SET {column} = {expression} WHERE {where}", (*values, *cells))
            return True
    except sqlite3.IntegrityError:
        return False
    finally:
        rewrite_schema(folder, lambda name, _: strict[name])
