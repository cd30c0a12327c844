"""Every frame of a stretch of film, small: what boundaries are decided by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from bof.types import F32, F64, U8

MIDDLE_SIDE = 320
"""Long side in pixels of the frames whose features are compared."""

WIDTH, HEIGHT = 64, 36
"""Of the frames whose light is compared, whatever shape the film has."""

UNIFORM_DEVIATION = 3.0
"""Standard deviation in levels of grey up to which a small frame shows nothing: black, white, one colour."""

CLEAR_DEVIATION = 8.0
"""From this on it shows something well: it is no end of a fade."""

_DARK = 24.0
_MOST_BAR_SHARE = 0.4
"""Levels of grey up to which a row or a column at an edge is part of a bar, which is at most so much of a frame."""


def shrink_small(middle: U8) -> F32:
    """A frame u8 (h, w), grey, as f32 (36, 64)."""
    return np.asarray(cv2.resize(middle.astype(np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.float32)


@dataclass(frozen=True, slots=True)
class SmallFrames:
    """n consecutive frames, grey.

    times: in seconds; seconds f64 (n,): the same, rounded; middle: u8 (h, w) each, 320 pixels on the long side; small
    f32 (n, 36, 64): without bars; difference f32 (n,): mean absolute difference of each small frame from the one
    before, 0 first; is_uniform bool (n,): it shows nothing.
    """

    times: Sequence[Fraction]
    seconds: F64
    middle: Sequence[U8]
    small: F32
    difference: F32
    is_uniform: np.ndarray[tuple[int], np.dtype[np.bool_]]

    @classmethod
    def of(cls, times: Sequence[Fraction], middle: Sequence[U8], small: Sequence[F32]) -> SmallFrames:
        """Of frames in order of time, one at least."""
        stacked = _without_bars(np.array(small, np.float32))
        difference = np.zeros(len(stacked), np.float32)
        difference[1:] = np.abs(np.diff(stacked, axis=0)).mean(axis=(1, 2))
        is_uniform = stacked.std(axis=(1, 2)) < UNIFORM_DEVIATION
        return cls(times, np.array([float(time) for time in times]), middle, stacked, difference, is_uniform)

    def __len__(self) -> int:
        return len(self.times)

    def shown_at(self, seconds: F64) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Which frame is shown at each time."""
        found = np.searchsorted(self.seconds, seconds + 1e-9, side="right") - 1
        return np.clip(found, 0, len(self) - 1).astype(np.int64)


def _without_bars(small: F32) -> F32:
    """Frames f32 (n, 36, 64) without the bars at their edges that most of those have that show something.

    Bars are alike on both sides of a cut, whatever the shots show. Where a frame has none it loses an edge, no more.
    """
    shown = small[small.std(axis=(1, 2)) >= UNIFORM_DEVIATION]
    if not len(shown):
        return small
    rows, columns = shown.max(axis=2) <= _DARK, shown.max(axis=1) <= _DARK
    top, bottom, left, right = map(_bar, (rows, rows[:, ::-1], columns, columns[:, ::-1]))
    if not any((top, bottom, left, right)):
        return small
    content = small[:, top : HEIGHT - bottom, left : WIDTH - right]
    enlarged = [cv2.resize(frame, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR) for frame in content]
    return np.asarray(enlarged, np.float32)


def _bar(is_dark: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> int:
    """How many lines at the beginning are a bar, with the one that is half of it; is_dark bool (n frames, lines)."""
    n_dark = int(np.median(np.argmin(np.pad(is_dark, ((0, 0), (0, 1))), axis=1)))
    return n_dark + 1 if 0 < n_dark <= _MOST_BAR_SHARE * is_dark.shape[1] else 0
