"""Boundaries of a film while it is read, with the memory of a few seconds."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from fractions import Fraction

from bof.types import F32, U8
from bof.video.shots import REACH_S, find_boundaries
from bof.video.small_frames import SmallFrames, shrink_small

_BLOCK_S = 12
"""Boundaries are decided for so many seconds together, from a multiple of them on."""


class BoundaryStream:
    """Takes frames in order of time and says which of them begin a shot.

    begin: from which time on boundaries are asked for; frames from REACH_S before it on are needed. decided_until: all
    boundaries before this time are found.
    """

    def __init__(self, begin: Fraction) -> None:
        self._begin = begin
        self._block = math.floor(begin / _BLOCK_S) * _BLOCK_S
        self._times: list[Fraction] = []
        self._middle: list[U8] = []
        self._small: list[F32] = []
        self.decided_until = begin

    def take(self, time: Fraction, middle: U8) -> list[Fraction]:
        """The boundaries that are decided now. middle u8 (h, w): the frame in grey, MIDDLE_SIDE on its long side."""
        found = list(self._decide_until(time - REACH_S))
        self._times.append(time)
        self._middle.append(middle)
        self._small.append(shrink_small(middle))
        return found

    def finish(self) -> list[Fraction]:
        """The boundaries that are left, when there are no more frames."""
        return list(self._decide_until(self._times[-1] + _BLOCK_S)) if self._times else []

    def _decide_until(self, time: Fraction) -> Iterator[Fraction]:
        """Decide the blocks that end until a time."""
        while self._times and self._block + _BLOCK_S <= time:
            start, self._block = self._block, self._block + _BLOCK_S
            frames = SmallFrames.of(self._times, self._middle, self._small)
            for boundary in find_boundaries(frames):
                if boundary >= self._begin and start <= boundary < self._block:
                    yield boundary
            self.decided_until = Fraction(self._block)
            self._forget(self._block - REACH_S)

    def _forget(self, time: int) -> None:
        """Frames before this time are no longer needed."""
        n = bisect_left(self._times, time)
        del self._times[:n], self._middle[:n], self._small[:n]
