"""A column of global descriptors against the query's row: how alike each picture of a collection is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.global_descriptors import color, embedding, hashes
from bof.options import COLUMN_OF
from bof.retrieval.collection import Collection
from bof.store.columns import Rows, group_of
from bof.types import F32, Bool


def column_similarity(collection: Collection, ranker: str, query: Rows, metric: str) -> tuple[F32, Bool]:
    """How alike every image is to the query's row, by one of the rankers of COLUMN_OF.

    Returns f32 (n_images,), 0 to 1, and which images have a row, bool (n_images,).
    """
    column = COLUMN_OF[ranker]
    similarity_to = _MEASURES[group_of(column)](ranker, query[column], metric)
    n_images = len(collection.rows)
    similarity, is_known = np.zeros(n_images, np.float32), np.zeros(n_images, np.bool_)
    for images, rows, known in collection.column(column):
        similarity[images], is_known[images] = similarity_to(rows), known
    return similarity, is_known


Measure = Callable[[NDArray[Any]], F32]


def _hash(ranker: str, query: NDArray[Any], metric: str) -> Measure:
    return lambda rows: hashes.similarity(query, rows, ranker)


def _color(ranker: str, query: NDArray[Any], metric: str) -> Measure:
    return lambda rows: color.similarity(query, rows, metric)


def _embedding(ranker: str, query: NDArray[Any], metric: str) -> Measure:
    return lambda rows: embedding.similarity(query, rows)


_MEASURES: Mapping[str, Callable[[str, NDArray[Any], str], Measure]] = MappingProxyType(
    {"hash": _hash, "color": _color, "embedding": _embedding}
)
