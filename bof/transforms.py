"""Planar transforms as 3 x 3 matrices target_from_source, applied to points."""

from __future__ import annotations

import numpy as np

from bof.types import F64


def apply(target_from_source: F64, xy: F64) -> F64:
    """Map points f64 (n, 2)."""
    mapped = np.column_stack([xy, np.ones(len(xy))]) @ target_from_source.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:], np.float64)
