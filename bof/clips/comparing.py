"""Lines of matches become segments: frames of both films are compared; of a film that is not at hand, keyframes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bof.clips.aligning import REACH_S, Aligner
from bof.clips.joining import Found
from bof.clips.library import FilmLibrary, IndexedFilm, why_not_read
from bof.clips.lines import Line, Matches, find_lines
from bof.clips.matching import KeyframeMatch
from bof.clips.rough import by_keyframes
from bof.clips.samples import read_strip
from bof.clips.strips import Strip
from bof.engine import Engine
from bof.errors import ImageError
from bof.options import ClipOptions
from bof.types import F64

_LEAST_WEIGHT = 0.9
"""Matches of a line must say so much together before frames are compared: pixels decide."""

_WEAK = 0.7
"""What explains a piece of a query that is explained already must not be weaker than this share."""

_MAX_COMPARED = 60
"""Lines of a stretch whose frames are compared."""

_MAX_READ_S = 180.0
"""So much of a film is read for one line."""

_N_SEEN = 3


@dataclass(frozen=True, slots=True)
class QueryStretch:
    """A stretch of the film that is compared with those of the index, in seconds.

    strip: its small frames from a time until another, None where its file is not at hand; times: of its samples.
    """

    strip: Callable[[float, float], Strip] | None
    start_s: float
    stop_s: float
    times: Sequence[float]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A line, with what its rows were made of."""

    line: Line
    matches: Sequence[KeyframeMatch]
    times: Sequence[float]

    @property
    def span(self) -> tuple[float, float]:
        """The first and the last matched sample."""
        return self.times[0], self.times[-1]

    @property
    def middle(self) -> tuple[float, float]:
        """A time of the query and one of the film in the middle of the line."""
        middle = sum(self.span) / 2
        return middle, self.line.speed * middle + self.line.offset

    @property
    def mean_weight(self) -> float:
        """How much each of the matches says."""
        return self.line.weight / len(self.matches)

    def is_needless(self, found: Found, mean_weight: float) -> bool:
        """Is the line part of a segment that was found, or much weaker than the matches of one of all its samples?"""
        if found.explains(self.line.film, self.line.mirrored, *self.middle):
            return True
        start, stop = found.aligned.query_s
        return start <= self.span[0] and self.span[1] <= stop and self.mean_weight < _WEAK * mean_weight

    @property
    def reach(self) -> tuple[float, float]:
        """The lowest and the highest offset that any of the matches allows, at most so far from the line's."""
        speed, (low, high) = self.line.speed, self.line.offsets
        pairs = list(zip(self.matches, self.times, strict=True))
        lowest = min(float(match.times.start) - speed * time for match, time in pairs)
        highest = max(float(match.times.stop) - speed * time for match, time in pairs)
        most = _MAX_READ_S / 2
        return max(min(low, lowest), self.line.offset - most), min(max(high, highest), self.line.offset + most)

    @property
    def seen(self) -> list[F64]:
        """The transforms of the surest matches."""
        surest = sorted(self.matches, key=lambda match: (-match.verification.n_inliers, match.sample))
        transforms = (match.verification.database_from_query for match in surest[:_N_SEEN])
        return [transform for transform in transforms if transform is not None]


@dataclass(frozen=True, slots=True)
class Comparer:
    """Compares with films of one index. problems: filled with why a film could not be read, by its name."""

    engine: Engine
    library: FilmLibrary
    options: ClipOptions
    problems: dict[str, str] = field(default_factory=dict)
    _states: dict[int, str] = field(default_factory=dict)

    def segments(self, query: QueryStretch, columns: Matches, rows: Sequence[KeyframeMatch]) -> list[Found]:
        """What a stretch of a query shares. rows: what the columns were made of."""
        found: list[tuple[Found, float]] = []
        for line in find_lines(columns, _LEAST_WEIGHT)[:_MAX_COMPARED]:
            times = columns.query_s[line.rows].tolist()
            candidate = _Candidate(line, [rows[row] for row in line.rows.tolist()], times)
            if not any(candidate.is_needless(*known) for known in found):
                found += [(one, candidate.mean_weight) for one in self._compared(query, candidate)]
        return [one for one, _ in found]

    def state(self, film: IndexedFilm, image: int) -> str:
        """Why a film cannot be read, by one of its images; empty where it can."""
        if film.number not in self._states:
            self._set_state(film, why_not_read(self.engine, self.library, image))
        return self._states[film.number]

    def _set_state(self, film: IndexedFilm, problem: str) -> None:
        self._states[film.number] = problem
        if problem:
            self.problems[film.name] = problem

    def _compared(self, query: QueryStretch, candidate: _Candidate) -> list[Found]:
        film = self.library.films[candidate.line.film]
        if query.strip is None or self.state(film, candidate.matches[0].image):
            return self._by_keyframes(query, candidate)
        try:
            return self._aligned(query.strip, candidate)
        except ImageError as error:
            self._set_state(film, error.reason())
            return self._by_keyframes(query, candidate)

    def _by_keyframes(self, query: QueryStretch, candidate: _Candidate) -> list[Found]:
        image, rows = candidate.matches[0].image, self.library.rows
        size = int(rows.width[image]), int(rows.height[image])
        limits = query.start_s, query.stop_s
        return by_keyframes(candidate.line, candidate.matches, candidate.times, query.times, limits, size)

    def _aligned(self, strip_of: Callable[[float, float], Strip], candidate: _Candidate) -> list[Found]:
        line, span, reach = candidate.line, candidate.span, candidate.reach
        query = strip_of(span[0] - REACH_S, span[1] + REACH_S)
        start = line.speed * float(query.time_s[0]) + reach[0] - 1.0
        stop = line.speed * query.stop_s + reach[1] + 1.0
        film = read_strip(str(self.library.films[line.film].path), start, stop)
        if len(film) < 2 or len(query) < 2:
            return []
        aligner = Aligner(query, film, line, span, reach, self.engine.features, self.options.least_seconds)
        probability = max(match.probability for match in candidate.matches)
        return [Found.of(one, line.film, probability) for one in aligner.align(candidate.seen)]
