"""hypotheses: what one pair proposes, who agrees with it, and that neither units nor company show in the answer."""

from __future__ import annotations

import dataclasses
import math
import os

import numpy as np
import pytest

from bof.geometry.hypotheses import MAX_HYPOTHESES, MIN_FIT, Pairs, find_hypotheses, pair_up, placement_of
from bof.geometry.transforms import apply
from bof.system.threads import set_threads
from bof.types import F64, I64, Geometry
from tests.support.numpy_geometry import Matches, allowed, gate, matches_of, one_to_one, similarity

TOLERANCE = 0.03
CELL = 0.02


def geometry(xy: F64, scale: F64, angle: F64, width: int, height: int) -> Geometry:
    columns = (np.asarray(column, np.float32) for column in (xy, scale, angle % 360))
    places, sizes, angles = columns
    return Geometry(places, sizes, angles, width, height)


def planted(scale: float, degrees: float, n: int = 60, n_true: int = 40, seed: int = 0) -> Pairs:
    """Two pictures of 1000 x 500 and 400 x 800 pixels: the first n_true pairs follow one similarity exactly."""
    rng = np.random.default_rng(seed)
    a, b = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    xy, size, angle = rng.uniform(0, 500, (n, 2)), rng.uniform(4, 30, n), rng.uniform(0, 360, n)
    uv = xy @ np.array([[a, b], [-b, a]]) + [200, 300]
    uv[n_true:] = rng.uniform(0, 400, (n - n_true, 2))
    turned = np.where(np.arange(n) < n_true, angle + degrees, rng.uniform(0, 360, n))
    query, database = geometry(xy, size, angle, 1000, 500), geometry(uv, scale * size, turned, 400, 800)
    indptr: I64 = np.array([0, n])
    rows = np.arange(n, dtype=np.int32)
    return pair_up(indptr, placement_of(query), rows, placement_of(database), np.linspace(2, 1, n))


def found(pairs: Pairs) -> tuple[int, list[int]]:
    ((seed, agreeing),) = found_in_each(pairs)
    return seed, agreeing


def found_in_each(pairs: Pairs) -> list[tuple[int, list[int]]]:
    """The seed and those that agree with it, counted from each picture's first pair; -1 and none without pairs."""
    best = find_hypotheses(pairs, TOLERANCE)
    firsts = zip(pairs.indptr[:-1].tolist(), best.seed.tolist(), best.n_agreeing.tolist(), strict=True)
    return [
        (seed - first if seed >= 0 else -1, (best.agreeing[first : first + n] - first).tolist())
        for first, seed, n in firsts
    ]


def joined(parts: list[Pairs]) -> Pairs:
    """Pairs of several pictures."""
    indptr: I64 = np.cumsum([0, *(len(part.weight) for part in parts)])
    names = [field.name for field in dataclasses.fields(Pairs)[1:]]
    columns = {name: np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in names}
    return Pairs(indptr, **columns)


def taken(pairs: Pairs, rows: I64) -> Pairs:
    """Some pairs of one picture."""
    names = [field.name for field in dataclasses.fields(Pairs)[1:]]
    columns = {name: np.ascontiguousarray(getattr(pairs, name)[..., rows]) for name in names}
    return Pairs(np.array([0, len(rows)]), **columns)


@pytest.mark.parametrize(("scale", "degrees"), [(1, 0), (0.5, 90), (1.9, 180), (0.8, -135)])
def test_a_planted_similarity_is_found_with_those_that_follow_it(scale: float, degrees: float) -> None:
    pairs = planted(scale, degrees)
    seed, agreeing = found(pairs)
    assert seed < 40
    assert len([j for j in agreeing if j < 40]) >= 20
    assert len([j for j in agreeing if j >= 40]) <= 1
    matches = matches_of(pairs)
    proposed = similarity(matches, seed)
    assert apply(proposed, matches.query_xy[:40]) == pytest.approx(matches.database_xy[:40], abs=1e-4)
    assert math.sqrt(np.linalg.det(proposed[:2, :2])) == pytest.approx(scale * 1000 / 800, rel=1e-4)


def test_a_pair_maps_onto_itself_whatever_it_proposes() -> None:
    pairs = matches_of(planted(0.7, 20))
    for i in range(60):
        assert apply(similarity(pairs, i), pairs.query_xy[i : i + 1])[0] == pytest.approx(pairs.database_xy[i])


def test_those_that_agree_pass_the_gate_and_the_tolerance_one_to_one() -> None:
    pairs = planted(0.9, 40, n=200, n_true=120)
    (seed, agreeing), matches = found(pairs), matches_of(pairs)
    rows: I64 = np.array(agreeing)
    assert gate(matches, seed)[rows].all()
    mapped = apply(similarity(matches, seed), matches.query_xy[rows])
    residual = np.square(mapped - matches.database_xy[rows]).sum(axis=1)
    assert (residual < allowed(float(matches.scale[seed]), TOLERANCE) * 1.0001).all()
    assert one_to_one(matches, rows).tolist() == agreeing == sorted(agreeing)


def test_a_similarity_must_hold_in_both_pictures() -> None:
    assert [allowed(scale, 0.03) for scale in (0.5, 1.0, 2.0)] == pytest.approx([0.015**2, 0.03**2, 0.03**2])


def test_the_gate_opens_below_30_degrees_and_below_one_octave() -> None:
    angle, scale = np.radians([0, 29, 31, -29, 180, 0, 0, 0, 0]), np.array([1, 1, 1, 1, 1, 1.99, 2.01, 0.51, 0.49])
    nowhere = np.zeros((9, 2))
    pairs = Matches(nowhere, nowhere, scale, np.cos(angle), np.sin(angle), np.ones(9))
    assert gate(pairs, 0).tolist() == [True, True, False, True, False, True, False, True, False]


def test_spots_are_taken_once_in_either_picture() -> None:
    """The fourth shares its query's cell with the first, the fifth its database's with the second."""
    at = (np.array([0.5, 2.5, 4.5, 0.6, 8.5, 10.5]), np.array([0.5, 2.5, 4.5, 6.5, 2.6, 10.5]))
    query, database = (np.column_stack([cells, cells]) * CELL for cells in at)
    pairs = Matches(query, database, *np.ones((4, 6)))
    assert one_to_one(pairs, np.arange(6)).tolist() == [0, 1, 2, 5]
    assert one_to_one(pairs, np.array([3, 4, 0, 1])).tolist() == [3, 4]


def test_spots_left_of_the_picture_are_not_those_right_of_it() -> None:
    """A cut-out's features may lie anywhere: the cells of -x and x, and of x and y swapped, are different ones."""
    query = np.array([[-1, 1], [1, -1], [1, 1], [-1, -1], [0.5, 2], [2, 0.5]]) * 0.25
    pairs = Matches(query, np.arange(12.0).reshape(6, 2), *np.ones((4, 6)))
    assert one_to_one(pairs, np.arange(6)).tolist() == list(range(6))


def test_company_does_not_show() -> None:
    """More pictures than a thread takes at once, some of them without a pair: each is answered as if it were alone."""
    parts = [planted(1.1, 10 * i, n=i % 40, n_true=min(i % 40, i % 23), seed=i) for i in range(150)]
    expected = [found(part) if len(part.weight) else (-1, []) for part in parts]
    assert found_in_each(joined(parts)) == expected


@pytest.mark.parametrize("n", [1, 2])
def test_threads_do_not_show(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = joined([planted(1.1, 10 * i, n=i % 40, n_true=min(i % 40, i % 23), seed=i) for i in range(60)])
    expected = found_in_each(pairs)
    monkeypatch.setattr("bof.geometry.hypotheses._HYPOTHESES_WORTH_A_THREAD", 1)
    try:
        set_threads(n)
        assert found_in_each(pairs) == expected
    finally:
        set_threads(os.cpu_count() or 1)


def test_no_pictures_have_no_hypotheses() -> None:
    nothing = planted(1, 0, n=0, n_true=0)
    best = find_hypotheses(dataclasses.replace(nothing, indptr=np.zeros(1, np.int64)), TOLERANCE)
    assert (len(best.seed), len(best.n_agreeing), len(best.agreeing)) == (0, 0, 0)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_the_unit_of_the_weights_does_not_show(unit: float) -> None:
    pairs = planted(0.8, 70)
    assert found(dataclasses.replace(pairs, weight=pairs.weight * unit)) == found(pairs)


def test_weights_of_nothing_are_no_failure() -> None:
    pairs = planted(0.8, 70)
    seed, agreeing = found(dataclasses.replace(pairs, weight=np.zeros(60)))
    assert seed >= 0
    assert len(agreeing) >= 1


def test_only_the_strongest_propose() -> None:
    """All that follow the planted similarity stand behind the last that may propose it."""
    pairs = planted(1, 0, n=MAX_HYPOTHESES + 40, n_true=40)
    strong = taken(pairs, np.r_[0:40, 40 : MAX_HYPOTHESES + 40])
    weak = taken(pairs, np.r_[40 : MAX_HYPOTHESES + 40, 0:40])
    assert len(found(strong)[1]) >= 20
    assert len(found(weak)[1]) < MIN_FIT + 3


def test_a_position_is_a_fraction_of_the_long_side_from_the_corner() -> None:
    placed = placement_of(geometry(np.array([[-0.5, -0.5], [799.5, 599.5]]), np.array([8, 80]), np.zeros(2), 800, 600))
    assert placed[:2].tolist() == [[0, 1], [0, 0.75]]
    assert placed[2] == pytest.approx([0.01, 0.1])
