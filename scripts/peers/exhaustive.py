"""The ceiling of search without expansion: the query's descriptors against those of every picture, then geometry.

Nearest neighbours by one matrix product a picture: on one core 1 ms for 640 x 640 descriptors, where OpenCV's
BFMatcher takes 6 ms in floats and 41 ms in bytes, and faiss.knn 3 ms.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from bof.geometry.verification import verify
from bof.options import VerifyOptions
from bof.types import F32, I64, U8, Box, Correspondences, Features, Ranking, Verdict
from scripts.common.arguments import n_cores
from scripts.common.features import Collection
from scripts.peers.peer import Cost, Peer, Workshop, unit_vectors

RATIO = 0.8  # a match is nearer than this times the second nearest (Lowe 2004, section 7.1)
SAME, MAYBE = 10, 6
"""Inliers from which a picture is called the same, or may be: matches of the ratio test are few and clean."""

_BYTES_PER_FEATURE = 128 + 16  # descriptor and geometry


@dataclass(frozen=True, slots=True)
class ExhaustivePeer(Peer):
    """Every picture of a collection is matched and verified; nothing is indexed."""

    def rank(self, path: Path, box: Box | None = None) -> Ranking:
        """Pictures by inliers, those of the same number by matches; one without a match is left out."""
        query, features = self.collection.of(path, box), self.collection.features
        start = time.perf_counter()
        n_inliers, n_matches = compare([(query, features[path]) for path in self.collection.database]).T
        scores = np.asarray(n_inliers + n_matches / (n_matches + 1.0), np.float64)
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] > 0]
        n = n_inliers[order]
        verdicts: list[Verdict] = np.where(n >= SAME, "same", np.where(n >= MAYBE, "maybe", "no")).tolist()
        return self.ranking(order.tolist(), scores[order], time.perf_counter() - start, verdicts)


def index(workshop: Workshop, collection: Collection) -> list[ExhaustivePeer]:
    """Nothing to do: what it keeps are the features themselves."""
    n_bytes = _BYTES_PER_FEATURE * sum(len(collection.features[path]) for path in collection.database)
    description = {"ratio": RATIO, "verify": "bof's defaults"}
    return [ExhaustivePeer("exhaustive", collection, Cost(0.0, n_bytes), "", description)]


def compare(pairs: Sequence[tuple[Features, Features]]) -> I64:
    """Inliers and matches i64 (n, 2) of each query with a picture, verified with the engine's defaults."""

    def one(pair: tuple[Features, Features]) -> tuple[int, int]:
        query, picture = pair
        matches = match(query.descriptors, picture.descriptors)
        return verify(query.geometry, picture.geometry, matches, VerifyOptions()).n_inliers, len(matches)

    with threadpool_limits(1, "blas"), ThreadPoolExecutor(n_cores()) as pool:
        return np.array(list(pool.map(one, pairs, chunksize=16)), np.int64).reshape(-1, 2)


def match(query: U8, database: U8) -> Correspondences:
    """Nearest neighbours in the database picture that pass the ratio test, surest first, all of weight one."""
    if len(database) < 2 or not len(query):
        return Correspondences(np.empty(0, np.int32), np.empty(0, np.uint16), np.empty(0))
    nearest, ratio = _two_nearest(unit_vectors(query), unit_vectors(database))
    passed = np.flatnonzero(ratio < RATIO)
    passed = passed[np.argsort(ratio[passed], kind="stable")]
    return Correspondences(passed.astype(np.int32), nearest[passed].astype(np.uint16), np.ones(len(passed), np.float64))


def _two_nearest(query: F32, database: F32) -> tuple[np.ndarray[tuple[int], np.dtype[np.intp]], F32]:
    """Of unit vectors: the nearest row, and its distance over that of the second nearest."""
    similarity = query @ database.T
    rows = np.arange(len(query))
    nearest = similarity.argmax(axis=1)
    first = similarity[rows, nearest]
    similarity[rows, nearest] = -1.0
    second = similarity.max(axis=1)
    return nearest, np.sqrt(np.maximum(1.0 - first, 0.0) / np.maximum(1.0 - second, 1e-9)).astype(np.float32)
