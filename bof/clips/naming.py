"""Segments in words: what kind they are, and what was done to the film's frames."""

from __future__ import annotations

from collections.abc import Sequence

from bof.clips.intros import intro_numbers
from bof.clips.joining import Found, as_range
from bof.clips.library import FilmLibrary, IndexedFilm
from bof.clips.types import Change, FramePlace, ProofFrames, Segment
from bof.engine import Engine
from bof.geometry import transforms
from bof.images.films.types import FilmFacts
from bof.options import ClipOptions
from bof.types import F64, Box

_WHOLE = 0.97
_SPEED = 0.005


def segments_of(
    found: Sequence[Found], facts: FilmFacts, library: FilmLibrary, engine: Engine, options: ClipOptions
) -> list[Segment]:
    """The segments, those of the highest score first. facts: of the query's film."""
    intros = intro_numbers(found, options.intro_films)
    size = facts.width, facts.height
    return [_segment(one, library.films[one.film], size, is_intro=number in intros) for number, one in enumerate(found)]


def _segment(one: Found, film: IndexedFilm, size: tuple[int, int], *, is_intro: bool) -> Segment:
    aligned = one.aligned
    place = place_of(aligned.film_from_query, size, size)
    query, shown = as_range(aligned.query_s), as_range(aligned.film_s)
    times = as_range((aligned.proof[0], aligned.proof[1]))
    proof = ProofFrames(times.start, times.stop, aligned.proof[2])
    return Segment(
        film.name, film.path, "intro" if is_intro else "copy", query, shown, one.score,
        one.probability, aligned.speed, place, changes_of(place, size, size, aligned.speed), proof, one.ends,
    )  # fmt: skip


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
    import numpy as np

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
