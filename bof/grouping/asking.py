"""One picture asks a collection, straight and in the mirror, and says of each that it finds how it lies in it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from bof.options import VerifyOptions, VoteOptions
from bof.retrieval.shortlist import Stopwatch, look, look_into_mirror
from bof.store.index import Snapshot
from bof.types import F32, F64, Features, Verification
from bof.vocabulary.vocabulary import Vocabulary

_EXACT, _EXACT_PX = 0.01, 3.0
"""An exact transform holds to this fraction of a picture's long side, and to so many pixels of the coarser picture.

Verification allows three per cent, for what stands out of a plane. A photograph of a photograph agrees to one, but not
to the pixel.
"""

_VOTING = VoteOptions(words_per_feature=4)
"""Of copies 4 words find as many as the 20 that a search affords, in half the time."""

_ROUNDS, _CONFIDENCE, _POLISH = 500, 0.999, 10
_SINGULAR = 1e-6


@dataclass(frozen=True, slots=True)
class Sight:
    """How a picture of the collection, number image, shows what the asking one does.

    n_inliers and probability: what verification says; found_from_asked f64 (3, 3): its transform; exact f64 (3, 3): the
    affine transform that n_exact of the inliers agree with closely, None where there is none.
    """

    image: int
    n_inliers: int
    probability: float
    found_from_asked: F64
    n_exact: int
    exact: F64 | None


@dataclass(frozen=True, slots=True)
class Limits:
    """candidates: the most that one picture may find; max_side: of pictures whose features are extracted, in pixels."""

    candidates: int
    max_side: int


def ask(snapshot: Snapshot, vocabulary: Vocabulary, features: Features, image: int, limits: Limits) -> list[Sight]:
    """What may show the same as a picture, which is `image` of the snapshot itself, the surest first."""
    most, max_side = limits.candidates, limits.max_side
    verifying = VerifyOptions(depth=2 * most)
    seen = look(snapshot, vocabulary, features, _VOTING, verifying, Stopwatch())
    seen = look_into_mirror(snapshot, vocabulary, features, _VOTING, verifying, seen)
    sure = [(i, e) for i, e in seen.evidence.items() if i != image and e.verdict(verifying) in ("same", "maybe")]
    sure.sort(key=lambda pair: (-pair[1].score, snapshot.rows.names[pair[0]]))
    return [
        _sight(snapshot, features, i, e.probability or 0.0, seen.verifications[i], max_side) for i, e in sure[:most]
    ]


def _sight(
    snapshot: Snapshot, asked: Features, image: int, probability: float, found: Verification, max_side: int
) -> Sight:
    assert found.database_from_query is not None  # no evidence calls it the same without one
    xy = snapshot.geometry(image, found.inliers.database).xy_px
    side = int(max(snapshot.rows.width[image], snapshot.rows.height[image]))
    zoom = math.sqrt(abs(float(np.linalg.det(found.database_from_query[:2, :2]))))
    coarser_px = max(_pixel(side, max_side), zoom * _pixel(asked.geometry.long_side, max_side))
    tolerance = min(_EXACT * side, _EXACT_PX * coarser_px)
    exact, n_exact = fit_exactly(asked.geometry.xy_px[found.inliers.query], xy, tolerance)
    return Sight(image, found.n_inliers, probability, found.database_from_query, n_exact, exact)


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
