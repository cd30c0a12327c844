"""Logistic regression of a match on three measures of the inliers, and how far its probabilities can be believed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bof.errors import BenchmarkError
from bof.options import VerifyOptions
from bof.retrieval import evidence
from bof.retrieval.calibrating import fit_calibration
from bof.types import F64, I64, Bool
from scripts.calibration.pairs import Pairs

BINS = (0.0, 0.01, 0.1, 0.5, 0.9, 0.98, 0.99, 0.999, 1.0)  # edges of the reliability table
THRESHOLDS = tuple(sorted({0.5, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, VerifyOptions().same}))
"""Values of `same` that are tried, the default among them."""


@dataclass(frozen=True, slots=True)
class Model:
    """log odds = intercept + the three weights times the logarithms of inliers, spread and strength."""

    intercept: float
    per_log_inliers: float
    per_log_spread: float
    per_log_strength: float

    def probability(self, pairs: Pairs) -> F64:
        """That each pair matches, f64 (n,)."""
        weights = np.array([self.per_log_inliers, self.per_log_spread, self.per_log_strength])
        return np.asarray(1.0 / (1.0 + np.exp(-(self.intercept + measures(pairs) @ weights))), np.float64)


@dataclass(frozen=True, slots=True)
class Bin:
    """Pairs with a probability from low to high: how many, their mean probability, and the share that matches."""

    low: float
    high: float
    n: int
    predicted: float
    matching: float


@dataclass(frozen=True, slots=True)
class Operation:
    """One set of queries with one threshold of `same`: queries with a wrong one; matching pairs called the same."""

    threshold: float
    queries_misled: int
    n_kept: int


def engine_model() -> Model:
    """What bof.retrieval.evidence has now."""
    return Model(*evidence.SIFT.fact)


def measures(pairs: Pairs) -> F64:
    """The logarithms f64 (n, 3), limited as bof.retrieval.evidence limits them."""
    columns = (
        np.maximum(pairs.n_inliers - evidence._CHANCE_INLIERS, 0.2),
        np.clip(pairs.spread, *evidence._SPREADS),
        np.clip(pairs.strength, *evidence._STRENGTHS),
    )
    return np.asarray(np.log(np.column_stack(columns)), np.float64)


def fit(pairs: Pairs) -> Model:
    """The model that explains the pairs best. Raises BenchmarkError where all match or none does."""
    n_matching = int(pairs.matches.sum())
    if not 0 < n_matching < len(pairs):
        raise BenchmarkError(
            f"calibration: expected matching and wrong pairs with a transform, found {n_matching} matching of "
            f"{len(pairs)}; ask more queries"
        )
    return Model(*fit_calibration(measures(pairs), pairs.matches).fact)


def held_out(pairs: Pairs, half: Bool) -> F64:
    """Probabilities f64 (n,) of each half by the model that was fitted to the other. half bool (n,)."""
    probability = np.empty(len(pairs))
    for rows in (half, ~half):
        probability[rows] = fit(pairs.take(~rows)).probability(pairs.take(rows))
    return probability


def reliability(probability: F64, matches: Bool) -> list[Bin]:
    """Predicted against true shares; a bin without pairs is left out. The last bin holds 1 too."""
    place = np.clip(np.searchsorted(BINS, probability, side="right") - 1, 0, len(BINS) - 2)
    rows = {i: place == i for i in range(len(BINS) - 1) if (place == i).any()}
    return [
        Bin(BINS[i], BINS[i + 1], int(mask.sum()), float(probability[mask].mean()), float(matches[mask].mean()))
        for i, mask in rows.items()
    ]


def operate(threshold: float, query: I64, probability: F64, matches: Bool) -> Operation:
    """What a threshold of `same` does to the pairs of one set of queries."""
    same = probability >= threshold
    return Operation(threshold, len(np.unique(query[same & ~matches])), int((same & matches).sum()))
