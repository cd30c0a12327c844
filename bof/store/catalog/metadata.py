"""Tags and fields of pictures, which belong to a path, and the text that words are looked for in; in a transaction."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from sqlite3 import Connection, connect

from bof.errors import OptionError
from bof.store.catalog import filters
from bof.store.catalog.checksums import changing_metadata
from bof.store.catalog.records import checked, path_of
from bof.store.catalog.schema import TEXTS, has_table
from bof.system.database import DamagedDatabaseError

TAG = "tag"
"""The key of a tag."""

TITLE = "title"
"""The key of the name that an uploaded file was given."""

_UPLOADED = re.compile(r"(?:[0-9a-f]{32}|[0-9a-f]{64})\.[a-z]+")
"""What bof.server names the files of uploads: by their content."""

Fields = Mapping[str, Sequence[str]]
"""What one picture is annotated with: key -> values."""


def is_named_by_content(name: str) -> bool:
    """Whether a picture has the file name of an upload, which tells nothing to people."""
    return _UPLOADED.fullmatch(os.path.basename(name)) is not None


def set_fields(database: Connection, annotated: Mapping[str, Fields]) -> None:
    """Give fields of images, by path, these values instead of those they had; no values: remove the field."""
    pairs = [(os.fsencode(path), key) for path, fields in annotated.items() for key in fields]
    with _changing(database, annotated, {key for _, key in pairs}):
        database.executemany("DELETE FROM metadata WHERE path = ? AND key = ?", pairs)
        for path, fields in annotated.items():
            _insert(database, [path], fields)


def annotate(database: Connection, paths: Collection[str], add: Fields, remove: Fields) -> None:
    """Take values from fields of some images and add others; tags are values of the field `tag`."""
    with _changing(database, paths, add):
        statement = "DELETE FROM metadata WHERE path = ? AND key = ? AND value = ?"
        database.executemany(statement, _rows(paths, remove))
        _insert(database, paths, add)


@contextmanager
def _changing(database: Connection, paths: Collection[str], keys: Iterable[str]) -> Iterator[None]:
    for key in keys:
        if not key.strip() or key in filters.BUILT_IN:
            known = ", ".join(sorted(filters.BUILT_IN))
            raise OptionError(
                option="field", expected=f"a name other than those that every image has ({known})", found=repr(key)
            )
    with changing_metadata(database, map(os.fsencode, paths)):
        yield
    numbers = []
    for path in paths:
        query = "SELECT id FROM images WHERE path = ? AND deleted = 0"
        numbers += [number for (number,) in database.execute(query, (os.fsencode(path),))]
    write_texts(database, numbers)


def _rows(paths: Iterable[str], fields: Fields) -> list[tuple[bytes, str, str]]:
    return [(os.fsencode(path), key, value) for path in paths for key, values in fields.items() for value in values]


def _insert(database: Connection, paths: Iterable[str], fields: Fields) -> None:
    database.executemany("INSERT OR IGNORE INTO metadata VALUES (?, ?, ?)", _rows(paths, fields))


# -- Texts ------------------------------------------------------------------------------------------------------------


def write_texts(database: Connection, numbers: Iterable[int]) -> None:
    """What full-text search reads of images: name and metadata."""
    for number in numbers:
        named = database.execute("SELECT name, path FROM images WHERE id = ?", (number,))
        ((name, path),) = checked("images", "name, path", named)
        values = checked("metadata", "value", database.execute("SELECT value FROM metadata WHERE path = ?", (path,)))
        text = filters.searchable(path_of(name), [value for (value,) in values])
        database.execute("DELETE FROM texts WHERE rowid = ?", (number,))
        database.execute("INSERT INTO texts (rowid, text) VALUES (?, ?)", (number, text))


def rewrite_texts(database: Connection) -> None:
    """Write the texts of all images again."""
    database.execute("DROP TABLE IF EXISTS texts")
    database.execute(TEXTS)
    write_texts(database, [number for (number,) in database.execute("SELECT id FROM images WHERE deleted = 0")])


def require_texts(database: Connection) -> None:
    """Raises DamagedDatabaseError where words are looked for in anything but all names and metadata."""
    if not has_table(database, "metadata"):
        return
    values: dict[bytes, list[str]] = {}
    rows = database.execute("SELECT path, value FROM metadata ORDER BY path, key, value")
    for path, value in checked("metadata", "path, value", rows):
        values.setdefault(path, []).append(value)
    rows = database.execute("SELECT id, name, path FROM images WHERE deleted = 0 ORDER BY id")
    live = checked("images", "id, name, path", rows)
    texts = [(number, filters.searchable(path_of(name), values.get(path, []))) for number, name, path in live]
    found = checked("texts", "rowid, text", database.execute("SELECT rowid, text FROM texts ORDER BY rowid"))
    if found != texts or not _has_words_of(database, texts):
        raise DamagedDatabaseError("the words of all names and metadata to look for", "others")


def _has_words_of(database: Connection, texts: Iterable[tuple[int, str]]) -> bool:
    """Is each word indexed where it stands, and no other?"""
    fresh = connect(":memory:", isolation_level=None)
    try:
        fresh.execute(TEXTS)
        fresh.executemany("INSERT INTO texts (rowid, text) VALUES (?, ?)", texts)
        return all(one == other for one, other in zip_longest(_words(fresh), _words(database)))
    finally:
        fresh.close()


def _words(database: Connection) -> Iterator[tuple[str, int, int]]:
    """Each word, the image whose text it is in, and where there."""
    database.execute("PRAGMA query_only = OFF")  # for a table in memory
    database.execute("CREATE VIRTUAL TABLE IF NOT EXISTS temp.words USING fts5vocab(main, texts, instance)")
    database.execute("PRAGMA query_only = ON")
    return iter(database.execute("SELECT term, doc, offset FROM temp.words ORDER BY term, doc, offset"))
