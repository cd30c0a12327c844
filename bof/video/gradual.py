"""Gradual transitions: between two frames that have nothing in common each frame is a mixture of both (a dissolve), or
partly one and partly the other (a wipe), and the share of the later one grows.

In a pan or a shaken shot the frames between are no mixture, since everything moves. A frame that lies between is
A + share (B - A) and a rest; the rest follows from products of frames alone, which are whole numbers, so that the same
frames give the same decision in any company.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from bof.types import F32, F64, I64, Bool
from bof.video.continuity import UNRELATED, Continuity
from bof.video.small_frames import CLEAR_DEVIATION, HEIGHT, WIDTH, SmallFrames

STEP_S = 0.08
"""Frames are looked at this often."""

_LENGTHS = (5, 7, 10, 14, 19, 26)
"""Of transitions that are looked for, in steps: 0.4 to 2.1 seconds."""

NEAR_S = 0.6
"""Of transitions nearer to each other one is left."""

_LEAST_CHANGE = 10.0
"""Levels of grey, as a root mean square, between the frames before and after."""

_MOST_REST, _MOST_REST_OF_WIPE, _MOST_REST_AT_ALL = 0.05, 0.27, 0.4
"""Of a mixture in its worst frame, of a partition on average; and of a mixture where a partition is looked for."""

_LOW, _HALF, _HIGH = 0.12, 0.5, 0.88
_MIN_BETWEEN = 2
_FALL = 0.08
"""The share of the later frame may fall by so much from one step to the next."""

_AFTER_S = (0.4, 0.8, 1.2)
"""What was there before does not come back so soon."""


@dataclass(frozen=True, slots=True)
class _Window:
    """Two frames of the grid, the frame between in which the later prevails, and what the model leaves unexplained."""

    before: int
    after: int
    middle: int
    rest: float


def find_gradual(frames: SmallFrames, continuity: Continuity, cuts: Sequence[int]) -> list[int]:
    """The frames in which the later shot prevails, of dissolves and wipes; none over a cut."""
    grid = _grid(frames)
    is_clear = frames.small[grid].std(axis=(1, 2)) >= CLEAR_DEVIATION
    changed = [
        window
        for window in _windows(frames.small[grid], np.searchsorted(cuts, grid, side="right"))
        if is_clear[window.before]
        and is_clear[window.after]
        and continuity.correlation(int(grid[window.before]), int(grid[window.after])) < UNRELATED
    ]
    best = _best_nearby(changed, round(NEAR_S / STEP_S))
    return sorted({int(grid[window.middle]) for window in best if _is_new(frames, continuity, grid, window)})


def _windows(small: F32, n_cuts_before: I64) -> list[_Window]:
    """Where frames between two others are a mixture or partition of these."""
    mixtures, found = _Mixtures.of(small), []
    for length in (each for each in _LENGTHS if each < len(small)):
        share, rest = mixtures.between(length)
        is_whole = n_cuts_before[:-length] == n_cuts_before[length:]
        rows = np.flatnonzero(is_whole & mixtures.is_changed(length) & (rest < _MOST_REST_AT_ALL))
        found += _fitting(rows, length, share[rows], rest[rows] / _MOST_REST)
        rows = rows[(share[rows].min(axis=1) < _HALF) & (share[rows].max(axis=1) > _HALF)]
        share, rest = _partition(small, rows, length)
        found += _fitting(rows, length, share, rest / _MOST_REST_OF_WIPE)
    return found


def _fitting(rows: I64, length: int, share: F64, rest: F64) -> list[_Window]:
    """The windows whose rest, f64 (n,), is below 1, and in which the share, f64 (n, length - 1), grows."""
    return [
        _Window(
            int(rows[i]), int(rows[i]) + length, int(rows[i]) + 1 + int(np.argmax(share[i] >= _HALF)), float(rest[i])
        )
        for i in np.flatnonzero(_grows(share) & (rest < 1)).tolist()
    ]


def _best_nearby(windows: Sequence[_Window], near: int) -> list[_Window]:
    """The longest of all whose middles are near, since it has most of both shots; of equals that with the lowest rest,
    and the first.
    """
    rank = [(each.before - each.after, each.rest, each.middle) for each in windows]
    middles = np.array([each.middle for each in windows])
    return [
        each
        for each, own in zip(windows, rank, strict=True)
        if own == min(rank[j] for j in np.flatnonzero(np.abs(middles - each.middle) <= near).tolist())
    ]


def _grid(frames: SmallFrames) -> I64:
    """Frames shown at multiples of the step, so that the same are looked at wherever a stretch begins."""
    first, last = frames.seconds[0], frames.seconds[-1]
    times = np.arange(np.ceil(first / STEP_S - 1e-6), np.floor(last / STEP_S + 1e-6) + 1) * STEP_S
    return frames.shown_at(times)


def _grows(share: F64) -> Bool:
    """bool (n,): the share of the later frame, f64 (n, length - 1), grows step by step."""
    between = ((share > _LOW) & (share < _HIGH)).sum(axis=1)
    has_both = (share.min(axis=1) < _HALF) & (share.max(axis=1) >= _HALF)
    return np.asarray((np.diff(share, axis=1) > -_FALL).all(axis=1) & (between >= _MIN_BETWEEN) & has_both)


def _is_new(frames: SmallFrames, continuity: Continuity, grid: I64, window: _Window) -> bool:
    """Is what came something else, and does what was there before not come back?"""
    one = int(grid[window.before])
    later = [window.after, *(window.after + round(s / STEP_S) for s in _AFTER_S)]
    others = [int(grid[each]) for each in later if each < len(grid)]
    if any(continuity.correlation(one, other) >= UNRELATED for other in others):
        return False
    return not continuity.holds(one, others[0])


@dataclass(frozen=True, slots=True)
class _Mixtures:
    """Dissolves. products f64 (n, n): of frames with each other, exact."""

    products: F64
    n_pixels: int

    @classmethod
    def of(cls, small: F32) -> _Mixtures:
        rows = np.array([cv2.resize(cv2.GaussianBlur(each, (0, 0), 1.5), (32, 18)) for each in small])
        whole = np.rint(rows * 4).reshape(len(small), -1).astype(np.float64)
        return cls(whole @ whole.T / 16, whole.shape[1])

    def _squared(self, one: I64, other: I64) -> F64:
        k = self.products
        return np.asarray(k[one, one] + k[other, other] - 2 * k[one, other], np.float64)

    def is_changed(self, length: int) -> Bool:
        one = np.arange(len(self.products) - length)
        return np.asarray(self._squared(one, one + length) > _LEAST_CHANGE**2 * self.n_pixels)

    def between(self, length: int) -> tuple[F64, F64]:
        """Share of the later frame in each one between, f64 (n, length - 1), and the worst rest, f64 (n,)."""
        k = self.products
        one = np.arange(len(k) - length)[:, None]
        other, between = one + length, one + np.arange(1, length)
        change = np.maximum(self._squared(one, other), 1e-9)
        share = (k[between, other] - k[between, one] - k[one, other] + k[one, one]) / change
        rest = self._squared(one, between) / change - share * share
        return share, rest.max(axis=1)


def _partition(small: F32, rows: I64, length: int) -> tuple[F64, F64]:
    """The same of wipes, of windows that begin at some frames: the share by blocks, and the mean rest."""
    one, other = small[rows], small[rows + length]
    change = _block_differences(one, other)
    whole = np.maximum(change.sum(axis=1), 1e-9)
    share, rest = np.empty((len(rows), length - 1)), np.empty((len(rows), length - 1))
    for step in range(1, length):
        from_one, from_other = (_block_differences(small[rows + step], each) for each in (one, other))
        rest[:, step - 1] = np.minimum(from_one, from_other).sum(axis=1) / whole
        share[:, step - 1] = (change * (from_other < from_one)).sum(axis=1) / whole
    return share, rest.mean(axis=1)


def _block_differences(one: F32, other: F32) -> F64:
    """Mean absolute difference by blocks of 4 x 4 pixels of whole levels: f64 (n, 144), exact."""
    difference = np.abs(np.rint(one) - np.rint(other))
    rows = difference.reshape(len(one) * HEIGHT // 4, 4, WIDTH).sum(axis=1)
    return np.asarray(rows.reshape(len(one), HEIGHT * WIDTH // 16, 4).sum(axis=2), np.float64)
