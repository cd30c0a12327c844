"""Catalogues as a stranger or a failing disk leaves them: cells, schemas."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bof.store import catalog
from bof.store.catalog import checksums


@contextmanager
def opened(folder: Path) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(folder / catalog.FILE_NAME, isolation_level=None)
    try:
        yield database
    finally:
        database.close()


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
