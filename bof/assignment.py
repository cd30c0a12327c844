"""Nearest visual words, fast: an inverted file over the words, a product-quantised scan, exact re-ranking in bytes.

Every distance that decides is between bytes, so it is an integer below 2**24 and exact in float32: a descriptor
gets the same words with any number of threads, alone or in a batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import faiss
import numpy as np

from bof.types import I32, U8

EXACT_UP_TO = 1024
"""Smaller vocabularies are searched exhaustively: a matrix product beats any index there."""

_SUBQUANTIZERS = 64
_BITS = 4
_MIN_CANDIDATES = 8
_CANDIDATES_PER_WORD = 4
_PROBED_SHARE = 1 / 16
_SCAN_BY_LIST = 12
"""faiss otherwise chooses its scan by the size of the batch and breaks ties differently."""


class Assigner:
    """Finds the nearest of the words u8 (n_words, 128) that it was built over."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index
        if isinstance(index, faiss.IndexRefine):
            base: Any = faiss.downcast_index(index.base_index)
            base.nprobe = max(1, round(base.nlist * _PROBED_SHARE))
            base.implem = _SCAN_BY_LIST

    def search(self, descriptors: U8, k: int) -> I32:
        """The k nearest words of descriptors u8 (n, 128), nearest first: i32 (n, k)."""
        if not len(descriptors):
            return np.empty((0, k), np.int32)
        points = descriptors.astype(np.float32)
        word = self._index.search(points, k, params=self._parameters(k))[1]
        short = np.flatnonzero(word[:, -1] < 0)
        if len(short):
            word[short] = self._index.search(points[short], k, params=self._parameters(k, everywhere=True))[1]
        return np.asarray(word, np.int32)

    def _parameters(self, k: int, *, everywhere: bool = False) -> faiss.SearchParameters | None:
        """How many candidates of the scan are compared exactly; everywhere: scan all cells, for a descriptor whose
        nearest cells hold fewer words than it asks for.
        """
        if not isinstance(self._index, faiss.IndexRefine):
            return None
        parameters = faiss.IndexRefineSearchParameters()
        parameters.k_factor = max(_CANDIDATES_PER_WORD, _MIN_CANDIDATES / k)
        if everywhere:
            base: Any = faiss.downcast_index(self._index.base_index)
            cells = faiss.SearchParametersIVF()
            cells.nprobe = base.nlist
            parameters.base_index_params = cells
        return parameters

    def to_bytes(self) -> U8:
        """The whole structure, so that every machine that loads it assigns alike."""
        return np.asarray(faiss.serialize_index(self._index), np.uint8)

    @classmethod
    def from_bytes(cls, content: U8) -> Assigner:
        """The structure that `to_bytes` wrote. Raises RuntimeError on bytes that it did not write."""
        return cls(faiss.deserialize_index(np.ascontiguousarray(content)))


def exact_assigner(words: U8) -> Assigner:
    """An assigner that compares with every word."""
    index = faiss.IndexFlatL2(words.shape[1])
    index.add(words.astype(np.float32))
    return Assigner(index)


def approximate_assigner(words: U8, cells: U8) -> Assigner:
    """An assigner that looks only into the cells u8 (n_cells, 128) nearest to a descriptor.

    Sources: Jegou, Douze, Schmid 2011 (inverted file, product quantisation); Andre, Kermarrec, Le Scouarnec 2015
    (4-bit scan in registers).
    """
    points = words.astype(np.float32)
    coarse = faiss.IndexFlatL2(words.shape[1])
    coarse.add(cells.astype(np.float32))
    scan = faiss.IndexIVFPQFastScan(coarse, words.shape[1], len(cells), _SUBQUANTIZERS, _BITS)
    scan.by_residual = False
    exact = faiss.IndexScalarQuantizer(words.shape[1], faiss.ScalarQuantizer.QT_8bit_direct)
    index = faiss.IndexRefine(scan, exact)
    with _one_thread():
        index.train(points)
        index.add(points)
    return Assigner(_owned(index))


def _owned(index: faiss.Index) -> faiss.Index:
    """A copy that owns its parts: the constructors above only point at each other's."""
    return faiss.deserialize_index(faiss.serialize_index(index))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Training is thousands of tiny parallel regions: on a busy machine their threads wait 200 times longer."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def set_threads(n: int) -> None:
    """How many threads faiss may use in this process."""
    faiss.omp_set_num_threads(n)
