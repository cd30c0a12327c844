"""What a commit can change in the catalogue: each function runs inside `catalog.transaction`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any

from bof.store.catalog import ImageFacts
from bof.store.metadata import write_texts
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


def insert_images(database: Connection, segment: int, images: Sequence[ImageFacts]) -> None:
    """Name the images of a new segment, in order; older images of the same paths give way, their metadata stays."""
    paths = [(os.fsencode(image.path),) for image in images]
    database.executemany(
        "DELETE FROM texts WHERE rowid IN (SELECT id FROM images WHERE path = ? AND deleted = 0)", paths
    )
    database.executemany("UPDATE images SET deleted = 1 WHERE path = ? AND deleted = 0", paths)
    database.executemany(
        "INSERT INTO images (name, path, n_bytes, mtime_ns, sha256, width, height, n_features, segment, position)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [_image_values(image, segment, position) for position, image in enumerate(images)],
    )
    rows = database.execute("SELECT id FROM images WHERE segment = ?", (segment,)).fetchall()
    write_texts(database, [number for (number,) in rows])


def _image_values(image: ImageFacts, segment: int, position: int) -> tuple[Any, ...]:
    return (
        os.fsencode(image.name), os.fsencode(image.path), image.n_bytes, image.mtime_ns, image.sha256,
        image.width, image.height, image.n_features, segment, position,
    )  # fmt: skip


def delete_images(database: Connection, numbers: Iterable[int]) -> None:
    """Flag live images as deleted, by id; what was said of them is forgotten."""
    rows = [(number,) for number in numbers]
    database.executemany("DELETE FROM texts WHERE rowid = ?", rows)
    database.executemany("DELETE FROM metadata WHERE path = (SELECT path FROM images WHERE id = ?)", rows)
    database.executemany("UPDATE images SET deleted = 1 WHERE id = ?", rows)


def find_names(database: Connection, names: Iterable[str]) -> dict[str, int]:
    """Name -> id of the live images among some names."""
    found = {}
    for name in names:
        row = database.execute("SELECT id FROM images WHERE name = ? AND deleted = 0", (os.fsencode(name),)).fetchone()
        if row:
            found[name] = row[0]
    return found


def move_images(database: Connection, moves: Sequence[Move]) -> None:
    """Give images new names, paths and times, as one permutation: a may become b while b becomes a."""
    was = {m.id: database.execute("SELECT path FROM images WHERE id = ?", (m.id,)).fetchone()[0] for m in moves}
    moved = [move for move in moves if was[move.id] != os.fsencode(move.path)]
    said = {
        m.id: database.execute("SELECT key, value FROM metadata WHERE path = ?", (was[m.id],)).fetchall() for m in moved
    }
    database.executemany("DELETE FROM metadata WHERE path = ?", [(was[m.id],) for m in moved])
    database.executemany("DELETE FROM metadata WHERE path = ?", [(os.fsencode(m.path),) for m in moved])
    database.executemany(
        "UPDATE images SET name = CAST(x'00' || id AS BLOB), path = CAST(x'00' || id AS BLOB) WHERE id = ?",
        [(m.id,) for m in moves],
    )
    database.executemany(
        "UPDATE images SET name = ?, path = ?, n_bytes = ?, mtime_ns = ? WHERE id = ?",
        [(os.fsencode(m.name), os.fsencode(m.path), m.n_bytes, m.mtime_ns, m.id) for m in moves],
    )
    rows = [(os.fsencode(m.path), key, value) for m in moved for key, value in said[m.id]]
    database.executemany("INSERT INTO metadata VALUES (?, ?, ?)", rows)
    write_texts(database, [m.id for m in moves])


def place_images(database: Connection, segment: int, numbers: Sequence[int]) -> None:
    """Images, by id, now lie in another segment, in this order."""
    rows = [(segment, position, number) for position, number in enumerate(numbers)]
    database.executemany("UPDATE images SET segment = ?, position = ? WHERE id = ?", rows)


def drop_segments(database: Connection, numbers: Sequence[int]) -> None:
    """Segments leave the index with every image that is in them; what was said of the paths stays."""
    rows = [(number,) for number in numbers]
    database.executemany("DELETE FROM texts WHERE rowid IN (SELECT id FROM images WHERE segment = ?)", rows)
    for statement in ("images WHERE segment", "files WHERE segment", "segments WHERE number"):
        database.executemany(f"DELETE FROM {statement} = ?", rows)
