"""Which pieces of a film are in films of an index, and which pictures of the index does it show?"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.clips.aligning import REACH_S, Aligner
from bof.clips.joining import Found, joined, without_echoes
from bof.clips.library import FilmLibrary, why_not_read
from bof.clips.lines import Line, find_lines
from bof.clips.matching import KeyframeMatch, Matched, PictureMatch, clip_searcher, columns_of, match_samples
from bof.clips.naming import segments_of
from bof.clips.rough import by_keyframes
from bof.clips.samples import Stretch, read_stretches, read_strip
from bof.clips.shown import shown_pictures
from bof.clips.types import ClipAnswer
from bof.engine import Engine
from bof.errors import ImageError
from bof.images.films.film import Film
from bof.options import ClipOptions
from bof.system.stopwatch import Stopwatch
from bof.types import F64

_LEAST_WEIGHT = 0.9
"""Matches of a line must say so much together before frames are compared: pixels decide."""

_MAX_COMPARED = 60
"""Lines of a stretch whose frames are compared."""

_MAX_READ_S = 180.0
"""So much of a film is read for one line."""

_N_SEEN = 3


def find_segments(engine: Engine, path: str | os.PathLike[str], options: ClipOptions | None = None) -> ClipAnswer:
    """The segments that a film shares with films of an index, and the pictures of the index that it shows.

    Raises ImageError for what is no film or breaks, IndexStoreError where the index contradicts itself.
    """
    search = _ClipSearch(engine, os.fspath(path), options or ClipOptions())
    return search.answer()


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
    def seen(self) -> list[F64]:
        """The transforms of the surest matches."""
        surest = sorted(self.matches, key=lambda match: (-match.verification.n_inliers, match.sample))
        transforms = (match.verification.database_from_query for match in surest[:_N_SEEN])
        return [transform for transform in transforms if transform is not None]


class _ClipSearch:
    """One film as a query."""

    def __init__(self, engine: Engine, path: str, options: ClipOptions) -> None:
        self._engine, self._path, self._options = engine, path, options
        self._searcher = clip_searcher(engine)
        self._library = FilmLibrary(engine.images)
        self._watch = Stopwatch()
        self._problems: dict[str, str] = {}
        self._states: dict[int, str] = {}

    def answer(self) -> ClipAnswer:
        """Stretch after stretch of the film, then what belongs together."""
        found: list[Found] = []
        pictures: list[tuple[PictureMatch, Stretch]] = []
        with Film(self._path) as film:
            facts = film.facts
            for stretch in self._stretches(film):
                with self._watch.stage("match"):
                    matched = match_samples(self._engine, self._searcher, self._library, stretch.samples)
                pictures += [(match, stretch) for match in matched.pictures]
                found += self._segments(stretch, matched)
        with self._watch.stage("pictures"):
            shown = shown_pictures(self._engine, pictures)
        whole = without_echoes(joined(found))
        segments = segments_of(whole, facts, self._library, self._engine, self._options)
        return ClipAnswer(Path(self._path), facts, segments, shown, self._problems, self._watch.seconds)

    def _stretches(self, film: Film) -> Iterator[Stretch]:
        several = read_stretches(film, self._options.sample_step, self._engine.features.max_side)
        while True:
            with self._watch.stage("read the clip"):
                stretch = next(several, None)
            if stretch is None:
                return
            yield stretch

    def _segments(self, stretch: Stretch, matched: Matched) -> list[Found]:
        """What a stretch of the query shares."""
        columns, rows = columns_of(matched.keyframes, stretch.samples)
        found: list[Found] = []
        for line in find_lines(columns, _LEAST_WEIGHT)[:_MAX_COMPARED]:
            times = columns.query_s[line.rows].tolist()
            candidate = _Candidate(line, [rows[row] for row in line.rows.tolist()], times)
            if not any(one.explains(line.film, line.mirrored, *_middle_of(candidate)) for one in found):
                found += self._compared(stretch, candidate)
        return found

    def _compared(self, stretch: Stretch, candidate: _Candidate) -> list[Found]:
        """The segments of a line by frames of both films, or by the index alone where the film is not at hand."""
        film = self._library.films[candidate.line.film]
        if self._why_not(candidate):
            return by_keyframes(candidate.line, candidate.matches, candidate.times, stretch)
        try:
            with self._watch.stage("compare frames"):
                return self._aligned(stretch, candidate)
        except ImageError as error:
            self._states[film.number] = self._problems[film.name] = error.reason()
            return by_keyframes(candidate.line, candidate.matches, candidate.times, stretch)

    def _why_not(self, candidate: _Candidate) -> str:
        film = self._library.films[candidate.line.film]
        if film.number not in self._states:
            self._states[film.number] = why_not_read(self._engine, self._library, candidate.matches[0].image)
            if self._states[film.number]:
                self._problems[film.name] = self._states[film.number]
        return self._states[film.number]

    def _aligned(self, stretch: Stretch, candidate: _Candidate) -> list[Found]:
        line, span = candidate.line, candidate.span
        query = stretch.strip.between(span[0] - REACH_S, span[1] + REACH_S)
        low, high = line.offsets
        if high - low > _MAX_READ_S:
            low, high = line.offset - _MAX_READ_S / 2, line.offset + _MAX_READ_S / 2
        start = line.speed * float(query.time_s[0]) + low - 1.0
        stop = line.speed * query.stop_s + high + 1.0
        strip = read_strip(str(self._library.films[line.film].path), start, stop)
        if len(strip) < 2:
            return []
        aligner = Aligner(query, strip, line, span, self._engine.features, self._options.least_seconds)
        probability = max(match.probability for match in candidate.matches)
        return [Found.of(one, line.film, probability) for one in aligner.align(candidate.seen)]


def _middle_of(candidate: _Candidate) -> tuple[float, float]:
    """A time of the query and one of the film in the middle of a line."""
    middle = sum(candidate.span) / 2
    return middle, candidate.line.speed * middle + candidate.line.offset
