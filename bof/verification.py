"""Geometry decides: correspondences -> similarity hypotheses -> affine -> homography -> inliers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from bof import transforms
from bof.hypotheses import (
    MAX_PAIRS,
    MIN_FIT,
    Pairs,
    Placement,
    allowed,
    find_hypotheses,
    gate,
    one_to_one,
    pair_up,
    placement_of,
    similarity,
)
from bof.options import VerifyOptions
from bof.types import F64, I64, Bool, Correspondences, Geometry, Verification

MIN_LOCATED = 6
"""Inliers from which a transform is believed enough to be shown."""

_MIN_HOMOGRAPHY = 8
_PERSPECTIVE_F = 8.0
_MAX_STRETCH = 4.0
_TIGHTENING = (1.0, 0.7, 0.5)

_NO_MATCHES = Correspondences(np.empty(0, np.int32), np.empty(0, np.uint16), np.empty(0))

Size = tuple[int, int]
"""Width and height of a picture in pixels."""


def verify(query: Geometry, database: Geometry, matches: Correspondences, options: VerifyOptions) -> Verification:
    """Find the transform that most of the matches' weight agrees with.

    matches: strongest first, as `Votes.for_images` gives them. Returns the inliers, one to one, with features at one
    spot counted once, and database_from_query in pixels of the original pictures, None where fewer than
    MIN_LOCATED matches agree.
    """
    matches = matches.take(slice(MAX_PAIRS))
    placed = placement_of(database.take(matches.database))
    indptr = np.array([0, len(matches)], np.int64)
    return verify_all(query, [(database.width, database.height)], placed, indptr, matches, options)[0]


def verify_all(
    query: Geometry,
    sizes: Sequence[Size],
    database: Placement,
    indptr: I64,
    matches: Correspondences,
    options: VerifyOptions,
) -> list[Verification]:
    """`verify` for many pictures at once.

    sizes: of each picture; database and matches: picture after picture, those of picture i in rows
    indptr[i]:indptr[i + 1], strongest first and at most MAX_PAIRS.
    """
    pairs = pair_up(placement_of(query.take(matches.query)), database, matches.weight)
    found = find_hypotheses(indptr, pairs, options.tolerance)
    return [
        _decide(query, size, pairs.take(rows), matches.take(rows), seed - rows.start, agreeing - rows.start, options)
        if len(agreeing) >= MIN_FIT
        else _nothing(len(agreeing))
        for size, rows, (seed, agreeing) in zip(sizes, _slices(indptr), found, strict=True)
    ]


def _slices(indptr: I64) -> list[slice]:
    return [slice(start, stop) for start, stop in zip(indptr[:-1].tolist(), indptr[1:].tolist(), strict=True)]


def _decide(
    query: Geometry,
    size: Size,
    pairs: Pairs,
    matches: Correspondences,
    seed: int,
    agreeing: I64,
    options: VerifyOptions,
) -> Verification:
    """Refine one picture's best hypothesis."""
    behind = gate(pairs, seed)
    transform, inliers = _refine_affine(pairs, similarity(pairs, seed), agreeing, behind, options.tolerance)
    if len(inliers) < MIN_LOCATED:
        return _nothing(len(inliers))
    frame = _frame(query, pairs.query_xy)
    transform, inliers = _refine_homography(pairs, transform, inliers, behind, options.tolerance, frame)
    in_pixels = _to_pixels(max(size)) @ transform @ np.linalg.inv(_to_pixels(query.long_side))
    weight = float(pairs.weight[inliers].sum())
    spread = _spread(pairs.take(inliers))
    return Verification(len(inliers), weight, spread, in_pixels / in_pixels[2, 2], matches.take(inliers))


def _nothing(n_agreeing: int) -> Verification:
    return Verification(n_agreeing, 0.0, 0.0, None, _NO_MATCHES)


def _spread(pairs: Pairs) -> float:
    """Points along a line, as frets, frames and shelves make them, agree more easily than points all over."""
    smallest = [np.linalg.eigvalsh(np.cov(xy.T))[0] for xy in (pairs.query_xy, pairs.database_xy)]
    return math.sqrt(max(0.0, min(smallest)))


def _frame(query: Geometry, xy: F64) -> F64:
    """The corners f64 (4, 2) of a box that holds the query, in fractions.

    Of a cut-out only the size is known, and where its features lie: reach from the origin to the farthest.
    """
    left, top = np.minimum(0.0, xy.min(axis=0, initial=0.0))
    size = np.array([query.width, query.height]) / query.long_side
    right, bottom = np.maximum(size, xy.max(axis=0, initial=0.0))
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def _agreeing(pairs: Pairs, transform: F64, behind: Bool, tolerance: float) -> I64:
    """Pairs behind the gate that a transform maps within the tolerance, one to one."""
    residual = transforms.squared_residuals(transform, pairs.query_xy, pairs.database_xy)
    scale = math.sqrt(abs(np.linalg.det(transform[:2, :2])))
    return one_to_one(pairs, np.flatnonzero(behind & (residual < allowed(scale, tolerance))))


def _refine_affine(pairs: Pairs, transform: F64, inliers: I64, behind: Bool, tolerance: float) -> tuple[F64, I64]:
    """Local optimisation (Chum et al. 2003): fit, count again more strictly, as long as most inliers stay."""
    for strictness in _TIGHTENING:
        if len(inliers) < MIN_FIT:
            break
        fitted = transforms.fit_affine(pairs.query_xy[inliers], pairs.database_xy[inliers])
        if fitted is None or transforms.is_degenerate(fitted, _MAX_STRETCH):
            break
        agreeing = _agreeing(pairs, fitted, behind, tolerance * strictness)
        if len(agreeing) < max(MIN_FIT, 0.7 * len(inliers)):
            break
        transform, inliers = fitted, agreeing
    return transform, inliers


def _refine_homography(
    pairs: Pairs, affine: F64, inliers: I64, behind: Bool, tolerance: float, frame: F64
) -> tuple[F64, I64]:
    """Perspective where it explains at least as many matches as the affine transform."""
    if len(inliers) < _MIN_HOMOGRAPHY:
        return affine, inliers
    near = _agreeing(pairs, affine, behind, tolerance)
    fitted = transforms.fit_homography(pairs.query_xy[near], pairs.database_xy[near])
    if fitted is None or transforms.folds(fitted, frame):
        return affine, inliers
    agreeing = _agreeing(pairs, fitted, behind, tolerance * _TIGHTENING[-1])
    if len(agreeing) < len(inliers) or not _perspective_shows(pairs, fitted, agreeing):
        return affine, inliers
    return fitted, agreeing


def _perspective_shows(pairs: Pairs, homography: F64, rows: I64) -> bool:
    """Does a homography fit better than an affine transform, by more than two parameters earn by chance (F-test)?"""
    query_xy, database_xy = pairs.query_xy[rows], pairs.database_xy[rows]
    affine = transforms.fit_affine(query_xy, database_xy)
    if affine is None:
        return False
    without = transforms.squared_residuals(affine, query_xy, database_xy).sum()
    left = transforms.squared_residuals(homography, query_xy, database_xy).sum()
    return bool((without - left) / 2 > _PERSPECTIVE_F * left / max(2 * len(rows) - 8, 1))


def _to_pixels(long_side: int) -> F64:
    """Pixels from fractions of the long side; fractions count from the picture's corner, pixels from a centre."""
    side = float(long_side)
    return np.array([[side, 0.0, -0.5], [0.0, side, -0.5], [0.0, 0.0, 1.0]])
