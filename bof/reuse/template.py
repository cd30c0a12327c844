"""What many pictures have at one place of the frame, as a printed frame, a running head or a form: no reuse.

A search calls it an overlay when four pictures share it (retrieval.overlays). Here more must: a block that was printed
at one place of the page in a few editions is reuse, a frame round the pages of a whole book is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from bof.geometry import transforms
from bof.types import F64, I64, Bool, Geometry, Verification

_CELLS = 24
"""The long side of a picture is divided into so many; a cell and its neighbours are one place."""

_TURN, _SHIFT = 0.12, 0.035
"""At one place: turned and enlarged by no more than this, moved by no more than this fraction of the long side."""

_MIN_INLIERS = 6
_MAX_SHARE = 0.75
"""Pictures that share more of a picture's features at one place are copies of it."""

MIN_LEFT = 30
"""Fewer features that are left say too little."""

Size = tuple[int, int]


def outside_template(
    query: Geometry, found: Mapping[int, Verification], sizes: Sequence[Size], n_most: int
) -> I64 | None:
    """The features i64 (n,) of a picture that lie outside the template; None where there is no template.

    found: how other images show the picture, with the size of each in pixels in `sizes`; n_most: what more than so many
    of them have at one place belongs to the template.
    """
    counts = np.zeros((_CELLS + 2, _CELLS + 2), np.int64)
    for verification, size in zip(found.values(), sizes, strict=True):
        if verification.n_inliers >= _MIN_INLIERS and _is_at_one_place(query, verification, max(size)):
            counts += _places(_cells_of(query)[verification.inliers.query])
    if counts.max() <= n_most:
        return None
    across, down = _cells_of(query).T
    inside = counts[across, down] > n_most
    return np.flatnonzero(~inside) if 0 < inside.mean() <= _MAX_SHARE else None


def _cells_of(query: Geometry) -> I64:
    """The cell of each feature i64 (n, 2), from 1."""
    return np.clip((query.xy_px / query.long_side * _CELLS).astype(np.int64), 0, _CELLS - 1) + 1


def _places(cells: I64) -> Bool:
    """Cells i64 (n, 2) and those next to them."""
    marked = np.zeros((_CELLS + 2, _CELLS + 2), np.bool_)
    for x in (-1, 0, 1):
        for y in (-1, 0, 1):
            marked[cells[:, 0] + x, cells[:, 1] + y] = True
    return marked


def _is_at_one_place(query: Geometry, verification: Verification, long_side: int) -> bool:
    if verification.database_from_query is None:
        return False
    same_size: F64 = verification.database_from_query[:2, :2] * (query.long_side / long_side)
    if np.abs(same_size - np.eye(2)).max() > _TURN:
        return False
    xy = query.xy_px[verification.inliers.query].astype(np.float64)
    moved = transforms.apply(verification.database_from_query, xy) / long_side - xy / query.long_side
    return bool(np.median(np.abs(moved).max(axis=1)) <= _SHIFT)
