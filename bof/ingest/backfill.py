"""An existing index gets optional columns: pictures are described again, their features stay as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bof.images.listing import Skipped
from bof.ingest.extract import ExtractSpec, in_processes
from bof.ingest.work import description_work
from bof.native.mapped_file import reading
from bof.options import IndexOptions
from bof.scheduling.connection import Cluster
from bof.store import catalog
from bof.store.catalog import CatalogueColumns, ImageRow, SegmentRecord, has_file, is_in_memory
from bof.store.columns import Rows, known
from bof.store.index import Index
from bof.store.pictures import StoredPictures
from bof.store.writer import Writer
from bof.system.steps import Progress, Stage

_REWRITES = 16
"""A segment's columns are written at most this many times while they fill."""


@dataclass(frozen=True, slots=True)
class MissingColumns:
    """Live images of a segment of a part, in the order of their positions, that lack columns."""

    part: int
    segment: SegmentRecord
    images: Sequence[ImageRow]


def find_missing(index: Index, groups: Sequence[str]) -> list[MissingColumns]:
    """Where images lack columns of these groups. Raises IndexStoreError where a segment is damaged."""
    if not groups:
        return []
    missing = [one for number, part in enumerate(index.parts) for one in _missing_in(part, number, groups)]
    return [one for one in missing if one.images]


def _missing_in(part: Index, number: int, groups: Sequence[str]) -> list[MissingColumns]:
    with catalog.reading(part.folder) as database:
        commit = catalog.read_commit(database)
        return [MissingColumns(number, row, _lacking(part, row, commit.images, groups)) for row in commit.segments]


def _lacking(index: Index, segment: SegmentRecord, images: CatalogueColumns, groups: Sequence[str]) -> list[ImageRow]:
    opened = index.open_segment(segment)
    with reading(opened):
        complete = np.logical_and.reduce([known(opened.columns, group, segment.n_images) for group in groups])
    chosen = np.flatnonzero((images.segment == segment.number) & ~images.deleted)
    return [images[i] for i in chosen[~complete[images.position[chosen]]].tolist()]


def backfill(
    writer: Writer,
    missing: Sequence[MissingColumns],
    spec: ExtractSpec,
    options: IndexOptions,
    progress: Progress | None = None,
    cluster: Cluster | None = None,
) -> tuple[int, list[Skipped]]:
    """Describe the images of all gaps, committing as it goes; returns how many got columns, and what was skipped.

    cluster: whose workers describe them, None: processes of this machine.
    """
    n_images, skipped = sum(len(one.images) for one in missing), list[Skipped]()
    stage = Stage(progress, "describing", n_images, sum(_work(image) for one in missing for image in one.images))
    parts = writer.parts if missing else ()
    sha256_of = {record.path: record.sha256 for part in parts for record in catalog.read_records(part.folder)}
    for one, images in _steps(missing, options):
        rows: dict[int, Rows] = {}
        of_path, of_position = {i.path: i for i in images}, {i.position: i for i in images}
        of_path |= {i.name: i for i in images if is_in_memory(i.path)}  # these are skipped by their name
        for result in _extracted(images, sha256_of, spec, options, StoredPictures(writer.folder), cluster):
            if isinstance(result, Skipped):
                skipped.append(result)
            else:
                rows.update([result])
            stage.advance(1, _work(of_path[result.path] if isinstance(result, Skipped) else of_position[result[0]]))
        if rows:
            writer.parts[one.part].backfill(one.segment.number, rows)
    return n_images - len(skipped), skipped


def _work(image: ImageRow) -> float:
    return description_work(image.path, image.width, image.height)


def _steps(
    missing: Sequence[MissingColumns], options: IndexOptions
) -> Iterator[tuple[MissingColumns, Sequence[ImageRow]]]:
    """What is described before each commit."""
    for one in missing:
        step = max(options.commit_images, -(-one.segment.n_images // _REWRITES))
        for first in range(0, len(one.images), step):
            yield one, one.images[first : first + step]


def _extracted(
    images: Sequence[ImageRow],
    sha256_of: Mapping[str, str],
    spec: ExtractSpec,
    options: IndexOptions,
    stored: StoredPictures,
    cluster: Cluster | None,
) -> Iterator[tuple[int, Rows] | Skipped]:
    """The position and the columns of each image; one whose file is not what was indexed is skipped."""
    image_of: dict[str, ImageRow] = {}
    for image in images:
        if is_in_memory(image.path):
            yield Skipped(image.name, "was given in memory, so there is no file to read; add_images describes it again")
        elif file := _file_of(image, sha256_of, stored):
            image_of[file] = image
        else:
            yield Skipped(image.path, "lies on another machine, and no copy is stored; bof index --iiif fetches it")
    files = [(file, image.name) for file, image in image_of.items()]
    for result in in_processes("bof.ingest.extract:extract_columns_in_worker", files, spec, options, cluster):
        image = image_of[result.path if isinstance(result, Skipped) else result[0]]
        if isinstance(result, Skipped):
            yield Skipped(image.path, result.reason)
        elif result[1] != sha256_of[image.path]:
            yield Skipped(image.path, "its content has changed; bof index reads it again")
        else:
            yield image.position, result[2]


def _file_of(image: ImageRow, sha256_of: Mapping[str, str], stored: StoredPictures) -> str:
    """The file to read of a picture: its own, else the copy that the index stores; "" where there is none."""
    if has_file(image.path):
        return image.path
    found = stored.find(sha256_of[image.path])
    return str(found.path) if found and found.is_copy else ""
