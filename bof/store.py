"""The index on disk: a catalogue and write-once segments. One writer appends; readers hold a snapshot."""

from __future__ import annotations

import dataclasses
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bof import catalog
from bof.catalog import ImageFacts, ImageRow
from bof.errors import IndexStoreError, MismatchError, OptionError
from bof.files import write_folder
from bof.hypotheses import Placement
from bof.options import FeatureOptions
from bof.scoring import Postings, Weights, derive_weights
from bof.segments import ImageColumns, Segment, open_segment, write_segment
from bof.types import I32, I64, U16, U64, Geometry
from bof.vocabulary import Vocabulary

_SEGMENTS = "segments"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The collection as of one commit: images are numbered through all segments.

    rows[i] describes image i, segment_of[i] is where its features lie; weights are derived from the whole.
    """

    segments: Sequence[Segment]
    rows: Sequence[ImageRow]
    segment_of: Sequence[int]
    weights: Weights

    @property
    def n_images(self) -> int:
        """Live images."""
        return int(self.weights.live.sum())

    @property
    def n_features(self) -> int:
        """Features of the live images."""
        counts = [np.diff(segment.feature_indptr) for segment in self.segments]
        return int(np.concatenate(counts)[self.weights.live].sum()) if counts else 0

    @property
    def postings(self) -> list[Postings]:
        """Every segment's postings."""
        return [segment.postings for segment in self.segments]

    def geometry(self, image: int, features: U16 | None = None) -> Geometry:
        """Where the features of an image lie, or only those in the rows `features`, in pixels of the original."""
        row = self.rows[image]
        return self.segments[self.segment_of[image]].geometry(row.position, row.width, row.height, features)

    def words(self, image: int) -> tuple[I32, U64]:
        """Words i32 (n,) and signatures u64 (n,) of an image's features."""
        return self.segments[self.segment_of[image]].words(self.rows[image].position)

    def placement(self, images: I64, features: U16) -> Placement:
        """Where one feature of each of some images i64 (m,) lies, rows u16 (m,), in fractions of its long side."""
        placed = Placement(np.empty((len(images), 2)), np.empty(len(images)), np.empty(len(images)))
        for segment in self.segments:
            first = segment.postings.first_image
            rows = np.flatnonzero((images >= first) & (images < first + segment.n_images))
            part = segment.placement(images[rows] - first, features[rows])
            placed.xy[rows], placed.scale[rows], placed.angle_deg[rows] = part.xy, part.scale, part.angle_deg
        return placed


@dataclass(frozen=True, slots=True)
class Index:
    """An index folder and the facts that never change in it."""

    folder: Path
    fingerprint: str
    n_words: int
    features: FeatureOptions
    vocabulary_folder: Path

    @classmethod
    def create(cls, folder: Path, vocabulary: Vocabulary, vocabulary_folder: Path, features: FeatureOptions) -> Index:
        """A new, empty index. Raises IndexStoreError where one stands or the folder cannot be written."""
        meta = {
            "fingerprint": vocabulary.fingerprint,
            "n_words": vocabulary.n_words,
            "features": dataclasses.asdict(features),
            "vocabulary_folder": str(vocabulary_folder.absolute()),
        }
        try:
            (folder / _SEGMENTS).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise IndexStoreError(f"{folder}: cannot create an index here: {error.strerror or error}") from error
        catalog.create(folder, meta)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Index:
        """An index that stands. Raises IndexStoreError where there is none or it is damaged."""
        meta = catalog.read_meta(folder)
        try:
            features = FeatureOptions(**meta["features"])
            return cls(folder, meta["fingerprint"], meta["n_words"], features, Path(meta["vocabulary_folder"]))
        except (KeyError, TypeError, ValueError, OptionError) as error:
            raise IndexStoreError(
                f"{folder}: the catalogue lacks {error}; delete the folder and index again"
            ) from error

    def require(self, vocabulary: Vocabulary) -> None:
        """Raises MismatchError unless the index was built with this vocabulary."""
        if vocabulary.fingerprint != self.fingerprint:
            raise MismatchError(
                f"{self.folder}: built with vocabulary {self.fingerprint[:12]} ({self.vocabulary_folder}), "
                f"found {vocabulary.fingerprint[:12]}; name the right one with --vocabulary, or index again"
            )

    def append(self, images: Sequence[tuple[ImageFacts, ImageColumns]]) -> None:
        """Add images as one new segment; an older image of the same path gives way.

        The segment is whole and on disk before one transaction makes it part of the index. Raises IndexStoreError
        when that fails; the index is then as it was.
        """
        name = uuid.uuid4().hex
        target = self.folder / _SEGMENTS / name
        facts = {}
        try:
            write_folder(target, lambda fresh: facts.update(write_segment(fresh, [c for _, c in images], self.n_words)))
            catalog.insert_segment(self.folder, target, facts, [f for f, _ in images])
        except OSError as error:
            raise IndexStoreError(f"{target}: {error.strerror or error}; the index is as it was") from error
        except IndexStoreError:
            shutil.rmtree(target, ignore_errors=True)
            raise

    def remove(self, names: Sequence[str]) -> int:
        """Take images out of every later snapshot; returns how many of the names there were."""
        return catalog.mark_deleted(self.folder, names)

    def sweep(self) -> None:
        """Delete what a crash left behind: segment folders that the catalogue does not name."""
        with catalog.no_commits(self.folder) as known:
            for path in (self.folder / _SEGMENTS).iterdir():
                if path.name not in known:
                    shutil.rmtree(path, ignore_errors=True)

    def snapshot(self) -> Snapshot:
        """Open every segment as the catalogue names them now. Raises IndexStoreError where one is damaged."""
        segment_rows, rows = catalog.read_rows(self.folder)
        expected = sum(row.n_images for row in segment_rows)
        if expected != len(rows):
            raise IndexStoreError(f"{self.folder}: expected {expected} images in the catalogue, found {len(rows)}")
        firsts = np.cumsum([0, *(row.n_images for row in segment_rows)])
        segments = [
            open_segment(self.folder / _SEGMENTS / row.name, row.files, self.n_words, int(first))
            for row, first in zip(segment_rows, firsts[:-1], strict=True)
        ]
        live = np.array([not row.deleted for row in rows], np.bool_)
        segment_of = [i for i, row in enumerate(segment_rows) for _ in range(row.n_images)]
        return Snapshot(segments, rows, segment_of, derive_weights([s.counts for s in segments], live, self.n_words))

    def n_bytes(self) -> int:
        """Size on disk of everything in the folder."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())
