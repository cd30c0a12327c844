"""Pictures of the collection are read again in processes of their own, to be compared; of a batch each is read once.

A file counts only as what the index knows: one that is gone, or has another size or time, is not read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bof.alignment.agreement import DECODED
from bof.alignment.first_look import Unlike, may_be_copy, small_copy
from bof.alignment.likeness import Likeness, compare
from bof.errors import ImageError
from bof.global_descriptors.sketch import LEVELS, describe
from bof.images.address import is_remote
from bof.images.decode import Picture, PictureTooLargeError
from bof.images.opening import read_picture
from bof.ingest.extract import be_one_of_many
from bof.options import MAX_PIXELS, FeatureOptions
from bof.store.catalog import FileStamp, is_in_memory
from bof.system.memory import limit_memory
from bof.system.workers import Limits, LostItem, run_in_workers
from bof.types import F64, U8

PICTURE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a picture could not be read; is_large: it may be, by a process that has the memory for itself."""

    reason: str
    is_large: bool = False


Pairs = tuple[FileStamp, Sequence[tuple[FileStamp, F64]]]
"""A picture, and others with the transform to each from it."""


Found = list[Likeness | Unlike | None] | Unread
"""Of a picture the likeness of each of its pairs, None where the other cannot be read."""


@dataclass(frozen=True, slots=True)
class CompareSpec:
    """How pictures are compared. max_pixels: larger ones are not read; copies_only: pairs that a first look tells from
    copies are not compared further.
    """

    max_pixels: int
    copies_only: bool


def read_sketches(
    sources: Sequence[FileStamp], options: FeatureOptions, n_workers: int
) -> Iterator[tuple[int, U8 | Unread]]:
    """The mean levels of grey of the 8 x 8 parts of pictures, u8 (8, 8), with their places in the sequence."""
    yield from _run("bof.grouping.reading:sketch_in_worker", sources, n_workers, options, lambda most: most)


def compare_pairs(
    batches: Sequence[Sequence[Pairs]], options: FeatureOptions, n_workers: int, *, copies_only: bool = False
) -> Iterator[tuple[int, list[Found]]]:
    """Of each batch its place, and what was found of each of its pictures. Pictures of a batch are read once.

    copies_only: nothing matters but whether they are copies, so that most are told apart at a first look. A batch whose
    process does not survive it is read again, a picture at a time.
    """
    function, lost = "bof.grouping.reading:compare_in_worker", list[int]()

    def spec(max_pixels: int) -> CompareSpec:
        return CompareSpec(max_pixels, copies_only)

    for place, found in _run(function, batches, n_workers, options, spec):
        if isinstance(found, Unread):
            lost.append(place)
        else:
            yield place, found
    for place in lost:
        alone = [[pairs] for pairs in batches[place]]
        by_place = dict(_run(function, alone, n_workers, options, spec)) if len(alone) > 1 else {}
        yield place, [_only(by_place.get(i, Unread("its process did not survive it"))) for i in range(len(alone))]


def _only(found: list[Found] | Unread) -> Found:
    return found if isinstance(found, Unread) else found[0]


def _run(
    function: str, items: Sequence[Any], n_workers: int, options: FeatureOptions, spec: Callable[[int], Any]
) -> Iterator[tuple[int, Any]]:
    """All items, then those that were too large once more, one at a time. spec: of a most of pixels, what the function
    takes first."""
    memory_limit = limit_memory(0, min(n_workers or os.cpu_count() or 1, max(1, len(items))), options)
    places: Sequence[int] = range(len(items))
    for part in (memory_limit, memory_limit.in_one):
        limits = Limits(PICTURE_SECONDS, part.bytes)
        max_pixels = min(MAX_PIXELS, part.max_pixels)
        results = run_in_workers(function, spec(max_pixels), [items[place] for place in places], part.n_workers, limits)
        large = []
        for place, found in zip(places, results, strict=True):
            if _is_large(found) and part is memory_limit:
                large.append(place)
            else:
                yield place, Unread(found.reason) if isinstance(found, LostItem) else found
        if not large:
            return
        places = large


def _is_large(found: Any) -> bool:
    parts = found if isinstance(found, list) else [found]
    return any(isinstance(part, Unread) and part.is_large for part in parts)


def sketch_in_worker(max_pixels: int, source: FileStamp) -> U8 | Unread:
    """The mean levels of grey of the picture's 8 x 8 parts."""
    be_one_of_many()
    found = _read(source, max_pixels)
    return found if isinstance(found, Unread) else describe(found.pixels)[LEVELS.partition(".")[2]]


def compare_in_worker(spec: CompareSpec, batch: Sequence[Pairs]) -> list[Found]:
    """Each picture of a batch with some others; one of these that cannot be read leaves None."""
    be_one_of_many()
    read = _BatchPictures(spec.max_pixels)
    return [_compared(pairs, read, spec.copies_only) for pairs in batch]


class _BatchPictures:
    """The pictures of a batch, each read once, with the small copies that a first look needs."""

    def __init__(self, max_pixels: int) -> None:
        self._max_pixels = max_pixels
        self._pictures: dict[FileStamp, Picture | Unread] = {}
        self._small: dict[FileStamp, Picture] = {}

    def read(self, source: FileStamp) -> Picture | Unread:
        """A picture as large as pixels are compared."""
        if source not in self._pictures:
            self._pictures[source] = _read(source, self._max_pixels)
        return self._pictures[source]

    def small(self, source: FileStamp, picture: Picture) -> Picture:
        """The small copy of a picture that was read."""
        if source not in self._small:
            self._small[source] = small_copy(picture)
        return self._small[source]


def _compared(pairs: Pairs, pictures: _BatchPictures, copies_only: bool) -> Found:
    source, others = pairs
    one = pictures.read(source)
    if isinstance(one, Unread):
        return one
    found: list[Likeness | Unlike | None] = []
    for other_source, other_from_one in others:
        other = pictures.read(other_source)
        if isinstance(other, Unread):
            if other.is_large:
                return other
            found.append(None)
            continue
        small = pictures.small(other_source, other), pictures.small(source, one)
        if copies_only and not may_be_copy(*small, other_from_one):
            found.append(Unlike.UNLIKE)
        else:
            found.append(compare(other, one, other_from_one))
    return found


def _read(source: FileStamp, max_pixels: int) -> Picture | Unread:
    """A picture as large as pixels are compared."""
    if is_in_memory(source.path):
        return Unread("was given in memory, so there is no file to read")
    if is_remote(source.path):
        return Unread("lies on another machine, and the index stores no thumbnail of it")
    if not source.is_current():
        return Unread("is gone or has changed since it was indexed")
    try:
        found = read_picture(source.path, max_side=DECODED, max_pixels=max_pixels)
        return replace(found, width=source.size[0], height=source.size[1]) if source.size else found
    except PictureTooLargeError as error:
        return Unread(str(error), is_large=True)
    except (ImageError, OSError) as error:
        return Unread(str(error))
