"""Is a faiss index from a file what `ann_index` makes? faiss follows the numbers in one without looking at them.

faiss' reader compares sizes; what its searches take for granted is compared here: links between rows, lists of rows.
"""

from __future__ import annotations

import os
from typing import IO, Any

import numpy as np

from bof.types import I64, Bool


def read_faiss_index(faiss: Any, stream: IO[bytes], fresh: Any) -> Any:
    """faiss' index in a file, no array of which is larger than the file, or than what faiss derives from codes.

    fresh: an empty one of the same kind. Raises RuntimeError, MemoryError where there is none.
    """
    before, n_bytes = faiss.get_deserialization_vector_byte_limit(), os.fstat(stream.fileno()).st_size
    derived = 0 if hasattr(fresh, "hnsw") else 4 * fresh.nlist * fresh.pq.M * fresh.pq.ksub
    faiss.set_deserialization_vector_byte_limit(max(n_bytes, derived) + 64)
    try:
        return faiss.read_index(faiss.PyCallbackIOReader(stream.read))
    finally:
        faiss.set_deserialization_vector_byte_limit(before)


def is_sound(faiss: Any, index: Any, fresh: Any, n_rows: int) -> bool:
    """May n_rows rows be searched with it? fresh: an empty one of the same kind, graph or codes, as we make it."""
    if type(index) is not type(fresh) or (index.ntotal, index.d) != (n_rows, fresh.d) or not index.is_trained:
        return False
    if index.metric_type != faiss.METRIC_INNER_PRODUCT:
        return False
    return _is_graph(faiss, index, fresh) if hasattr(index, "hnsw") else _are_codes(faiss, index, fresh)


def _is_graph(faiss: Any, index: Any, fresh: Any) -> bool:
    """Rows of 16-bit numbers, and neighbours of each on as many levels as it has."""
    graph, n = index.hnsw, int(index.ntotal)
    storage, expected = faiss.downcast_index(index.storage), faiss.downcast_index(fresh.storage)
    sizes: I64 = faiss.vector_to_array(graph.cum_nneighbor_per_level).astype(np.int64)
    levels: I64 = faiss.vector_to_array(graph.levels).astype(np.int64)
    offsets = faiss.vector_to_array(graph.offsets)
    neighbours = faiss.vector_to_array(graph.neighbors)
    return (
        _is_same_storage(storage, expected, n)
        and np.array_equal(sizes, faiss.vector_to_array(fresh.hnsw.cum_nneighbor_per_level))
        and len(levels) == n
        and _lie_within(levels, 1, len(sizes))
        and np.array_equal(offsets, np.cumsum([0, *sizes[levels]], dtype=np.uint64))
        and len(neighbours) == int(offsets[-1])
        and _lie_within(neighbours, -1, n)
        and 0 <= graph.entry_point < n
        and graph.max_level == int(levels.max()) - 1 == int(levels[graph.entry_point]) - 1
        and _reach_their_level(levels, sizes, neighbours.astype(np.int64))
    )


def _is_same_storage(storage: Any, expected: Any, n_rows: int) -> bool:
    if type(storage) is not type(expected) or (storage.ntotal, storage.d) != (n_rows, expected.d):
        return False
    kinds = (storage.sq.qtype, storage.sq.d, storage.sq.code_size, storage.code_size, storage.metric_type)
    others = (expected.sq.qtype, expected.sq.d, expected.sq.code_size, expected.code_size, expected.metric_type)
    return kinds == others and storage.codes.size() == n_rows * expected.code_size


def _reach_their_level(levels: I64, sizes: I64, neighbours: I64) -> bool:
    """Has every neighbour on a level places on that level? Else its places there would be those of the next row."""
    owner = np.repeat(np.arange(len(levels)), sizes[levels])
    place = np.arange(len(neighbours)) - np.concatenate([[0], np.cumsum(sizes[levels])])[owner]
    level = np.searchsorted(sizes, place, side="right") - 1
    linked = neighbours >= 0
    return bool((levels[neighbours[linked]] > level[linked]).all())


def _are_codes(faiss: Any, index: Any, fresh: Any) -> bool:
    """Lists of rows, each row in one of them, with codes of the size that ours have."""
    quantizer, lists = faiss.downcast_index(index.quantizer), faiss.downcast_InvertedLists(index.invlists)
    facts = (index.pq.M, index.pq.nbits, index.pq.d, index.pq.code_size, index.code_size, index.by_residual)
    ours = (fresh.pq.M, fresh.pq.nbits, fresh.pq.d, fresh.pq.code_size, fresh.code_size, fresh.by_residual)
    n_lists = int(fresh.nlist)
    return (
        facts == ours
        and (index.nlist, lists.nlist, lists.code_size) == (n_lists, n_lists, fresh.code_size)
        and type(lists) is type(faiss.downcast_InvertedLists(fresh.invlists))
        and type(quantizer) is type(faiss.downcast_index(fresh.quantizer))
        and (quantizer.ntotal, quantizer.d, quantizer.metric_type) == (n_lists, fresh.d, index.metric_type)
        and quantizer.codes.size() == n_lists * fresh.d * 4
        and index.pq.centroids.size() == fresh.pq.centroids.size()
        and index.polysemous_ht == 0
        and _is_each_once(_rows_of(faiss, lists), int(index.ntotal))
    )


def _rows_of(faiss: Any, lists: Any) -> I64:
    sizes = [(number, size) for number in range(lists.nlist) if (size := lists.list_size(number))]
    parts = [faiss.rev_swig_ptr(lists.get_ids(number), size) for number, size in sizes]
    return np.concatenate([np.empty(0, np.int64), *parts])


def _is_each_once(rows: I64, n: int) -> bool:
    if len(rows) != n or not _lie_within(rows, 0, n):
        return False
    found: Bool = np.zeros(n, np.bool_)
    found[rows] = True
    return bool(found.all())


def _lie_within(numbers: I64, low: int, stop: int) -> bool:
    return not len(numbers) or bool(low <= numbers.min() and numbers.max() < stop)
