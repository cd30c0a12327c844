"""What a commit of the index says: facts, segments, and every image in columns."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import numpy as np

from bof.errors import IndexStoreError
from bof.store import vocabulary_copy
from bof.store.catalog import additions, checksums
from bof.store.catalog.catalogue_columns import COLUMNS, CatalogueColumns, gather_rows, joined
from bof.store.catalog.connection import connect, exists, reading, require_format
from bof.store.catalog.metadata import require_texts
from bof.store.catalog.records import RECORD, ImageRecord, SegmentRecord, checked, records_of, require_cells
from bof.store.parts import layout
from bof.system.database import DamagedDatabaseError
from bof.system.files import FileFact

_MAX_WORDS = 1 << 24
_BATCH = 1 << 12
"""Rows read at once."""


Seal = tuple[str, ...]
"""The checksums of a segment's images, block by block: images of one seal are the same."""

KnownImages = Mapping[str, tuple[Seal, CatalogueColumns]]
"""By the name of a segment: images that were read and compared before, and their seal."""


@dataclass(frozen=True, slots=True)
class Commit:
    """The catalogue as of one commit: every segment, every image by segment and position.

    seals: of each segment the checksums of its images, empty where an older format has none.
    """

    generation: int
    segments: Sequence[SegmentRecord]
    images: CatalogueColumns
    seals: Sequence[Seal] = ()


def read_meta(folder: Path) -> dict[str, Any]:
    """The index's facts. Raises IndexStoreError where there is no index, MismatchError on another format."""
    if not exists(folder):
        advice = f"build one with: {{bof index}} PHOTOS --index {folder}"
        raise IndexStoreError("no index here", path=folder, advice=advice)
    with reading(folder) as database:
        return facts_in(folder, database)


def facts_in(folder: Path, database: Connection) -> dict[str, Any]:
    """The facts of the commit that `reading` holds. Raises MismatchError on another format."""
    rows = checked("meta", "key, value", database.execute("SELECT key, value FROM meta"))
    meta = {key: _fact(key, value) for key, value in rows}
    require_format(folder, meta.get("format"))
    checksums.require_index(database)
    return meta


def _fact(key: str, value: str) -> Any:
    try:
        fact = json.loads(value)
    except (ValueError, RecursionError):
        raise DamagedDatabaseError(f"JSON in the fact {key}", f"{value!r:.80}") from None
    if key in _FACTS and not _FACTS[key](fact):
        raise DamagedDatabaseError(f"another kind of fact {key}", f"{value!r:.80}")
    return fact


def is_fact(key: str, value: object) -> bool:
    """Is this what a fact of this name may be?"""
    return key in _FACTS and _FACTS[key](value)


def _are_text(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


_FACTS: Mapping[str, Callable[[Any], bool]] = {
    "fingerprint": lambda fact: isinstance(fact, str),
    "n_words": lambda fact: type(fact) is int and 1 <= fact <= _MAX_WORDS,
    "features": lambda fact: isinstance(fact, dict),
    "vocabulary_folder": lambda fact: isinstance(fact, str),
    "roots": _are_text,
    "columns": _are_text,
    additions.KEY: additions.are_valid,
    additions.LAST: lambda fact: type(fact) is int and 0 <= fact < additions.MAX_ID,
    "model": lambda fact: fact is None or isinstance(fact, dict),
    vocabulary_copy.FACT: vocabulary_copy.is_fact,
    layout.FACT: layout.is_layout,
    layout.SHARE: layout.is_share,
}
"""What the facts may be."""


def read_generation(folder: Path) -> int:
    """A number that every commit changes."""
    with connect(folder, write=False) as database:
        return generation_in(database)


def generation_in(database: Connection) -> int:
    """The number of the commit that `reading` holds; from here on no other ends."""
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def has_parts(database: Connection) -> bool:
    """Are the images of the commit that `reading` holds in parts of the index?"""
    return database.execute("SELECT 1 FROM meta WHERE key = ?", (layout.FACT,)).fetchone() is not None


def read_segments(database: Connection) -> list[SegmentRecord]:
    """Every segment with what its files must be. Raises DamagedDatabaseError where that is not what was written."""
    checksums.require_index(database)
    files: dict[int, dict[str, FileFact]] = {}
    columns = "segment, name, n_bytes, sha256"
    for segment, name, *fact in checked("files", columns, database.execute(f"SELECT {columns} FROM files")):
        files.setdefault(segment, {})[name] = FileFact(*fact)
    columns = "number, name, n_images, n_features"
    rows = checked("segments", columns, database.execute(f"SELECT {columns} FROM segments ORDER BY number"))
    return [SegmentRecord(number, name, n, m, files.get(number, {})) for number, name, n, m in rows]


def read_commit(database: Connection, known: KnownImages | None = None) -> Commit:
    """Every segment and every image of the commit that `reading` holds. Raises DamagedDatabaseError.

    known: what an older commit had; segments whose images are the same are not read again.
    """
    generation, segments = generation_in(database), read_segments(database)
    by_number = checksums.seals(database)
    seals = [by_number.get(segment.number, ()) for segment in segments]
    if not known:
        return Commit(generation, segments, _read_images(database, segments, "1"), seals)
    images = joined([_read_again(database, *one, known) for one in zip(segments, seals, strict=True)])
    (n_images,) = database.execute("SELECT count(*) FROM images").fetchone()
    if n_images != len(images):
        raise DamagedDatabaseError(f"{len(images)} images in the catalogue", n_images)
    return Commit(generation, segments, images, seals)


def _read_again(database: Connection, segment: SegmentRecord, seal: Seal, known: KnownImages) -> CatalogueColumns:
    before, images = known.get(segment.name, ((), None))
    if seal and before == seal and images is not None and (images.segment == segment.number).all():
        return images
    return _read_images(database, [segment], f"segment = {segment.number}")


def read_segment_images(database: Connection, segment: SegmentRecord) -> CatalogueColumns:
    """The images of one segment by position; all that the catalogue says of them is compared with what was written."""
    images = _read_images(database, [segment], f"segment = {segment.number}")
    checksums.require_segment(database, segment.number)
    return images


def read_segment_records(database: Connection, segment: int) -> list[ImageRecord]:
    """The images of one segment by position, removed ones included."""
    query = f"SELECT {RECORD} FROM images WHERE segment = ? ORDER BY position"
    return records_of(database.execute(query, (segment,)))


def _read_images(database: Connection, segments: Sequence[SegmentRecord], where: str) -> CatalogueColumns:
    found = database.execute(f"SELECT {COLUMNS} FROM images WHERE {where} ORDER BY segment, position")
    images = gather_rows(iter(lambda: found.fetchmany(_BATCH), []))
    _require_places(images, segments)
    checksums.require_columns(database, images, segments)
    return images


def _require_places(images: CatalogueColumns, segments: Sequence[SegmentRecord]) -> None:
    """Is there one image at each position of each segment, and none elsewhere?"""
    n_images = sum(segment.n_images for segment in segments)
    if n_images != len(images):
        raise DamagedDatabaseError(f"{n_images} images in the catalogue", len(images))
    sizes = np.array([segment.n_images for segment in segments], np.int64)
    segment = np.repeat(np.array([segment.number for segment in segments], np.int64), sizes)
    position = np.arange(n_images) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    wrong = np.flatnonzero((images.segment != segment) | (images.position != position))
    if len(wrong):
        i = wrong[0]
        found = f"position {images.position[i]} of segment {images.segment[i]}"
        raise DamagedDatabaseError(f"an image at position {position[i]} of segment {segment[i]}", found)


def read_sizes(database: Connection) -> list[tuple[int, int, int, int]]:
    """Of every segment its number, its features, and the features and the number of its live images."""
    query = "SELECT segment, sum(n_features), count(*) FROM images WHERE deleted = 0 GROUP BY segment"
    found = database.execute(query).fetchall()
    require_cells("images.n_features", [n_features for _, n_features, _ in found if type(n_features) is not int])
    live = {segment: (n_features, n_images) for segment, n_features, n_images in found}
    return [(row.number, row.n_features, *live.get(row.number, (0, 0))) for row in read_segments(database)]


def read_names(database: Connection, segment: int) -> list[tuple[str, str]]:
    """Name and path of every live image of a segment, as far as they can be read."""
    live = "segment = ? AND deleted = 0 AND typeof(name) = 'blob' AND typeof(path) = 'blob'"
    rows = database.execute(f"SELECT name, path FROM images WHERE {live} ORDER BY position", (segment,))
    return [(os.fsdecode(name), os.fsdecode(path)) for name, path in rows]


def require_sound(database: Connection) -> None:
    """Raises DamagedDatabaseError where the file contradicts itself: pages, indexes, images without a segment."""
    for (text,) in database.execute("PRAGMA integrity_check"):
        if text != "ok":
            raise DamagedDatabaseError("a sound database", text)
    homeless = "SELECT name FROM images WHERE segment NOT IN (SELECT number FROM segments)"
    for (name,) in database.execute(homeless):
        raise DamagedDatabaseError("every image in a segment", f"{name!r:.80} in none")


def require_metadata(database: Connection) -> None:
    """Raises DamagedDatabaseError where metadata, or the words that are looked for, are not what was written."""
    checksums.require_metadata(database)
    require_texts(database)
