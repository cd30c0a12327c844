"""Several segments become one: when it pays, and how to write it in memory that does not grow with them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedWriter
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bof.files import FileFact, save_arrays
from bof.segments import Segment, facts_of
from bof.types import I64, Bool

SMALLEST_TIER = 1 << 16
TIER_RATIO = 4
"""Segments of 2**16 features and fewer are of one tier; each further tier holds four times as many."""

MERGE_AT = 4
"""So many segments of one tier are merged: there are at most three a tier, and a feature is copied once a tier."""

MAX_DEAD = 0.25
"""A segment of which more is dead is written anew."""

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
        """Is so much dead that it should be written anew?"""
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
class Part:
    """A segment and which of its images bool (n_images,) go into the merged one."""

    segment: Segment
    keep: Bool

    @property
    def n_kept(self) -> int:
        """Images that go into the merged segment."""
        return int(np.count_nonzero(self.keep))

    @property
    def sizes(self) -> I64:
        """Features of each kept image, i64."""
        return np.diff(self.segment.feature_indptr)[self.keep]


def write_merged(folder: Path, parts: Sequence[Part], n_words: int) -> dict[str, FileFact]:
    """Write the arrays that `write_segment` would write for the kept images of all parts in order, byte for byte."""
    _write_counts(folder, parts, n_words)
    _write_votes(folder, parts, n_words)
    sizes = np.concatenate([part.sizes for part in parts])
    save_arrays(folder, {"feature_indptr": np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)})
    for name in ("xy", "scale_angle"):
        with _ArrayFile(folder / f"{name}.npy", np.uint16, (int(sizes.sum()), 2)) as file:
            for part in parts:
                for rows in _kept_rows(part):
                    file.write(getattr(part.segment, name)[rows])
    return facts_of(folder)


def _write_counts(folder: Path, parts: Sequence[Part], n_words: int) -> None:
    """The inverted index: indptr, image, count."""
    sources = [_Column(p, p.segment.counts.matrix.indptr, p.segment.counts.matrix.indices) for p in parts]
    columns = {"image": None, "count": [p.segment.counts.matrix.data for p in parts]}
    _write_word_major(folder, sources, columns, "indptr", n_words)


def _write_votes(folder: Path, parts: Sequence[Part], n_words: int) -> None:
    """One entry a feature: vote_indptr, vote_image, vote_feature, signature."""
    postings = [p.segment.postings for p in parts]
    sources = [_Column(part, one.indptr, one.image) for part, one in zip(parts, postings, strict=True)]
    columns = {
        "vote_image": None,
        "vote_feature": [p.feature for p in postings],
        "signature": [p.signature for p in postings],
    }
    _write_word_major(folder, sources, columns, "vote_indptr", n_words)


@dataclass(frozen=True, slots=True)
class _Column:
    """Word-major entries of one part: where each word starts, and the image of each entry."""

    part: Part
    indptr: NDArray[Any]
    image: NDArray[Any]


def _write_word_major(
    folder: Path,
    sources: Sequence[_Column],
    columns: Mapping[str, Sequence[NDArray[Any]] | None],
    indptr_name: str,
    n_words: int,
) -> None:
    """Merge word-major columns chunk by chunk of words; the column without values of its own is the image."""
    images = _new_numbers([source.part for source in sources])
    per_word = np.zeros(n_words + 1, np.int64)
    n_entries = sum(_count_kept(source) for source in sources)
    with ExitStack() as stack:
        files = {
            name: stack.enter_context(_ArrayFile(folder / f"{name}.npy", _dtype(values), (n_entries,)))
            for name, values in columns.items()
        }
        for first, stop in _word_chunks(sources, n_words):
            cut = [_cut(source, image, first, stop) for source, image in zip(sources, images, strict=True)]
            word = np.concatenate([c[0] for c in cut])
            order = np.argsort(word, kind="stable")
            per_word[first + 1 : stop + 1] = np.bincount(word - first, minlength=stop - first)
            for name, values in columns.items():
                pieces = [c[2] for c in cut] if values is None else [v[c[1]] for v, c in zip(values, cut, strict=True)]
                files[name].write(np.concatenate(pieces)[order])
    save_arrays(folder, {indptr_name: np.cumsum(per_word).astype(np.int32)})


def _dtype(values: Sequence[NDArray[Any]] | None) -> DTypeLike:
    return values[0].dtype if values else np.int32


def _new_numbers(parts: Sequence[Part]) -> list[I64]:
    """For each part, the images' numbers in the merged segment, -1 for those left out."""
    firsts = np.cumsum([0, *(part.n_kept for part in parts)])
    return [np.where(p.keep, first + np.cumsum(p.keep) - 1, -1) for p, first in zip(parts, firsts[:-1], strict=True)]


def _count_kept(source: _Column) -> int:
    if source.part.keep.all():
        return len(source.image)
    starts = range(0, len(source.image), _CHUNK)
    return sum(int(np.count_nonzero(source.part.keep[source.image[s : s + _CHUNK]])) for s in starts)


def _word_chunks(sources: Sequence[_Column], n_words: int) -> Iterator[tuple[int, int]]:
    """Ranges of words that hold about _CHUNK entries together, at least one word each."""
    until = np.sum([source.indptr.astype(np.int64) for source in sources], axis=0)
    first = 0
    while first < n_words:
        stop = max(first + 1, int(np.searchsorted(until, until[first] + _CHUNK, side="right")) - 1)
        yield first, min(stop, n_words)
        first = stop


def _cut(source: _Column, image: I64, first: int, stop: int) -> tuple[NDArray[Any], I64, NDArray[Any]]:
    """Of one part and the words first to stop - 1: the kept entries' words, rows and new images i32."""
    indptr = source.indptr[first : stop + 1]
    rows = slice(int(indptr[0]), int(indptr[-1]))
    new = image[source.image[rows]]
    kept = np.flatnonzero(new >= 0)
    word = np.repeat(np.arange(first, stop), np.diff(indptr))
    return word[kept], kept + rows.start, new[kept].astype(np.int32)


def _kept_rows(part: Part) -> Iterator[NDArray[Any]]:
    """The rows of kept images in image-major columns, in pieces."""
    counts = np.diff(part.segment.feature_indptr)
    mask_ends = np.searchsorted(part.segment.feature_indptr, np.arange(0, int(counts.sum()), _CHUNK), side="left")
    bounds = np.unique(np.concatenate([[0], mask_ends, [len(counts)]]))
    for first, stop in pairwise(bounds.tolist()):
        start = int(part.segment.feature_indptr[first])
        yield start + np.flatnonzero(np.repeat(part.keep[first:stop], counts[first:stop]))


class _ArrayFile:
    """A .npy file whose shape is known and whose rows come in pieces."""

    def __init__(self, path: Path, dtype: DTypeLike, shape: tuple[int, ...]) -> None:
        self._dtype = np.dtype(dtype)
        self._stream: BufferedWriter = path.open("wb")
        header = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._stream, header)

    def __enter__(self) -> _ArrayFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, rows: NDArray[Any]) -> None:
        """The next rows."""
        self._stream.write(np.ascontiguousarray(rows, self._dtype).data)

    def close(self) -> None:
        """No more rows."""
        self._stream.close()
