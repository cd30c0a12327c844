"""evidence: more and better points prove more; verdicts are thresholds; the constants themselves do not matter."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bof.options import VerifyOptions
from bof.retrieval.evidence import Evidence, gained, probability, weigh
from bof.types import Correspondences, Verification

WORD_WEIGHT = 40.0

counts = st.integers(6, 320)
spreads = st.floats(0, 0.5)
strengths = st.floats(1e-4, 1)


def verification(n_inliers: int, spread: float, strength: float) -> Verification:
    """Inliers whose votes are worth `strength` times WORD_WEIGHT on average."""
    none = Correspondences(np.empty(0, np.int32), np.empty(0, np.uint16), np.empty(0))
    return Verification(n_inliers, n_inliers * strength * WORD_WEIGHT, spread, np.eye(3), none)


def sure(n_inliers: int, spread: float, strength: float) -> float:
    return probability(verification(n_inliers, spread, strength), WORD_WEIGHT)


# -- Probability ------------------------------------------------------------------------------------------------------


@given(counts, spreads, strengths)
def test_a_probability_is_one(n_inliers: int, spread: float, strength: float) -> None:
    assert 0 <= sure(n_inliers, spread, strength) <= 1


@given(counts, counts, spreads, strengths)
def test_more_inliers_prove_no_less(few: int, many: int, spread: float, strength: float) -> None:
    few, many = sorted((few, many))
    assert sure(few, spread, strength) <= sure(many, spread, strength)


@given(counts, spreads, spreads, strengths)
def test_points_farther_apart_prove_no_less(n_inliers: int, narrow: float, wide: float, strength: float) -> None:
    narrow, wide = sorted((narrow, wide))
    assert sure(n_inliers, narrow, strength) <= sure(n_inliers, wide, strength)


@given(counts, spreads, strengths, strengths)
def test_stronger_votes_prove_no_less(n_inliers: int, spread: float, weak: float, strong: float) -> None:
    weak, strong = sorted((weak, strong))
    assert sure(n_inliers, spread, weak) <= sure(n_inliers, spread, strong)


def test_each_of_the_three_counts() -> None:
    """Nowhere near the ends of the scales, each measure alone makes the difference."""
    middle = sure(12, 0.03, 0.06)
    assert sure(8, 0.03, 0.06) < middle < sure(20, 0.03, 0.06)
    assert sure(12, 0.01, 0.06) < middle < sure(12, 0.07, 0.06)
    assert sure(12, 0.03, 0.04) < middle < sure(12, 0.03, 0.09)


def test_the_ends_are_sure() -> None:
    assert sure(6, 0.001, 0.01) < 0.01
    assert sure(200, 0.2, 0.5) > 0.999


@given(counts, spreads, strengths, st.floats(1e-3, 1e3))
def test_the_unit_of_the_votes_does_not_show(n_inliers: int, spread: float, strength: float, unit: float) -> None:
    known = verification(n_inliers, spread, strength)
    larger = dataclasses.replace(known, inlier_weight=known.inlier_weight * unit)
    assert probability(larger, WORD_WEIGHT * unit) == pytest.approx(probability(known, WORD_WEIGHT), rel=1e-6)


def test_without_a_transform_nothing_is_believed() -> None:
    known = dataclasses.replace(verification(300, 0.2, 0.5), database_from_query=None)
    assert probability(known, WORD_WEIGHT) == 0


# -- Score ------------------------------------------------------------------------------------------------------------

probabilities = st.floats(0, 1)
similarities = st.floats(0, 1000)


@given(similarities, similarities, probabilities, probabilities)
def test_the_score_rises_with_both(small: float, large: float, low: float, high: float) -> None:
    (small, large), (low, high) = sorted((small, large)), sorted((low, high))
    assert Evidence(small, low).score <= Evidence(large, low).score
    assert Evidence(small, low).score <= Evidence(small, high).score


def test_the_score_tells_apart() -> None:
    scores = [Evidence(s, p).score for p in (0.0, 0.5, 1.0) for s in (0.001, 0.01, 0.1)]
    assert len(set(scores)) == len(scores)
    assert all(a < b for row in (scores[:3], scores[3:6], scores[6:]) for a, b in pairwise(row))


def test_nothing_seen_scores_nothing() -> None:
    assert Evidence(0.0, None).score == Evidence(0.0, 0.0).score == 0


def test_refused_geometry_costs_nothing() -> None:
    assert Evidence(0.02, 0.0).score == Evidence(0.02, None).score > 0


@given(st.floats(0, 1), st.integers(0, 320), st.integers(0, 320))
def test_inliers_only_add(similarity: float, few: int, many: int) -> None:
    few, many = sorted((few, many))
    assert similarity == gained(similarity, 0) <= gained(similarity, few) <= gained(similarity, many)


def test_no_inliers_multiply_nothing() -> None:
    assert gained(0.0, 300) == 0


# -- Evidence of a picture, and its verdict ---------------------------------------------------------------------------


def test_a_picture_that_was_verified_is_known_by_both() -> None:
    known = verification(30, 0.05, 0.1)
    assert weigh(0.25, known, WORD_WEIGHT) == Evidence(gained(0.25, 30), probability(known, WORD_WEIGHT))


def test_verdicts_are_thresholds() -> None:
    options = VerifyOptions(same=0.9, maybe=0.4)
    below = math.nextafter(0.9, 0), math.nextafter(0.4, 0)
    verdicts = [Evidence(1.0, p).verdict(options) for p in (None, 0.0, below[1], 0.4, below[0], 0.9, 1.0)]
    assert verdicts == ["unverified", "no", "no", "maybe", "maybe", "same", "same"]


def test_equal_thresholds_leave_no_maybe() -> None:
    options = VerifyOptions(same=0.7, maybe=0.7)
    assert {Evidence(1.0, p).verdict(options) for p in np.linspace(0, 1, 101).tolist()} == {"no", "same"}
