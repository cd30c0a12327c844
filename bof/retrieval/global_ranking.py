"""How alike are all pictures of a collection to a query as wholes: a column of the index against the query's row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.global_descriptors import color, embedding, hashes
from bof.global_descriptors.ann_index import Nearest
from bof.global_descriptors.pooling import F16
from bof.options import COLUMN_OF
from bof.retrieval.shortlist import in_order
from bof.retrieval.votes import top_images
from bof.store.columns import Rows, group_of, known
from bof.store.index import Snapshot
from bof.types import F32, F64, I64, Bool, Verdict

MAX_RANKED = 10_000
"""So many of the pictures most alike are ranked: every picture is alike to some degree."""

FOUND = 1000
"""So many are found by embedding where a collection is too large to compare all."""

_SAMPLE = 4096
"""So many pictures, evenly over the collection, say how alike strangers are."""

_SPREAD_OF_MAD = 1.4826
"""The standard deviation of a normal distribution as a multiple of its median absolute deviation."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike each image is to a query in one column: similarity f32 (n_images,), 0 to 1, where it is known.

    known: only images that may answer. strangers f32 (m,): how alike a sample of the whole collection is.
    """

    similarity: F32
    known: Bool
    strangers: F32

    def surprise(self) -> F64:
        """How far above strangers each image is, f64 (n_images,), in standard deviations; 0 and less say nothing.

        Nearly all pictures of a collection are strangers to a query, so the collection itself says how alike strangers
        are: by the median, and the median distance from it.
        """
        if not len(self.strangers):
            return np.zeros(len(self.similarity))
        middle = float(np.median(self.strangers))
        spread = max(_SPREAD_OF_MAD * float(np.median(np.abs(self.strangers - middle))), 1e-6)
        return np.where(self.known, (self.similarity - middle) / spread, 0.0)


def _sample(chosen: Bool) -> I64:
    """Numbers of some of the chosen images, evenly over them."""
    rows = np.flatnonzero(chosen)
    return rows[:: max(1, -(-len(rows) // _SAMPLE))]


def compare(snapshot: Snapshot, ranker: str, query: Rows, metric: str) -> Likeness:
    """How alike every live image that has a row is to the query's row, by one of the rankers of COLUMN_OF."""
    column = COLUMN_OF[ranker]
    similarity_to = _MEASURES[group_of(column)](ranker, query[column], metric)
    similarity, is_known = np.zeros(len(snapshot.rows), np.float32), np.zeros(len(snapshot.rows), np.bool_)
    for segment in snapshot.segments:
        here = slice(segment.postings.first_image, segment.postings.first_image + segment.n_images)
        if column in segment.columns:
            similarity[here] = similarity_to(segment.columns[column])
            is_known[here] = known(segment.columns, group_of(column), segment.n_images)
    strangers = similarity[_sample(is_known & ~snapshot.rows.deleted)]
    return Likeness(similarity, is_known & snapshot.weights.live, strangers)


def compare_nearest(snapshot: Snapshot, nearest: Nearest, query: F16) -> Likeness:
    """The same by embedding in a large collection: only the FOUND images most alike are known."""
    has_row = snapshot.columns_known("embedding")
    rows, alike = nearest.search(query, FOUND, has_row & snapshot.weights.live)
    similarity, is_known = np.zeros(len(has_row), np.float32), np.zeros(len(has_row), np.bool_)
    similarity[rows], is_known[rows] = alike, True
    sample = _sample(has_row & ~snapshot.rows.deleted)
    pieces = [
        part.rows[sample[(sample >= part.first) & (sample < part.first + len(part.rows))] - part.first]
        for part in nearest.parts
    ]
    strangers = np.concatenate([embedding.similarity(query, piece) for piece in pieces])
    return Likeness(similarity, is_known, strangers)


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


def most_alike(snapshot: Snapshot, likeness: Likeness, n: int = MAX_RANKED) -> I64:
    """The n images i64 that are most alike, best first, ties by name."""
    images = top_images(np.where(likeness.known, 1.0 + likeness.similarity, 0.0), n)[: 2 * n]
    return in_order(snapshot, likeness.similarity[images].astype(np.float64), images)[:n]


def verdicts(ranker: str, images: I64, likeness: Likeness) -> dict[int, Verdict]:
    """What the ranker's own thresholds say of images; nothing where it has none."""
    said = {image: hashes.verdict(ranker, float(likeness.similarity[image])) for image in images.tolist()}
    return {image: verdict for image, verdict in said.items() if verdict != "unverified"}
