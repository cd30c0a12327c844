"""Pictures of the collection are read again in processes of their own: to ask with, and to be compared.

A file counts only as what the index knows: one that is gone, or has another size or time, is not read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bof.alignment.likeness import DECODED_SIDE_PX, Likeness, compare
from bof.errors import ImageError
from bof.features.sift import extract_features
from bof.global_descriptors.sketch import sketch_of
from bof.images.address import is_remote
from bof.images.decode import Picture, PictureTooLargeError
from bof.images.opening import read_picture
from bof.ingest.extract import be_one_of_many
from bof.options import MAX_PIXELS, FeatureOptions
from bof.store.catalog import FileStamp, is_in_memory
from bof.system.memory import limit_memory
from bof.system.workers import Limits, LostItem, run_in_workers
from bof.types import F64, U8, Features

PICTURE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Unread:
    """Why a picture could not be read; is_large: it may be, by a process that has the memory for itself."""

    reason: str
    is_large: bool = False


Pairs = tuple[FileStamp, Sequence[tuple[FileStamp, F64]]]
"""A picture, and others with the transform to each from it."""


def read_features(
    sources: Sequence[FileStamp], options: FeatureOptions, n_workers: int
) -> Iterator[tuple[int, Features | Unread]]:
    """Features of pictures with their places in the sequence: in its order, those that are very large at the end."""
    yield from _run("bof.grouping.reading:extract_in_worker", options, sources, n_workers, options)


def read_sketches(
    sources: Sequence[FileStamp], options: FeatureOptions, n_workers: int
) -> Iterator[tuple[int, U8 | Unread]]:
    """Pictures in RGB in very small, u8 (8, 8, 3), with their places in the sequence."""
    yield from _run("bof.grouping.reading:sketch_in_worker", None, sources, n_workers, options)


def compare_pairs(items: Sequence[Pairs], options: FeatureOptions, n_workers: int) -> Iterator[tuple[int, Any]]:
    """Of each item its place, and the likeness of each of its pairs, None where the other cannot be read; or Unread."""
    yield from _run("bof.grouping.reading:compare_in_worker", None, items, n_workers, options)


def _run(
    function: str, shared: object, items: Sequence[Any], n_workers: int, options: FeatureOptions
) -> Iterator[tuple[int, Any]]:
    """All items, then those that were too large once more, one at a time."""
    memory_limit = limit_memory(0, min(n_workers or os.cpu_count() or 1, max(1, len(items))), options)
    places = range(len(items))
    for part in (memory_limit, memory_limit.in_one):
        limits = Limits(PICTURE_SECONDS, part.bytes)
        task = shared, min(MAX_PIXELS, part.max_pixels)
        results = run_in_workers(function, task, [items[place] for place in places], part.n_workers, limits)
        large = []
        for place, found in zip(places, results, strict=True):
            if isinstance(found, Unread) and found.is_large and part is memory_limit:
                large.append(place)
            else:
                yield place, Unread(found.reason) if isinstance(found, LostItem) else found
        if not large:
            return
        places = large  # type: ignore[assignment]


def extract_in_worker(shared: tuple[FeatureOptions, int], source: FileStamp) -> Features | Unread:
    """Features as the index's were extracted."""
    be_one_of_many()
    options, max_pixels = shared
    found: Features | Unread = _reading(
        lambda: extract_features(
            _picture(source, grey=True, max_side=options.max_side, max_pixels=max_pixels), options
        ),
        source,
    )
    return found


def sketch_in_worker(shared: tuple[None, int], source: FileStamp) -> U8 | Unread:
    """The mean colours of the picture's 8 x 8 parts."""
    be_one_of_many()

    def sketch() -> U8:
        pixels = _picture(source, max_side=DECODED_SIDE_PX, max_pixels=shared[1]).pixels
        return sketch_of(pixels)

    found: U8 | Unread = _reading(sketch, source)
    return found


def compare_in_worker(shared: tuple[None, int], item: Pairs) -> list[Likeness | None] | Unread:
    """A picture with each of some others; one of these that cannot be read leaves None."""
    be_one_of_many()
    source, others = item

    def read(stamp: FileStamp) -> Any:
        return _reading(lambda: _picture(stamp, max_side=DECODED_SIDE_PX, max_pixels=shared[1]), stamp)

    one = read(source)
    if isinstance(one, Unread):
        return one
    found: list[Likeness | None] = []
    for other_source, other_from_one in others:
        other = read(other_source)
        if isinstance(other, Unread) and other.is_large:
            return other
        found.append(None if isinstance(other, Unread) else compare(other, one, other_from_one))
    return found


def _picture(source: FileStamp, **options: Any) -> Picture:
    """A picture as `read_picture` reads it, in the frame of what was indexed."""
    found = read_picture(source.path, **options)
    return replace(found, width=source.size[0], height=source.size[1]) if source.size else found


def _reading(read: Callable[[], Any], source: FileStamp) -> Any:
    if is_in_memory(source.path):
        return Unread("was given in memory, so there is no file to read")
    if is_remote(source.path):
        return Unread("lies on another machine, and the index stores no thumbnail of it")
    if not source.is_current():
        return Unread("is gone or has changed since it was indexed")
    try:
        return read()
    except PictureTooLargeError as error:
        return Unread(str(error), is_large=True)
    except (ImageError, OSError) as error:
        return Unread(str(error))
