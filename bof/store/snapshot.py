"""A collection as of one commit of each part of its index: what searches read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bof.geometry.hypotheses import Placement
from bof.global_descriptors.ann_index import EmbeddingPart
from bof.store import columns
from bof.store.catalog import CatalogueColumns, Seal, SegmentRecord
from bof.store.catalog.catalogue_columns import joined
from bof.store.film_frames import FilmFrames
from bof.store.inverted_file import Postings, Weights
from bof.store.segments import Segment
from bof.system.files import mapped_bytes
from bof.types import I32, I64, U16, U64, Bool, Geometry

_EMBEDDING = "embedding.embedding"


@dataclass(frozen=True, slots=True)
class PartRows:
    """Which of a snapshot's images are those of one part: its name, "" of an ordinary index, the number of its commit,
    its segments and the seals of their images, how many images it has.
    """

    name: str
    generation: int
    records: Sequence[SegmentRecord]
    seals: Sequence[Seal]
    n_rows: int


@dataclass(frozen=True, slots=True)
class PartCommit:
    """One part of an index as of one commit: what its catalogue says, and its open segments; images count from 0.

    seals: of the images of each segment, see `catalog.commits`.
    """

    name: str
    generation: int
    records: Sequence[SegmentRecord]
    seals: Sequence[Seal]
    rows: CatalogueColumns
    segments: Sequence[Segment]

    @property
    def live(self) -> Bool:
        """Which of its images live, bool (n,)."""
        return np.asarray(~self.rows.deleted, np.bool_)

    @property
    def sizes(self) -> I64:
        """Features of each image, i64 (n,)."""
        return np.concatenate([np.empty(0, np.int64), *(np.diff(s.feature_indptr) for s in self.segments)])

    @property
    def known_images(self) -> dict[str, tuple[Seal, CatalogueColumns]]:
        """What the catalogue says of the images of each segment, by its name, with their seal."""
        ends = np.cumsum([record.n_images for record in self.records]).tolist()
        pieces = [self.rows.some(end - record.n_images, end) for record, end in zip(self.records, ends, strict=True)]
        names = [record.name for record in self.records]
        return dict(zip(names, zip(self.seals, pieces, strict=True), strict=True))

    def require_whole(self) -> None:
        """Raises ShrunkFileError where a file became shorter while it was read."""
        for segment in self.segments:
            segment.require_whole()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The collection as of one commit: images are numbered through all segments.

    rows[i] describes image i, segment_of[i] is where its features lie; weights are derived from the whole, of which
    n_images images and n_features features live. generation is the commit's number, names are the segments'; films:
    which images are frames of films, None: none is; parts: where the images of each part of the index end.
    """

    generation: int
    names: Sequence[str]
    segments: Sequence[Segment]
    rows: CatalogueColumns
    segment_of: I32
    weights: Weights
    n_images: int
    n_features: int
    films: FilmFrames | None = None
    parts: Sequence[PartRows] = ()

    def __repr__(self) -> str:
        return f"Snapshot(commit {self.generation}, {self.n_images} images)"

    def restricted(self, ids: Set[int]) -> Self:
        """Only images of these ids answer; everything is weighed as in the whole collection."""
        allowed: Bool = np.isin(self.rows.id, np.fromiter(ids, np.int64, len(ids)))
        weights = dataclasses.replace(self.weights, live=self.weights.live & allowed)
        return dataclasses.replace(self, weights=weights)

    def commit_of(self, name: str) -> PartCommit | None:
        """One of its parts by name, None where it has none such."""
        first_image = first_segment = 0
        for part in self.parts:
            stop_image, stop_segment = first_image + part.n_rows, first_segment + len(part.records)
            if part.name == name:
                opened = self.segments[first_segment:stop_segment]
                segments = [one.moved(one.postings.first_image - first_image) for one in opened]
                rows = self.rows.some(first_image, stop_image)
                return PartCommit(name, part.generation, part.records, part.seals, rows, segments)
            first_image, first_segment = stop_image, stop_segment
        return None

    @property
    def postings(self) -> list[Postings]:
        """Every segment's postings."""
        return [segment.postings for segment in self.segments]

    @property
    def sizes(self) -> I64:
        """Features of each image i64 (n_images,), removed ones included."""
        return np.concatenate([np.empty(0, np.int64), *(np.diff(s.feature_indptr) for s in self.segments)])

    def facts(self) -> SnapshotFacts:
        """The commit in figures."""
        used = [np.diff(part.indptr) > 0 for part in self.postings]
        n_words_used = int(np.logical_or.reduce(used).sum()) if used else 0
        counts = self.n_images, self.n_features, len(self.segments), n_words_used
        return SnapshotFacts(self.generation, *counts, self.sizes[~self.rows.deleted])

    def count_known(self, group: str) -> int:
        """Live images that have rows in a group of optional columns."""
        return int((self.columns_known(group) & self.weights.live).sum())

    @property
    def is_whole(self) -> bool:
        """Is each file as long as it was when it was opened, and was so whenever it was read?"""
        return all(segment.is_whole for segment in self.segments)

    def require_whole(self) -> None:
        """Raises ShrunkFileError where a file became shorter while it was read: what was found is worthless."""
        for segment in self.segments:
            segment.require_whole()

    def stay_within(self, n_bytes: int) -> None:
        """Give back the memory of mapped files where it is more than this; what is needed again is read again."""
        if mapped_bytes() > n_bytes:
            for segment in self.segments:
                segment.release()

    def geometry(self, image: int, features: U16 | None = None) -> Geometry:
        """Where the features of an image lie, or only those in the rows `features`, in pixels of the original."""
        size = int(self.rows.width[image]), int(self.rows.height[image])
        return self.segments[int(self.segment_of[image])].geometry(int(self.rows.position[image]), *size, features)

    def embeddings(self) -> list[EmbeddingPart]:
        """The embeddings of each segment that has any."""
        return [
            EmbeddingPart(name, segment.postings.first_image, segment.columns[_EMBEDDING])
            for name, segment in zip(self.names, self.segments, strict=True)
            if _EMBEDDING in segment.columns
        ]

    def column(self, name: str) -> Iterator[tuple[slice, NDArray[Any], Bool]]:
        """A column of global descriptors, a segment at a time: which images, their rows, which of them are known."""
        for segment in self.segments:
            if name in segment.columns:
                first = segment.postings.first_image
                images = slice(first, first + segment.n_images)
                yield (
                    images,
                    segment.columns[name],
                    columns.known(segment.columns, columns.group_of(name), segment.n_images),
                )

    def columns_known(self, group: str) -> Bool:
        """Which images bool (n_images,) have rows in a group of optional columns."""
        parts = [columns.known(s.columns, group, s.n_images) for s in self.segments]
        return np.concatenate(parts or [np.empty(0, np.bool_)])

    def words(self, image: int) -> tuple[I32, U64]:
        """Words i32 (n,) and signatures u64 (n,) of an image's features."""
        return self.segments[int(self.segment_of[image])].words(int(self.rows.position[image]))

    def placement(self, images: I64, indptr: I64, features: U16) -> Placement:
        """Where features of some images i64 (n,) lie, rows u16 (m,): those of image i at indptr[i]:indptr[i + 1]."""
        placed = np.empty((4, len(features)))
        segment_of, position = self.segment_of[images], self.rows.position[images].astype(np.int64)
        for number in np.unique(segment_of).tolist():
            chosen = np.flatnonzero(segment_of == number)
            self.segments[number].place(chosen, indptr, position, features, placed)
        return placed


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """A commit in figures: its number, live images and features, segments, words in use; features_per_image i64 (n,) of
    the live images.
    """

    generation: int
    n_images: int
    n_features: int
    n_segments: int
    n_words_used: int
    features_per_image: I64


@dataclass(frozen=True, slots=True)
class Joined:
    """The images of several parts as those of one collection, in the order of the parts; nothing is weighed."""

    rows: CatalogueColumns
    segments: Sequence[Segment]
    names: Sequence[str]
    segment_of: I32
    sizes: I64
    parts: Sequence[PartRows]

    @classmethod
    def of(cls, commits: Sequence[PartCommit]) -> Joined:
        """commits: of every part."""
        opened = [segment for commit in commits for segment in commit.segments]
        n_images = [segment.n_images for segment in opened]
        firsts = np.cumsum([0, *n_images])[:-1].tolist()
        return cls(
            joined([commit.rows for commit in commits]),
            [segment.moved(first) for segment, first in zip(opened, firsts, strict=True)],
            [record.name for commit in commits for record in commit.records],
            np.repeat(np.arange(len(opened), dtype=np.int32), n_images),
            np.concatenate([np.empty(0, np.int64), *(commit.sizes for commit in commits)]),
            [PartRows(one.name, one.generation, one.records, one.seals, len(one.rows)) for one in commits],
        )

    @property
    def live(self) -> Bool:
        """Which images live, bool (n_images,)."""
        return np.asarray(~self.rows.deleted, np.bool_)

    def snapshot(self, generation: int, weights: Weights, films: FilmFrames | None) -> Snapshot:
        """The collection as of the commit of this number."""
        live = self.live
        counted = int(live.sum()), int(self.sizes[live].sum())
        collection = self.names, self.segments, self.rows, self.segment_of, weights
        return Snapshot(generation, *collection, *counted, films, self.parts)
