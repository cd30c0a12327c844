"""Candidates for duplicates of one picture: found by votes and geometry, straight and in the mirror, and located."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from bof.options import SearchOptions, VerifyOptions, VoteOptions
from bof.retrieval.collection import Collection
from bof.retrieval.searcher import Searcher
from bof.types import F32, F64, Features, QueryWords, Verification
from bof.vocabulary.reconstruction import Reconstruction, with_own

_EXACT, _EXACT_PX = 0.01, 3.0
"""An exact transform holds to this fraction of a picture's long side, and to so many pixels of the coarser picture.

Verification allows three per cent, for what stands out of a plane. A photograph of a photograph agrees to one, but not
to the pixel.
"""

_VOTING = VoteOptions(words_per_feature=2)
"""The words that a feature of the mirror image is looked for in; the picture itself has one a feature, the index's.

Of copies 4 words find no more: measured with scripts.duplicates.cost.
"""

_FEW_FEATURES, _WORDS_OF_FEW = 100, 16
"""A picture of fewer features cannot spare one: it is searched with in so many words a feature, as far as its words and
signatures say."""

_PART = 25
"""So many pictures are verified at a time: what shows the same is among those with the most votes."""

_ROUNDS, _CONFIDENCE, _POLISH = 500, 0.999, 10
_SINGULAR = 1e-6


@dataclass(frozen=True, slots=True)
class VerifiedCandidate:
    """How a picture of the collection, number image, shows what the query does.

    n_inliers and probability: what verification says; found_from_query f64 (3, 3): its transform; exact f64 (3, 3): the
    affine transform that n_exact of the inliers agree with closely, None where there is none.
    """

    image: int
    n_inliers: int
    probability: float
    found_from_query: F64
    n_exact: int
    exact: F64 | None


def search_options(n_candidates: int) -> SearchOptions:
    """How candidates are searched for, at most so many."""
    return SearchOptions(vote=_VOTING, verify=VerifyOptions(depth=2 * n_candidates), mirror="always")


def find_candidates(
    searcher: Searcher, reconstruction: Reconstruction, image: int, max_side: int
) -> list[VerifiedCandidate]:
    """What may show the same as an image of the collection, the surest first; no picture is read.

    searcher: with `search_options`; reconstruction: of its vocabulary.
    """
    verifying, names = searcher.options.verify, searcher.collection.rows.names
    geometry, word, signature = searcher.indexed(image)
    features = Features(geometry, reconstruction.descriptors(word, signature))
    words = QueryWords(word[:, None], signature[:, None])
    if len(word) < _FEW_FEATURES:
        k = min(_WORDS_OF_FEW, searcher.vocabulary.n_words)
        words = with_own(searcher.vocabulary.quantize(features.descriptors, k), word, signature)
    found = searcher.candidates(features, words, _PART)
    sure = [(i, e) for i, e in found.evidence.items() if i != image and e.verdict(verifying) in ("same", "maybe")]
    sure.sort(key=lambda pair: (-pair[1].score, names[pair[0]]))
    return [
        _candidate(searcher.collection, features, i, e.probability or 0.0, found.verifications[i], max_side)
        for i, e in sure[: verifying.depth // 2]
    ]


def _candidate(
    collection: Collection, query: Features, image: int, probability: float, found: Verification, max_side: int
) -> VerifiedCandidate:
    assert found.database_from_query is not None  # no evidence calls it the same without one
    xy = collection.geometry(image, found.inliers.database).xy_px
    side = int(max(collection.rows.width[image], collection.rows.height[image]))
    zoom = math.sqrt(abs(float(np.linalg.det(found.database_from_query[:2, :2]))))
    coarser_px = max(_pixel(side, max_side), zoom * _pixel(query.geometry.long_side, max_side))
    tolerance = min(_EXACT * side, _EXACT_PX * coarser_px)
    exact, n_exact = fit_exactly(query.geometry.xy_px[found.inliers.query], xy, tolerance)
    return VerifiedCandidate(image, found.n_inliers, probability, found.database_from_query, n_exact, exact)


def _pixel(long_side: int, max_side: int) -> float:
    """A pixel of the picture as its features were extracted, in pixels of the original."""
    return max(1.0, long_side / max_side)


def fit_exactly(source: F32, target: F32, tolerance: float) -> tuple[F64 | None, int]:
    """The affine transform target_from_source f64 (3, 3) that most points f32 (n, 2) agree with, and how many do.

    OpenCV's RANSAC starts from a seed of its own: the same points give the same transform.
    """
    if len(source) < 3:
        return None, 0
    with np.errstate(all="ignore"):
        found, agree = cv2.estimateAffine2D(
            source.astype(np.float64), target.astype(np.float64), method=cv2.RANSAC, ransacReprojThreshold=tolerance,
            maxIters=_ROUNDS, confidence=_CONFIDENCE, refineIters=_POLISH,
        )  # fmt: skip
    if found is None or not np.isfinite(found).all() or abs(np.linalg.det(found[:, :2])) < _SINGULAR:
        return None, 0
    return np.vstack([found, [0.0, 0.0, 1.0]]), int(np.count_nonzero(agree))
