"""What a commit can change in the catalogue: each function runs inside `transaction`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from sqlite3 import Connection
from typing import Any

from bof.images.address import Address
from bof.store.catalog import additions, checksums
from bof.store.catalog.checksums import changing_images, changing_metadata
from bof.store.catalog.metadata import rewrite_texts, write_texts
from bof.store.catalog.records import ImageRecord
from bof.system.files import FileFact


@dataclass(frozen=True, slots=True)
class Move:
    """An indexed picture (id) is found under another path, or under its own at another time."""

    id: int
    name: str
    path: str
    n_bytes: int
    mtime_ns: int


def set_meta(database: Connection, key: str, value: Any) -> None:
    """Set one of the index's facts."""
    database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))


def insert_segment(
    database: Connection, name: str, files: Mapping[str, FileFact], n_images: int, n_features: int
) -> int:
    """Make a written segment part of the index; returns its number."""
    (number,) = database.execute("SELECT coalesce(max(number), 0) + 1 FROM segments").fetchone()
    database.execute("INSERT INTO segments VALUES (?, ?, ?, ?)", (number, name, n_images, n_features))
    _insert_files(database, number, files)
    return int(number)


def _insert_files(database: Connection, segment: int, files: Mapping[str, FileFact]) -> None:
    rows = [(segment, file, fact.n_bytes, fact.sha256) for file, fact in files.items()]
    database.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", rows)


def replace_segment(database: Connection, number: int, name: str, files: Mapping[str, FileFact]) -> None:
    """The same images in the same order, in another folder with other files."""
    database.execute("UPDATE segments SET name = ? WHERE number = ?", (name, number))
    database.execute("DELETE FROM files WHERE segment = ?", (number,))
    _insert_files(database, number, files)


def drop_files(database: Connection, group: str) -> None:
    """No segment has columns of this group any more."""
    database.execute("DELETE FROM files WHERE name LIKE ? || '.%.npy'", (group,))


def add_segment(database: Connection, name: str, files: Mapping[str, FileFact], images: Sequence[ImageRecord]) -> None:
    """Name a new segment and its images, in order: see `insert_images`."""
    number = insert_segment(database, name, files, len(images), sum(image.n_features for image in images))
    insert_images(database, number, images)


def insert_images(database: Connection, segment: int, images: Sequence[ImageRecord]) -> None:
    """Name the images of a new segment, in order; older images of the same paths give way, their metadata stays."""
    paths = [(os.fsencode(image.path),) for image in images]
    database.executemany(
        "DELETE FROM texts WHERE rowid IN (SELECT id FROM images WHERE path = ? AND deleted = 0)", paths
    )
    with changing_images(database, "path = ? AND deleted = 0", paths):
        database.executemany("UPDATE images SET deleted = 1 WHERE path = ? AND deleted = 0", paths)
    additions.note(database)
    first = additions.next_id(database)
    insert_known(database, segment, [replace(image, id=first + place) for place, image in enumerate(images)])


def insert_known(database: Connection, segment: int, images: Sequence[ImageRecord]) -> None:
    """Name the images of a new segment, in order, with the ids that they have; none of them is here yet."""
    database.executemany(
        "INSERT INTO images (id, name, path, n_bytes, mtime_ns, sha256, width, height, n_features, segment, position)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(image.id, *_image_values(image, segment, place)) for place, image in enumerate(images)],
    )
    checksums.seal_segment(database, segment)
    rows = database.execute("SELECT id FROM images WHERE segment = ?", (segment,)).fetchall()
    write_texts(database, [number for (number,) in rows])


def _image_values(image: ImageRecord, segment: int, position: int) -> tuple[Any, ...]:
    return (
        os.fsencode(image.name), os.fsencode(image.path), image.n_bytes, image.mtime_ns, image.sha256,
        image.width, image.height, image.n_features, segment, position,
    )  # fmt: skip


def delete_images(database: Connection, numbers: Iterable[int]) -> None:
    """Flag live images as deleted, by id; what they are annotated with is forgotten."""
    rows = [(number,) for number in numbers]
    database.executemany("DELETE FROM texts WHERE rowid = ?", rows)
    with changing_metadata(database, _paths(database, rows)):
        database.executemany("DELETE FROM metadata WHERE path = (SELECT path FROM images WHERE id = ?)", rows)
    with changing_images(database, "id = ?", rows):
        database.executemany("UPDATE images SET deleted = 1 WHERE id = ?", rows)


def _paths(database: Connection, rows: Iterable[tuple[int]]) -> list[bytes]:
    return [path for row in rows for (path,) in database.execute("SELECT path FROM images WHERE id = ?", row)]


def find_names(database: Connection, names: Iterable[str]) -> dict[str, int]:
    """Name -> id of the live images among some names."""
    found = {}
    for name in names:
        row = database.execute("SELECT id FROM images WHERE name = ? AND deleted = 0", (os.fsencode(name),)).fetchone()
        if row:
            found[name] = row[0]
    return found


def find_ids(database: Connection, numbers: Iterable[int]) -> set[int]:
    """Those of some ids that images here have."""
    query = "SELECT id FROM images WHERE id IN (SELECT value FROM json_each(?))"
    return {number for (number,) in database.execute(query, (json.dumps(list(numbers)),))}


def read_ids(database: Connection) -> list[int]:
    """The ids of all images, ascending."""
    return [number for (number,) in database.execute("SELECT id FROM images ORDER BY id")]


def raise_ids(database: Connection, added: int) -> None:
    """Give all images ids that are so much higher."""
    last, entries = additions.last_id(database), additions.read_entries(database)
    database.execute("UPDATE images SET id = -id")
    database.execute("UPDATE images SET id = ? - id", (added,))
    rewrite_texts(database)
    checksums.seal(database)
    set_meta(database, additions.LAST, last + added)
    set_meta(database, additions.KEY, [[first + added, seconds] for first, seconds in entries])


def drop_meta(database: Connection, keys: Iterable[str]) -> None:
    """Forget facts of the index."""
    database.executemany("DELETE FROM meta WHERE key = ?", [(key,) for key in keys])


def find_paths(database: Connection, paths: Iterable[str]) -> set[str]:
    """Those of some paths at which a live image is, or an image of the same file, be it a part or all of it."""
    here = "SELECT 1 FROM images WHERE deleted = 0 AND path BETWEEN ? AND ? LIMIT 1"
    found = set()
    for path in paths:
        file = Address.parse(path).file
        inside = os.fsencode(os.path.join(file, "#"))
        places = [(os.fsencode(file),) * 2, (inside, inside + b"\xff")]
        if any(database.execute(here, place).fetchone() for place in places):
            found.add(path)
    return found


def move_images(database: Connection, moves: Sequence[Move]) -> None:
    """Give images new names, paths and times, as one permutation: a may become b while b becomes a."""
    rows = [(move.id,) for move in moves]
    was = dict(zip((move.id for move in moves), _paths(database, rows), strict=True))
    moved = [move for move in moves if was[move.id] != os.fsencode(move.path)]
    with changing_metadata(database, [path for m in moved for path in (was[m.id], os.fsencode(m.path))]):
        _move_metadata(database, [(was[move.id], os.fsencode(move.path)) for move in moved])
    with changing_images(database, "id = ?", rows):
        database.executemany(
            "UPDATE images SET name = CAST(x'00' || id AS BLOB), path = CAST(x'00' || id AS BLOB) WHERE id = ?", rows
        )
        database.executemany(
            "UPDATE images SET name = ?, path = ?, n_bytes = ?, mtime_ns = ? WHERE id = ?",
            [(os.fsencode(m.name), os.fsencode(m.path), m.n_bytes, m.mtime_ns, m.id) for m in moves],
        )
    write_texts(database, [m.id for m in moves])


def _move_metadata(database: Connection, moves: Sequence[tuple[bytes, bytes]]) -> None:
    """What pictures are annotated with goes from their old paths to their new ones."""
    query = "SELECT key, value FROM metadata WHERE path = ?"
    rows = [(new, *row) for old, new in moves for row in database.execute(query, (old,))]
    database.executemany("DELETE FROM metadata WHERE path = ?", [(path,) for pair in moves for path in pair])
    database.executemany("INSERT INTO metadata VALUES (?, ?, ?)", rows)


def place_images(database: Connection, segment: int, numbers: Sequence[int], old: Sequence[int]) -> None:
    """Images, by id, now lie in another segment, in this order; old: the segments that they were in, which leave."""
    for number in old:
        checksums.require_segment(database, number)
    rows = [(segment, position, number) for position, number in enumerate(numbers)]
    database.executemany("UPDATE images SET segment = ?, position = ? WHERE id = ?", rows)
    checksums.seal_segment(database, segment)
    drop_segments(database, old)


def drop_segments(database: Connection, numbers: Sequence[int]) -> None:
    """Segments leave the index with every image that is in them; what the paths are annotated with stays."""
    rows = [(number,) for number in numbers]
    additions.note_last(database)
    database.executemany("DELETE FROM texts WHERE rowid IN (SELECT id FROM images WHERE segment = ?)", rows)
    for table in ("images", "files", "checksums"):
        database.executemany(f"DELETE FROM {table} WHERE segment = ?", rows)
    database.executemany("DELETE FROM segments WHERE number = ?", rows)


def repair_metadata(database: Connection) -> None:
    """What is annotated is from now on as it stands; words are looked for in it."""
    checksums.seal_metadata(database)
    rewrite_texts(database)
