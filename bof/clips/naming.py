"""Segments in words: what kind they are, and what was done to the film's frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from bof.clips.intros import Seen, declared_films, intro_numbers
from bof.clips.joining import Found, as_range
from bof.clips.library import FilmLibrary, IndexedFilm
from bof.clips.types import Change, ClipSegment, FramePlace, ProofFrames, TimeRange
from bof.engine import Engine
from bof.geometry import transforms
from bof.images.films.types import FilmFacts
from bof.options import ClipOptions
from bof.types import F64, Box

_WHOLE = 0.97
_SPEED = 0.005

_ALL = Fraction(95, 100)
"""A segment of so much of a film is all of it."""

_SIDES: tuple[Literal["query"], Literal["film"]] = ("query", "film")


@dataclass(frozen=True, slots=True)
class Side:
    """A film that is compared: the size of its upright picture, and what it says of itself where its file is there."""

    width: int
    height: int
    facts: FilmFacts | None


def segments_of(
    found: Sequence[Found],
    query: Side,
    library: FilmLibrary,
    engine: Engine,
    options: ClipOptions,
    also: Sequence[Found] | None = None,
    seen: Sequence[Seen] = (),
) -> list[ClipSegment]:
    """The segments in words, those of the highest score first.

    also: what else the query shares with other films, where it is itself a film of the index; seen: what films show of
    it, where no segment was found.
    """
    every = [*found, *(also or [])]
    known = {number: library.facts(number) for number in sorted({one.film for one in every})}
    lengths = {number: float(facts.duration) for number, facts in known.items() if facts is not None}
    declared = declared_films(engine, library) & set(known)
    n_others = options.intro_films - (also is not None)
    intros = intro_numbers(every, lengths, declared, n_others, seen)
    return [
        _segment(one, library.films[one.film], query, known[one.film], is_intro=number in intros)
        for number, one in enumerate(found)
    ]


def _segment(one: Found, film: IndexedFilm, side: Side, of_film: FilmFacts | None, *, is_intro: bool) -> ClipSegment:
    aligned, size = one.aligned, (side.width, side.height)
    place = place_of(aligned.film_from_query, size, aligned.film_size)
    query, shown = as_range(aligned.query_s), as_range(aligned.film_s)
    times = as_range((aligned.proof[0], aligned.proof[1]))
    ranges = {"query": (query, side.facts), "film": (shown, of_film)}
    return ClipSegment(
        name=film.name,
        path=film.path,
        kind="intro" if is_intro else "copy",
        query=query,
        film=shown,
        score=one.score,
        probability=one.probability,
        speed=aligned.speed,
        place=place,
        changes=changes_of(place, size, aligned.film_size, aligned.speed),
        proof=ProofFrames(times.start, times.stop, aligned.proof[2]),
        ends=one.ends,
        frame_rate=of_film.frame_rate if of_film else Fraction(0),
        whole=[name for name in _SIDES if _is_whole(*ranges[name])],
    )


def _is_whole(part: TimeRange, facts: FilmFacts | None) -> bool:
    return facts is not None and facts.duration > 0 and part.duration >= _ALL * facts.duration


def place_of(film_from_query: F64, query: tuple[int, int], film: tuple[int, int]) -> FramePlace:
    """How the query's frames lie in the film's. query, film: width and height in pixels."""
    in_film = transforms.lies_in(film_from_query, query, film)
    in_query = transforms.lies_in(_inverse(film_from_query), film, query)
    return FramePlace(
        film_from_query,
        _box(in_query, query),
        _box(in_film, film),
        bool(film_from_query[0, 0] * film_from_query[1, 1] - film_from_query[0, 1] * film_from_query[1, 0] < 0),
    )


def _inverse(transform: F64) -> F64:
    found = np.linalg.inv(transform)
    return np.asarray(found / found[2, 2])


def _box(outline: F64 | None, size: tuple[int, int]) -> Box:
    if outline is None:
        return 0.0, 0.0, float(size[0]), float(size[1])
    (x0, y0), (x1, y1) = outline.min(axis=0) + 0.5, outline.max(axis=0) + 0.5
    return float(x0), float(y0), float(x1), float(y1)


def changes_of(place: FramePlace, query: tuple[int, int], film: tuple[int, int], speed: float) -> list[Change]:
    """What was done to the film's frames, in words."""
    changes: list[Change] = []
    x0, y0, x1, y1 = place.film_box
    if min((x1 - x0) / film[0], (y1 - y0) / film[1]) < _WHOLE:
        changes.append("cropped")
    if place.mirrored:
        changes.append("mirrored")
    x0, y0, x1, y1 = place.query_box
    across, down = (x1 - x0) / query[0], (y1 - y0) / query[1]
    if max(across, down) < _WHOLE:
        changes.append("picture in picture")
    elif min(across, down) < _WHOLE:
        changes.append("letterboxed")
    if abs(speed - 1) > _SPEED:
        changes.append("faster" if speed > 1 else "slower")
    return changes
