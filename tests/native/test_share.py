"""Which features lie at the same place: C says what whole columns in numpy say, and refuses what is not there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bof import native
from bof.native import VotePiece
from bof.types import F64, I64, Bool
from tests.native.test_loops import N_IMAGES, Case, listed, make_case

N_FEATURES = 90
"""Of every image: `make_case` numbers postings through."""

LIMITS = np.array([0.1, 30.0, 1.5])


def placed(rng: np.random.Generator, n: int) -> F64:
    """Places of n features f64 (4, n) on coarse grids, so that many lie together and some on the limits."""
    xy = rng.integers(0, 7, (2, n)) / 20
    return np.stack([*xy, 2.0 ** -rng.integers(2, 4, n), 15.0 * rng.integers(-3, 4, n) % 360])


def by_numpy(a: Case, parts: list[VotePiece], chosen: list[int], one: F64, other: F64, shift: F64) -> Bool:
    shared = np.zeros((len(chosen), one.shape[1]), np.bool_)
    votes = [vote for vote in listed(parts, a.word.shape[1]) if vote[2] in chosen]
    if not votes:
        return shared
    query, _, image, feature, _ = np.array(votes, np.int64).T
    at = np.array([chosen.index(number) for number in image.tolist()])
    one, other = one[:, query], other[:, at * N_FEATURES + feature]
    turn = np.abs((one[3] - other[3] + 180.0) % 360.0 - 180.0)
    moved = other[:2] - one[:2]
    is_near = np.minimum(np.abs(moved).max(axis=0), np.abs(moved - shift[:, at]).max(axis=0)) < LIMITS[0]
    fits = is_near & (turn < LIMITS[1]) & (one[2] < LIMITS[2] * other[2]) & (other[2] < LIMITS[2] * one[2])
    shared[at[fits], query[fits]] = True
    return shared


def by_c(a: Case, parts: list[VotePiece], chosen: list[int], one: F64, other: F64, shift: F64) -> Bool:
    place = np.full(N_IMAGES, -1, np.int32)
    place[chosen] = np.arange(len(chosen))
    indptr: I64 = np.arange(len(chosen) + 1) * N_FEATURES
    shared = np.zeros((len(chosen), len(a.word)), np.bool_)
    for hits in parts:
        native.share_features(place, hits, indptr, other, one, shift, LIMITS, shared)
    return shared


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.permutations(range(N_IMAGES)), st.integers(1, N_IMAGES), st.integers(0, 15))
def test_it_marks_what_numpy_marks(seed: int, order: list[int], n_chosen: int, cut: int) -> None:
    a, rng, chosen = make_case(seed), np.random.default_rng(seed), order[:n_chosen]
    parts = [*a.near(64, range(cut))[1], *a.near(64, range(cut, 15))[1]]
    shift = rng.integers(-4, 5, (2, n_chosen)) / 20
    case = a, parts, chosen, placed(rng, 15), placed(rng, n_chosen * N_FEATURES), shift
    np.testing.assert_array_equal(by_c(*case), by_numpy(*case))


def test_cases_have_shared_features_and_others() -> None:
    a, rng, chosen = make_case(3), np.random.default_rng(3), list(range(N_IMAGES))
    case = a, a.near(64)[1], chosen, placed(rng, 15), placed(rng, N_IMAGES * N_FEATURES), np.zeros((2, N_IMAGES))
    assert 0 < by_c(*case).mean() < 0.5


def test_a_feature_that_is_not_there_is_refused() -> None:
    a, rng = make_case(3), np.random.default_rng(3)
    parts = [replace(hits, feature=np.full_like(hits.feature, N_FEATURES)) for hits in a.near(64)[1]]
    with pytest.raises(ValueError, match="features that do not exist"):
        by_c(a, parts, [0, 1, 2], placed(rng, 15), placed(rng, 3 * N_FEATURES), np.zeros((2, 3)))
