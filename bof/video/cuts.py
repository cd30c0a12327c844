"""Hard cuts: from one frame to the next nothing is found again, and nothing comes back right after."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bof.types import F64
from bof.video.continuity import UNRELATED, Continuity
from bof.video.small_frames import SmallFrames

NEAR_S = 0.25
"""Of cuts nearer to each other one is left. A flash is shorter."""

_LEAST_DIFFERENCE, _RELATIVE_DIFFERENCE = 1.5, 0.3
"""A cut changes a small frame by more levels of grey, and by more than such a share of its contrast."""

_ABOVE_MEDIAN = 1.3
"""And by so much more than frames around it change, as a median over NEAR_S to either side."""

_TURBULENT_FRAMES = 4
"""As many changes around it are a camera that whirls."""


def find_cuts(frames: SmallFrames, continuity: Continuity) -> list[int]:
    """The frames that begin a shot after a hard cut, in order."""
    changes = [i for i in _candidates(frames) if continuity.correlation(i - 1, i) < UNRELATED]
    times = frames.seconds[changes]
    found = [
        i for i in changes
        if np.count_nonzero(np.abs(times - frames.seconds[i]) <= NEAR_S / 2) < _TURBULENT_FRAMES
        and not _comes_back(frames, continuity, i)
    ]  # fmt: skip
    return strongest_nearby(found, frames.seconds, [continuity.correlation(i - 1, i) for i in found], NEAR_S)


def strongest_nearby(found: Sequence[int], seconds: F64, strength: Sequence[float], near_s: float) -> list[int]:
    """Those of the frames than which none near by has a lower strength; of equals the first."""
    ranked = [(value, i) for value, i in zip(strength, found, strict=True)]
    return [
        i for value, i in ranked
        if all((value, i) <= other for other in ranked if abs(seconds[other[1]] - seconds[i]) <= near_s)
    ]  # fmt: skip


def _candidates(frames: SmallFrames) -> list[int]:
    """Frames that differ from the one before by more than those around them do."""
    deviation = frames.small.std(axis=(1, 2))
    least = np.maximum(_LEAST_DIFFERENCE, _RELATIVE_DIFFERENCE * np.minimum(deviation, np.roll(deviation, 1)))
    low = np.searchsorted(frames.seconds, frames.seconds - NEAR_S)
    high = np.searchsorted(frames.seconds, frames.seconds + NEAR_S, side="right")
    return [
        i
        for i in np.flatnonzero(frames.difference > least).tolist()
        if i and frames.difference[i] > _ABOVE_MEDIAN * np.median(frames.difference[max(1, low[i]) : high[i]])
    ]


def _comes_back(frames: SmallFrames, continuity: Continuity, i: int) -> bool:
    """Does a frame just before the change show what one just after it shows? Then something flashed."""
    seconds = frames.seconds
    before = [j for j in range(i - 1, -1, -1) if seconds[i] - seconds[j] <= NEAR_S]
    after = [j for j in range(i, len(frames)) if seconds[j] - seconds[i] < NEAR_S]
    pairs = [(a, b) for a in before for b in after if seconds[b] - seconds[a] <= NEAR_S]
    if any(continuity.correlation(a, b) >= UNRELATED + 0.06 for a, b in pairs):
        return True
    return continuity.holds(i - 1, i) or (len(before) > 0 and continuity.holds(before[-1], after[-1]))
