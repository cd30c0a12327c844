"""Refinement as numpy says it, one picture at a time: the oracle of bof/native/refinement.c and fits.c."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bof.geometry.hypotheses import Pairs
from bof.geometry.transforms import apply
from bof.types import F64, I64, Bool

MIN_FIT, MIN_LOCATED, MIN_HOMOGRAPHY = 5, 6, 8
PERSPECTIVE_F, MAX_STRETCH = 8.0, 4.0
TIGHTENING = (1.0, 0.7, 0.5)
MAX_ANGLE, MAX_LOG_SCALE = math.radians(30), math.log(2)
CELL = 0.02
ROBUST_ROUNDS = 6


# -- Matches ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Matches:
    """Pairs of one picture: xy f64 (m, 2) in both pictures; scale and direction of database from query; weight."""

    query_xy: F64
    database_xy: F64
    scale: F64
    cosine: F64
    sine: F64
    weight: F64

    def take(self, rows: NDArray[np.integer] | slice) -> Matches:
        return Matches(
            self.query_xy[rows], self.database_xy[rows], self.scale[rows],
            self.cosine[rows], self.sine[rows], self.weight[rows],
        )  # fmt: skip


def matches_of(pairs: Pairs, picture: int = 0) -> Matches:
    """One picture's part of bof's columns."""
    rows = slice(*pairs.indptr[picture : picture + 2].tolist())
    x, y, u, v = pairs.places[:, rows]
    scale, cosine, sine = pairs.turns[:, rows]
    return Matches(np.column_stack([x, y]), np.column_stack([u, v]), scale, cosine, sine, pairs.weight[rows])


def cells(xy: F64) -> list[tuple[int, int]]:
    """The grid cell that each point lies in."""
    return [(math.floor(x / CELL), math.floor(y / CELL)) for x, y in xy.tolist()]


def similarity(pairs: Matches, i: int) -> F64:
    """The transform f64 (3, 3) that pair i alone proposes."""
    a, b = pairs.scale[i] * pairs.cosine[i], pairs.scale[i] * pairs.sine[i]
    (x, y), (u, v) = pairs.query_xy[i], pairs.database_xy[i]
    return np.array([[a, -b, u - (a * x - b * y)], [b, a, v - (b * x + a * y)], [0.0, 0.0, 1.0]])


def gate(pairs: Matches, i: int) -> Bool:
    """Which pairs agree with pair i in scale and angle, wherever they lie."""
    near_scale = np.abs(np.log(pairs.scale / pairs.scale[i])) < MAX_LOG_SCALE
    near_angle = pairs.cosine * pairs.cosine[i] + pairs.sine * pairs.sine[i] > math.cos(MAX_ANGLE)
    return np.asarray(near_scale & near_angle)


def allowed(scale: float, tolerance: float) -> float:
    """Squared residual allowed: the tolerance must hold in both pictures, so it shrinks with the scale."""
    return (tolerance * min(1.0, scale)) ** 2


def one_to_one(pairs: Matches, rows: I64) -> I64:
    """Of rows, strongest first, those whose grid cells are both still free."""
    taken: tuple[set[tuple[int, int]], set[tuple[int, int]]] = (set(), set())
    retained = []
    paired_cells = zip(cells(pairs.query_xy[rows]), cells(pairs.database_xy[rows]), strict=True)
    for row, (query_cell, database_cell) in zip(rows.tolist(), paired_cells, strict=True):
        if query_cell not in taken[0] and database_cell not in taken[1]:
            taken[0].add(query_cell)
            taken[1].add(database_cell)
            retained.append(row)
    return np.array(retained, np.int64)


# -- Fits -------------------------------------------------------------------------------------------------------------


class Conditions(list[float]):
    """Condition numbers of the equations solved on the way: where one is large, rounding decides."""

    @property
    def worst(self) -> float:
        return max(self, default=1.0)


def squared_residuals(target_from_source: F64, source_xy: F64, target_xy: F64) -> F64:
    """Squared distances f64 (n,) between mapped source points and target points; infinite behind the horizon."""
    mapped = np.column_stack([source_xy, np.ones(len(source_xy))]) @ target_from_source.T
    depth = np.where(mapped[:, 2] > 1e-9, mapped[:, 2], np.nan)
    residual = np.square(mapped[:, :2] / depth[:, None] - target_xy).sum(axis=1)
    return np.asarray(np.where(np.isnan(residual), np.inf, residual))


def fit_affine(source_xy: F64, target_xy: F64, conditions: Conditions | None = None) -> F64 | None:
    """Least-squares affine transform, None where the points lie on a line."""
    design = np.column_stack([source_xy, np.ones(len(source_xy))])
    solution, _, rank, singular = np.linalg.lstsq(design, target_xy, rcond=1e-6)
    if conditions is not None:
        conditions.append(float((singular[0] / max(singular[-1], 1e-300)) ** 2))
    if rank < 3:
        return None
    return np.vstack([solution.T, [0.0, 0.0, 1.0]])


def fit_homography(source_xy: F64, target_xy: F64, conditions: Conditions | None = None) -> F64 | None:
    """Robust least-squares homography (Cauchy weights, scale from the median), None where it is not determined.

    Algebraic residuals of the normalised direct linear transform (Hartley 1997), divided by the depth of the last
    round so that they become geometric. Raises LinAlgError where most of the points come to lie behind the horizon.
    """
    source_norm, target_norm = _normaliser(source_xy), _normaliser(target_xy)
    source, target = apply(source_norm, source_xy), apply(target_norm, target_xy)
    weight = np.ones(len(source))
    fitted = np.eye(3)
    for _ in range(ROBUST_ROUNDS):
        solved = _solve(source, target, weight, conditions)
        if solved is None:
            return None
        fitted = solved
        depth = source @ fitted[2, :2] + 1.0
        residual = squared_residuals(fitted, source, target)
        spread = max(float(np.median(residual)), 1e-12)
        with np.errstate(invalid="ignore"):
            weight = 1.0 / ((1.0 + residual / (2.0 * spread)) * np.maximum(np.abs(depth), 0.1))
    unscaled = np.linalg.inv(target_norm) @ fitted @ source_norm
    return np.asarray(unscaled / unscaled[2, 2], np.float64)


def _solve(source: F64, target: F64, weight: F64, conditions: Conditions | None) -> F64 | None:
    """The homography with bottom right element 1 that minimises the weighted algebraic residual."""
    x, y = source.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    rows_u = np.stack([x, y, one, zero, zero, zero, -target[:, 0] * x, -target[:, 0] * y], axis=1)
    rows_v = np.stack([zero, zero, zero, x, y, one, -target[:, 1] * x, -target[:, 1] * y], axis=1)
    scaled = np.sqrt(np.concatenate([weight, weight]))
    design = np.concatenate([rows_u, rows_v]) * scaled[:, None]
    normal = design.T @ design
    condition = float(np.linalg.cond(normal))
    if conditions is not None:
        conditions.append(condition)
    if condition > 1e12:
        return None
    solution = np.linalg.solve(normal, design.T @ (np.concatenate([target[:, 0], target[:, 1]]) * scaled))
    return np.append(solution, 1.0).reshape(3, 3)


def _normaliser(xy: F64) -> F64:
    """Moves points to mean 0 and mean distance sqrt(2) (Hartley 1997, section 4)."""
    centre = xy.mean(axis=0)
    spread = np.sqrt(np.square(xy - centre).sum(axis=1)).mean()
    s = np.sqrt(2.0) / max(float(spread), 1e-12)
    return np.array([[s, 0.0, -s * centre[0]], [0.0, s, -s * centre[1]], [0.0, 0.0, 1.0]])


def is_degenerate(affine: F64, max_stretch: float) -> bool:
    """Does it mirror, or stretch one direction more than `max_stretch` times the other?"""
    linear = affine[:2, :2]
    if np.linalg.det(linear) <= 0:
        return True
    widest, narrowest = np.linalg.svd(linear, compute_uv=False)
    return bool(widest > max_stretch * narrowest)


def folds(homography: F64, xy: F64) -> bool:
    """Does it put some of the points behind the horizon, or turn their surroundings over?

    The Jacobian's determinant is det(H) / depth**3: its sign must be positive at every point.
    """
    depth = xy @ homography[2, :2] + homography[2, 2]
    return bool(np.linalg.det(homography) <= 0 or depth.min() < 0.2 * depth.max())


# -- Refinement -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Refined:
    """What becomes of a hypothesis; transform None and no inliers in place where too few agree."""

    n_inliers: int
    inliers: list[int]
    transform: F64 | None
    weight: float
    spread: float


def refine(
    pairs: Matches, seed: int, agreeing: I64, size: F64, tolerance: float, conditions: Conditions | None = None
) -> Refined:
    """Refine the hypothesis of pair `seed`; size f64 (2,): the query's, as a fraction of its long side."""
    conditions = Conditions() if conditions is None else conditions
    if len(agreeing) < MIN_FIT:
        return Refined(len(agreeing), [], None, 0.0, 0.0)
    behind = gate(pairs, seed)
    transform, inliers = _refine_affine(pairs, similarity(pairs, seed), agreeing, behind, tolerance, conditions)
    if len(inliers) < MIN_LOCATED:
        return Refined(len(inliers), [], None, 0.0, 0.0)
    frame = _frame(size, pairs.query_xy)
    transform, inliers = _refine_homography(pairs, transform, inliers, behind, tolerance, frame, conditions)
    weight = float(pairs.weight[inliers].sum())
    return Refined(len(inliers), inliers.tolist(), transform, weight, _spread(pairs.take(inliers)))


def _spread(pairs: Matches) -> float:
    smallest = [np.linalg.eigvalsh(np.cov(xy.T))[0] for xy in (pairs.query_xy, pairs.database_xy)]
    return math.sqrt(max(0.0, min(smallest)))


def _frame(size: F64, xy: F64) -> F64:
    """The corners f64 (4, 2) of a box that holds the query, in fractions."""
    left, top = np.minimum(0.0, xy.min(axis=0, initial=0.0))
    right, bottom = np.maximum(size, xy.max(axis=0, initial=0.0))
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def agreeing_with(pairs: Matches, transform: F64, behind: Bool, tolerance: float) -> I64:
    """Pairs behind the gate that a transform maps within the tolerance, one to one."""
    residual = squared_residuals(transform, pairs.query_xy, pairs.database_xy)
    scale = math.sqrt(abs(np.linalg.det(transform[:2, :2])))
    return one_to_one(pairs, np.flatnonzero(behind & (residual < allowed(scale, tolerance))))


def _refine_affine(
    pairs: Matches, transform: F64, inliers: I64, behind: Bool, tolerance: float, conditions: Conditions
) -> tuple[F64, I64]:
    for strictness in TIGHTENING:
        if len(inliers) < MIN_FIT:
            break
        fitted = fit_affine(pairs.query_xy[inliers], pairs.database_xy[inliers], conditions)
        if fitted is None or is_degenerate(fitted, MAX_STRETCH):
            break
        agreeing = agreeing_with(pairs, fitted, behind, tolerance * strictness)
        if len(agreeing) < max(MIN_FIT, 0.7 * len(inliers)):
            break
        transform, inliers = fitted, agreeing
    return transform, inliers


def _refine_homography(
    pairs: Matches, affine: F64, inliers: I64, behind: Bool, tolerance: float, frame: F64, conditions: Conditions
) -> tuple[F64, I64]:
    if len(inliers) < MIN_HOMOGRAPHY:
        return affine, inliers
    near = agreeing_with(pairs, affine, behind, tolerance)
    fitted = fit_homography(pairs.query_xy[near], pairs.database_xy[near], conditions)
    if fitted is None or folds(fitted, frame):
        return affine, inliers
    agreeing = agreeing_with(pairs, fitted, behind, tolerance * TIGHTENING[-1])
    if len(agreeing) < len(inliers) or not _perspective_shows(pairs, fitted, agreeing):
        return affine, inliers
    return fitted, agreeing


def _perspective_shows(pairs: Matches, homography: F64, rows: I64) -> bool:
    """Does a homography fit better than an affine transform, by more than two parameters earn by chance (F-test)?"""
    query_xy, database_xy = pairs.query_xy[rows], pairs.database_xy[rows]
    affine = fit_affine(query_xy, database_xy)
    if affine is None:
        return False
    without = squared_residuals(affine, query_xy, database_xy).sum()
    left = squared_residuals(homography, query_xy, database_xy).sum()
    return bool((without - left) / 2 > PERSPECTIVE_F * left / max(2 * len(rows) - 8, 1))
