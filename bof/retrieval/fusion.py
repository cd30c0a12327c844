"""Several rankers become one: their evidence is added up, or their ranks are fused.

Sources: Cormack, Clarke and Buettcher 2009 (reciprocal rank fusion); Arampatzis and Robertson 2011 (scores normalised
by the scores of the collection's background).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from bof.types import F64

_RANK_OFFSET = 60.0
"""Of reciprocal rank fusion, as its authors set it."""

_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {"color": 0.2, "histogram": 0.3, "ahash": 0.1, "blockmean": 0.1, "dhash": 0.05, "phash": 0.05, "radial": 0.05}
    | {"moments": 0.03, "embedding": 0.15}
)
"""Of one standard deviation of a z-score; chosen on the even objects of UKBench and the even covers, where more than
twice as much harms (docs/evaluation.md). What a model is worth depends on the model.
"""

_MAX_Z_SCORE = 20.0
"""More says no more: a collection of pictures that are all alike has a small deviation."""


def evidence(ranker: str, z_score: F64) -> F64:
    """What a ranker's z-score f64 (n,) is worth on the scale of `Evidence.score`; what is usual is worth nothing."""
    return _WEIGHTS[ranker] * np.clip(z_score, 0.0, _MAX_Z_SCORE)


def add_up(parts: Sequence[F64]) -> F64:
    """The evidence f64 (n,) of all rankers together."""
    total: F64 = np.sum(parts, axis=0, dtype=np.float64)
    return total


def reciprocal_ranks(parts: Sequence[F64]) -> F64:
    """The sum over rankers of 1 / (60 + rank), f64 (n,); what scores nothing has no rank, equal scores share one."""
    total = np.zeros(len(parts[0]))
    for score in parts:
        scored = score > 0
        ordered = np.sort(score[scored])
        rank = len(ordered) - np.searchsorted(ordered, score[scored], side="right") + 1
        total[scored] += 1.0 / (_RANK_OFFSET + rank)
    return total
