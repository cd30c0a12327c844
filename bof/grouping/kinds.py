"""Of which kind is a pair? What geometry and pixels say becomes a kind, and names what was done to one picture.

`alignment.photograph` says whether both are one photograph.
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

_WHOLE = 0.97
_COPY_AGREEMENT = 0.95
_COPY_MARRED = 0.01
_COPY_LEVELS = 8.0
"""What encoding and sizing leave as it was: the frame, all detail, light and colour."""

_TURNED_DEG = 1.0
_RESIZED = 0.02

_SAME = VerifyOptions().same


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
    if alike is not None and pair.exact is not None and pair.fit.proves_copy(alike, options.agreement):
        changes = changes_of(pair.exact, alike)
        kind: Kind = "copy" if _is_whole(alike) and not changes - {"encoded", "resized"} else "crop"
        return Proof(pair.query, pair.found, kind, pair.n_inliers, alike.agreement, pair.exact, frozenset(changes))
    if alike is not None and alike.differences.is_template:
        return None  # forms that were filled in otherwise, other pictures in one frame
    if pair.probability >= _SAME:
        return Proof(pair.query, pair.found, "scene", pair.n_inliers, None, pair.transform, frozenset())
    return None


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
