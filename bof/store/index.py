"""The index on disk: a catalogue and write-once segments. One writer changes it; readers hold a snapshot."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from bof.errors import IndexStoreError, MismatchError, OptionError, VocabularyError, reason_of
from bof.geometry.hypotheses import Placement
from bof.global_descriptors.ann_index import EmbeddingPart, save_ann_index
from bof.global_descriptors.describe import ColumnSpec
from bof.native.mapped_file import reading
from bof.options import SKETCH, FeatureOptions
from bof.store import catalog, columns, pictures, vocabulary_copy
from bof.store.catalog import CatalogueColumns, ImageRecord, Order, SegmentRecord, Selection
from bof.store.check import SEGMENTS, CheckReport, check, open_recorded
from bof.store.film_frames import FilmFrames, find_film_frames
from bof.store.film_words import count_films
from bof.store.inverted_file import Postings, Weights, derive_weights
from bof.store.segments import ADVICE, Segment
from bof.store.weights_cache import WORTH_CACHING, load_weights, save_weights
from bof.store.writer import Writer, open_writer
from bof.system.files import mapped_bytes
from bof.system.locking import one_writer
from bof.types import I32, I64, U16, U64, Bool, Geometry
from bof.vocabulary.vocabulary import Vocabulary, default_vocabulary_path

_EMBEDDING = "embedding.embedding"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The collection as of one commit: images are numbered through all segments.

    rows[i] describes image i, segment_of[i] is where its features lie; weights are derived from the whole, of which
    n_images images and n_features features live. generation is the commit's number, names are the segments'; films:
    which images are frames of films, None: none is.
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

    def __repr__(self) -> str:
        return f"Snapshot(commit {self.generation}, {self.n_images} images)"

    def restricted(self, ids: Set[int]) -> Self:
        """Only images of these ids answer; everything is weighed as in the whole collection."""
        allowed: Bool = np.isin(self.rows.id, np.fromiter(ids, np.int64, len(ids)))
        weights = dataclasses.replace(self.weights, live=self.weights.live & allowed)
        return dataclasses.replace(self, weights=weights)

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
class Index:
    """An index folder and the facts that never change in it.

    vocabulary_folder: where the vocabulary lay when the index was made; carries_vocabulary: has it a copy of its own?
    """

    folder: Path
    fingerprint: str
    n_words: int
    features: FeatureOptions
    vocabulary_folder: Path
    carries_vocabulary: bool

    @classmethod
    def create(cls, folder: Path, vocabulary: Vocabulary, vocabulary_folder: Path, features: FeatureOptions) -> Index:
        """A new, empty index with a copy of the vocabulary that lies in vocabulary_folder.

        Raises IndexStoreError where there is one or the folder cannot be written.
        """
        meta = {
            "fingerprint": vocabulary.fingerprint,
            "n_words": vocabulary.n_words,
            "features": features.fact,
            "vocabulary_folder": str(vocabulary_folder.absolute()),
            **ColumnSpec((SKETCH,)).meta,
        }
        try:
            (folder / SEGMENTS).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise IndexStoreError(f"cannot create an index here: {reason_of(error)}", path=folder) from error
        with one_writer(folder):
            catalog.require_none(folder)
            files = vocabulary_copy.write_copy(folder, vocabulary_folder, vocabulary.fingerprint)
            catalog.create(folder, {**meta, vocabulary_copy.FACT: vocabulary_copy.as_fact(files)})
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Index:
        """An existing index. Raises IndexStoreError where there is none or it is damaged."""
        meta = catalog.read_meta(folder)
        try:
            features = FeatureOptions.from_fact(meta["features"])
            facts = meta["fingerprint"], meta["n_words"], features, Path(meta["vocabulary_folder"])
            return cls(folder, *facts, bool(vocabulary_copy.files_of(meta)))
        except (KeyError, TypeError, ValueError, OptionError) as error:
            advice = "delete the folder and index again"
            raise IndexStoreError(f"the catalogue lacks {error}", path=folder, advice=advice) from error

    @property
    def column_spec(self) -> ColumnSpec:
        """The optional columns that it describes of every picture. Raises IndexStoreError where it lies."""
        meta = catalog.read_meta(self.folder)
        try:
            return ColumnSpec.from_meta(meta)
        except (KeyError, TypeError, ValueError, OptionError) as error:
            raise IndexStoreError(f"the catalogue's columns are damaged: {error}", path=self.folder) from error

    @property
    def vocabulary_copy(self) -> Path:
        """Where its copy of the vocabulary lies, if it carries one."""
        return self.folder / vocabulary_copy.FOLDER

    def require(self, vocabulary: Vocabulary) -> None:
        """Raises MismatchError unless the index was built with this vocabulary."""
        if (vocabulary.fingerprint, vocabulary.n_words) != (self.fingerprint, self.n_words):
            raise MismatchError(
                f"built with vocabulary {self.fingerprint[:12]} ({self.vocabulary_folder})",
                path=self.folder,
                found=f"{vocabulary.fingerprint[:12]}, {vocabulary.n_words} words",
                advice="name the right one with {vocabulary}, or index again",
            )

    @contextmanager
    def writer(self) -> Iterator[Writer]:
        """The right to change the index, for one at a time. Raises IndexStoreError where another has it.

        In the end the weights of a large collection are derived and kept, for the next to open it, and what finds
        embeddings in it.
        """
        with open_writer(self.folder, self.n_words) as writer:
            before = catalog.read_generation(self.folder)
            yield writer
            if catalog.read_generation(self.folder) == before:
                return
            is_large = sum(segment.n_features for segment in self.segments()) >= WORTH_CACHING
            if is_large or catalog.read_meta(self.folder).get("model"):
                made = self.snapshot()
                save_ann_index(self.folder, made.embeddings())
            if is_large:
                save_weights(self.folder, made.generation, made.names, made.weights, counts_films=bool(made.films))

    def snapshot(self, before: Snapshot | None = None) -> Snapshot:
        """The collection as of now. Raises IndexStoreError where a segment is damaged.

        before: an older snapshot, whose open segments are used again. No commit ends while the files are opened, and
        what is open stays readable whatever the writer deletes later.
        """
        with catalog.reading(self.folder) as database:
            commit = catalog.read_commit(database)
            firsts = np.cumsum([0, *(row.n_images for row in commit.segments)])
            known = dict(zip(before.names, before.segments, strict=True)) if before else {}
            segments = [self._open(*each, known) for each in zip(commit.segments, firsts[:-1].tolist(), strict=True)]
        live = ~commit.images.deleted
        n_images = [row.n_images for row in commit.segments]
        segment_of = np.repeat(np.arange(len(segments), dtype=np.int32), n_images)
        names = [row.name for row in commit.segments]
        films = find_film_frames(commit.images.paths)
        weights = load_weights(self.folder, commit.generation, names, live, self.n_words, counts_films=bool(films))
        weights = weights or self._weigh(segments, live, films)
        with reading(*segments):
            sizes = np.concatenate([np.diff(s.feature_indptr) for s in segments] or [np.empty(0, np.int64)])
        counted = int(live.sum()), int(sizes[live].sum())
        return Snapshot(commit.generation, names, segments, commit.images, segment_of, weights, *counted, films)

    def _weigh(self, segments: Sequence[Segment], live: Bool, films: FilmFrames | None) -> Weights:
        try:
            with reading(*segments):
                counted = count_films(segments, live, films.film, self.n_words) if films else None
                return derive_weights([segment.postings for segment in segments], live, self.n_words, counted)
        except ValueError as error:
            raise IndexStoreError(str(error), path=self.folder, advice=ADVICE) from error

    def _open(self, row: SegmentRecord, first_image: int, known: Mapping[str, Segment]) -> Segment:
        opened = known.get(row.name)
        if opened and opened.is_whole and opened.has_columns_of(row.files):
            return opened.moved(first_image)
        return self.open_segment(row, first_image)

    def open_segment(self, row: SegmentRecord, first_image: int = 0) -> Segment:
        """One segment of the index. Raises IndexStoreError where it is damaged."""
        return open_recorded(self.folder, row, self.n_words, first_image)

    # -- What the catalogue says ---------------------------------------------------------------------------------------

    @property
    def roots(self) -> list[Path]:
        """The folders that were added, which can be looked into again."""
        return [Path(root) for root in catalog.read_meta(self.folder).get("roots", [])]

    def generation(self) -> int:
        """A number that every commit changes."""
        return catalog.read_generation(self.folder)

    def segments(self) -> list[SegmentRecord]:
        """Every segment and what its files must be."""
        with catalog.reading(self.folder) as database:
            return catalog.read_segments(database)

    def count(self) -> int:
        """How many images there are."""
        return catalog.count_images(self.folder)

    def records(self) -> list[ImageRecord]:
        """Every image, in the order of their names."""
        return catalog.read_records(self.folder)

    def select(
        self,
        where: str = "",
        text: str = "",
        *,
        order: Order = "name",
        offset: int = 0,
        limit: int = -1,
        ids: Collection[int] | None = None,
        paths: Collection[str] | None = None,
    ) -> Selection:
        """Some images and what they are annotated with: see `catalog.select`."""
        return catalog.select(self.folder, where, text, order=order, offset=offset, limit=limit, ids=ids, paths=paths)

    def select_ids(self, where: str = "", text: str = "", ids: Collection[int] | None = None) -> set[int]:
        """The ids of the images that `select` would select."""
        return catalog.select_ids(self.folder, where, text, ids)

    def metadata(self) -> dict[str, dict[str, list[str]]]:
        """What pictures are annotated with, also those that are not in the index now: path -> key -> values."""
        return catalog.read_metadata(self.folder)

    def count_annotated(self) -> tuple[dict[str, int], dict[str, int]]:
        """How many images have each tag, and how many each other field."""
        return catalog.count_annotated(self.folder)

    def check(self) -> CheckReport:
        """Is every byte what was written? See `check.check`."""
        return check(self.folder, self.n_words)

    def repair(self, vocabularies: Sequence[Path] = ()) -> CheckReport:
        """Drop what is damaged, see `Writer.repair`; vocabularies: where to look for its vocabulary first."""
        places = [*vocabularies, self.vocabulary_folder]
        with suppress(VocabularyError):
            places.append(default_vocabulary_path())
        with open_writer(self.folder, self.n_words) as writer:
            return writer.repair(places)

    def bytes_by_file(self) -> dict[str, int]:
        """Bytes on disk of the catalogue, the copy of the vocabulary, stored pictures, and segments' files, by name."""
        found = {catalog.FILE_NAME: (self.folder / catalog.FILE_NAME).stat().st_size}
        copied = vocabulary_copy.files_of(catalog.read_meta(self.folder))
        found[vocabulary_copy.FOLDER] = sum(fact.n_bytes for fact in copied.values())
        if pictures.has_any(self.folder):
            found[pictures.FOLDER] = pictures.StoredPictures(self.folder).n_bytes()
        for segment in self.segments():
            for name, fact in segment.files.items():
                found[name] = found.get(name, 0) + fact.n_bytes
        return found

    def n_bytes(self) -> int:
        """Size on disk of the catalogue and of the segments that it names."""
        return sum(self.bytes_by_file().values())
