"""One thing, or a part that several things share? What pixels and rival hits say becomes a probability.

A form, a frame or artwork that many things share agrees as well as the thing itself does, but something inside it
differs; and where the thing is in the collection, it explains what its look-alikes do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.alignment.agreement import MEASURES
from bof.alignment.cells import AGREES, DIFFERS
from bof.errors import IndexStoreError
from bof.system.npy_header import PARSING
from bof.types import F32, F64, U8, Agreement, Bool, Verification

RIVAL_MEASURES = ("rival", "log rival", "ahead", "alone", "inliers ahead", "cells ahead", "log hits")
QUANTITIES = ("log inliers", "log spread", *MEASURES, *RIVAL_MEASURES)
"""What `quantities` measures of each hit."""

_FEW_CELLS = 20
_MOST_INLIERS, _MOST_CELLS = 2.0, 3.0
"""Logarithms of how many times more a hit has than the best of the others; more says no more."""

MODEL = Path(__file__).with_name("thing_model.npz")


def quantities(verifications: Sequence[Verification], agreements: Sequence[Agreement]) -> F64:
    """Of each of one query's hits, which were compared with it, f64 (n, len(QUANTITIES))."""
    if not agreements:
        return np.empty((0, len(QUANTITIES)))
    n_inliers = np.array([found.n_inliers for found in verifications], np.float64)
    spread = np.array([found.spread for found in verifications], np.float64)
    own = np.stack([found.measures for found in agreements])
    return np.column_stack([np.log(n_inliers), np.log(spread), own, _against_rivals(n_inliers, agreements)])


def _against_rivals(n_inliers: F64, agreements: Sequence[Agreement]) -> F64:
    """How each hit does against the other hits of its query, f64 (n, 7).

    rival: of the places where some other hit agrees, the largest share where this one differs; ahead: the same, the
    other way round; alone: of the places where this one agrees, the share where no other does.
    """
    n = len(agreements)
    if n == 1:
        return np.array([[0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0]])
    places = np.stack([found.correlation.ravel() for found in agreements])
    known = ~np.isnan(places)
    agrees, differs = known & (places >= AGREES), known & (places <= DIFFERS)
    beaten = agrees.astype(np.int64) @ differs.T.astype(np.int64)  # [a, b]: a agrees where b differs
    compared = np.maximum(agrees.astype(np.int64) @ known.T.astype(np.int64), _FEW_CELLS)
    np.fill_diagonal(beaten, 0)
    share = beaten / compared
    n_agreeing = agrees.sum(axis=1)
    elsewhere = agrees.sum(axis=0) - agrees > 0
    alone = (agrees & ~elsewhere).sum(axis=1) / np.maximum(n_agreeing, _FEW_CELLS)
    columns = (
        share.max(axis=0), np.log1p(beaten.max(axis=0)), share.max(axis=1), alone,
        np.clip(_ahead(np.log(n_inliers)), -_MOST_INLIERS, _MOST_INLIERS),
        np.clip(_ahead(np.log1p(n_agreeing)), -_MOST_CELLS, _MOST_CELLS),
        np.full(n, np.log(n)),
    )  # fmt: skip
    return np.stack(columns, axis=1)


def _ahead(values: F64) -> F64:
    """By how much each value f64 (n,), n > 1, is above the largest of the others."""
    second, first = np.partition(values, -2)[-2:]
    return np.asarray(np.where(values == first, first - second, values - first), np.float64)


@dataclass(frozen=True, slots=True)
class Trees:
    """Boosted trees of d decisions (Friedman 2001): log odds = base + the leaf that each tree leads to.

    feature u8 and threshold f64 (n_trees, 2**d - 1): node k leads to 2 k + 1 where the feature is at most the
    threshold, else to 2 k + 2; leaf f32 (n_trees, 2**d).
    """

    base: float
    feature: U8
    threshold: F64
    leaf: F32

    def log_odds(self, values: F64) -> F64:
        """Of each row of quantities f64 (n, m), f64 (n,)."""
        trees, rows = np.arange(len(self.feature)), np.arange(len(values))[:, None]
        node = np.zeros((len(values), len(trees)), np.int64)
        n_inner = self.feature.shape[1]
        for _ in range(n_inner.bit_length()):
            goes_right = values[rows, self.feature[trees, node]] > self.threshold[trees, node]
            node = 2 * node + 1 + goes_right
        return np.asarray(self.base + self.leaf[trees, node - n_inner].sum(axis=1, dtype=np.float64), np.float64)


@dataclass(frozen=True, slots=True)
class ThingModel:
    """What makes a probability of quantities. among: of hits that have rivals; alone: of a hit that has none."""

    among: Trees
    alone: Trees

    def probability(self, values: F64) -> F64:
        """That each hit shows the same thing, f64 (n,), of quantities f64 (n, len(QUANTITIES))."""
        log_odds = np.where(has_rivals(values), self.among.log_odds(values), self.alone.log_odds(values))
        return np.asarray(1.0 / (1.0 + np.exp(-log_odds)), np.float64)

    def save(self, path: Path) -> None:
        """Write the model's file."""
        parts = {"among": self.among, "alone": self.alone}
        arrays = {f"{name}_{field}": getattr(trees, field) for name, trees in parts.items() for field in _FIELDS}
        np.savez_compressed(path, quantities=np.array(QUANTITIES), **arrays)


_FIELDS = ("base", "feature", "threshold", "leaf")


def has_rivals(values: F64) -> Bool:
    """Which hits, by their quantities, were not the only ones of their query, bool (n,)."""
    return np.asarray(values[:, QUANTITIES.index("log hits")] > 0, np.bool_)


@cache
def thing_model() -> ThingModel:
    """The model that ships with bof; `python -m scripts.calibration.thing` fits it."""
    with PARSING, np.load(MODEL, allow_pickle=False) as stored:
        if tuple(stored["quantities"].tolist()) != QUANTITIES:
            raise IndexStoreError("is of another version of bof", path=MODEL, advice="install bof again")
        return ThingModel(_trees(stored, "among"), _trees(stored, "alone"))


def _trees(stored: Mapping[str, NDArray[Any]], name: str) -> Trees:
    base, *arrays = (stored[f"{name}_{field}"] for field in _FIELDS)
    return Trees(float(base), *arrays)
