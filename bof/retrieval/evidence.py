"""How sure is it? Votes and geometry become a probability, a verdict, and a score that compares between queries."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bof.options import VerifyOptions
from bof.types import F64, Verdict, Verification


@dataclass(frozen=True, slots=True)
class Calibration:
    """What inliers of some features prove: log odds = intercept + the weights times the logarithms of three measures.

    Those are how many inliers there are beyond what chance makes, how wide they lie, and how alike they are.
    """

    intercept: float
    per_log_inliers: float
    per_log_spread: float
    per_log_strength: float

    @property
    def fact(self) -> list[float]:
        """As a vocabulary records it."""
        return [self.intercept, self.per_log_inliers, self.per_log_spread, self.per_log_strength]

    @classmethod
    def of(cls, trained_on: Mapping[str, Any]) -> Calibration:
        """That of a vocabulary, by what it says of its training; SIFT's where it says nothing that can be used."""
        fact = trained_on.get(CALIBRATION)
        if not isinstance(fact, list) or len(fact) != 4 or not all(map(_is_plausible, fact)):
            return SIFT
        return cls(*fact)


def _is_plausible(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value) and abs(value) <= _LARGEST


CALIBRATION = "calibration"
_LARGEST = 1e3

SIFT = Calibration(16.07, 4.06, 1.66, 7.36)
"""Logistic regression over 1,310,000 pairs of photographs, 4,500 of them matching; scripts/calibration fits it."""

_MOST_ODDS = 700.0
"""Its exponential is still a number."""

_CHANCE_INLIERS = 3.0
_SPREADS = (0.003, 0.08)
_STRENGTHS = (0.0227, 0.136)
"""Beyond these the quantities say no more."""

_INLIER_GAIN = 0.1
_INLIER_POWER = 1.5
"""Inliers multiply a similarity by (1 + gain * inliers) ** power: even two or three agreeing points help."""

PROBABILITY_WEIGHT = 10.0
_SIMILARITY_UNIT = 1e-3


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a query and one picture: gained, the similarity with what inliers add, and two probabilities.

    shared: that both show something that is the same, None where geometry was not asked; thing: that it is the thing
    itself and not a part that several things share, None where pixels were not compared.
    """

    gained: float
    shared: float | None
    thing: float | None = None

    @property
    def probability(self) -> float | None:
        """That both show the same thing, as far as was looked."""
        return self.shared if self.thing is None else self.thing

    @property
    def score(self) -> float:
        """Ten times the probability plus the logarithm of the similarity: comparable between queries."""
        return PROBABILITY_WEIGHT * (self.probability or 0.0) + math.log1p(self.gained / _SIMILARITY_UNIT)

    def verdict(self, options: VerifyOptions) -> Verdict:
        """same, part, maybe or no; unverified where geometry was not asked."""
        if self.shared is None:
            return "unverified"
        if self.shared >= options.same:
            return "same" if self.thing is None or self.thing >= options.thing else "part"
        return "maybe" if self.shared >= options.maybe else "no"


def weigh(
    similarity: float, verification: Verification, word_weight: float, calibration: Calibration = SIFT
) -> Evidence:
    """Evidence of one picture.

    similarity: its votes as a share of what the query scores against itself; word_weight: the mean idf**2 of the
    query's words, the most that a vote is worth on average; calibration: of the features.
    """
    shared = probability(verification, word_weight, calibration)
    return Evidence(gained(similarity, verification.n_inliers), shared)


def unverified_scores(similarity: F64) -> F64:
    """`Evidence.score` of many images that geometry was not asked about, f64 (n,)."""
    return np.log1p(similarity / _SIMILARITY_UNIT)


def gained(similarity: float, n_inliers: int) -> float:
    """A similarity with what inliers add to it."""
    return float(similarity * (1.0 + _INLIER_GAIN * n_inliers) ** _INLIER_POWER)


def probability(verification: Verification, word_weight: float, calibration: Calibration = SIFT) -> float:
    """That both pictures show the same thing, from three measures of the inliers: how many, how wide, how alike.

    Points along a line or in a heap, and points whose descriptors repeat or hardly agree, prove less.
    """
    if verification.database_from_query is None:
        return 0.0
    inliers, spread, strength = measures(verification, word_weight)
    log_odds = (
        calibration.intercept
        + calibration.per_log_inliers * inliers
        + calibration.per_log_spread * spread
        + calibration.per_log_strength * strength
    )
    return 1.0 / (1.0 + math.exp(min(-log_odds, _MOST_ODDS)))


def measures(verification: Verification, word_weight: float) -> tuple[float, float, float]:
    """The logarithms of how many inliers there are beyond chance, how wide they lie and how alike they are."""
    strength = verification.inlier_weight / verification.n_inliers / word_weight
    return (
        math.log(max(verification.n_inliers - _CHANCE_INLIERS, 0.2)),
        math.log(_clipped(verification.spread, _SPREADS)),
        math.log(_clipped(strength, _STRENGTHS)),
    )


def _clipped(value: float, bounds: tuple[float, float]) -> float:
    return min(max(value, bounds[0]), bounds[1])
