"""Live images and what they are annotated with: by condition, by words, by id or path, a page at a time."""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from json import dumps
from pathlib import Path
from sqlite3 import Connection
from typing import Literal

from bof.errors import IndexStoreError, OptionError
from bof.store.catalog import additions, filters
from bof.store.catalog.connection import reading
from bof.store.catalog.metadata import TAG, TITLE
from bof.store.catalog.records import RECORD, ImageRecord, checked, path_of, records_of
from bof.store.catalog.schema import has_table

Order = Literal["name", "newest"]
_ORDERS: Mapping[Order, str] = {"name": "name", "newest": "id DESC"}

_MOST_NAMED = 40
"""Fields that a message names."""

GROUPING = ("folder", "name")
"""What every image has that hits can be grouped by: the folder that its name lies in, the name of its file."""

_MANY = 1000
"""Images from which it pays to read all metadata at once."""


@dataclass(frozen=True, slots=True)
class Selection:
    """total: how many images are meant; records: a page of them; fields: of each, by id, key -> values."""

    total: int
    records: Sequence[ImageRecord]
    fields: Mapping[int, dict[str, list[str]]]


def select(
    folder: Path,
    where: str = "",
    text: str = "",
    *,
    order: Order = "name",
    offset: int = 0,
    limit: int = -1,
    ids: Collection[int] | None = None,
    paths: Collection[str] | None = None,
    elsewhere: Collection[str] = (),
) -> Selection:
    """The live images that meet a condition, hold some words (see filters), and are among ids and paths, if given.

    limit: at most so many from `offset` on, -1: all; elsewhere: fields that pictures of other parts have. Raises
    OptionError where a condition or words make no sense.
    """
    with reading(folder) as database:
        source, parameters = _compile(folder, database, where, text, ids, paths, elsewhere)
        query = f"SELECT {RECORD} {source} ORDER BY {_ORDERS[order]} LIMIT ? OFFSET ?"
        records = records_of(database.execute(query, (*parameters, limit, offset)))
        (total,) = database.execute(f"SELECT count(*) {source}", parameters).fetchone()
        return Selection(total, records, _fields_of(database, records))


def select_ids(
    folder: Path,
    where: str = "",
    text: str = "",
    ids: Collection[int] | None = None,
    elsewhere: Collection[str] = (),
) -> set[int]:
    """The ids of the live images that `select` would select."""
    with reading(folder) as database:
        source, parameters = _compile(folder, database, where, text, ids, None, elsewhere)
        return {number for (number,) in checked("images", "id", database.execute(f"SELECT id {source}", parameters))}


def ids_of_content(folder: Path, sha256: str) -> list[int]:
    """The ids of the live images whose files have this content. Reads every row of the catalogue."""
    query = "SELECT id FROM images WHERE sha256 = ? AND deleted = 0 ORDER BY id"
    with reading(folder) as database:
        return [number for (number,) in checked("images", "id", database.execute(query, (sha256,)))]


def _compile(
    folder: Path,
    database: Connection,
    where: str,
    text: str,
    ids: Collection[int] | None,
    paths: Collection[str] | None,
    elsewhere: Collection[str] = (),
) -> tuple[str, list[filters.Parameter]]:
    """FROM and WHERE of a query, and its parameters."""
    conditions: list[filters.Condition] = [("deleted = 0", [])]
    if where:
        conditions.append(filters.compile_where(where))
        if has_table(database, "metadata"):
            _require_known(database, filters.keys_of(where), elsewhere=elsewhere)
    if text:
        conditions.append(("id IN (SELECT rowid FROM texts WHERE texts MATCH ?)", [filters.compile_text(text)]))
    if ids is not None:
        conditions.append(("id IN (SELECT value FROM json_each(?))", [dumps(list(ids))]))
    if paths is not None:
        conditions.append(("id IN (SELECT value FROM json_each(?))", [dumps(_ids_at(database, paths))]))
    if (where or text) and not has_table(database, "metadata"):
        advice = "any change of the index adds the tables"
        raise IndexStoreError(path=folder, expected="metadata", found="none", advice=advice)
    filters.register(database, additions.times_of(database))
    joined = " AND ".join(f"({condition})" for condition, _ in conditions)
    return f"FROM images WHERE {joined}", [value for _, values in conditions for value in values]


def _require_known(
    database: Connection, keys: Collection[str], option: str = "where", elsewhere: Collection[str] = ()
) -> None:
    """Raises OptionError for a field that no picture has: it is mistyped more often than not."""
    for key in sorted({*keys} - {*(filters.BUILT_IN if option == "where" else GROUPING), TAG, TITLE, *elsewhere}):
        is_there = has_table(database, "metadata")
        if not is_there or not database.execute("SELECT 1 FROM metadata WHERE key = ? LIMIT 1", (key,)).fetchone():
            found = {*elsewhere, *_keys_in(database)}
            built_in = filters.BUILT_IN if option == "where" else GROUPING
            known = [*built_in, TAG, *sorted(found - {TAG})]
            more = ["..."] if len(known) > _MOST_NAMED else []
            near = difflib.get_close_matches(key, known, 1)
            advice = f"did you mean {near[0]}?" if near else ""
            expected = f"one of the fields {', '.join([*known[:_MOST_NAMED], *more])}"
            raise OptionError(option=option, expected=expected, found=repr(key), advice=advice)


def read_keys(folder: Path) -> set[str]:
    """The fields that any picture has."""
    with reading(folder) as database:
        return _keys_in(database)


def _keys_in(database: Connection) -> set[str]:
    if not has_table(database, "metadata"):
        return set()
    return {key for (key,) in checked("metadata", "key", database.execute("SELECT DISTINCT key FROM metadata"))}


def _ids_at(database: Connection, paths: Collection[str]) -> list[int]:
    query = "SELECT id FROM images WHERE deleted = 0 AND path = ?"
    return [number for path in paths for (number,) in database.execute(query, (os.fsencode(path),))]


def _fields_of(database: Connection, records: Sequence[ImageRecord]) -> dict[int, dict[str, list[str]]]:
    if len(records) > _MANY:
        fields = _read_fields(database, "", ())
        return {record.id: fields.get(record.path, {}) for record in records}
    return {
        record.id: _read_fields(database, "WHERE path = ?", (os.fsencode(record.path),)).get(record.path, {})
        for record in records
    }


def _read_fields(database: Connection, where: str, parameters: Sequence[bytes]) -> dict[str, dict[str, list[str]]]:
    fields: dict[str, dict[str, list[str]]] = {}
    if has_table(database, "metadata"):
        rows = database.execute(f"SELECT path, key, value FROM metadata {where} ORDER BY path, key, value", parameters)
        for path, key, value in checked("metadata", "path, key, value", rows):
            fields.setdefault(path_of(path), {}).setdefault(key, []).append(value)
    return fields


def read_metadata(folder: Path) -> dict[str, dict[str, list[str]]]:
    """What pictures are annotated with, also those that are not in the index now: path -> key -> values."""
    with reading(folder) as database:
        return _read_fields(database, "", ())


def read_records(folder: Path) -> list[ImageRecord]:
    """Every live image, in the order of their names."""
    with reading(folder) as database:
        return records_of(database.execute(f"SELECT {RECORD} FROM images WHERE deleted = 0 ORDER BY name"))


def count_images(folder: Path) -> int:
    """Live images."""
    with reading(folder) as database:
        return count_live(database)


def count_live(database: Connection) -> int:
    """Live images of a catalogue that is open."""
    return int(database.execute("SELECT count(*) FROM images WHERE deleted = 0").fetchone()[0])


def read_last_id(folder: Path) -> int:
    """The highest id that was ever given, also to an image that is gone; 0 before the first."""
    with reading(folder) as database:
        return additions.last_id(database)


def count_annotated(folder: Path) -> tuple[dict[str, int], dict[str, int]]:
    """How many live images have each tag, and how many each other field."""
    joined = "metadata m JOIN images i ON i.path = m.path AND i.deleted = 0"
    with reading(folder) as database:
        if not has_table(database, "metadata"):
            return {}, {}
        tags = database.execute(f"SELECT value, count(*) FROM {joined} WHERE key = ? GROUP BY value", (TAG,)).fetchall()
        query = f"SELECT key, count(DISTINCT m.path) FROM {joined} WHERE key != ? GROUP BY key"
        fields = database.execute(query, (TAG,)).fetchall()
    checked("metadata", "value", [(tag,) for tag, _ in tags])
    checked("metadata", "key", [(key,) for key, _ in fields])
    return dict(tags), dict(fields)


def values_of(folder: Path, key: str, elsewhere: Collection[str] = ()) -> list[tuple[int, str]]:
    """The id of each live image and each of its values of a field, in order. Raises OptionError for an unknown one.

    elsewhere: fields that pictures of other parts have.
    """
    with reading(folder) as database:
        _require_known(database, {key}, "group_by", elsewhere)
        if not has_table(database, "metadata"):
            return []
        joined = "metadata m JOIN images i ON i.path = m.path AND i.deleted = 0"
        rows = database.execute(f"SELECT i.id, m.value FROM {joined} WHERE key = ? ORDER BY i.id, m.value", (key,))
        found = rows.fetchall()
    checked("images", "id", [(number,) for number, _ in found])
    checked("metadata", "value", [(value,) for _, value in found])
    return found


def ids_of_contents(folder: Path, contents: Collection[str]) -> list[tuple[int, str]]:
    """The id and the content of each live image whose file has one of these. Reads every row of the catalogue."""
    query = "SELECT id, sha256 FROM images WHERE deleted = 0 AND sha256 IN (SELECT value FROM json_each(?)) ORDER BY id"
    with reading(folder) as database:
        return checked("images", "id, sha256", database.execute(query, (dumps(list(contents)),)))


def count_values(folder: Path, key: str, ids: Collection[int]) -> dict[str, int]:
    """How many of some live images have each value of a field or, for `folder`, lie in each first folder of a name."""
    with reading(folder) as database:
        chosen = "images i WHERE i.deleted = 0 AND i.id IN (SELECT value FROM json_each(?))"
        if key == "folder":
            rows = checked("images", "name", database.execute(f"SELECT name FROM {chosen}", (dumps(list(ids)),)))
            names = (path_of(name) for (name,) in rows)
            return dict(Counter(name.split("/", 1)[0] for name in names if "/" in name.lstrip("/")))
        if not has_table(database, "metadata"):
            return {}
        query = f"SELECT value, count(*) FROM metadata m, {chosen} AND m.path = i.path AND key = ? GROUP BY value"
        rows = database.execute(query, (dumps(list(ids)), key)).fetchall()
        checked("metadata", "value", [(value,) for value, _ in rows])
        return dict(rows)
