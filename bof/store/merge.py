"""Several segments become one: when it pays, and how to write it in memory that does not grow with them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bof.native import copy_retained, count_retained
from bof.store import columns
from bof.store.segments import Segment, facts_of, word_type
from bof.system.files import ArrayFile, FileFact, save_arrays
from bof.types import I32, I64, Bool

SMALLEST_TIER = 1 << 16
TIER_RATIO = 4
"""Segments of 2**16 features and fewer are of one tier; each further tier holds four times as many."""

MERGE_AT = 4
"""So many segments of one tier are merged: there are at most three a tier, and a feature is copied once a tier."""

MAX_DEAD = 0.25
"""A segment of which more is dead is rewritten."""

MAX_FEATURES = 1 << 30
"""No merge grows beyond this: the offsets of a segment are i32."""

_CHUNK = 1 << 19
"""Entries held in memory at once."""


@dataclass(frozen=True, slots=True)
class SegmentSize:
    """How much of a segment is there, and how much of it lives."""

    number: int
    n_features: int
    n_live_features: int
    n_live_images: int

    @property
    def tier(self) -> int:
        """Segments of about one size are of one tier."""
        excess = self.n_live_features / SMALLEST_TIER
        return 0 if excess < 1 else 1 + int(math.log(excess, TIER_RATIO))

    @property
    def is_wasteful(self) -> bool:
        """Is so much dead that it should be rewritten?"""
        dead = self.n_features - self.n_live_features
        return self.n_live_images == 0 or dead > MAX_DEAD * self.n_features


def choose_merge(sizes: Sequence[SegmentSize]) -> list[int]:
    """The numbers of the segments to merge next, in order; none when all is well.

    Whenever a tier is full, it is merged with everything smaller, or with as much as one segment holds, smallest first.
    So the number of segments grows with the logarithm of the collection, however small the steps in which it came.
    """
    for tier in sorted({size.tier for size in sizes}):
        up_to = sorted((size for size in sizes if size.tier <= tier), key=lambda size: size.n_live_features)
        together = accumulate(size.n_live_features for size in up_to)
        fitting = [size for size, total in zip(up_to, together, strict=True) if total <= MAX_FEATURES]
        is_full = sum(size.tier == tier for size in up_to) >= MERGE_AT
        if is_full and sum(size.tier == tier for size in fitting) > 1:
            return sorted(size.number for size in fitting)
    return sorted(size.number for size in sizes if size.is_wasteful)[:1]


def _fits(sizes: Sequence[SegmentSize]) -> bool:
    return sum(size.n_live_features for size in sizes) <= MAX_FEATURES


def choose_all(sizes: Sequence[SegmentSize]) -> list[list[int]]:
    """Groups that make the whole index as few segments as can be; a lone segment without waste is left alone."""
    groups: list[list[SegmentSize]] = []
    for size in sorted(sizes, key=lambda size: size.number):
        if not groups or not _fits([*groups[-1], size]):
            groups.append([])
        groups[-1].append(size)
    return [
        [s.number for s in group]
        for group in groups
        if len(group) > 1 or group[0].n_live_features < group[0].n_features or not group[0].n_live_images
    ]


@dataclass(frozen=True, slots=True)
class MergePart:
    """A segment and which of its images bool (n_images,) go into the merged one."""

    segment: Segment
    keep: Bool

    @property
    def n_retained(self) -> int:
        """Images that go into the merged segment."""
        return int(np.count_nonzero(self.keep))

    @property
    def sizes(self) -> I64:
        """Features of each kept image, i64."""
        return np.diff(self.segment.feature_indptr)[self.keep]


def write_merged(folder: Path, parts: Sequence[MergePart], n_words: int) -> dict[str, FileFact]:
    """Write the arrays that `write_segment` would write for the kept images of all parts in order, byte for byte.

    Raises ValueError where a posting names an image that does not exist.
    """
    _write_postings(folder, parts, n_words)
    sizes = np.concatenate([part.sizes for part in parts])
    save_arrays(folder, {"feature_indptr": np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)})
    n = int(sizes.sum())
    shapes: dict[str, tuple[DTypeLike, tuple[int, ...]]] = {
        "word": (word_type(n_words), (n,)),
        "xy": (np.uint16, (n, 2)),
        "scale_angle": (np.uint16, (n, 2)),
    }
    for name, (kind, shape) in shapes.items():
        with ArrayFile(folder / f"{name}.npy", kind, shape) as file:
            for part in parts:
                for rows in _retained_rows(part):
                    file.write(getattr(part.segment, name)[rows])
    columns.join(folder, [(part.segment.columns, part.keep) for part in parts])
    return facts_of(folder)


def _write_postings(folder: Path, parts: Sequence[MergePart], n_words: int) -> None:
    """One entry a feature, a stretch of words at a time: vote_indptr, vote_image, vote_feature, signature."""
    numbers = _new_numbers(parts)
    count = np.zeros(n_words, np.int64)
    for part, number in zip(parts, numbers, strict=True):
        count_retained(part.segment.postings.columns, number, count)
    indptr = np.concatenate([[0], np.cumsum(count)])
    save_arrays(folder, {"vote_indptr": indptr.astype(np.int32)})
    kinds: dict[str, DTypeLike] = {"vote_image": np.int32, "vote_feature": np.uint16, "signature": np.uint64}
    with ExitStack() as stack:
        files = [
            stack.enter_context(ArrayFile(folder / f"{name}.npy", kind, (int(indptr[-1]),)))
            for name, kind in kinds.items()
        ]
        for words in _stretches(indptr):
            target = indptr[words.start : words.stop] - indptr[words.start]
            n = int(indptr[words.stop] - indptr[words.start])
            image, feature, signature = np.empty(n, np.int32), np.empty(n, np.uint16), np.empty(n, np.uint64)
            for part, number in zip(parts, numbers, strict=True):
                copy_retained(part.segment.postings.columns, number, words, target, (image, feature, signature))
            columns: list[NDArray[Any]] = [image, feature, signature]
            for file, column in zip(files, columns, strict=True):
                file.write(column)


def _new_numbers(parts: Sequence[MergePart]) -> list[I32]:
    """For each part, the images' numbers in the merged segment, -1 for those left out."""
    firsts = np.cumsum([0, *(part.n_retained for part in parts)])
    numbers = [np.where(p.keep, first + np.cumsum(p.keep) - 1, -1) for p, first in zip(parts, firsts[:-1], strict=True)]
    return [number.astype(np.int32) for number in numbers]


def _stretches(indptr: I64) -> Iterator[range]:
    """Words that hold about _CHUNK postings together, at least one word each."""
    first, n_words = 0, len(indptr) - 1
    while first < n_words:
        stop = max(first + 1, int(np.searchsorted(indptr, indptr[first] + _CHUNK, side="right")) - 1)
        yield range(first, min(stop, n_words))
        first = stop


def _retained_rows(part: MergePart) -> Iterator[slice | NDArray[Any]]:
    """The rows of kept images in image-major columns, in pieces."""
    ends = part.segment.feature_indptr
    cuts = np.searchsorted(ends, np.arange(0, int(ends[-1]), _CHUNK), side="left")
    bounds = np.unique(np.concatenate([[0], cuts, [len(ends) - 1]]))
    for first, stop in pairwise(bounds.tolist()):
        rows, keep = slice(int(ends[first]), int(ends[stop])), part.keep[first:stop]
        yield rows if keep.all() else rows.start + np.flatnonzero(np.repeat(keep, np.diff(ends[first : stop + 1])))
