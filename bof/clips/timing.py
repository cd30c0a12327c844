"""When do two films show the same? The line of time along which their frames are most alike, and where it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bof.clips.strips import Looks, Strip, likeness, likeness_of_pairs
from bof.types import F32, F64, I64, Bool

COARSE_STEP_S, FILM_STEP_S = 0.2, 0.08
"""Frames of the query and of the film so far apart find the line; then all frames find it exactly."""

_MAX_COARSE = 1200
"""Frames of a film that are compared at first; of longer stretches fewer a second."""

_OFFSET_STEP_S = 0.04
_N_LAGS = 12
"""Frames before and after the first line that are compared."""

_SPEED_STEP, _N_SPEED_STEPS, _MAX_ROUNDS = 0.001, 15, 3

_EQUAL, _EQUAL_AT_FIRST = 0.004, 0.03
"""A line of speed 1 is believed where another one is likelier by no more: by all frames, by few."""

_STILL = 0.012
"""Where likeness is lower by no more than this at another offset, frames do not tell when they were taken."""

ALIKE = 0.5
"""Frames are alike from this likeness on."""

_MAX_BRIDGED_S = 0.4
"""Frames that are not alike for so long do not end a segment."""

_MAX_SILENT_S = 1.0
"""Black frames at the very beginning or end of the query belong to the segment, unless they last longer."""


@dataclass(frozen=True, slots=True)
class TimeLine:
    """Film time = speed * query time + offset, in seconds; likeness: how far above ALIKE its frames are, from 0 to
    1, on average.
    """

    speed: float
    offset: float
    likeness: float

    def of(self, query_s: F64) -> F64:
        """The times of the film."""
        return self.speed * query_s + self.offset


@dataclass(frozen=True, slots=True)
class Search:
    """Where to look for a line: it passes one of some times of the film, first to last, at a time of the query."""

    query_s: float
    first_s: float
    last_s: float
    speeds: Sequence[float]


def find_lines_of_time(query: Strip, film: Strip, looks: tuple[Looks, Looks], search: Search) -> list[TimeLine]:
    """The line that every few frames agree with most, and before it the one of speed 1 where it is nearly as good.

    looks: of both films' frames.
    """
    table = likeness(*looks)
    lines = []
    for speed in search.speeds:
        places = np.arange(search.first_s, search.last_s + _OFFSET_STEP_S / 2, _OFFSET_STEP_S)
        offsets = places - speed * search.query_s
        means = _mean_likeness(table, query, film, speed, offsets)
        best = int(np.argmax(means))
        lines.append(TimeLine(float(speed), float(offsets[best]), float(means[best])))
    likely = [likeliest(lines, _EQUAL_AT_FIRST), likeliest(lines, 0.0)]
    return list(dict.fromkeys(likely)) if lines else []


def _mean_likeness(table: F32, query: Strip, film: Strip, speed: float, offsets: F64) -> F64:
    """Of the lines of one speed and some offsets f64 (k,): how alike the frames on each are, f64 (k,)."""
    times = speed * query.time_s[None] + offsets[:, None]
    inside = (times >= film.time_s[0] - COARSE_STEP_S) & (times < film.stop_s + COARSE_STEP_S)
    found = table[np.arange(len(query))[None], film.at(times)]
    return _mean_excess(np.where(inside, found, np.float32(0)))


def _mean_excess(values: F32) -> F64:
    """How far values f32 (k, n) of k lines lie above what is alike, on average, from 0 to 1; unknown ones do not count.

    What is not alike counts as nothing, however unlike it is: a line that explains half of the frames to the pixel is
    better than one that nearly explains all.
    """
    known = ~np.isnan(values)
    excess = np.maximum(np.where(known, values, 0) - ALIKE, 0) / (1 - ALIKE)
    return np.asarray(excess.sum(axis=1) / np.maximum(known.sum(axis=1), 1), np.float64)


def likeliest(lines: Sequence[TimeLine], equal: float = _EQUAL) -> TimeLine:
    """The likeliest of some lines; one of speed 1, where that is nearly as good."""
    best = max(lines, key=lambda line: (line.likeness, -abs(line.speed - 1)))
    natural = [line for line in lines if abs(line.speed - 1) < 1e-6 and line.likeness >= best.likeness - equal]
    return max(natural, key=lambda line: line.likeness) if natural else best


def sharpen(query: Strip, film: Strip, looks: tuple[Looks, Looks], line: TimeLine) -> TimeLine:
    """The line near another one on which the frames of a stretch of the query agree most, to the frame."""
    for _ in range(_MAX_ROUNDS):
        before, line = line, _sharper(query, film, looks, line)
        if abs(line.speed - before.speed) < _SPEED_STEP * (_N_SPEED_STEPS - 1):
            break
    return line


def _sharper(query: Strip, film: Strip, looks: tuple[Looks, Looks], line: TimeLine) -> TimeLine:
    lags = np.arange(-_N_LAGS, _N_LAGS + 1)
    base = film.at(line.of(query.time_s))
    rows = np.clip(base[:, None] + lags, 0, len(film) - 1)
    table = np.stack([likeness_of_pairs(looks[0], looks[1].take(rows[:, i])) for i in range(len(lags))], axis=1)
    frame_s = float(np.median(np.diff(film.time_s))) if len(film) > 1 else 0.04
    middle = float(query.time_s.mean())
    lines = []
    for step in range(-_N_SPEED_STEPS, _N_SPEED_STEPS + 1):
        speed = line.speed + step * _SPEED_STEP
        shifts = np.arange(-_N_LAGS, _N_LAGS + 1) * frame_s / 2
        offsets = line.offset + (line.speed - speed) * middle + shifts
        lag = film.at(speed * query.time_s[None] + offsets[:, None]) - base[None]
        inside = np.abs(lag) <= _N_LAGS
        found = table[np.arange(len(query))[None], np.clip(lag, -_N_LAGS, _N_LAGS) + _N_LAGS]
        means = _mean_excess(np.where(inside, found, np.float32(0)))
        most = np.flatnonzero(means >= means.max() - 1e-6)
        best = int(most[len(most) // 2])
        lines.append(TimeLine(float(speed), float(offsets[best]), float(means[best])))
    found = likeliest(lines)
    return found if found.likeness > 0 else line


def still_offsets(query: Strip, film: Strip, looks: tuple[Looks, Looks], line: TimeLine) -> tuple[float, float]:
    """The lowest and the highest offset around a line's at which frames are as alike: far apart where nothing moves."""
    table = likeness(*looks)
    lowest, highest = film.time_s[0] - line.speed * query.time_s[0], film.stop_s - line.speed * query.time_s[-1]
    below = np.arange(line.offset, lowest - _OFFSET_STEP_S, -_OFFSET_STEP_S)
    above = np.arange(line.offset, highest + _OFFSET_STEP_S, _OFFSET_STEP_S)
    ends = []
    for offsets in (below, above):
        means = _mean_likeness(table, query, film, line.speed, offsets)
        lower = np.flatnonzero(means < means[0] - _STILL) if len(means) else np.empty(0, np.int64)
        last = lower[0] - 1 if len(lower) else len(offsets) - 1
        ends.append(float(offsets[max(int(last), 0)]) if len(offsets) else line.offset)
    return ends[0], ends[1]


def coarse_rows(strip: Strip, step_s: float) -> I64:
    """Every few frames."""
    if not len(strip):
        return np.empty(0, np.int64)
    length = strip.stop_s - strip.time_s[0]
    step = max(step_s, length / _MAX_COARSE)
    return np.unique(strip.at(np.arange(strip.time_s[0], strip.stop_s, step)))


# -- Where a line ends ------------------------------------------------------------------------------------------------


def alike_runs(query: Strip, values: F32, least_s: float) -> list[tuple[int, int]]:
    """Runs of frames of the query, first and last, that are alike. values f32 (n,): their likeness, NaN: not known.

    Short stretches of others are bridged; black frames are where they lie between frames that are alike, or begin or
    end the query.
    """
    alike, silent = np.nan_to_num(values, nan=0.0) >= ALIKE, np.isnan(values)
    rows = np.flatnonzero(alike)
    if not len(rows):
        return []
    until = query.until(np.arange(len(query)))
    runs: list[tuple[int, int]] = []
    for row in rows.tolist():
        if runs and _is_bridged(query, silent, runs[-1][1], row):
            runs[-1] = runs[-1][0], row
        else:
            runs.append((row, row))
    chosen = [(a, b) for a, b in runs if until[b] - query.time_s[a] >= least_s]
    return [_with_silence(query, silent, run) for run in chosen]


def _is_bridged(query: Strip, silent: Bool, last: int, row: int) -> bool:
    """Is there little between two frames that speaks against them?"""
    between = np.arange(last + 1, row)
    against = between[~silent[between]]
    return float((query.until(against) - query.time_s[against]).sum()) <= _MAX_BRIDGED_S


def _with_silence(query: Strip, silent: Bool, run: tuple[int, int]) -> tuple[int, int]:
    """A run, with the black frames from the query's beginning or to its end."""
    first, last = run
    if silent[:first].all() and query.time_s[first] - query.time_s[0] <= _MAX_SILENT_S:
        first = 0
    if silent[last + 1 :].all() and query.stop_s - query.time_s[last] <= _MAX_SILENT_S:
        last = len(query) - 1
    return first, last
