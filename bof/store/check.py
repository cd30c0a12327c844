"""Is every file of an index what it was when it was written? What is lost where one is not?"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bof.errors import IndexStoreError, reason_of
from bof.native import are_sound
from bof.native.mapped_file import reading
from bof.store import catalog, vocabulary_copy
from bof.store.catalog import ImageRecord, SegmentRecord, commits
from bof.store.judgments import require_sound_judgments
from bof.store.pictures import StoredPictures, contents_of, has_any
from bof.store.segment_files import most_bytes
from bof.store.segments import ADVICE, Segment, expected_files, open_segment
from bof.system.directory import Directory
from bof.system.files import FileFact, sha256_in
from bof.system.threads import in_threads

SEGMENTS = "segments"

OUT_OF_RANGE = "postings name images or features that do not exist, or other words than these have"


class LostImage(NamedTuple):
    """A live image of a damaged segment, by name and path."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Damage:
    """A segment that cannot be trusted: what is wrong with it, and the live images that are lost with it."""

    segment: SegmentRecord
    reasons: Sequence[str]
    lost: Sequence[LostImage]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `check` found: segments, live images and bytes checked, damage, and files that belong to nothing.

    wrong_metadata: why the metadata, or the words that are looked for in them, are not what was written; else empty;
    wrong_vocabulary: why the copy of the vocabulary is not, else empty; wrong_pictures: of stored pictures, why not;
    wrong_judgments: why what a person has judged is not what was written, else empty; of an index in parts
    wrong_commit: why a commit that was cut short cannot be ended, else empty; lost_parts: which are not there.
    """

    n_segments: int
    n_images: int
    n_bytes: int
    damages: Sequence[Damage]
    strays: Sequence[Path]
    wrong_metadata: str = ""
    wrong_vocabulary: str = ""
    wrong_pictures: Sequence[str] = ()
    wrong_judgments: str = ""
    wrong_commit: str = ""
    lost_parts: Sequence[str] = ()

    @property
    def n_saved(self) -> int:
        """Live images in sound segments."""
        return self.n_images - sum(len(damage.lost) for damage in self.damages)

    @property
    def is_sound(self) -> bool:
        """Is every byte what was written?"""
        wrong = (
            self.wrong_metadata, self.wrong_vocabulary, self.wrong_pictures, self.wrong_judgments, self.wrong_commit,
            self.lost_parts,
        )  # fmt: skip
        return not (self.damages or any(wrong))


@dataclass(frozen=True, slots=True)
class _Catalogued:
    """What the catalogue says of a segment: why its images are not what was written, if so; the live ones."""

    segment: SegmentRecord
    reason: str
    live: Sequence[LostImage]


def check(folder: Path, n_words: int, records: Sequence[ImageRecord] | None = None) -> CheckReport:
    """Read every byte of an index as of one commit. Raises IndexStoreError where the catalogue itself is damaged.

    It keeps no writer waiting: a segment that a writer takes away meanwhile is passed over. records: the pictures of
    which files are stored, where the catalogue does not say so.
    """
    with catalog.reading(folder) as database:
        commits.require_sound(database)
        entries = [_look_up(database, segment) for segment in catalog.read_segments(database)]
        wrong_metadata = _reason(lambda: commits.require_metadata(database))
    found = [damage for entry in entries if (damage := _damage(folder, entry, n_words))]
    with catalog.reading(folder) as database:
        standing = catalog.read_segments(database)
    names = {segment.name for segment in standing}
    damages = [damage for damage in found if damage.segment.name in names]
    n_live, strays = sum(len(entry.live) for entry in entries), list(find_strays(folder, standing))
    stored, wrong_pictures = _check_pictures(folder)
    if has_any(folder):
        records = catalog.read_records(folder) if records is None else records
        strays += stored.strays(contents_of(records))
    carried, wrong_vocabulary = _check_vocabulary(folder)
    facts = [*carried.values(), *(fact for entry in entries for fact in entry.segment.files.values())]
    n_bytes = sum(fact.n_bytes for fact in facts) + stored.n_bytes()
    wrong = wrong_metadata, wrong_vocabulary, wrong_pictures, _check_judgments(folder)
    return CheckReport(len(entries), n_live, n_bytes, damages, strays, *wrong)


def _check_judgments(folder: Path) -> str:
    """Why what was judged cannot be believed, or nothing."""
    try:
        require_sound_judgments(folder)
    except IndexStoreError as error:
        return str(error)
    return ""


def _check_pictures(folder: Path) -> tuple[StoredPictures, list[str]]:
    """The pictures that the index stores, and what is wrong with them; a writer may delete some meanwhile."""
    stored = StoredPictures(folder)
    damaged = list(stored.damaged())
    return stored, [reason for reason in damaged if reason in set(stored.damaged())] if damaged else []


def _check_vocabulary(folder: Path) -> tuple[dict[str, FileFact], str]:
    """The files of the copy of the vocabulary, and what is wrong with it; a writer may put another in its place."""
    files = vocabulary_copy.files_of(catalog.read_meta(folder))
    wrong = vocabulary_copy.wrong_copy(folder, files) if files else ""
    changed = wrong and vocabulary_copy.files_of(catalog.read_meta(folder)) != files
    return _check_vocabulary(folder) if changed else (files, wrong)


def _look_up(database: sqlite3.Connection, segment: SegmentRecord) -> _Catalogued:
    reason = _reason(lambda: commits.read_segment_images(database, segment))
    return _Catalogued(segment, reason, [LostImage(*named) for named in commits.read_names(database, segment.number)])


def _reason(compare: Callable[[], object]) -> str:
    """Why something is not what was written, or nothing."""
    try:
        compare()
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        return f"{catalog.FILE_NAME}: {error}"
    return ""


def find_strays(folder: Path, segments: Sequence[SegmentRecord]) -> Iterator[Path]:
    """What lies among the segments and belongs to none: a crash left it, the next writer sweeps it away."""
    with Directory.open(folder) as here:
        yield from (folder / name for name in vocabulary_copy.strays_of(here))
    if not os.path.lexists(folder / SEGMENTS):
        return
    known = {row.name: row for row in segments}
    with open_segments(folder) as here:
        for name in here.names():
            if name not in known:
                yield here.path / name
            else:
                yield from (here.path / name / file for file in _files(here, name) if file not in known[name].files)


def open_segments(folder: Path) -> Directory:
    """The folder of an index's segments. Raises IndexStoreError where it is missing, or a link that leads elsewhere."""
    try:
        return Directory.open_below(folder, SEGMENTS)
    except OSError as error:
        advice = "nothing below an index may be a link; restore it from a copy, or index again"
        raise IndexStoreError(reason_of(error), path=folder / SEGMENTS, advice=advice) from error


def sweep(folder: Path, segments: Sequence[SegmentRecord]) -> None:
    """Delete what lies among the segments and belongs to none. What cannot be deleted harms nobody."""
    with Directory.open(folder) as here:
        for name in vocabulary_copy.strays_of(here):
            remove(here, name)
    if not os.path.lexists(folder / SEGMENTS):
        return
    known = {row.name: row for row in segments}
    with open_segments(folder) as here:
        for name in here.names():
            if name not in known:
                remove(here, name)
                continue
            for file in _files(here, name):
                if file not in known[name].files:
                    with suppress(OSError), here.folder(name) as inner:
                        inner.remove_file(file)


def remove(here: Directory, name: str) -> None:
    """Delete a file, a link or a folder of files in a folder, as far as it can be."""
    with suppress(OSError):
        here.remove_folder(name) if here.is_folder(name) else here.remove_file(name)


def _files(segments: Directory, name: str) -> list[str]:
    """What lies in a segment's folder; nothing where it cannot be looked into."""
    try:
        with segments.folder(name) as inner:
            return inner.names()
    except OSError:
        return []


def _damage(folder: Path, entry: _Catalogued, n_words: int) -> Damage | None:
    segment = entry.segment
    reasons = [entry.reason] if entry.reason else list(wrong_files(folder, segment, n_words))
    if not reasons:
        reasons = list(_wrong_content(folder, segment, n_words))
    return Damage(segment, reasons, entry.live) if reasons else None


def wrong_files(folder: Path, row: SegmentRecord, n_words: int, *, contents: bool = True) -> Iterator[str]:
    """Missing, cut and, with contents, altered files of a segment of an index folder: by size and checksum."""
    place, sizes = folder / SEGMENTS / row.name, {"n_words": n_words, "n_images": row.n_images}
    try:
        here = Directory.open_below(folder, SEGMENTS, row.name)
    except OSError as error:
        yield f"{place}: cannot be read: {reason_of(error)}"
        return
    with here:
        for name in sorted(expected_files(row.files) | set(row.files)):
            most = most_bytes(name.removesuffix(".npy"), {**sizes, "n_features": row.n_features})
            try:
                if reason := _wrong_file(here, name, row.files.get(name), most, contents=contents):
                    yield f"{place / name}: {reason}"
            except OSError as error:
                yield f"{place / name}: cannot be read: {reason_of(error)}"


def _wrong_file(folder: Directory, name: str, expected: FileFact | None, most: int, *, contents: bool) -> str:
    n_bytes = folder.size_of(name)
    if expected is None:
        return "the catalogue does not know this file"
    if n_bytes != expected.n_bytes:
        return f"expected {expected.n_bytes} bytes, found {n_bytes}"
    if n_bytes > most:
        return f"expected at most {most} bytes, found {n_bytes}"
    if not contents:
        return ""
    with folder.open_file(name) as stream:
        return "" if sha256_in(stream) == expected.sha256 else "its content has changed (checksum)"


def _wrong_content(folder: Path, row: SegmentRecord, n_words: int) -> Iterator[str]:
    """Arrays that contradict each other or the catalogue, though they are what was written."""
    try:
        segment = open_recorded(folder, row, n_words)
        with reading(segment):
            is_sound = is_in_range(segment)
    except IndexStoreError as error:
        yield str(error)
        return
    if not is_sound:
        yield f"{folder / SEGMENTS / row.name}: {OUT_OF_RANGE}"


def open_recorded(folder: Path, row: SegmentRecord, n_words: int, first_image: int = 0) -> Segment:
    """A segment of an index folder. Raises IndexStoreError where it is damaged, or not what the catalogue says."""
    place = folder / SEGMENTS / row.name
    segment = open_segment(place, row.files, n_words, first_image)
    found, expected = (segment.n_images, len(segment.word)), (row.n_images, row.n_features)
    if found != expected:
        texts = ("{} images with {} features".format(*pair) for pair in (expected, found))
        raise IndexStoreError(path=place, expected=next(texts), found=next(texts), advice=ADVICE)
    return segment


def is_in_range(segment: Segment) -> bool:
    """Do a segment's postings name only images and features that exist, under the words that these have?"""
    postings = segment.postings
    columns = (postings.columns, segment.feature_indptr, segment.word)
    return all(in_threads(lambda words: are_sound(*columns, words), postings.word_shares))
