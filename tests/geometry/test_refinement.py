"""Refinement in C against numpy's: same inliers and transforms; degenerate scenes end well; and the oracle itself."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tests.support.numpy_geometry as oracle
from bof.geometry.hypotheses import Pairs, find_hypotheses, pair_up, placement_of
from bof.geometry.transforms import apply
from bof.geometry.verification import MIN_LOCATED, _refined, verify
from bof.options import VerifyOptions
from bof.types import F64, I64, Correspondences, Geometry
from tests.support.numpy_geometry import Conditions, Refined, matches_of

TOLERANCE = VerifyOptions().tolerance
WIDTH, HEIGHT = 1000, 1000

ROUNDING_DECIDES = 1e9
"""Equations of a larger condition number lose seven digits: whether such a fit is taken is chance on either side."""

seeds = st.integers(0, 2**32 - 1)


# -- Scenes -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scene:
    """Two pictures of 1000 x 700, match i of feature i with feature i, strongest first."""

    query: Geometry
    database: Geometry
    weight: F64

    @property
    def pairs(self) -> Pairs:
        rows = np.arange(len(self.weight), dtype=np.int32)
        indptr: I64 = np.array([0, len(rows)])
        return pair_up(indptr, placement_of(self.query), rows, placement_of(self.database), self.weight)

    @property
    def matches(self) -> Correspondences:
        rows = np.arange(len(self.weight))
        return Correspondences(rows.astype(np.int32), rows.astype(np.uint16), self.weight)


def picture(xy: F64, scale: F64, angle: F64) -> Geometry:
    places, sizes, angles = (np.asarray(column, np.float32) for column in (xy, scale, angle % 360))
    return Geometry(places, sizes, angles, WIDTH, HEIGHT)


def layout(rng: np.random.Generator, kind: str, n: int) -> F64:
    """Points in pixels: all over the picture, along a line, in clusters, on a coarse grid, in a corner."""
    xy = rng.uniform(0, 1, (n, 2))
    if kind == "line":
        xy[:, 1] = 0.3 + 0.4 * xy[:, 0] + rng.normal(0, rng.choice([0, 1e-3, 0.02]), n)
    elif kind == "clusters":
        xy = xy[rng.integers(0, max(1, n // 12), n)] + rng.normal(0, 0.04, (n, 2))
    elif kind == "grid":
        xy = np.floor(xy * 7) / 7
    elif kind == "corner":
        xy *= rng.uniform(0.05, 0.3)
    return xy * [WIDTH, HEIGHT]


def transform_of(rng: np.random.Generator) -> F64:
    """In fractions: a similarity, sheared a little, with more or less perspective."""
    scale, turn = math.exp(rng.uniform(-1, 1)), rng.uniform(-math.pi, math.pi)
    linear = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    linear @= np.eye(2) + rng.normal(0, rng.choice([0, 0.1, 0.3]), (2, 2))
    bottom = rng.normal(0, rng.choice([0, 0.1, 0.6]), 2)
    return np.vstack([np.column_stack([linear, rng.uniform(-0.3, 0.3, 2)]), [*bottom, 1.0]])


def random_scene(seed: int) -> Scene:
    rng = np.random.default_rng(seed)
    n = int(rng.choice([0, 5, 8, 12, 20, 50, 100, 200]))
    xy = layout(rng, str(rng.choice(["all over", "line", "clusters", "grid", "corner"])), n)
    transform = transform_of(rng)
    depth = xy / WIDTH @ transform[2, :2] + 1
    uv = apply(transform, xy / WIDTH) * WIDTH if (np.abs(depth) > 1e-6).all() else xy
    uv = uv + rng.normal(0, rng.choice([0, 0.5, 4, 12]), (n, 2))
    scale, angle = math.sqrt(abs(np.linalg.det(transform[:2, :2]))), math.atan2(transform[1, 0], transform[0, 0])
    size = rng.uniform(5, 40, n)
    sizes = size * scale * np.exp(rng.normal(0, 0.2, n))
    angles = rng.uniform(0, 360, n)
    turned = angles + math.degrees(angle) + rng.normal(0, 8, n)
    wrong = rng.random(n) < rng.choice([0, 0.2, 0.5, 1])
    uv[wrong] = rng.uniform(0, 1, (int(wrong.sum()), 2)) * [WIDTH, HEIGHT]
    uv, weight = np.clip(uv, -3000, 3000), np.sort(rng.uniform(0.1, 1, n))[::-1]
    return Scene(picture(xy, size, angles), picture(uv, sizes, turned), weight)


# -- Against numpy ----------------------------------------------------------------------------------------------------


def refined(pairs: Pairs, query: Geometry) -> list[Refined]:
    """The compiled loop over all pictures; rows counted from each picture's first."""
    best = find_hypotheses(pairs, TOLERANCE)
    transform, weight, spread = _refined(pairs, query, best, TOLERANCE)
    found = []
    for i, start in enumerate(pairs.indptr[:-1].tolist()):
        n = int(best.n_agreeing[i])
        inliers = (best.agreeing[start : start + n] - start).tolist()
        if n >= MIN_LOCATED:
            found.append(Refined(n, inliers, transform[i], float(weight[i]), float(spread[i])))
        else:
            found.append(Refined(n, [], None, 0.0, 0.0))
    return found


def by_numpy(pairs: Pairs, query: Geometry, conditions: Conditions) -> list[Refined]:
    best = find_hypotheses(pairs, TOLERANCE)
    size = np.array([query.width, query.height]) / query.long_side
    found = []
    for i, start in enumerate(pairs.indptr[:-1].tolist()):
        agreeing = best.agreeing[start:][: best.n_agreeing[i]] - start
        seed = int(best.seed[i]) - start
        found.append(oracle.refine(matches_of(pairs, i), seed, agreeing, size, TOLERANCE, conditions))
    return found


def assert_same(found: Refined, expected: Refined) -> None:
    assert (found.n_inliers, found.inliers) == (expected.n_inliers, expected.inliers)
    assert (found.transform is None) == (expected.transform is None)
    if found.transform is not None and expected.transform is not None:
        np.testing.assert_allclose(found.transform, expected.transform, rtol=1e-6, atol=1e-6)
        assert found.weight == pytest.approx(expected.weight, rel=1e-12)
        assert found.spread == pytest.approx(expected.spread, rel=1e-6, abs=1e-8)


def assert_sound(found: Refined, pairs: Pairs) -> None:
    """What must hold of any answer: finite numbers, inliers within the tolerance, one to one, strongest first."""
    if found.transform is None:
        return
    matches, rows = matches_of(pairs), np.array(found.inliers)
    assert np.isfinite([*found.transform.ravel(), found.weight, found.spread]).all()
    assert oracle.one_to_one(matches, rows).tolist() == found.inliers == sorted(found.inliers)
    residual = oracle.squared_residuals(found.transform, matches.query_xy[rows], matches.database_xy[rows])
    assert (residual < 1.001 * TOLERANCE**2).all()


def compare(seed: int) -> str:
    """How a scene was decided, for the tally of the next test."""
    scene, conditions = random_scene(seed), Conditions()
    pairs = scene.pairs
    (found,) = refined(pairs, scene.query)
    assert_sound(found, pairs)
    try:
        (expected,) = by_numpy(pairs, scene.query, conditions)
    except np.linalg.LinAlgError:
        return "numpy gave up"
    if conditions.worst > ROUNDING_DECIDES:
        return "rounding decides"
    assert_same(found, expected)
    if found.transform is None:
        return "nothing"
    return "homography" if found.transform[2, :2].any() else "affine"


@settings(max_examples=200)
@given(seeds)
def test_any_scene_is_refined_as_numpy_refines_it(seed: int) -> None:
    compare(seed)


def test_the_scenes_are_of_every_kind_and_hardly_any_is_left_to_rounding() -> None:
    kinds = [compare(seed) for seed in range(400)]
    count = {kind: kinds.count(kind) for kind in ("nothing", "affine", "homography")}
    assert min(count.values()) >= 40, count
    assert sum(count.values()) > 0.9 * len(kinds), count


def test_company_does_not_show() -> None:
    """Many pictures in one call, of one query: each comes out as alone, to the last bit."""
    query = random_scene(1).query
    scenes = [dataclasses.replace(random_scene(seed), query=query) for seed in range(1, 60)]
    scenes = [scene for scene in scenes if len(scene.weight) <= len(query)]
    rows = np.concatenate([scene.matches.query for scene in scenes])
    placed = np.concatenate([placement_of(scene.database) for scene in scenes], axis=1)
    indptr: I64 = np.cumsum([0, *(len(scene.weight) for scene in scenes)])
    weight = np.concatenate([scene.weight for scene in scenes])
    together = refined(pair_up(indptr, placement_of(query), rows, placed, weight), query)
    for scene, found in zip(scenes, together, strict=True):
        m: I64 = np.array([0, len(scene.weight)])
        rows = scene.matches.query
        pairs = pair_up(m, placement_of(query), rows, placement_of(scene.database), scene.weight)
        (alone,) = refined(pairs, query)
        assert (found.n_inliers, found.inliers, found.weight, found.spread) == (
            alone.n_inliers, alone.inliers, alone.weight, alone.spread,
        )  # fmt: skip
        assert (found.transform is None) == (alone.transform is None)
        if found.transform is not None and alone.transform is not None:
            assert found.transform.tobytes() == alone.transform.tobytes()


# -- Degenerate scenes ------------------------------------------------------------------------------------------------


@settings(max_examples=150)
@given(seeds)
def test_no_number_of_a_verification_is_nan(seed: int) -> None:
    scene = random_scene(seed)
    found = verify(scene.query, scene.database, scene.matches, VerifyOptions())
    numbers = [found.inlier_weight, found.spread, *found.inliers.weight]
    if found.database_from_query is not None:
        numbers += found.database_from_query.ravel().tolist()
    assert np.isfinite(numbers).all()


def blurred(seed: int) -> tuple[F64, F64]:
    """A few points close together, each moved so far that hardly a transform is left: f64 (n, 2) in fractions.

    No two lie in one grid cell of either picture.
    """
    rng = np.random.default_rng(seed)
    n, box = int(rng.integers(8, 10)), rng.uniform(0.06, 0.1, 2)
    while True:
        xy = rng.uniform(0, 1, (n, 2)) * box
        uv = xy + rng.uniform(-0.018, 0.018, (n, 2))
        if len(set(oracle.cells(xy + 0.4))) == len(set(oracle.cells(uv + 0.4))) == n:
            return xy + 0.4, uv + 0.4


def blurred_scene(seed: int) -> Scene:
    xy, uv = blurred(seed)
    n = len(xy)
    unturned = (np.full(n, 10.0), np.zeros(n))
    return Scene(picture(xy * WIDTH - 0.5, *unturned), picture(uv * WIDTH - 0.5, *unturned), np.linspace(2, 1, n))


BEHIND_THE_HORIZON = (15913, 22966)
"""Blurred scenes of whose points most come to lie behind the horizon of a homography on its way: their median residual
is infinite, and numpy's refinement went on with weights that are no numbers."""


@pytest.mark.parametrize("seed", BEHIND_THE_HORIZON)
def test_a_homography_that_loses_most_points_behind_its_horizon_gives_way_to_the_affine(seed: int) -> None:
    scene = blurred_scene(seed)
    pairs = scene.pairs
    with pytest.raises(np.linalg.LinAlgError, match="SVD did not converge"):
        by_numpy(pairs, scene.query, Conditions())
    found = verify(scene.query, scene.database, scene.matches, VerifyOptions())
    assert found.n_inliers >= MIN_LOCATED
    assert found.database_from_query is not None
    assert np.isfinite(found.database_from_query).all()
    assert found.database_from_query[2].tolist() == [0, 0, 1]
    assert_sound(refined(pairs, scene.query)[0], pairs)


@pytest.mark.parametrize("seed", range(300))
def test_blurred_scenes_end_in_numbers(seed: int) -> None:
    scene = blurred_scene(seed)
    assert_sound(refined(scene.pairs, scene.query)[0], scene.pairs)


# -- The oracle: planted transforms come back, the impossible is refused ----------------------------------------------

AFFINE = np.array([[0.9, -0.3, 0.2], [0.25, 1.1, -0.1], [0.0, 0.0, 1.0]])
HOMOGRAPHY = np.array([[0.9, -0.3, 0.2], [0.25, 1.1, -0.1], [0.2, -0.15, 1.0]])
IN_PIXELS = np.array([[0.88, 0.31, -39.0], [-0.18, 0.94, 153.0], [2e-4, -1.6e-5, 1.0]])
LINE = np.column_stack([np.linspace(0, 1, 12), 0.3 + 0.5 * np.linspace(0, 1, 12)])


def points(n: int, seed: int = 0) -> F64:
    return np.random.default_rng(seed).random((n, 2))


@pytest.mark.parametrize("seed", range(5))
def test_fit_affine_finds_the_planted_transform(seed: int) -> None:
    xy = points(3 + seed, seed)
    fitted = oracle.fit_affine(xy, apply(AFFINE, xy))
    assert fitted is not None
    assert np.allclose(fitted, AFFINE, atol=1e-9)
    assert fitted[2].tolist() == [0, 0, 1]


@pytest.mark.parametrize("xy", [points(2), np.full((9, 2), 0.4), LINE], ids=["two", "one cell", "a line"])
def test_fit_affine_refuses_points_on_a_line(xy: F64) -> None:
    assert oracle.fit_affine(xy, apply(AFFINE, xy)) is None


@pytest.mark.parametrize("transform", [np.eye(3), AFFINE, HOMOGRAPHY])
def test_fit_homography_finds_the_planted_transform(transform: F64) -> None:
    for n in (4, 8, 100):
        xy = points(n, n)
        fitted = oracle.fit_homography(xy, apply(transform, xy))
        assert fitted is not None
        assert np.allclose(fitted, transform, atol=1e-6)


def test_fit_homography_works_in_pixels_too() -> None:
    xy = points(50) * [800, 640]
    fitted = oracle.fit_homography(xy, apply(IN_PIXELS, xy))
    assert fitted is not None
    assert np.abs(apply(fitted, xy) - apply(IN_PIXELS, xy)).max() < 1e-6


@pytest.mark.parametrize("seed", range(10))
def test_fit_homography_bears_a_fifth_of_outliers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    xy = points(100, seed)
    target = apply(HOMOGRAPHY, xy) + rng.normal(0, 0.001, (100, 2))
    target[:20] += rng.uniform(-0.1, 0.1, (20, 2))
    fitted = oracle.fit_homography(xy, target)
    assert fitted is not None
    assert np.abs(apply(fitted, xy) - apply(HOMOGRAPHY, xy)).max() < 0.01


@pytest.mark.parametrize("xy", [np.full((9, 2), 0.4), LINE, points(3)], ids=["one cell", "a line", "three"])
def test_fit_homography_refuses_what_does_not_determine_it(xy: F64) -> None:
    assert oracle.fit_homography(xy, apply(HOMOGRAPHY, xy)) is None


def test_squared_residuals_are_squared_distances() -> None:
    xy, target = points(30), points(30, 1)
    expected = np.square(apply(HOMOGRAPHY, xy) - target).sum(axis=1)
    assert np.allclose(oracle.squared_residuals(HOMOGRAPHY, xy, target), expected, atol=1e-12)


def test_squared_residuals_are_infinite_behind_the_horizon() -> None:
    horizon_at_one = np.array([[1.0, 0, 0], [0, 1, 0], [-1, 0, 1]])
    xy = np.array([[0.5, 0.5], [1.0, 0.5], [2.0, 0.5]])
    residuals = oracle.squared_residuals(horizon_at_one, xy, np.array([[1.0, 1.0], [0, 0], [-2.0, -0.5]]))
    assert residuals[0] == pytest.approx(0)
    assert np.isposinf(residuals[1:]).all()


def stretched(x: float, y: float, turn: float) -> F64:
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    found: F64 = rotation @ np.diag([x, y, 1.0]) @ rotation.T
    return found


@pytest.mark.parametrize("turn", [0.0, 0.7, 2.0])
def test_mirrors_collapses_and_long_stretches_are_degenerate(turn: float) -> None:
    assert oracle.is_degenerate(stretched(-1, 1, turn), 4)
    assert oracle.is_degenerate(stretched(1, 0, turn), 4)
    assert oracle.is_degenerate(stretched(4.1, 1, turn), 4)
    assert not oracle.is_degenerate(stretched(3.9, 1, turn), 4)
    assert not oracle.is_degenerate(stretched(0.01, 0.01, turn), 4)


def test_a_homography_that_turns_the_picture_over_folds() -> None:
    xy = points(30)
    assert oracle.folds(np.diag([-1.0, 1.0, 1.0]), xy)
    assert oracle.folds(np.diag([1.0, 1.0, -1.0]), xy)
    assert not oracle.folds(np.diag([-1.0, -1.0, 1.0]), xy)
    assert not oracle.folds(HOMOGRAPHY, xy)


def test_a_homography_whose_horizon_crosses_the_points_folds() -> None:
    corners = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    crossing = np.array([[1.0, 0, 0], [0, 1, 0], [-1.5, 0, 1]])
    assert oracle.folds(crossing, corners)
    assert not oracle.folds(crossing, 0.5 * corners)
