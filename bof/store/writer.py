"""Changing an index, a commit at a time: append, fill, move, remove, merge, repair; by who holds the writer's lock."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import Connection

import numpy as np

from bof.errors import IndexStoreError, reason_of
from bof.native.mapped_file import reading
from bof.store import catalog, columns, vocabulary_copy
from bof.store import check as check_module
from bof.store.catalog import Fields, ImageRecord, Move, SegmentRecord, additions, changes, commits, metadata
from bof.store.check import OUT_OF_RANGE, SEGMENTS, CheckReport, check, is_in_range, open_recorded, wrong_files
from bof.store.columns import Rows
from bof.store.incoming import IncomingSegment, drop_incoming, move_in
from bof.store.merge import MergePart, SegmentSize, choose_all, choose_merge, write_merged
from bof.store.pictures import StoredPictures, contents_of, has_any
from bof.store.segments import ADVICE, Files, ImageColumns, Segment, Write, write_new_segment, write_segment
from bof.system.files import fact_of, link_or_copy
from bof.system.locking import one_writer
from bof.types import Bool

log = logging.getLogger("bof")


@contextmanager
def open_writer(folder: Path, n_words: int) -> Iterator[Writer]:
    """The index's only writer; what a crash left behind is swept first. Raises IndexStoreError where another writes."""
    with one_writer(folder):
        writer = Writer(folder, n_words)
        drop_incoming(folder)
        writer.sweep()
        yield writer


@dataclass(frozen=True, slots=True)
class Writer:
    """Every method is one commit: done whole, or the index is as it was and IndexStoreError says why."""

    folder: Path
    n_words: int

    @property
    def parts(self) -> Sequence[Writer]:
        """The writer of each part: of an ordinary index itself."""
        return (self,)

    def require_whole(self) -> None:
        """Raises IndexStoreError where a file of the index is missing or has another size than when it was written."""
        with catalog.reading(self.folder) as database:
            segments = catalog.read_segments(database)
        for row in segments:
            for reason in wrong_files(self.folder, row, self.n_words, contents=False):
                raise IndexStoreError(reason, advice=ADVICE)

    def append(
        self,
        images: Sequence[tuple[ImageRecord, ImageColumns]],
        annotated: Mapping[str, Fields] | None = None,
        last_id: int = 0,
    ) -> None:
        """Add images as one new segment; an older image of the same path gives way.

        annotated: by path, fields that get these values in the same commit, instead of those that they had; last_id:
        an id that is taken elsewhere, theirs are higher.
        """

        def commit(database: Connection, name: str, files: Files) -> None:
            additions.raise_last(database, last_id)
            metadata.set_fields(database, annotated or {})
            changes.add_segment(database, name, files, [record for record, _ in images])

        self._commit_segment(lambda fresh: self._write_segment(fresh, images), commit)
        self.maintain()

    @property
    def homes(self) -> Sequence[Path]:
        """The folders that new segments lie in: one a part."""
        return [self.folder]

    def homes_of(self, paths: Iterable[str]) -> dict[str, int]:
        """By path: which of `homes` a picture's segment lies in."""
        return dict.fromkeys(paths, 0)

    def adopt(self, segment: IncomingSegment, records: Sequence[ImageRecord], home: int = 0) -> None:
        """Add a segment that another process wrote beside the index, `append` otherwise. records: of its images.

        home: which of `homes` it was written beside. Every byte is compared with what was said of it. Raises
        IndexStoreError where it is not that; it is dropped.
        """
        self.take_in(segment, records)
        try:
            with catalog.transaction(self.folder) as database:
                changes.add_segment(database, segment.name, segment.files, records)
        except (OSError, IndexStoreError):
            self._delete([segment.name])
            raise
        self.maintain()

    def take_in(self, segment: IncomingSegment, records: Sequence[ImageRecord]) -> Segment:
        """Such a segment at its place, compared with what was said of it, but no part of the index yet."""
        n_features = sum(record.n_features for record in records)
        place = move_in(self.folder, segment.name)
        try:
            opened = self.open_sound(SegmentRecord(0, segment.name, len(records), n_features, segment.files))
            with reading(opened):
                sizes = np.diff(opened.feature_indptr).tolist()
            if sizes != [record.n_features for record in records]:
                raise IndexStoreError("its images have other numbers of features than was said", path=place)
        except (OSError, IndexStoreError):
            self._delete([segment.name])
            raise
        return opened

    def read_incoming(
        self, segment: IncomingSegment, records: Sequence[ImageRecord], home: int = 0
    ) -> list[tuple[ImageRecord, ImageColumns]]:
        """The images of such a segment, in memory, for those that may come in one by one; the segment is dropped."""
        opened = self.take_in(segment, records)
        try:
            with reading(opened):
                return [(record, opened.image_columns(place)) for place, record in enumerate(records)]
        finally:
            self._delete([segment.name])

    def write_images(self, images: Sequence[tuple[ImageRecord, ImageColumns]]) -> tuple[str, Files]:
        """A segment whole and on disk, which is no part of the index yet: the name of its folder, and its files.

        Raises OSError.
        """
        return write_new_segment(self.folder / SEGMENTS, lambda fresh: self._write_segment(fresh, images))

    def _write_segment(self, fresh: Path, images: Sequence[tuple[ImageRecord, ImageColumns]]) -> Files:
        return write_segment(fresh, [columns for _, columns in images], self.n_words)

    def backfill(self, number: int, rows: Mapping[int, Rows]) -> None:
        """Give images of a segment, by position, rows of optional columns; all else in it stays as it is."""
        with catalog.reading(self.folder) as database:
            segment = next(row for row in catalog.read_segments(database) if row.number == number)
        old = self.folder / SEGMENTS / segment.name
        before = open_recorded(self.folder, segment, self.n_words)

        def write(fresh: Path) -> Files:
            with reading(before):
                written = [f"{name}.npy" for name in columns.overlay(fresh, segment.n_images, before.columns, rows)]
            retained = {name: fact for name, fact in segment.files.items() if name not in written}
            for name in retained:
                link_or_copy(old / name, fresh / name)
            return {**retained, **{name: fact_of(fresh / name) for name in written}}

        def commit(database: Connection, name: str, files: Files) -> None:
            changes.replace_segment(database, segment.number, name, files)

        self._commit_segment(write, commit)
        self._delete([old.name])

    def set_facts(self, facts: Mapping[str, object], dropped: Sequence[str] = ()) -> None:
        """Set facts of the index; groups of optional columns that no longer fit them are dropped."""
        with catalog.transaction(self.folder) as database:
            for group in dropped:
                changes.drop_files(database, group)
            for key, value in facts.items():
                changes.set_meta(database, key, value)
        self.sweep()

    def carry_vocabulary(self, sources: Sequence[Path]) -> None:
        """Give the index a copy of its vocabulary, from the first of some places that holds it."""
        files = vocabulary_copy.restore(self.folder, sources, catalog.read_meta(self.folder)["fingerprint"])
        self.set_facts({vocabulary_copy.FACT: vocabulary_copy.as_fact(files)})

    def remove(self, names: Sequence[str]) -> int:
        """Take images out by name; returns how many of the names there were."""
        with catalog.transaction(self.folder) as database:
            found = changes.find_names(database, names)
            changes.delete_images(database, found.values())
        self.maintain()
        return len(found)

    def rearrange(self, moves: Sequence[Move], gone: Sequence[int], roots: Sequence[str]) -> None:
        """Images found under other paths, images (ids) whose files are gone, and the folders that are followed."""
        with catalog.transaction(self.folder) as database:
            changes.delete_images(database, gone)
            changes.move_images(database, moves)
            changes.set_meta(database, "roots", list(roots))
        self.maintain()

    def annotate(self, paths: Sequence[str], add: Fields, remove: Fields) -> None:
        """Add values to fields of some images, by path, and take others away."""
        with catalog.transaction(self.folder) as database:
            metadata.annotate(database, paths, add, remove)

    def set_fields(self, annotated: Mapping[str, Fields]) -> None:
        """Give fields of images, by path, new values instead of those that they had."""
        with catalog.transaction(self.folder) as database:
            metadata.set_fields(database, annotated)

    def sweep(self) -> None:
        """Delete what the catalogue does not name: a crash left it behind. What cannot be deleted harms nobody."""
        with catalog.reading(self.folder) as database:
            segments = catalog.read_segments(database)
        check_module.sweep(self.folder, segments)
        if has_any(self.folder):
            with suppress(IndexStoreError):  # a catalogue that is damaged names nothing that may be deleted
                StoredPictures(self.folder).sweep(contents_of(catalog.read_records(self.folder)))

    def _delete(self, names: Sequence[str]) -> None:
        """Delete the folders of segments that the catalogue no longer names."""
        with check_module.open_segments(self.folder) as here:
            for name in names:
                check_module.remove(here, name)

    def maintain(self) -> None:
        """Merge what the policy asks for, so that many small commits cost a search no more than a few large ones.

        Only an improvement: where it fails, what was committed stays, and the next commit tries again.
        """
        try:
            while chosen := choose_merge(self._sizes()):
                self._merge(chosen)
        except IndexStoreError as error:
            log.warning("merging is put off: %s", error)

    def merge(self) -> int:
        """Make one segment of all, without anything that was removed; returns how many segments there were."""
        sizes = self._sizes()
        for chosen in choose_all(sizes):
            self._merge(chosen)
        self.sweep()
        return len(sizes)

    def repair(self, vocabularies: Sequence[Path] = ()) -> CheckReport:
        """Drop every damaged segment with the images in it, and sweep; returns what was found.

        vocabularies: where to look for the vocabulary if the index's copy is damaged. Raises IndexStoreError, after all
        else is done, where it is in none of them.
        """
        report = check(self.folder, self.n_words)
        if report.wrong_pictures:
            StoredPictures(self.folder).drop_damaged()
        if report.damages or report.wrong_metadata:
            with catalog.transaction(self.folder) as database:
                changes.drop_segments(database, [damage.segment.number for damage in report.damages])
                if report.wrong_metadata:
                    changes.repair_metadata(database)
        self.sweep()
        if report.wrong_vocabulary:
            self.carry_vocabulary(vocabularies)
        return report

    def _sizes(self) -> list[SegmentSize]:
        with catalog.reading(self.folder) as database:
            return [SegmentSize(*row) for row in commits.read_sizes(database)]

    def _merge(self, numbers: Sequence[int]) -> None:
        with catalog.reading(self.folder) as database:
            old = [row for row in catalog.read_segments(database) if row.number in set(numbers)]
            images = [commits.read_segment_images(database, row) for row in old]
        live = [~each.deleted for each in images]
        retained = np.concatenate([each.id[keep] for each, keep in zip(images, live, strict=True)]).tolist()
        if retained:
            self._write_merged(old, live, retained)
        else:
            with catalog.transaction(self.folder) as database:
                changes.drop_segments(database, numbers)
        self._delete([row.name for row in old])

    def _write_merged(self, old: Sequence[SegmentRecord], live: Sequence[Bool], retained: Sequence[int]) -> None:
        parts = [MergePart(self.open_sound(row), keep) for row, keep in zip(old, live, strict=True)]
        n_features = sum(int(part.sizes.sum()) for part in parts)

        def commit(database: Connection, name: str, files: Files) -> None:
            number = changes.insert_segment(database, name, files, len(retained), n_features)
            changes.place_images(database, number, retained, [row.number for row in old])

        def write(fresh: Path) -> Files:
            with reading(*(part.segment for part in parts)):
                return write_merged(fresh, parts, self.n_words)

        self._commit_segment(write, commit)

    def open_sound(self, row: SegmentRecord) -> Segment:
        """A segment, once each of its bytes was compared: damage must not be copied under a new checksum.

        Raises IndexStoreError where it is damaged.
        """
        for reason in wrong_files(self.folder, row, self.n_words):
            raise IndexStoreError(reason, advice=ADVICE)
        segment = open_recorded(self.folder, row, self.n_words)
        with reading(segment):
            is_sound = is_in_range(segment)
        if not is_sound:
            raise IndexStoreError(OUT_OF_RANGE, path=self.folder / SEGMENTS / row.name, advice=ADVICE)
        return segment

    def _commit_segment(self, write: Write, commit: Callable[[Connection, str, Files], None]) -> None:
        """A new segment whole and on disk, before one transaction makes it part of the index."""
        with self._sweeping_after_failure():
            name, files = write_new_segment(self.folder / SEGMENTS, write)
            with catalog.transaction(self.folder) as database:
                commit(database, name, files)

    @contextmanager
    def _sweeping_after_failure(self) -> Iterator[None]:
        try:
            yield
        except (OSError, IndexStoreError) as error:
            with suppress(IndexStoreError):
                self.sweep()
            if isinstance(error, IndexStoreError):
                raise
            raise IndexStoreError(reason_of(error), path=self.folder, advice="the index is as it was") from error
