"""Is every file of an index what it was when it was written? What is lost where one is not?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.errors import IndexStoreError
from bof.native import are_sound
from bof.store import catalog
from bof.store.catalog import Commit, SegmentRow
from bof.store.image_records import ImageRow
from bof.store.segments import Segment, expected_files, open_segment
from bof.system.files import sha256_of
from bof.system.threads import in_threads

SEGMENTS = "segments"

OUT_OF_RANGE = "postings name images or features that do not exist, or other words than these have"


@dataclass(frozen=True, slots=True)
class Damage:
    """A segment that cannot be trusted: what is wrong with it, and the live images that are lost with it."""

    segment: SegmentRow
    reasons: Sequence[str]
    lost: Sequence[ImageRow]


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What `check` found: segments, live images and bytes checked, damage, and files that belong to nothing."""

    n_segments: int
    n_images: int
    n_bytes: int
    damages: Sequence[Damage]
    strays: Sequence[Path]

    @property
    def n_saved(self) -> int:
        """Live images in sound segments."""
        return self.n_images - sum(len(damage.lost) for damage in self.damages)


def check(folder: Path, n_words: int) -> CheckReport:
    """Read every byte of an index as of one commit. Raises IndexStoreError where the catalogue itself is damaged.

    It keeps no writer waiting: a segment that a writer takes away meanwhile is passed over.
    """
    with catalog.reading(folder) as database:
        _check_catalogue(folder, [text for (text,) in database.execute("PRAGMA integrity_check")])
        commit = catalog.read_commit(database)
    found = [damage for row in commit.segments if (damage := _damage(folder, row, commit, n_words))]
    with catalog.reading(folder) as database:
        standing = catalog.read_segments(database)
    names = {row.name for row in standing}
    damages = [damage for damage in found if damage.segment.name in names]
    live = [image for image in commit.images if not image.deleted]
    numbers = {row.number for row in commit.segments}
    homeless = [image.name for image in live if image.segment not in numbers]
    _check_catalogue(folder, [f"{name!r} lies in no segment" for name in homeless[:1]] or ["ok"])
    n_bytes = sum(fact.n_bytes for row in commit.segments for fact in row.files.values())
    return CheckReport(len(commit.segments), len(live), n_bytes, damages, list(find_strays(folder, standing)))


def _check_catalogue(folder: Path, found: list[str]) -> None:
    if found != ["ok"]:
        raise IndexStoreError(
            f"{folder / catalog.FILE_NAME}: the catalogue is damaged ({found[0]}); without it nothing can be saved: "
            "restore it from a copy, or delete the index folder and index again"
        )


def find_strays(folder: Path, segments: Sequence[SegmentRow]) -> Iterator[Path]:
    """What lies among the segments and belongs to none: a crash left it, the next writer sweeps it away."""
    known = {row.name: row for row in segments}
    for path in _listed(folder / SEGMENTS):
        if path.name not in known:
            yield path
        else:
            yield from (file for file in _listed(path) if file.name not in known[path.name].files)


def _listed(folder: Path) -> list[Path]:
    """What lies in a folder; nothing where it is missing or cannot be looked into."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _damage(folder: Path, row: SegmentRow, commit: Commit, n_words: int) -> Damage | None:
    images = [image for image in commit.images if image.segment == row.number]
    reasons = list(wrong_files(folder / SEGMENTS / row.name, row)) or list(_wrong_content(folder, row, images, n_words))
    lost = [image for image in images if not image.deleted]
    return Damage(row, reasons, lost) if reasons else None


def wrong_files(folder: Path, row: SegmentRow, *, contents: bool = True) -> Iterator[str]:
    """Missing, cut and, with contents, altered files: by size and checksum."""
    for name in sorted(expected_files(row.files) | set(row.files)):
        path, expected = folder / name, row.files.get(name)
        try:
            n_bytes = path.stat().st_size
            if expected is None:
                yield f"{path}: the catalogue does not know this file"
            elif n_bytes != expected.n_bytes:
                yield f"{path}: expected {expected.n_bytes} bytes, found {n_bytes}"
            elif contents and sha256_of(path) != expected.sha256:
                yield f"{path}: its content has changed (checksum)"
        except OSError as error:
            yield f"{path}: cannot be read: {error.strerror or error}"


def _wrong_content(folder: Path, row: SegmentRow, images: Sequence[ImageRow], n_words: int) -> Iterator[str]:
    """Arrays that contradict each other or the catalogue, though they are what was written."""
    try:
        segment = open_segment(folder / SEGMENTS / row.name, row.files, n_words, 0)
    except IndexStoreError as error:
        yield str(error)
        return
    if [image.position for image in images] != list(range(segment.n_images)) or row.n_images != segment.n_images:
        yield f"{folder / SEGMENTS / row.name}: expected {row.n_images} images, found {segment.n_images}"
    if not is_in_range(segment):
        yield f"{folder / SEGMENTS / row.name}: {OUT_OF_RANGE}"


def is_in_range(segment: Segment) -> bool:
    """Do a segment's postings name only images and features that exist, under the words that these have?"""
    postings = segment.postings
    columns = (postings.columns, segment.feature_indptr, segment.word)
    return all(in_threads(lambda words: are_sound(*columns, words), postings.word_shares))
