"""Nearest visual words: only the words in the cells nearest to a descriptor are compared with it, each exactly.

All distances are between bytes, so they are whole numbers: a descriptor gets the same words with any number of threads,
alone or in a batch, on any processor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from bof import native
from bof.native import Packed
from bof.system.threads import in_threads, n_threads
from bof.types import I32, I64, U8

EXACT_UP_TO = 1024
"""Smaller vocabularies are searched exhaustively."""

_LANES = 16
_LINE = 64
_PROBED_SHARE = 1 / 16
_CELL_ROUNDS = 4
_CHUNK = 1024
"""Descriptors that are compared together at the most."""

_MEAN_CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Assigner:
    """Words u8 (n_words, 128) sorted into cells, an inverted file (Jegou, Douze, Schmid 2011)."""

    cells: Packed
    words: Packed
    cell_start: I64
    n_probed: int

    @classmethod
    def over(cls, words: U8) -> Assigner:
        """Everything that follows from the words, the same on every machine."""
        if len(words) <= EXACT_UP_TO:
            return cls.exhaustive(words)
        cells = make_cells(words)
        return cls._sorted(words, cells, nearest(cells, words), max(1, round(len(cells) * _PROBED_SHARE)))

    @classmethod
    def exhaustive(cls, words: U8) -> Assigner:
        """One that compares a descriptor with every word."""
        return cls._sorted(words, words[:1], np.zeros(len(words), np.int32), 1)

    @classmethod
    def _sorted(cls, words: U8, cells: U8, cell: I32, n_probed: int) -> Assigner:
        packed, starts = _pack(words, cell, len(cells))
        return cls(_pack(cells, np.zeros(len(cells), np.int32), 1)[0], packed, starts, n_probed)

    def search(self, descriptors: U8, k: int) -> I32:
        """The k nearest words of descriptors u8 (n, 128), nearest first, ties by number: i32 (n, k)."""
        n, descriptors = len(descriptors), np.ascontiguousarray(descriptors)
        word = np.empty((n, k), np.int32)

        def some(rows: slice) -> None:
            searched = (self.cells, self.n_probed, self.cell_start, self.words)
            native.nearest_words(descriptors[rows], *searched, word[rows])

        size = min(_CHUNK, max(1, -(-n // n_threads())))
        in_threads(some, [slice(first, first + size) for first in range(0, n, size)])
        return word


def make_cells(words: U8) -> U8:
    """Centres u8 (n_cells, 128) of a few rounds of k-means over the words, from an even choice of them."""
    n_cells = 2 << round(math.log2(len(words)) / 2)
    cells = words[np.arange(n_cells) * len(words) // n_cells]
    for _ in range(_CELL_ROUNDS):
        cells = means(words, nearest(cells, words), cells)
    return cells


def nearest(words: U8, descriptors: U8) -> I32:
    """The nearest word of each descriptor, i32 (n,), every word compared."""
    return Assigner.exhaustive(words).search(descriptors, 1)[:, 0]


def means(descriptors: U8, word: I32, centroids: U8) -> U8:
    """The mean of each word's descriptors; a word without any stays. Whole sums: no order of adding shows."""
    sums = np.zeros(centroids.shape, np.int64)
    for i in range(0, len(word), _MEAN_CHUNK):
        part = word[i : i + _MEAN_CHUNK]
        shape = (len(centroids), len(part))
        members = csr_matrix((np.ones(len(part), np.int64), (part, np.arange(len(part)))), shape)
        sums += members @ descriptors[i : i + _MEAN_CHUNK].astype(np.int64)
    count = np.bincount(word, minlength=len(centroids))[:, None]
    return np.where(count > 0, np.rint(sums / np.maximum(count, 1)), centroids).astype(np.uint8)


def _pack(vectors: U8, cell: I32, n_cells: int) -> tuple[Packed, I64]:
    """Vectors sorted by cell into blocks of 16 of one cell, and a block of padding that may be read and is not meant;
    and the block where each cell starts, i64 (n_cells + 1).
    """
    order = np.argsort(cell, kind="stable")
    n_blocks = -(-np.bincount(cell, minlength=n_cells) // _LANES)
    starts = np.concatenate([[0], np.cumsum(n_blocks)]).astype(np.int64)
    rank = np.arange(len(order)) - np.searchsorted(cell[order], cell[order])
    place = starts[cell[order]] * _LANES + rank
    number = np.full((starts[-1] + 1) * _LANES, -1, np.int32)
    number[place] = order
    padded = np.full((len(number), vectors.shape[1]), 128, np.uint8)
    padded[place] = vectors[order]
    length = np.square(padded, dtype=np.int32).sum(axis=1, dtype=np.int32)
    moved = (padded.astype(np.int16) - 128).astype(np.int8)
    blocks = moved.reshape(-1, _LANES, vectors.shape[1] // 4, 4).transpose(0, 2, 1, 3)
    return (_aligned(blocks), length, number), starts


def _aligned(blocks: NDArray[np.int8]) -> NDArray[np.int8]:
    """A copy that starts on a line of the cache: reading vectors across two lines takes twice as long."""
    room = np.empty(blocks.size + _LINE, np.int8)
    first = -room.ctypes.data % _LINE
    copy = room[first : first + blocks.size].reshape(blocks.shape)
    copy[:] = blocks
    return copy
