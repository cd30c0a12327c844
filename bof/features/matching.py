"""Features of two pictures matched by their descriptors alone: each with its nearest neighbour, where that is clear."""

from __future__ import annotations

import numpy as np

from bof.types import U8, Correspondences

_RATIO = 0.85
"""The nearest descriptor must be so much nearer than the second one (Lowe 2004, section 7.1)."""


def match_descriptors(query: U8, database: U8) -> Correspondences:
    """Matches of descriptors u8 (n, 128) with u8 (m, 128), the clearest first. weight: how much clearer."""
    if not len(query) or len(database) < 2:
        return Correspondences(np.empty(0, np.int32), np.empty(0, np.uint16), np.empty(0))
    one, other = query.astype(np.float32), database.astype(np.float32)
    squared = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2.0 * one @ other.T
    two = np.argpartition(squared, 1, axis=1)[:, :2]
    distances = np.sqrt(np.maximum(np.take_along_axis(squared, two, axis=1), 0.0))
    order = np.argsort(distances, axis=1)
    two, distances = (np.take_along_axis(each, order, axis=1) for each in (two, distances))
    ratio = distances[:, 0] / np.maximum(distances[:, 1], 1e-6)
    clear = np.flatnonzero(ratio < _RATIO)
    clear = clear[np.argsort(ratio[clear], kind="stable")]
    weight = 1.0 - ratio[clear].astype(np.float64)
    return Correspondences(clear.astype(np.int32), two[clear, 0].astype(np.uint16), weight)
