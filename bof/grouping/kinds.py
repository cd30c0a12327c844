"""Of which kind is a pair? What geometry and pixels say becomes a kind, and names what was done to one picture.

The thresholds were set on scripts/duplicates and on photographs of DVD covers, and hold with another --seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bof.alignment.likeness import Likeness
from bof.grouping.pairs import Pair
from bof.grouping.types import Change, Kind
from bof.options import DuplicateOptions, VerifyOptions
from bof.types import F64

_COVERS = 0.6
"""One of two copies lies in the other, but for corners that were cut off: what shares less has a caption in common, or
a badge."""

_SLANT, _SURE_SLANT = 0.03, 0.01
"""A copy is cropped, turned, mirrored and stretched, never slanted: another photograph is taken from elsewhere."""

_EXACT_SHARE, _SURE_EXACT_SHARE = 0.65, 0.75
"""Share of the inliers that must agree closely with one affine transform."""

_SURE_INLIERS = 40
"""From so many on the transform of a copy is known well, and the second of these numbers holds."""

_FEW_INLIERS, _FEW_AGREEMENT = 20, 0.6
"""With fewer points the pixels must agree on more: two CD cases on one table agreed on 8, in 0.56 of the cells."""

_MIN_CELLS = 8

_WHOLE = 0.97
_COPY_AGREEMENT = 0.95
_COPY_MARRED = 0.01
_COPY_LEVELS = 8.0
"""What encoding and sizing leave as it was: the frame, all detail, light and colour."""

_TURNED_DEG = 1.0
_RESIZED = 0.02


@dataclass(frozen=True, slots=True)
class Proof:
    """How two contents, by sha256, are alike.

    agreement: None where pixels do not decide; other_from_one f64 (3, 3) in pixels of the originals; changes: what was
    done to one to become the other.
    """

    one: str
    other: str
    kind: Kind
    n_inliers: int
    agreement: float | None
    other_from_one: F64
    changes: frozenset[Change]


def prove(pair: Pair, options: DuplicateOptions) -> Proof | None:
    """What a pair proves; None where nothing."""
    alike = pair.likeness
    if alike is not None and pair.exact is not None and _is_one_photograph(pair, pair.exact, alike, options):
        changes = changes_of(pair.exact, alike)
        kind: Kind = "copy" if _is_whole(alike) and not changes - {"encoded", "resized"} else "crop"
        return Proof(pair.query, pair.found, kind, pair.n_inliers, alike.agreement, pair.exact, frozenset(changes))
    if alike is not None and alike.differences.is_template:
        return None  # forms that were filled in otherwise, other pictures in one frame
    if pair.probability >= VerifyOptions().same:
        return Proof(pair.query, pair.found, "scene", pair.n_inliers, None, pair.transform, frozenset())
    return None


def _is_one_photograph(pair: Pair, exact: F64, alike: Likeness, options: DuplicateOptions) -> bool:
    least = _FEW_AGREEMENT if pair.n_inliers < _FEW_INLIERS else 0.0
    return (
        (alike.differences.is_none or alike.differences.is_overlay)
        and alike.agreement >= max(options.agreement, least)
        and max(alike.covers) >= _COVERS
        and alike.n_cells >= _MIN_CELLS
        and may_be_one_photograph(pair, exact)
    )


def may_be_one_photograph(pair: Pair, exact: F64) -> bool:
    """Is the geometry of a pair that of a copy? If not, its pixels need not be looked at. exact: its transform."""
    is_sure = pair.n_inliers >= _SURE_INLIERS
    return slant(exact) <= (_SURE_SLANT if is_sure else _SLANT) and pair.n_exact >= pair.n_inliers * (
        _SURE_EXACT_SHARE if is_sure else _EXACT_SHARE
    )


def slant(transform: F64) -> float:
    """How far from square a rectangle becomes, as a cosine: 0 where it is turned, and stretched before or after."""
    linear = transform[:2, :2]
    lengths = np.linalg.norm(linear, axis=0), np.linalg.norm(linear, axis=1)
    before = abs(float(linear[:, 0] @ linear[:, 1])) / float(np.prod(lengths[0]))
    after = abs(float(linear[0] @ linear[1])) / float(np.prod(lengths[1]))
    return min(before, after)


def _is_whole(alike: Likeness) -> bool:
    """Is it the whole picture, with nothing on it but what compression leaves?"""
    return min(alike.covers) >= _WHOLE and alike.agreement >= _COPY_AGREEMENT and alike.marred <= _COPY_MARRED


def changes_of(transform: F64, alike: Likeness) -> set[Change]:
    """What was done, from the transform and the pixels; encoded where nothing else is seen."""
    linear = transform[:2, :2]
    scale = math.sqrt(abs(float(np.linalg.det(linear))))
    is_mirrored = float(np.linalg.det(linear)) < 0
    straight = linear @ np.diag([-1.0, 1.0]) if is_mirrored else linear
    angle = math.degrees(math.atan2(straight[1, 0] - straight[0, 1], straight[0, 0] + straight[1, 1]))
    seen: dict[Change, bool] = {
        "resized": abs(scale - 1) > _RESIZED,
        "cropped": min(alike.covers) < _WHOLE,
        "turned": abs(angle) > _TURNED_DEG,
        "mirrored": is_mirrored,
        "overlaid": alike.differences.is_overlay,
        "recoloured": max(alike.shift, alike.tint) > _COPY_LEVELS and alike.marred < 0.5,
    }
    return {change for change, is_seen in seen.items() if is_seen} or {"encoded"}
