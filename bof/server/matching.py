"""The points of a match: every tentative match of a query with one image, and which of them agree."""

from __future__ import annotations

from typing import Any

import numpy as np

from bof.engine import Engine, Query
from bof.features.sift import mirror_features
from bof.geometry.hypotheses import MAX_PAIRS
from bof.retrieval.searcher import SearchOptions
from bof.retrieval.shortlist import words_per_feature
from bof.retrieval.votes import vote
from bof.types import F32, F64, Bool, Correspondences, Verification


def points_of(
    engine: Engine, query: Query, image: int, verification: Verification | None, options: SearchOptions
) -> dict[str, list[Any]]:
    """Where the matches lie in both pictures, whether each agrees with the transform, and its vote, strongest first.

    A mirrored match was found with the query's mirror image, whose features are the query's in the same order.
    """
    is_mirrored = bool(verification and verification.mirrored)
    matches = _matches(engine, query, image, options, mirrored=is_mirrored)
    agrees = np.zeros(len(matches), np.bool_)
    if verification is not None and len(verification.inliers):
        agrees = _are_among(matches, verification.inliers)
        left = ~_are_among(verification.inliers, matches)
        matches = _joined(verification.inliers.take(np.flatnonzero(left)), matches)
        agrees = np.concatenate([np.ones(int(left.sum()), np.bool_), agrees])
    geometry = engine.snapshot.geometry(image, matches.database)
    return {
        "query": _rounded(query.features.geometry.xy_px[matches.query], 2),
        "hit": _rounded(geometry.xy_px, 2),
        "inlier": agrees.tolist(),
        "weight": _rounded(matches.weight, 4),
    }


def _matches(engine: Engine, query: Query, image: int, options: SearchOptions, *, mirrored: bool) -> Correspondences:
    snapshot, voting = engine.snapshot, options.vote
    features = mirror_features(query.features) if mirrored else query.features
    n_words = words_per_feature(snapshot, engine.vocabulary, voting)
    words = engine.vocabulary.describe(features.descriptors, n_words)
    votes = vote(snapshot.postings, snapshot.weights, words, voting)
    return votes.matches(np.array([image], np.int64), MAX_PAIRS)[1]


def _are_among(some: Correspondences, others: Correspondences) -> Bool:
    """Which of some pairs of features are among others."""
    return np.isin(_keys(some), _keys(others))


def _keys(matches: Correspondences) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return matches.query.astype(np.int64) << 16 | matches.database


def _joined(a: Correspondences, b: Correspondences) -> Correspondences:
    pairs = ((getattr(a, name), getattr(b, name)) for name in ("query", "database", "weight"))
    return Correspondences(*(np.concatenate(pair) for pair in pairs))


def _rounded(values: F32 | F64, digits: int) -> list[Any]:
    rounded: list[Any] = np.round(values.astype(np.float64), digits).tolist()
    return rounded
