"""Planar transforms as 3 x 3 matrices target_from_source: fit, apply, reject the impossible."""

from __future__ import annotations

import numpy as np

from bof.types import F64

_ROBUST_ROUNDS = 6


def apply(target_from_source: F64, xy: F64) -> F64:
    """Map points f64 (n, 2)."""
    mapped = np.column_stack([xy, np.ones(len(xy))]) @ target_from_source.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:], np.float64)


def squared_residuals(target_from_source: F64, source_xy: F64, target_xy: F64) -> F64:
    """Squared distances f64 (n,) between mapped source points and target points; infinite behind the horizon."""
    mapped = np.column_stack([source_xy, np.ones(len(source_xy))]) @ target_from_source.T
    depth = np.where(mapped[:, 2] > 1e-9, mapped[:, 2], np.nan)
    residual = np.square(mapped[:, :2] / depth[:, None] - target_xy).sum(axis=1)
    return np.asarray(np.nan_to_num(residual, nan=np.inf))


def fit_affine(source_xy: F64, target_xy: F64) -> F64 | None:
    """Least-squares affine transform, None where the points lie on a line."""
    design = np.column_stack([source_xy, np.ones(len(source_xy))])
    solution, _, rank, _ = np.linalg.lstsq(design, target_xy, rcond=1e-6)
    if rank < 3:
        return None
    return np.vstack([solution.T, [0.0, 0.0, 1.0]])


def fit_homography(source_xy: F64, target_xy: F64) -> F64 | None:
    """Robust least-squares homography (Cauchy weights, scale from the median), None where it is not determined.

    Algebraic residuals of the normalised direct linear transform (Hartley 1997), divided by the depth of the last
    round so that they become geometric.
    """
    source_norm, target_norm = _normaliser(source_xy), _normaliser(target_xy)
    source, target = apply(source_norm, source_xy), apply(target_norm, target_xy)
    weight = np.ones(len(source))
    fitted = np.eye(3)
    for _ in range(_ROBUST_ROUNDS):
        solved = _solve(source, target, weight)
        if solved is None:
            return None
        fitted = solved
        depth = source @ fitted[2, :2] + 1.0
        residual = squared_residuals(fitted, source, target)
        spread = max(float(np.median(residual)), 1e-12)
        weight = 1.0 / ((1.0 + residual / (2.0 * spread)) * np.maximum(np.abs(depth), 0.1))
    unscaled = np.linalg.inv(target_norm) @ fitted @ source_norm
    return np.asarray(unscaled / unscaled[2, 2], np.float64)


def _solve(source: F64, target: F64, weight: F64) -> F64 | None:
    """The homography with bottom right element 1 that minimises the weighted algebraic residual."""
    x, y = source.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    rows_u = np.stack([x, y, one, zero, zero, zero, -target[:, 0] * x, -target[:, 0] * y], axis=1)
    rows_v = np.stack([zero, zero, zero, x, y, one, -target[:, 1] * x, -target[:, 1] * y], axis=1)
    scaled = np.sqrt(np.concatenate([weight, weight]))
    design = np.concatenate([rows_u, rows_v]) * scaled[:, None]
    normal = design.T @ design
    if np.linalg.cond(normal) > 1e12:
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
