"""Files whose content the index has of another file are indexed with its features: they are not decoded again."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from bof.errors import IndexStoreError
from bof.ingest.extract import Extracted
from bof.ingest.sync import KnownContent
from bof.native.mapped_file import reading
from bof.store import catalog
from bof.store.catalog import ImageRecord, ImageRow, SegmentRecord, has_file
from bof.store.index import Index
from bof.store.segments import ImageColumns, Segment
from bof.store.writer import Writer

_AT_ONCE = 1024
"""Files whose features are held in memory."""

_BYTES_A_FILE = 64 << 20
"""What may be hashed for one file: to read and to extract its picture takes about as long.

A segment is compared with its checksums before a part of it is copied under a new one.
"""

log = logging.getLogger("bof")


def reuse_features(index: Index, writer: Writer, files: Sequence[KnownContent]) -> Iterator[Extracted | KnownContent]:
    """Of each file its record and columns; or the file itself, where it must be read after all.

    That is so where the picture of the same content could not be read either, where its segment is damaged, and where
    the segment is too large to be compared with its checksums for so few files. What is yielded may be committed at
    once.
    """
    if not files:
        return
    contents = {one.sha256 for one in files}
    usable = (record for record in reversed(index.records()) if has_file(record.path))  # the others' sizes may differ
    source_of = {record.sha256: record for record in usable if record.sha256 in contents}
    opened: dict[str, Segment] = {}
    for first in range(0, len(files), _AT_ONCE):
        some = files[first : first + _AT_ONCE]
        found = _find(index, writer, [source_of[one.sha256] for one in some if one.sha256 in source_of], opened)
        for one in some:
            source = source_of.get(one.sha256)
            columns = found.get(source.id) if source else None
            yield (_record(one, source), columns) if source and columns is not None else one


def _find(
    index: Index, writer: Writer, sources: Sequence[ImageRecord], opened: dict[str, Segment]
) -> dict[int, ImageColumns]:
    """What is indexed of the sources, by id, in the segments that are sound. opened: those that were compared."""
    found: dict[int, ImageColumns] = {}
    for part, its_writer in zip(index.parts, writer.parts, strict=True):
        found |= _find_in(part, its_writer, sources, opened)
    return found


def _find_in(
    part: Index, writer: Writer, sources: Sequence[ImageRecord], opened: dict[str, Segment]
) -> dict[int, ImageColumns]:
    with catalog.reading(part.folder) as database:
        commit = catalog.read_commit(database)
    ids = np.array([source.id for source in sources], np.int64)
    live = np.isin(commit.images.id, ids) & ~commit.images.deleted
    places = [commit.images[i] for i in np.flatnonzero(live).tolist()]
    segment_of = {place.id: place.segment for place in places}
    n_files = Counter(segment_of[source.id] for source in sources if source.id in segment_of)
    segments = {row.number: _open(writer, row, n_files[row.number], opened) for row in commit.segments}
    return {place.id: columns for place in places if (columns := _columns(place, segments)) is not None}


def _columns(place: ImageRow, segments: Mapping[int, Segment | None]) -> ImageColumns | None:
    segment = segments[place.segment]
    if segment is None:
        return None
    with reading(segment):
        return segment.image_columns(place.position)


def _open(writer: Writer, row: SegmentRecord, n_files: int, opened: dict[str, Segment]) -> Segment | None:
    """The segment, if it is sound and so many files are worth to find that out."""
    n_bytes = sum(fact.n_bytes for fact in row.files.values())
    if row.name not in opened and n_files and n_bytes <= n_files * _BYTES_A_FILE:
        try:
            opened[row.name] = writer.open_sound(row)
        except IndexStoreError as error:
            log.warning("pictures of known content are read again: %s", error)
    return opened.get(row.name)


def _record(file: KnownContent, source: ImageRecord) -> ImageRecord:
    size = source.width, source.height, source.n_features
    return ImageRecord(file.name, file.path, file.n_bytes, file.mtime_ns, file.sha256, *size)
