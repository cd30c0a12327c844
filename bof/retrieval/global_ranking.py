"""How alike all pictures of a collection are to a query by a global descriptor: a column against the query's row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bof.global_descriptors import embedding, hashes
from bof.global_descriptors.ann_index import AnnIndex
from bof.global_descriptors.pooling import F16
from bof.retrieval.collection import Collection
from bof.retrieval.shortlist import first_by_name, in_order
from bof.retrieval.votes import top_images
from bof.types import F32, F64, I64, Bool, Verdict

MAX_RANKED = 10_000
"""So many of the pictures most alike are ranked: every picture is alike to some degree."""

FOUND = 1000
"""So many are found by embedding where a collection is too large to compare all."""

_SAMPLE = 4096
"""So many pictures, evenly over the collection, are its background where not all are compared."""

_SPREAD_OF_MAD = 1.4826
"""The standard deviation of a normal distribution as a multiple of its median absolute deviation."""


@dataclass(frozen=True, slots=True)
class Similarities:
    """How alike each image is to a query in one column: similarity f32 (n_images,), 0 to 1, where it is known.

    known: only images that may answer. background f32 (m,): how alike the whole collection is, or a sample of it.
    """

    similarity: F32
    known: Bool
    background: F32

    def z_score(self) -> F64:
        """How far above the background each image is, f64 (n_images,), in standard deviations; 0 and less say nothing.

        Nearly all pictures of a collection have nothing to do with a query, so the collection itself says how alike
        such pictures are: by the median, and the median distance from it.
        """
        if not len(self.background):
            return np.zeros(len(self.similarity))
        middle = float(np.median(self.background))
        spread = max(_SPREAD_OF_MAD * float(np.median(np.abs(self.background - middle))), 1e-6)
        return np.where(self.known, (self.similarity - middle) / spread, 0.0)

    def best(self, collection: Collection, n: int) -> I64:
        """The n images i64 that are most alike, best first, ties by name."""
        images = top_images(np.where(self.known, 1.0 + self.similarity, 0.0), n)
        if len(images) > n:
            alike = self.similarity[images]
            is_last = alike == alike[-1]
            last = first_by_name(collection, images[is_last], n - int((~is_last).sum()))
            images = np.concatenate([images[~is_last], last])
        return in_order(collection, self.similarity[images].astype(np.float64), images)


def _sample(chosen: Bool) -> I64:
    """Numbers of some of the chosen images, evenly over them."""
    rows = np.flatnonzero(chosen)
    return rows[:: max(1, -(-len(rows) // _SAMPLE))]


def compare(collection: Collection, similarity: F32, is_known: Bool) -> Similarities:
    """How alike every live image that has a row is, of what `column_similarity` says of all images."""
    background = similarity[is_known & ~collection.rows.deleted]
    return Similarities(similarity, is_known & collection.weights.live, background)


def compare_by_ann(collection: Collection, ann_index: AnnIndex, query: F16) -> Similarities:
    """The same by embedding in a large collection: only the FOUND images most alike are known."""
    has_row = collection.columns_known("embedding")
    rows, alike = ann_index.search(query, FOUND, has_row & collection.weights.live)
    similarity, is_known = np.zeros(len(has_row), np.float32), np.zeros(len(has_row), np.bool_)
    similarity[rows], is_known[rows] = alike, True
    sample = _sample(has_row & ~collection.rows.deleted)
    pieces = [
        part.rows[sample[(sample >= part.first) & (sample < part.first + len(part.rows))] - part.first]
        for part in ann_index.parts
    ]
    background = np.concatenate([embedding.similarity(query, piece) for piece in pieces])
    return Similarities(similarity, is_known, background)


def verdicts(ranker: str, images: I64, similarity: F32) -> dict[int, Verdict]:
    """What the ranker's own thresholds make of images; nothing where it has none."""
    found = {image: hashes.verdict(ranker, float(similarity[image])) for image in images.tolist()}
    return {image: verdict for image, verdict in found.items() if verdict != "unverified"}
