"""Where a film changes from one shot to another."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from bof.types import F32

REACH_SECONDS = 3
"""A boundary depends on frames that are at most so far away."""

_CUT = 30.0
"""Mean absolute difference of grey from which two frames are of different shots."""


def find_boundaries(times: Sequence[Fraction], small: F32) -> list[Fraction]:
    """Times of the frames that begin a shot. small f32 (n, h, w): the frames at those times, grey."""
    if not len(times):
        return []
    difference = np.abs(np.diff(small, axis=0)).mean(axis=(1, 2))
    return [times[i + 1] for i in np.flatnonzero(difference > _CUT).tolist()]
