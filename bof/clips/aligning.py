"""A rough line of matches becomes segments that are exact to the frame: pixels of both films decide.

Where the query's frame lies in the film's is the same along a segment, whatever the camera does. So a transform is
right where the frames on one line of time are alike all along, and a line is right where they are under one transform.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bof.clips.frame_pairs import frame_features, match_frames
from bof.clips.lines import SPEEDS, Line
from bof.clips.strips import Looks, Strip, likeness_of_pairs, looks_of, shared_box
from bof.clips.timing import (
    COARSE_STEP_S,
    FILM_STEP_S,
    Search,
    TimeLine,
    alike_runs,
    coarse_rows,
    find_lines_of_time,
    likeliest,
    sharpen,
    still_offsets,
)
from bof.geometry import transforms
from bof.options import FeatureOptions
from bof.types import F32, F64, Bool

REACH_S = 4.0
"""So far beyond the first and the last matched sample a segment may go on."""

_SLACK_S = 0.5
_NARROW_S = 1.5
"""Offsets known to this are enough to match aligned frames before the line is looked for."""

_N_PAIRS = 3
_LEAST_INLIERS = 8
_LEAST_LIKENESS = 0.6
"""Frames of a copy are so alike on average."""

_WHOLE_FRAME_GAIN = 0.04
"""The whole frame is believed where another transform is better by no more: most copies are not cropped."""

_MAX_ZOOM = 1.5
_CLEAR = 0.75
"""A line of this likeness needs no other transform to be tried."""

_MAX_SEGMENTS = 12
_ROUNDING_S = 1e-6
_STILL_S = 0.5
"""Offsets that differ by more, and are as good, say that nothing moves."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """A segment in both films, in seconds, by their pixels.

    query_s, film_s: from when until when; likeness: of its frames, on average; film_from_query f64 (3, 3) in pixels of
    both; proof: the aligned frames of which most points agree, their times and how many do; still: both show one
    picture that does not move, and film_s is all the time that it may be; n_shows: frames that show something.
    """

    query_s: tuple[float, float]
    film_s: tuple[float, float]
    speed: float
    likeness: float
    film_from_query: F64
    mirrored: bool
    proof: tuple[float, float, int]
    still: bool
    n_shows: int
    film_size: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A transform, and the lines of time that are best under it."""

    film_from_query: F64
    lines: Sequence[TimeLine]
    is_whole_frame: bool

    @property
    def line(self) -> TimeLine:
        """The likeliest."""
        return self.lines[-1]


@dataclass(frozen=True, slots=True)
class Aligner:
    """Two strips of films that a rough line connects.

    span: the first and the last matched sample, in seconds; reach: the lowest and the highest offset that any match
    allows, because pieces of one shot may be in any order; least_s: a shorter segment is none; speeds: that are tried.
    """

    query: Strip
    film: Strip
    rough: Line
    span: tuple[float, float]
    reach: tuple[float, float]
    features: FeatureOptions
    least_s: float
    speeds: Sequence[float] = tuple(SPEEDS.tolist())

    def align(self, seen: Sequence[F64]) -> list[Aligned]:
        """The segments of the line. seen: transforms film_from_query of its matches, the surest first."""
        found: list[Aligned] = []
        spans = [self.span]
        for _ in range(_MAX_SEGMENTS):
            if not spans:
                break
            span = spans.pop()
            piece = replace(self, span=span, speeds=_speeds_after(found))
            more = piece._align_once(seen, [one.query_s for one in found])
            found += more
            if more:
                spans += _left_over(span, [one.query_s for one in more], self.least_s)
        return found

    def _align_once(self, seen: Sequence[F64], taken: Sequence[tuple[float, float]]) -> list[Aligned]:
        """The segments on the best line of time alone. taken: times of the query that other segments have."""
        placed = self._placed(seen)
        box = None if placed is None else shared_box(self.query, self.film, placed.film_from_query)
        if placed is None or box is None:
            return []
        looks = looks_of(self.query, box, placed.film_from_query), looks_of(self.film, box)
        line = likeliest([self._sharpened(looks, one) for one in placed.lines])
        rows = np.clip(self.film.at(line.of(self.query.time_s)), 0, len(self.film) - 1)
        values = likeness_of_pairs(looks[0], looks[1].take(rows))
        is_free = self._has_both(line) & ~self._are_in(taken)
        values = np.where(is_free, values, np.float32(0)).astype(np.float32)
        runs = alike_runs(self.query, values, self.least_s)
        found = [self._segment(run, values, line, placed.film_from_query, looks) for run in runs]
        return [one for one in found if one is not None]

    # -- Where one frame lies in the other, and when -----------------------------------------------------------------

    def _placed(self, seen: Sequence[F64]) -> _Placed | None:
        """The transform under which a line is best, and that line."""
        query = self.query.take(self._core_rows())
        film = self.film.take(coarse_rows(self.film, FILM_STEP_S))
        best: _Placed | None = None
        for transform in self._transforms(seen):
            found = self._best_under(transform, query, film, self.speeds)
            if found is not None and (best is None or found.line.likeness > best.line.likeness + self._gain(best)):
                best = found
            if best is not None and best.line.likeness >= _CLEAR:
                break
        if best is None or best.is_whole_frame:
            return best
        near = [best.line.speed, 1.0]
        again = [self._best_under(transform, query, film, near) for transform in self._pairs(best.line)]
        return max((best, *(one for one in again if one is not None)), key=lambda one: one.line.likeness)

    def _transforms(self, seen: Sequence[F64]) -> Iterator[F64]:
        """The whole frame, then what aligned frames say where the line is known, then what was seen."""
        yield from self._whole_frames(seen)
        low, high = self.rough.offsets
        if high - low <= _NARROW_S:
            yield from self._pairs(TimeLine(self.rough.speed, self.rough.offset, 0.0))
        yield from seen

    def _gain(self, best: _Placed) -> float:
        return _WHOLE_FRAME_GAIN if best.is_whole_frame else 0.0

    def _core_rows(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Every few frames of the query between the matched samples."""
        rows = coarse_rows(self.query, COARSE_STEP_S)
        time = self.query.time_s[rows]
        inside = rows[(time >= self.span[0] - _SLACK_S) & (time <= self.span[1] + _SLACK_S)]
        return inside if len(inside) else rows

    def _best_under(self, transform: F64, query: Strip, film: Strip, speeds: Sequence[float]) -> _Placed | None:
        box = shared_box(query, film, transform)
        if box is None:
            return None
        looks = looks_of(query, box, transform), looks_of(film, box)
        middle = sum(self.span) / 2
        low, high = (self.rough.speed * middle + offset for offset in self.reach)
        lines = find_lines_of_time(query, film, looks, Search(middle, low - _SLACK_S, high + _SLACK_S, speeds))
        is_whole = any(np.array_equal(transform, whole) for whole in self._whole_frames([]))
        return _Placed(transform, lines, is_whole) if lines else None

    def _whole_frames(self, seen: Sequence[F64]) -> list[F64]:
        """The query's whole frame on the film's whole frame, where what was seen is not far from that."""
        whole = transforms.scaling(self.film.width / self.query.width, self.film.height / self.query.height)
        if self.rough.mirrored:
            whole = whole @ transforms.mirroring(self.query.width)
        zooms = [transforms.zoom(one) / transforms.zoom(whole) for one in seen]
        return [whole] if any(1 / _MAX_ZOOM < zoom < _MAX_ZOOM for zoom in zooms) or not seen else []

    def _pairs(self, line: TimeLine) -> list[F64]:
        """The transforms of some frames on a line, by their points."""
        found = (self._match(int(row), line) for row in self._spread_rows(self._core_rows()))
        return [verified[0] for verified in found if verified[0] is not None]

    def _spread_rows(self, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[int]:
        places = np.linspace(0, len(rows) - 1, _N_PAIRS + 2)[1:-1]
        return sorted({int(rows[round(place)]) for place in places})

    def _match(self, row: int, line: TimeLine) -> tuple[F64 | None, int, int]:
        """The transform of an aligned pair, how many points agree, and the film's frame."""
        other = int(self.film.at(np.array([line.of(self.query.time_s[row : row + 1])[0]]))[0])
        other = min(other, len(self.film) - 1)
        pair = frame_features(self.query, row, self.features), frame_features(self.film, other, self.features)
        verified = match_frames(*pair, mirrored=self.rough.mirrored)
        return verified.database_from_query, verified.n_inliers, other

    def _sharpened(self, looks: tuple[Looks, Looks], line: TimeLine) -> TimeLine:
        """The line exact to the frame, by all frames of the query between the matched samples."""
        inside = (self.query.time_s >= self.span[0] - _SLACK_S) & (self.query.time_s <= self.span[1] + _SLACK_S)
        rows = np.flatnonzero(inside & self._has_both(line))
        if not len(rows):
            return line
        return sharpen(self.query.take(rows), self.film, (looks[0].take(rows), looks[1]), line)

    def _has_both(self, line: TimeLine) -> Bool:
        """For which frames of the query has the strip of the film one?"""
        times = line.of(self.query.time_s)
        frame_s = 0.05
        return np.asarray((times >= self.film.time_s[0] - frame_s) & (times < self.film.stop_s))

    def _are_in(self, ranges: Sequence[tuple[float, float]]) -> Bool:
        """Which frames of the query lie in one of some ranges?"""
        times = self.query.time_s
        within = [(times >= start - _ROUNDING_S) & (times < stop - _ROUNDING_S) for start, stop in ranges]
        return np.any(within, axis=0) if within else np.zeros(len(times), np.bool_)

    # -- What is found -----------------------------------------------------------------------------------------------

    def _segment(
        self, run: tuple[int, int], values: F32, line: TimeLine, transform: F64, looks: tuple[Looks, Looks]
    ) -> Aligned | None:
        first, last = run
        rows = np.arange(first, last + 1)
        known = values[rows][~np.isnan(values[rows])]
        mean = float(known.mean())
        if mean < _LEAST_LIKENESS:
            return None
        pairs = [(row, *self._match(row, line)) for row in self._spread_rows(rows)]
        row, _, other, n_inliers = max(((r, t, o, n) for r, t, n, o in pairs), key=lambda pair: pair[3])
        if n_inliers < _LEAST_INLIERS:
            return None
        query_s = float(self.query.time_s[first]), float(self.query.until(rows[-1:])[0])
        film_s, is_still = self._film_range(rows, line, looks)
        proof = float(self.query.time_s[row]), float(self.film.time_s[other]), n_inliers
        size = self.film.width, self.film.height
        return Aligned(
            query_s, film_s, line.speed, mean, transform, self.rough.mirrored, proof, is_still, len(known), size
        )

    def _film_range(
        self, rows: np.ndarray[tuple[int], np.dtype[np.int64]], line: TimeLine, looks: tuple[Looks, Looks]
    ) -> tuple[tuple[float, float], bool]:
        """From when until when the film shows these frames of the query; of a still picture, all the time it may be."""
        some, others = rows[:: max(1, len(rows) // 20)], coarse_rows(self.film, FILM_STEP_S)
        pair = looks[0].take(some), looks[1].take(others)
        low, high = still_offsets(self.query.take(some), self.film.take(others), pair, line)
        ends = np.array([self.query.time_s[rows[0]], self.query.time_s[rows[-1]]])
        if high - low > _STILL_S:
            until = float(self.query.until(rows[-1:])[0])
            start = max(line.speed * float(ends[0]) + low, float(self.film.time_s[0]))
            return (start, min(line.speed * until + high, self.film.stop_s)), True
        first, last = np.clip(self.film.at(line.of(ends)), 0, len(self.film) - 1)
        return (float(self.film.time_s[first]), float(self.film.until(np.array([last]))[0])), False


def _left_over(
    span: tuple[float, float], found: Sequence[tuple[float, float]], least_s: float
) -> list[tuple[float, float]]:
    """What of a stretch is in none of others, where it is long enough."""
    left, at = [], span[0]
    for start, stop in [*sorted(found), (span[1], span[1])]:
        if start - at >= least_s:
            left.append((at, start))
        at = max(at, stop)
    return left


def _speeds_after(found: Sequence[Aligned]) -> tuple[float, ...]:
    """What is tried next: pieces of one clip play at one speed, or at the film's own."""
    return tuple(dict.fromkeys([1.0, *(one.speed for one in found)])) if found else tuple(SPEEDS.tolist())
