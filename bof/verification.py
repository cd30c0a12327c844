"""Geometry decides: correspondences -> similarity hypotheses -> affine -> homography -> inliers.

Every correspondence carries position, scale and angle in both pictures, so each one alone is a hypothesis of four
degrees of freedom (Philbin et al. 2007, section 4). All are tried: nothing is sampled, the answer is deterministic.
Inside this file coordinates are fractions of a picture's long side, so one tolerance fits every size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bof import transforms
from bof.options import VerifyOptions
from bof.types import F64, I64, Bool, Correspondences, Geometry, Verdict, Verification

MAX_PAIRS = 160
"""The strongest correspondences are enough to decide."""

MAX_HYPOTHESES = 64
"""And the strongest of those are enough as hypotheses."""

_MAX_ANGLE = math.radians(30)
_MAX_LOG_SCALE = math.log(2)
_SPOT = 0.02
"""Features within one cell of this fraction of the long side are one spot and count once."""

_FINALISTS = 3
_MIN_FIT = 5
_MIN_HOMOGRAPHY = 8
_PERSPECTIVE_F = 8.0
_MAX_STRETCH = 4.0
_TIGHTENING = (1.0, 0.7, 0.5)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Matched features in fractions: xy f64 (m, 2); scale and direction (cosine, sine) of database from query."""

    query_xy: F64
    database_xy: F64
    scale: F64
    cosine: F64
    sine: F64
    weight: F64


def verify(query: Geometry, database: Geometry, matches: Correspondences, options: VerifyOptions) -> Verification:
    """Find the transform that most of the matches' weight agrees with.

    matches: strongest first, as `Votes.for_images` gives them. Returns the inliers, one to one, with features at one
    spot counted once, and database_from_query in pixels of the original pictures, None where fewer than
    `options.maybe` matches agree.
    """
    matches = _rows(matches, np.arange(min(len(matches), MAX_PAIRS)))
    return verify_matched(query.take(matches.query), database.take(matches.database), matches, options)


def verify_matched(
    query: Geometry, database: Geometry, matches: Correspondences, options: VerifyOptions
) -> Verification:
    """`verify` for geometries that hold the matched features alone: row i of both belongs to match i."""
    pairs = _pair_up(query, database, matches.weight)
    seed, agreeing = _best_hypothesis(pairs, options.tolerance)
    if len(agreeing) < _MIN_FIT:
        return _nothing(matches, agreeing)
    gate = _gate(pairs, seed)
    transform, inliers = _refine_affine(pairs, _similarity(pairs, seed), agreeing, gate, options.tolerance)
    if len(inliers) < options.maybe:
        return _nothing(matches, inliers)
    frame = _frame(query, pairs.query_xy)
    transform, inliers = _refine_homography(pairs, transform, inliers, gate, options.tolerance, frame)
    in_pixels = _to_pixels(database) @ transform @ np.linalg.inv(_to_pixels(query))
    weight = float(pairs.weight[inliers].sum())
    return Verification(len(inliers), weight, in_pixels / in_pixels[2, 2], _rows(matches, inliers))


def verdict_of(n_inliers: int, options: VerifyOptions) -> Verdict:
    """What a number of inliers means."""
    if n_inliers >= options.same:
        return "same"
    return "maybe" if n_inliers >= options.maybe else "no"


def _nothing(matches: Correspondences, agreeing: I64) -> Verification:
    weight = float(matches.weight[agreeing].sum())
    return Verification(len(agreeing), weight, None, _rows(matches, agreeing))


def _rows(matches: Correspondences, rows: I64) -> Correspondences:
    return Correspondences(matches.query[rows], matches.database[rows], matches.weight[rows])


def _pair_up(query: Geometry, database: Geometry, weight: F64) -> _Pairs:
    query_xy = (query.xy_px.astype(np.float64) + 0.5) / query.long_side
    database_xy = (database.xy_px.astype(np.float64) + 0.5) / database.long_side
    zoom = query.long_side / database.long_side
    scale = database.scale_px.astype(np.float64) / query.scale_px * zoom
    angle = np.radians(database.angle_deg.astype(np.float64) - query.angle_deg)
    return _Pairs(query_xy, database_xy, scale, np.cos(angle), np.sin(angle), weight)


def _frame(query: Geometry, xy: F64) -> F64:
    """The corners f64 (4, 2) of a box that holds the query, in fractions.

    Of a cut-out only the size is known, and where its features lie: reach from the origin to the farthest.
    """
    left, top = np.minimum(0.0, xy.min(axis=0, initial=0.0))
    size = np.array([query.width, query.height]) / query.long_side
    right, bottom = np.maximum(size, xy.max(axis=0, initial=0.0))
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def _similarity(pairs: _Pairs, i: int) -> F64:
    """The transform f64 (3, 3) that pair i alone proposes."""
    a, b, x, y = (column[i] for column in _proposals(pairs))
    return np.array([[a, -b, x], [b, a, y], [0.0, 0.0, 1.0]])


def _proposals(pairs: _Pairs) -> tuple[F64, F64, F64, F64]:
    """Every pair's similarity (a, b, x0, y0): u = a x - b y + x0, v = b x + a y + y0."""
    a, b = pairs.scale * pairs.cosine, pairs.scale * pairs.sine
    x, y = pairs.query_xy.T
    u, v = pairs.database_xy.T
    return a, b, u - (a * x - b * y), v - (b * x + a * y)


def _best_hypothesis(pairs: _Pairs, tolerance: float) -> tuple[int, I64]:
    """The pair whose similarity gathers most spots among the few that gather most weight, and who agrees with it."""
    if not len(pairs.weight):
        return 0, np.empty(0, np.int64)
    agrees = _agreement(pairs, tolerance)
    weight: F64 = agrees @ pairs.weight
    best = np.argsort(-weight, kind="stable")[:_FINALISTS]
    if np.count_nonzero(agrees[best[0]]) < _MIN_FIT:
        best = best[:1]
    followers = [_one_to_one(pairs, np.flatnonzero(agrees[i])) for i in best]
    winner = max(range(len(best)), key=lambda i: len(followers[i]))
    return int(best[winner]), followers[winner]


def _agreement(pairs: _Pairs, tolerance: float) -> Bool:
    """bool (h, m): does pair j agree with the similarity of pair i, one of the h strongest, in all it says?

    The squared residual |u - A x - t|**2 is bilinear in terms of i and terms of j: one matrix product.
    """
    a, b, s, t = (column[:MAX_HYPOTHESES] for column in _proposals(pairs))
    x, y = pairs.query_xy.T
    u, v = pairs.database_xy.T
    by_hypothesis = np.array(
        [a * a + b * b, s * s + t * t, -2 * a, -2 * b, -2 * s, -2 * t, 2 * (a * s + b * t), 2 * (a * t - b * s)]
    )
    by_pair = np.array([x * x + y * y, np.ones_like(x), u * x + v * y, v * x - u * y, u, v, x, y])
    limit = _limit(pairs.scale[:MAX_HYPOTHESES], tolerance)
    residual = by_hypothesis.T.astype(np.float32) @ by_pair.astype(np.float32)
    agrees = residual < (limit[:, None] - (u * u + v * v)).astype(np.float32)
    direction = np.array([pairs.cosine, pairs.sine], np.float32)
    agrees &= direction[:, :MAX_HYPOTHESES].T @ direction > math.cos(_MAX_ANGLE)
    log_scale = np.log(pairs.scale).astype(np.float32)
    agrees &= np.abs(log_scale[:MAX_HYPOTHESES, None] - log_scale) < _MAX_LOG_SCALE
    return np.asarray(agrees)


def _limit(scale: F64 | float, tolerance: float) -> F64:
    """Squared residual allowed: the tolerance must hold in both pictures, so it shrinks with the scale."""
    return np.square(tolerance * np.minimum(1.0, scale))


def _gate(pairs: _Pairs, i: int) -> Bool:
    """Which pairs agree with pair i in scale and angle, wherever they lie."""
    near_scale = np.abs(np.log(pairs.scale / pairs.scale[i])) < _MAX_LOG_SCALE
    near_angle = pairs.cosine * pairs.cosine[i] + pairs.sine * pairs.sine[i] > math.cos(_MAX_ANGLE)
    return np.asarray(near_scale & near_angle)


def _one_to_one(pairs: _Pairs, rows: I64) -> I64:
    """Of rows, strongest first, those whose spots are both still free."""
    taken: tuple[set[tuple[int, int]], set[tuple[int, int]]] = (set(), set())
    kept = []
    for row, query_spot, database_spot in zip(
        rows.tolist(), _spots(pairs.query_xy[rows]), _spots(pairs.database_xy[rows]), strict=True
    ):
        if query_spot not in taken[0] and database_spot not in taken[1]:
            taken[0].add(query_spot)
            taken[1].add(database_spot)
            kept.append(row)
    return np.array(kept, np.int64)


def _spots(xy: F64) -> list[tuple[int, int]]:
    """The cell of a grid that each point lies in."""
    return [(x, y) for x, y in (xy / _SPOT).astype(np.int64).tolist()]


def _agreeing(pairs: _Pairs, transform: F64, gate: Bool, tolerance: float) -> I64:
    """Pairs behind the gate that a transform maps within the tolerance, one to one."""
    residual = transforms.squared_residuals(transform, pairs.query_xy, pairs.database_xy)
    scale = math.sqrt(abs(np.linalg.det(transform[:2, :2])))
    return _one_to_one(pairs, np.flatnonzero(gate & (residual < _limit(scale, tolerance))))


def _refine_affine(pairs: _Pairs, transform: F64, inliers: I64, gate: Bool, tolerance: float) -> tuple[F64, I64]:
    """Local optimisation (Chum et al. 2003): fit, count again more strictly, as long as most inliers stay."""
    for strictness in _TIGHTENING:
        if len(inliers) < _MIN_FIT:
            break
        fitted = transforms.fit_affine(pairs.query_xy[inliers], pairs.database_xy[inliers])
        if fitted is None or transforms.is_degenerate(fitted, _MAX_STRETCH):
            break
        agreeing = _agreeing(pairs, fitted, gate, tolerance * strictness)
        if len(agreeing) < max(_MIN_FIT, 0.7 * len(inliers)):
            break
        transform, inliers = fitted, agreeing
    return transform, inliers


def _refine_homography(
    pairs: _Pairs, affine: F64, inliers: I64, gate: Bool, tolerance: float, frame: F64
) -> tuple[F64, I64]:
    """Perspective where it explains at least as many matches as the affine transform."""
    if len(inliers) < _MIN_HOMOGRAPHY:
        return affine, inliers
    near = _agreeing(pairs, affine, gate, tolerance)
    fitted = transforms.fit_homography(pairs.query_xy[near], pairs.database_xy[near])
    if fitted is None or transforms.folds(fitted, frame):
        return affine, inliers
    agreeing = _agreeing(pairs, fitted, gate, tolerance * _TIGHTENING[-1])
    if len(agreeing) < len(inliers) or not _perspective_shows(pairs, fitted, agreeing):
        return affine, inliers
    return fitted, agreeing


def _perspective_shows(pairs: _Pairs, homography: F64, rows: I64) -> bool:
    """Does a homography fit better than an affine transform, by more than two parameters earn by chance (F-test)?"""
    query_xy, database_xy = pairs.query_xy[rows], pairs.database_xy[rows]
    affine = transforms.fit_affine(query_xy, database_xy)
    if affine is None:
        return False
    without = transforms.squared_residuals(affine, query_xy, database_xy).sum()
    left = transforms.squared_residuals(homography, query_xy, database_xy).sum()
    return bool((without - left) / 2 > _PERSPECTIVE_F * left / max(2 * len(rows) - 8, 1))


def _to_pixels(geometry: Geometry) -> F64:
    """Pixels from fractions of the long side; fractions count from the picture's corner, pixels from a centre."""
    side = float(geometry.long_side)
    return np.array([[side, 0.0, -0.5], [0.0, side, -0.5], [0.0, 0.0, 1.0]])
