"""Which lines of time do matches lie on? Votes on speed and offset: film time = speed * query time + offset.

A match of a sample of the query with a keyframe says that the sample shows some time of the keyframe's shot, not which:
where nothing moves, every time of the shot looks alike. So a match votes for a stretch of offsets, as long as its shot,
and where shots follow one another in both films, only few offsets are left.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bof.types import F64, I32, I64, Bool

SPEEDS = np.array(sorted(np.arange(88, 115) / 100, key=lambda speed: (abs(speed - 1), speed)))
"""What is tried, nearest to 1 first: a tenth faster or slower, and a little beyond."""

TOLERANCE_S = 0.3
"""A sample may lie so far outside a shot: shots end in dissolves, and speeds are tried in steps."""

_BETTER = 1.05
"""Another speed must gather so much more than one nearer to 1."""

_MAX_PAUSE_S = 4.0
"""Where nothing agrees for so long, a segment ends and another begins."""

_MAX_LINES = 200


@dataclass(frozen=True, slots=True)
class Matches:
    """Samples of a query that look like keyframes of films, in columns.

    sample i32 (m,): which sample; query_s f64 (m,): its time; film i32 (m,): which film; start_s, stop_s f64 (m,): the
    keyframe's shot; mirrored bool (m,); weight f64 (m,): how much a match says. All times in seconds.
    """

    sample: I32
    query_s: F64
    film: I32
    start_s: F64
    stop_s: F64
    mirrored: Bool
    weight: F64

    def __len__(self) -> int:
        return len(self.weight)

    def take(self, rows: I64 | Bool) -> Matches:
        """The chosen matches."""
        return Matches(
            self.sample[rows],
            self.query_s[rows],
            self.film[rows],
            self.start_s[rows],
            self.stop_s[rows],
            self.mirrored[rows],
            self.weight[rows],
        )


@dataclass(frozen=True, slots=True)
class Line:
    """Matches that one line explains. offsets: from the lowest to the highest offset that explains all of them, in
    seconds; rows i64 (k,): the matches, in the order of query time; weight: of all of them.
    """

    film: int
    mirrored: bool
    speed: float
    offsets: tuple[float, float]
    rows: I64
    weight: float

    @property
    def offset(self) -> float:
        """The middle one."""
        return sum(self.offsets) / 2


def find_lines(matches: Matches, least_weight: float) -> list[Line]:
    """The lines that matches lie on, those of the greatest weight first; a match lies on one line alone.

    Ties go to the speed nearest to 1, then to the lower film and offset.
    """
    lines = []
    keys = matches.film.astype(np.int64) * 2 + matches.mirrored
    for key in np.unique(keys).tolist():
        rows = np.flatnonzero(keys == key)
        lines += list(_lines_of(matches, rows, least_weight))
    return sorted(lines, key=lambda line: (-line.weight, line.film, line.offset))


def _lines_of(matches: Matches, rows: I64, least_weight: float) -> Iterator[Line]:
    """The lines of one film, mirrored or not: the best, then the best of what is left."""
    for _ in range(_MAX_LINES):
        found = _best_line(matches, rows) if len(rows) else None
        if found is None or found.weight < least_weight:
            return
        yield found
        rows = np.setdiff1d(rows, found.rows)


def _best_line(matches: Matches, rows: I64) -> Line:
    best: tuple[float, Line] | None = None
    for speed in SPEEDS.tolist():
        weight, offsets = _most_votes(matches.take(rows), speed)
        if best is not None and weight <= best[0] * _BETTER:
            continue
        on_line = rows[_explained(matches.take(rows), speed, sum(offsets) / 2)]
        for run in _runs(matches, on_line):
            total = float(matches.weight[run].sum())
            if best is None or total > best[0] * _BETTER:
                best = total, _line(matches, run, speed, offsets, total)
    assert best is not None
    return best[1]


def _line(matches: Matches, run: I64, speed: float, offsets: tuple[float, float], weight: float) -> Line:
    first = run[0]
    return Line(int(matches.film[first]), bool(matches.mirrored[first]), speed, offsets, run, weight)


def _limits(matches: Matches, speed: float) -> tuple[F64, F64]:
    """The offsets that each match allows."""
    return matches.start_s - speed * matches.query_s, matches.stop_s - speed * matches.query_s


def _most_votes(matches: Matches, speed: float) -> tuple[float, tuple[float, float]]:
    """The weight of most matches that one offset explains, and the stretch of offsets that explain them."""
    low, high = _limits(matches, speed)
    places = np.concatenate([low - TOLERANCE_S, high + TOLERANCE_S])
    steps = np.concatenate([matches.weight, -matches.weight])
    order = np.lexsort((-steps, places))
    votes = np.cumsum(steps[order])
    most = int(np.argmax(np.round(votes, 9)))
    found = places[order[most]], places[order[most + 1]]
    inside = _explained(matches, speed, sum(found) / 2)
    tight = float(low[inside].max()), float(high[inside].min())
    return float(votes[most]), tight if tight[0] <= tight[1] else (sum(tight) / 2, sum(tight) / 2)


def _explained(matches: Matches, speed: float, offset: float) -> Bool:
    """Which matches does a line explain?"""
    low, high = _limits(matches, speed)
    return np.asarray((low - TOLERANCE_S <= offset) & (offset <= high + TOLERANCE_S))


def _runs(matches: Matches, rows: I64) -> list[I64]:
    """Matches in the order of query time, cut where there is nothing for long."""
    ordered = rows[np.argsort(matches.query_s[rows], kind="stable")]
    cuts = np.flatnonzero(np.diff(matches.query_s[ordered]) > _MAX_PAUSE_S) + 1
    return np.split(ordered, cuts)
