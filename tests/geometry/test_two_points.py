"""Points without directions: two correspondences say what one does with a direction and a scale."""

from __future__ import annotations

import numpy as np
import pytest

from bof.geometry.transforms import apply
from bof.geometry.two_points import has_directions
from bof.geometry.verification import MIN_LOCATED, verify
from bof.options import VerifyOptions
from bof.types import F64, Correspondences, Geometry

OPTIONS = VerifyOptions()
SIDE = 800


def upright(xy: F64) -> Geometry:
    n = len(xy)
    return Geometry(xy.astype(np.float32), np.full(n, 16, np.float32), np.zeros(n, np.float32), SIDE, SIDE)


def similarity(degrees: float, scale: float) -> F64:
    """About the middle of the picture."""
    angle = np.deg2rad(degrees)
    a, b, middle = scale * np.cos(angle), scale * np.sin(angle), SIDE / 2
    turn = np.array([[a, -b], [b, a]])
    found = np.eye(3)
    found[:2, :2], found[:2, 2] = turn, middle - turn @ [middle, middle]
    return found


def matched(target_from_source: F64, n_right: int, n_wrong: int, seed: int = 0) -> tuple[Geometry, Geometry]:
    rng = np.random.default_rng(seed)
    source = rng.uniform(200, 600, (n_right + n_wrong, 2))
    target = apply(target_from_source, source)
    target[n_right:] = rng.uniform(0, SIDE, (n_wrong, 2))
    order = rng.permutation(len(source))
    return upright(source[order]), upright(target[order])


def verified(query: Geometry, database: Geometry):  # type: ignore[no-untyped-def]
    n = len(query)
    rows = np.arange(n)
    return verify(
        query, database, Correspondences(rows.astype(np.int32), rows.astype(np.uint16), np.linspace(2, 1, n)), OPTIONS
    )


@pytest.mark.parametrize("degrees", [0.0, 20.0, -75.0, 180.0])
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.9])
def test_a_planted_similarity_comes_back(degrees: float, scale: float) -> None:
    transform = similarity(degrees, scale)
    found = verified(*matched(transform, 60, 60))
    assert found.n_inliers >= 45
    assert found.database_from_query is not None
    corners = np.array([[200.0, 200], [600, 200], [600, 600], [200, 600]])
    assert np.abs(apply(found.database_from_query, corners) - apply(transform, corners)).max() < 8


def test_one_point_alone_would_not_find_it() -> None:
    """The same points with an angle that says that nothing turns: the hypotheses are shifts."""
    query, database = matched(similarity(40.0, 1.8), 15, 15)
    said = [Geometry(one.xy_px, one.scale_px, np.ones(len(one), np.float32), SIDE, SIDE) for one in (query, database)]
    assert verified(query, database).n_inliers > 2 * verified(*said).n_inliers


def test_the_order_of_ties_and_seeds_changes_nothing() -> None:
    query, database = matched(similarity(15.0, 1.3), 40, 40)
    one, other = verified(query, database), verified(query, database)
    np.testing.assert_array_equal(one.database_from_query, other.database_from_query)
    np.testing.assert_array_equal(one.inliers.query, other.inliers.query)


@pytest.mark.parametrize("n", range(MIN_LOCATED))
def test_few_matches_prove_nothing(n: int) -> None:
    assert verified(*matched(np.eye(3), n, 0)).database_from_query is None


def test_points_at_one_place_end_in_numbers() -> None:
    same = np.full((50, 2), 300.0)
    found = verified(upright(same), upright(same))
    assert found.n_inliers <= 1


def test_angles_of_zero_are_none() -> None:
    points = upright(np.zeros((3, 2)))
    assert not has_directions(points)
    assert has_directions(Geometry(points.xy_px, points.scale_px, np.array([0, 0, 1], np.float32), SIDE, SIDE))
    assert has_directions(points.take(np.zeros(3, np.bool_)))
