"""Where a film changes from one shot to another: cuts, dissolves, wipes, and stretches that show nothing.

Each decision rests on frames at most REACH_S away, so that it is the same wherever reading began.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from bof.video.continuity import Continuity
from bof.video.cuts import find_cuts
from bof.video.gradual import NEAR_S, find_gradual
from bof.video.small_frames import CLEAR_DEVIATION, SmallFrames

REACH_S = 4
"""A boundary depends on frames that are at most so many seconds away."""

_LONG_UNIFORM_S = 1.0
"""What shows nothing for longer is a stretch of its own, between two boundaries; the middle of a shorter one is one."""

_NEAR_UNIFORM_S = 0.6
"""A fade takes so long before and after; other boundaries there are part of it."""

_ABRUPT = 12.0
"""Levels of grey by which no fade changes from one frame to the next."""


def find_boundaries(frames: SmallFrames) -> list[Fraction]:
    """Times of the frames that begin a shot, in order; the first frame is none of them."""
    continuity = Continuity(frames)
    stretches = _uniform_stretches(frames)
    changes = find_cuts(frames, continuity)
    cuts = [i for i in changes if frames.difference[i] >= _ABRUPT or not _near(frames, i, stretches)]
    uncut = [each for each in stretches if not any(_near(frames, i, [each]) for i in cuts)]
    sudden = sorted({*cuts, *_boundaries_of(frames, uncut, continuity)})
    others = frames.seconds[sudden]
    gradual = [
        i
        for i in find_gradual(frames, continuity, sudden)
        if not len(others) or np.abs(others - frames.seconds[i]).min() > NEAR_S / 2
    ]
    return [frames.times[i] for i in sorted({*sudden, *gradual}) if i]


def _uniform_stretches(frames: SmallFrames) -> list[tuple[int, int]]:
    """From and before which frame nothing is shown."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], frames.is_uniform.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _near(frames: SmallFrames, i: int, stretches: list[tuple[int, int]]) -> bool:
    at = frames.seconds[i]
    return any(
        frames.seconds[a] - _NEAR_UNIFORM_S <= at <= frames.seconds[min(b, len(frames) - 1)] + _NEAR_UNIFORM_S
        for a, b in stretches
    )


def _boundaries_of(frames: SmallFrames, stretches: list[tuple[int, int]], continuity: Continuity) -> list[int]:
    """The boundaries that stretches are, or have."""
    found = []
    for first, stop in stretches:
        last = min(stop, len(frames) - 1)
        if frames.seconds[last] - frames.seconds[first] >= _LONG_UNIFORM_S:
            found += [each for each in (first, stop) if 0 < each < len(frames)]
        elif first and stop < len(frames):
            before, after = _clear(frames, range(first - 1, -1, -1)), _clear(frames, range(stop, len(frames)))
            if not continuity.holds(before, after):
                found.append((first + stop) // 2)
    return found


def _clear(frames: SmallFrames, order: range) -> int:
    """The first frame in an order that shows something well, at most a second away."""
    start = frames.seconds[order[0]]
    for i in order:
        if frames.small[i].std() >= CLEAR_DEVIATION or abs(frames.seconds[i] - start) > 1:
            return i
    return order[0]
