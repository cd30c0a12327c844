"""The ceiling of search without expansion: the query's descriptors against those of every picture, then geometry.

Nearest neighbours by one matrix product a picture: on one core 1 ms for 640 x 640 descriptors, where OpenCV's
BFMatcher takes 6 ms in floats and 41 ms in bytes, and faiss.knn 3 ms.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from peer_common import Collection, Cost, Workshop, ranking_of, unit_vectors
from threadpoolctl import threadpool_limits

from bof.geometry.verification import verify
from bof.options import VerifyOptions
from bof.types import F32, U8, Box, Correspondences, Features, Ranking, Verdict

RATIO = 0.8
"""A match is nearer than this times the second nearest (Lowe 2004, section 7.1)."""


SAME, MAYBE = 10, 6
"""Inliers from which a picture is called the same, or may be: matches of the ratio test are few and clean."""


@dataclass(frozen=True, slots=True)
class ExhaustivePeer:
    """Every picture of a collection is matched and verified; nothing is indexed."""

    collection: Collection
    options: VerifyOptions
    cost: Cost
    name: str = "exhaustive"
    trained_on: str = ""

    @classmethod
    def index(cls, workshop: Workshop, collection: Collection) -> ExhaustivePeer:
        """Nothing to do: what it keeps are descriptors (128 bytes) and geometry (16 bytes) of each feature."""
        n_features = sum(len(collection.features[path]) for path in collection.database)
        return cls(collection, VerifyOptions(), Cost(0.0, 144 * n_features))

    @property
    def description(self) -> Mapping[str, object]:
        """The ratio; verification is the engine's with its defaults."""
        return {"ratio": RATIO, "verify": "bof's defaults"}

    def rank(self, path: Path, box: Box | None = None) -> Ranking:
        """Pictures by inliers, those of the same number by matches; one without a match is left out."""
        query = self.collection.of(path, box)
        database = self.collection.database
        start = time.perf_counter()
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
            found = list(pool.map(lambda p: self._compare(query, self.collection.features[p]), database, chunksize=16))
        n_inliers, n_matches = np.array(found, np.int64).reshape(-1, 2).T
        scores = np.asarray(n_inliers + n_matches / (n_matches + 1.0), np.float64)
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] > 0]
        verdicts = [verdict_of(int(n_inliers[row])) for row in order]
        return ranking_of(database, order.tolist(), scores[order], time.perf_counter() - start, verdicts)

    def _compare(self, query: Features, picture: Features) -> tuple[int, int]:
        """Inliers and matches."""
        matches = match(query.descriptors, picture.descriptors)
        return verify(query.geometry, picture.geometry, matches, self.options).n_inliers, len(matches)


def verdict_of(n_inliers: int) -> Verdict:
    """What a number of inliers means here, whatever the engine makes of its own."""
    if n_inliers >= SAME:
        return "same"
    return "maybe" if n_inliers >= MAYBE else "no"


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
