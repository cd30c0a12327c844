"""An index that stands gets optional columns: pictures are described again, their features stay as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bof.images.listing import Skipped
from bof.ingest.extract import Recipe, in_processes
from bof.native.mapped_file import reading
from bof.options import IndexOptions
from bof.store import catalog
from bof.store.catalog import CatalogueColumns, ImageRow, SegmentRecord
from bof.store.columns import Rows, known
from bof.store.index import Index
from bof.store.writer import Writer

Progress = Callable[[int, int], None]

_REWRITES = 16
"""A segment's columns are written at most this many times while they fill."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Live images of a segment, in the order of their positions, that lack columns."""

    segment: SegmentRecord
    images: Sequence[ImageRow]


def find_gaps(index: Index, groups: Sequence[str]) -> list[Gap]:
    """Where images lack columns of these groups. Raises IndexStoreError where a segment is damaged."""
    if not groups:
        return []
    with catalog.reading(index.folder) as database:
        commit = catalog.read_commit(database)
        gaps = [Gap(row, _lacking(index, row, commit.images, groups)) for row in commit.segments]
    return [gap for gap in gaps if gap.images]


def _lacking(index: Index, segment: SegmentRecord, images: CatalogueColumns, groups: Sequence[str]) -> list[ImageRow]:
    opened = index.open_segment(segment)
    with reading(opened):
        complete = np.logical_and.reduce([known(opened.columns, group, segment.n_images) for group in groups])
    chosen = np.flatnonzero((images.segment == segment.number) & ~images.deleted)
    return [images[i] for i in chosen[~complete[images.position[chosen]]].tolist()]


def fill(
    writer: Writer, gaps: Sequence[Gap], recipe: Recipe, options: IndexOptions, progress: Progress | None = None
) -> tuple[int, list[Skipped]]:
    """Describe the images of all gaps, committing as it goes; returns how many got columns, and what was skipped."""
    n_images, n_done, skipped = sum(len(gap.images) for gap in gaps), 0, list[Skipped]()
    sha256_of = {record.path: record.sha256 for record in catalog.read_records(writer.folder)} if gaps else {}
    for gap, images in _steps(gaps, options):
        rows: dict[int, Rows] = {}
        for result in _described(images, sha256_of, recipe, options):
            if isinstance(result, Skipped):
                skipped.append(result)
            else:
                rows.update([result])
            n_done += 1
            if progress:
                progress(n_done, n_images)
        if rows:
            writer.fill(gap.segment.number, rows)
    return n_images - len(skipped), skipped


def _steps(gaps: Sequence[Gap], options: IndexOptions) -> Iterator[tuple[Gap, Sequence[ImageRow]]]:
    """What is described before each commit."""
    for gap in gaps:
        step = max(options.commit_images, -(-gap.segment.n_images // _REWRITES))
        for first in range(0, len(gap.images), step):
            yield gap, gap.images[first : first + step]


def _described(
    images: Sequence[ImageRow], sha256_of: Mapping[str, str], recipe: Recipe, options: IndexOptions
) -> Iterator[tuple[int, Rows] | Skipped]:
    """The position and the columns of each image; one whose file is not what was indexed is skipped."""
    position_of = {image.path: image.position for image in images}
    files = [(image.path, image.name) for image in images]
    for result in in_processes("bof.ingest.extract:describe_again_in_worker", files, recipe, options):
        if isinstance(result, Skipped):
            yield result
        elif result[1] != sha256_of[result[0]]:
            yield Skipped(result[0], "its content has changed; python -m bof.index reads it again")
        else:
            yield position_of[result[0]], result[2]
