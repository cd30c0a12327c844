"""bof.transforms: planted transforms come back, with noise and outliers; the impossible is refused."""

from __future__ import annotations

import numpy as np
import pytest

from bof.transforms import apply, fit_affine, fit_homography, folds, is_degenerate, squared_residuals
from bof.types import F64

AFFINE = np.array([[0.9, -0.3, 0.2], [0.25, 1.1, -0.1], [0.0, 0.0, 1.0]])
HOMOGRAPHY = np.array([[0.9, -0.3, 0.2], [0.25, 1.1, -0.1], [0.2, -0.15, 1.0]])
IN_PIXELS = np.array([[0.88, 0.31, -39.0], [-0.18, 0.94, 153.0], [2e-4, -1.6e-5, 1.0]])
LINE = np.column_stack([np.linspace(0, 1, 12), 0.3 + 0.5 * np.linspace(0, 1, 12)])


def points(n: int, seed: int = 0) -> F64:
    return np.random.default_rng(seed).random((n, 2))


def map_slowly(transform: F64, x: float, y: float) -> tuple[float, float]:
    u, v, w = (float(row[0] * x + row[1] * y + row[2]) for row in transform)
    return u / w, v / w


def test_apply_divides_by_the_depth() -> None:
    xy = points(20)
    assert np.allclose(apply(HOMOGRAPHY, xy), [map_slowly(HOMOGRAPHY, x, y) for x, y in xy], atol=1e-12)
    assert apply(AFFINE, np.empty((0, 2))).shape == (0, 2)


@pytest.mark.parametrize("seed", range(5))
def test_fit_affine_finds_the_planted_transform(seed: int) -> None:
    xy = points(3 + seed, seed)
    fitted = fit_affine(xy, apply(AFFINE, xy))
    assert fitted is not None
    assert np.allclose(fitted, AFFINE, atol=1e-9)
    assert fitted[2].tolist() == [0, 0, 1]


@pytest.mark.parametrize("xy", [points(2), np.full((9, 2), 0.4), LINE], ids=["two", "one spot", "a line"])
def test_fit_affine_refuses_points_on_a_line(xy: F64) -> None:
    assert fit_affine(xy, apply(AFFINE, xy)) is None


@pytest.mark.parametrize("transform", [np.eye(3), AFFINE, HOMOGRAPHY])
def test_fit_homography_finds_the_planted_transform(transform: F64) -> None:
    for n in (4, 8, 100):
        xy = points(n, n)
        fitted = fit_homography(xy, apply(transform, xy))
        assert fitted is not None
        assert np.allclose(fitted, transform, atol=1e-6)


def test_fit_homography_works_in_pixels_too() -> None:
    xy = points(50) * [800, 640]
    fitted = fit_homography(xy, apply(IN_PIXELS, xy))
    assert fitted is not None
    assert np.abs(apply(fitted, xy) - apply(IN_PIXELS, xy)).max() < 1e-6


@pytest.mark.parametrize("seed", range(10))
def test_fit_homography_bears_a_fifth_of_outliers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    xy = points(100, seed)
    target = apply(HOMOGRAPHY, xy) + rng.normal(0, 0.001, (100, 2))
    target[:20] += rng.uniform(-0.1, 0.1, (20, 2))
    fitted = fit_homography(xy, target)
    assert fitted is not None
    assert np.abs(apply(fitted, xy) - apply(HOMOGRAPHY, xy)).max() < 0.01


@pytest.mark.parametrize("xy", [np.full((9, 2), 0.4), LINE, points(3)], ids=["one spot", "a line", "three"])
def test_fit_homography_refuses_what_does_not_determine_it(xy: F64) -> None:
    assert fit_homography(xy, apply(HOMOGRAPHY, xy)) is None


def test_squared_residuals_are_squared_distances() -> None:
    xy, target = points(30), points(30, 1)
    expected = np.square(apply(HOMOGRAPHY, xy) - target).sum(axis=1)
    assert np.allclose(squared_residuals(HOMOGRAPHY, xy, target), expected, atol=1e-12)


def test_squared_residuals_are_infinite_behind_the_horizon() -> None:
    horizon_at_one = np.array([[1.0, 0, 0], [0, 1, 0], [-1, 0, 1]])
    xy = np.array([[0.5, 0.5], [1.0, 0.5], [2.0, 0.5]])
    residuals = squared_residuals(horizon_at_one, xy, np.array([[1.0, 1.0], [0, 0], [-2.0, -0.5]]))
    assert residuals[0] == pytest.approx(0)
    assert np.isposinf(residuals[1:]).all()


def stretched(x: float, y: float, turn: float) -> F64:
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    return rotation @ np.diag([x, y, 1.0]) @ rotation.T


@pytest.mark.parametrize("turn", [0.0, 0.7, 2.0])
def test_mirrors_collapses_and_long_stretches_are_degenerate(turn: float) -> None:
    assert is_degenerate(stretched(-1, 1, turn), 4)
    assert is_degenerate(stretched(1, 0, turn), 4)
    assert is_degenerate(stretched(4.1, 1, turn), 4)
    assert not is_degenerate(stretched(3.9, 1, turn), 4)
    assert not is_degenerate(stretched(0.01, 0.01, turn), 4)


def test_a_homography_that_turns_the_picture_over_folds() -> None:
    xy = points(30)
    assert folds(np.diag([-1.0, 1.0, 1.0]), xy)
    assert folds(np.diag([1.0, 1.0, -1.0]), xy)
    assert not folds(np.diag([-1.0, -1.0, 1.0]), xy)
    assert not folds(HOMOGRAPHY, xy)


def test_a_homography_whose_horizon_crosses_the_points_folds() -> None:
    corners = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    crossing = np.array([[1.0, 0, 0], [0, 1, 0], [-1.5, 0, 1]])
    assert folds(crossing, corners)
    assert not folds(crossing, 0.5 * corners)
