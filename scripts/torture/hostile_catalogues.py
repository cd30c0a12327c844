"""Hostile indexes: SQLite files with other cells, rows, schemas, pages and journals; and facts that make no sense."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.torture.forging import columns_of, forging, opened, set_cell
from scripts.torture.hostile_places import canary_of
from scripts.torture.npy import Rng, with_flipped_bit

_VALUES: list[tuple[str, Any]] = [
    ("NULL", None), ("-1", None), ("0", None), ("1", None), ("2147483647", None), ("4294967296", None),
    ("9223372036854775807", None), ("-9223372036854775808", None), ("1.5", None), ("9e999", None), ("''", None),
    ("x''", None), ("'a'", None), ("x'ff00'", None), ("CAST(x'ff' AS TEXT)", None), ("'1' || char(0)", None),
    ("zeroblob(100000)", None), ("zeroblob(90000000)", None), ("?", "../../canary/secret"), ("?", "x" * 100000),
    ("?", "[" * 100000), ("'{}'", None), ("'[]'", None), ("'null'", None), ("'\"a\"'", None), ("'1e999'", None),
]  # fmt: skip

_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"
_IMAGES = (
    f"CREATE VIEW images AS {_ENDLESS} i id, x'61' name, x'61' path, i n_bytes, i mtime_ns, 'a' sha256, 9 width, "
    "9 height, 0 n_features, 1 segment, i position, 0 deleted FROM n"
)
_SCHEMAS = (
    "CREATE TRIGGER t AFTER UPDATE ON images BEGIN DELETE FROM meta; END",
    "CREATE TRIGGER t AFTER INSERT ON segments BEGIN UPDATE segments SET name = '../../canary'; END",
    "CREATE TRIGGER t BEFORE DELETE ON files BEGIN SELECT hex(zeroblob(500000000)); END",
    "CREATE VIEW v AS SELECT 1",
    f"ALTER TABLE images RENAME TO those; {_IMAGES}",
    f"ALTER TABLE meta RENAME TO those; CREATE VIEW meta AS {_ENDLESS} 'k' || i key, '1' value FROM n",
    f"ALTER TABLE files RENAME TO those; CREATE VIEW files AS {_ENDLESS} 1 segment, 'a.npy' name, 1 n_bytes, 'a' sha256"
    " FROM n",
    "CREATE TABLE more (x)",
    "CREATE INDEX more ON images (width)",
    "CREATE INDEX more ON images (hex(zeroblob(100000000)))",
    "DROP INDEX live_path",
    "DROP TABLE files",
    "DROP TABLE checksums",
    "DROP TABLE texts",
    "ALTER TABLE images DROP COLUMN mtime_ns",
    "ALTER TABLE segments ADD COLUMN more",
    "ALTER TABLE images ADD COLUMN more AS (hex(zeroblob(1000000000)))",
    "ALTER TABLE segments ADD COLUMN more TEXT DEFAULT 'x'",
    "DROP TABLE texts; CREATE VIRTUAL TABLE texts USING fts5(text)",
    "DROP TABLE texts; CREATE VIRTUAL TABLE texts USING fts5(text, content = 'meta')",
    "PRAGMA journal_mode = WAL",
    "PRAGMA user_version = -1",
    "PRAGMA application_id = 7",
    "UPDATE meta SET value = '99' WHERE key = 'format'",
    "CREATE TABLE catalog2 AS SELECT * FROM images",
    "DROP TABLE checksums; UPDATE meta SET value = '2' WHERE key = 'format'",
)
_FACTS: list[Any] = [
    None, True, -1, 0, 1, 7, 1 << 70, 1e308, float("nan"), "", "x" * 1000, "../canary", "/dev/zero", [], {}, [[]],
    ["/"], ["hash"], ["embedding"], ["color", "hash"], ["../canary"], [1], {"a": 1}, {"path": 7}, {"max_side": -1},
    {"path": "/dev/zero", "options": {}, "facts": {}}, {"path": "m", "options": {"more": 1}, "facts": {}}, "\0", 99, 2,
]  # fmt: skip
_OTHERS = ("pairs.sqlite", "rejected.sqlite", "judgments.sqlite")


def _cell(rng: Rng, folder: Path) -> str:
    tables = columns_of(folder)
    names = sorted({table for table, _ in tables})
    table = names[int(rng.integers(len(names)))]
    columns = [column for name, column in tables if name == table]
    column = columns[int(rng.integers(len(columns)))]
    expression, value = _VALUES[int(rng.integers(len(_VALUES)))]
    values = () if value is None else (value,)
    set_cell(folder, table, column, int(rng.integers(1000)), expression, *values)
    return f"catalog.sqlite {table.partition('_')[0]}"


def _forged_cell(rng: Rng, folder: Path) -> str:
    with forging(folder):
        return _cell(rng, folder)


def _schema(rng: Rng, folder: Path) -> str:
    statements = _SCHEMAS[int(rng.integers(len(_SCHEMAS)))]
    with forging(folder) if rng.integers(2) else opened(folder) as database:
        for statement in statements.split("; ") if " BEGIN " not in statements else [statements]:
            database.execute(statement)
    return "catalog.sqlite"


def _rows(rng: Rng, database: sqlite3.Connection) -> str:
    """Rows that are missing, doubled, marked, moved or exchanged."""
    table = str(rng.choice(["meta", "segments", "files", "images", "metadata", "checksums", "texts"]))
    name = "rowid" if table in ("images", "texts", "segments") else {"meta": "key", "files": "name"}.get(table, "value")
    found = [cell for (cell,) in database.execute(f"SELECT {name} FROM {table}")]
    chosen = found[int(rng.integers(len(found)))]
    how = int(rng.integers(4))
    if how == 0:
        database.execute(f"DELETE FROM {table} WHERE {name} IS ?", (chosen,))
    elif how == 1:
        database.execute(f"DELETE FROM {table}")
    elif how == 2:
        statements = [
            "UPDATE OR IGNORE images SET deleted = 1 - deleted WHERE id = abs(random()) % 15",
            "UPDATE images SET position = -1 - position",
            "UPDATE images SET sha256 = (SELECT max(sha256) FROM images)",
            "UPDATE images SET path = x'2f6465762f7a65726f' WHERE id = 1",
            "UPDATE images SET name = x'2e2e2f2e2e', path = x'2e2e2f63616e6172792f736563726574' WHERE id = 3",
            "UPDATE images SET width = 1 + height * 1000000, height = 1",
            "UPDATE images SET n_features = 65535",
            "UPDATE OR IGNORE segments SET number = number + 7",
            "UPDATE files SET sha256 = (SELECT min(sha256) FROM files)",
        ]
        database.execute(statements[int(rng.integers(len(statements)))])
    else:
        statements = [
            "INSERT INTO images SELECT id + 100, name || x'61', path || x'61', 1, 1, sha256, 9, 9, 9, segment,"
            " position + 100, 0 FROM images",
            "INSERT INTO files SELECT segment, 'more.npy', 1, sha256 FROM files WHERE name = 'xy.npy'",
            "INSERT OR REPLACE INTO files SELECT segment, 'count.npy', 1, sha256 FROM files WHERE name = 'xy.npy'",
            "INSERT INTO segments SELECT number + 100, substr(name, 2) || 'f', 0, 0 FROM segments",
            "INSERT INTO metadata SELECT path, 'tag', hex(randomblob(20)) FROM images, (SELECT 1 UNION SELECT 2)",
            "INSERT INTO meta VALUES ('more', '1')",
            "INSERT INTO texts (rowid, text) SELECT 1000 + number, 'bern' FROM segments",
            "INSERT INTO checksums SELECT part, segment + 50, block, value FROM checksums",
            "DELETE FROM files WHERE name LIKE '%.known.npy'",
        ]
        database.execute(statements[int(rng.integers(len(statements)))])
    return f"catalog.sqlite {table}"


def _damaged_rows(rng: Rng, folder: Path) -> str:
    with opened(folder) as database:
        return _rows(rng, database)


def _forged_rows(rng: Rng, folder: Path) -> str:
    with forging(folder) as database:
        return _rows(rng, database)


def _facts(rng: Rng, folder: Path) -> str:
    with forging(folder) as database:
        keys = [key for (key,) in database.execute("SELECT key FROM meta")]
        key, value = keys[int(rng.integers(len(keys)))], _FACTS[int(rng.integers(len(_FACTS)))]
        text = json.dumps(value)
        if key == "features" and rng.integers(2):
            known = json.loads(database.execute("SELECT value FROM meta WHERE key = 'features'").fetchone()[0])
            text = json.dumps({**known, str(rng.choice(list(known))): value})
        database.execute("UPDATE meta SET value = ? WHERE key = ?", (text, key))
    return f"catalog.sqlite {key}"


def _pages(rng: Rng, folder: Path) -> str:
    """Some bytes of the catalogue's header, or a page, are others."""
    path = folder / "catalog.sqlite"
    data = bytearray(path.read_bytes())
    how = int(rng.integers(4))
    if how == 0:
        for at in rng.integers(0, 108, int(rng.integers(1, 4))):
            data[at] = int(rng.choice([0, 1, 2, 13, 255, int(rng.integers(256))]))
    elif how == 1:
        at = 4096 * int(rng.integers(len(data) // 4096))
        data[at : at + 4096] = rng.bytes(4096) if rng.integers(2) else bytes(4096)
    elif how == 2:
        one, other = (4096 * int(rng.integers(len(data) // 4096)) for _ in range(2))
        data[one : one + 4096], data[other : other + 4096] = data[other : other + 4096], data[one : one + 4096]
    else:
        at = 4096 * int(rng.integers(len(data) // 4096))
        for place in rng.integers(at, at + 60, 3):
            data[place] = int(rng.integers(256))
    path.write_bytes(data)
    return path.name


def _flipped(rng: Rng, folder: Path) -> str:
    path = folder / "catalog.sqlite"
    path.write_bytes(with_flipped_bit(rng, path.read_bytes()))
    return path.name


def _journal(rng: Rng, folder: Path) -> str:
    """A journal that a crash could have left, or a stranger: of another file, in the name of a commit, of chance."""
    path = folder / "catalog.sqlite"
    name = os.fsencode(canary_of(folder) / "secret")
    page, magic = rng.bytes(4096), bytes.fromhex("d9d505f920a163d7")
    header = magic + b"".join(n.to_bytes(4, "big") for n in (1, 7, 18, 512, 4096))
    one = header.ljust(512, b"\0") + int(rng.integers(1, 19)).to_bytes(4, "big") + page
    one += (7 + sum(page[4096 - 200 :: -200])).to_bytes(4, "big")
    end = (1 << 18).to_bytes(4, "big") + name + len(name).to_bytes(4, "big") + sum(name).to_bytes(4, "big") + magic
    journals = [one, one + end, header, end, rng.bytes(6000), magic + b"\xff" * 3000]
    suffix = str(rng.choice(["-journal", "-journal", "-wal", "-shm"]))
    path.with_name(f"{path.name}{suffix}").write_bytes(journals[int(rng.integers(len(journals)))])
    return f"catalog.sqlite{suffix}"


def _other_cell(rng: Rng, folder: Path) -> str:
    """A cell of what duplicates remember, or a person has judged."""
    name = _OTHERS[int(rng.integers(len(_OTHERS)))]
    with _connected(folder / name) as database:
        table = str(rng.choice(["recipe", "asked", "pairs"])) if name == _OTHERS[0] else name.removesuffix(".sqlite")
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        expression, value = _VALUES[int(rng.integers(len(_VALUES)))]
        column = columns[int(rng.integers(len(columns)))]
        statement = f"UPDATE OR IGNORE {table} SET {column} = {expression}"
        try:
            database.execute(statement, () if value is None else (value,))
        except sqlite3.IntegrityError:
            database.execute(f"DELETE FROM {table}")
    return name


def _other_schema(rng: Rng, folder: Path) -> str:
    name = _OTHERS[int(rng.integers(len(_OTHERS)))]
    with _connected(folder / name) as database:
        tables = [table for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        table = tables[int(rng.integers(len(tables)))]
        columns = ", ".join(
            f"{['1', 'hex(i)', 'zeroblob(9)'][int(rng.integers(3))]} {row[1]}"
            for row in database.execute(f"PRAGMA table_info({table})")
        )
        how = int(rng.integers(5))
        if how == 0:
            database.execute(f"DROP TABLE {table}")
            database.execute(f"CREATE VIEW {table} AS {_ENDLESS} {columns} FROM n")
        elif how == 1:
            database.execute(f"CREATE TRIGGER t AFTER INSERT ON {table} BEGIN DELETE FROM {table}; END")
        elif how == 2:
            database.execute(f"DROP TABLE {table}")
        elif how == 3:
            database.execute("PRAGMA journal_mode = WAL")
        else:
            database.execute("CREATE TABLE more (x)")
    return name


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(path, isolation_level=None)
    try:
        yield database
    finally:
        database.close()


FORGED: dict[str, Callable[[Rng, Path], str]] = {
    "another cell that agrees": _forged_cell,
    "another schema": _schema,
    "other rows that agree": _forged_rows,
    "other facts": _facts,
    "other cells of duplicates": _other_cell,
    "another schema of duplicates": _other_schema,
}
DAMAGED: dict[str, Callable[[Rng, Path], str]] = {
    "another cell": _cell,
    "other rows": _damaged_rows,
    "other pages": _pages,
    "a flipped bit of the catalogue": _flipped,
    "a journal": _journal,
}
