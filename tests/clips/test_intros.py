"""A piece that several films show at their beginnings is an intro, however much of it each of them shows."""

from __future__ import annotations

import numpy as np
import pytest

from bof.clips.aligning import Aligned
from bof.clips.intros import Seen, intro_numbers
from bof.clips.joining import Found

LENGTHS = dict.fromkeys(range(4), 600.0)


def found(film: int, query_s: tuple[float, float], film_s: tuple[float, float] | None = None) -> Found:
    """A segment of a film; it shows the query's times unless others are given."""
    aligned = Aligned(query_s, film_s or query_s, 1.0, 0.9, np.eye(3), False, (query_s[0], query_s[0], 40), False, 50)
    return Found(film, aligned, 0.99, "frame")


def test_a_film_that_shows_a_part_of_the_intro_shows_an_intro() -> None:
    segments = [found(0, (0, 10)), found(1, (0, 10)), found(2, (0, 10)), found(3, (0, 6.6))]
    assert intro_numbers(segments, LENGTHS, set(), 3) == {0, 1, 2, 3}


def test_a_copy_that_begins_with_the_intro_stays_a_copy() -> None:
    segments = [found(0, (0, 60)), found(1, (0, 10)), found(2, (0, 10))]
    assert intro_numbers(segments, LENGTHS, set(), 3) == {1, 2}


@pytest.mark.parametrize("n_films", [2, 3])
def test_fewer_films_than_that_make_no_intro(n_films: int) -> None:
    segments = [found(film, (0, 10)) for film in range(n_films - 1)]
    assert intro_numbers(segments, LENGTHS, set(), n_films) == set()


def test_what_lies_in_the_middle_of_a_film_is_no_intro() -> None:
    """Three films begin with it; a fourth shows it after ten minutes of twenty: that is a copy of a piece."""
    segments = [found(0, (0, 10)), found(1, (0, 10)), found(2, (0, 10)), found(3, (0, 10), (600, 610))]
    assert intro_numbers(segments, {**LENGTHS, 3: 1200.0}, set(), 3) == {0, 1, 2}


def samples(film: int, first: int, last: int, film_s: float = 0.0) -> list[Seen]:
    """Samples of the query, one a second, that look like shots of a film."""
    return [Seen(film, (t - 0.5, t + 0.5), (film_s + t - 1, film_s + t + 1)) for t in range(first, last + 1)]


def test_an_intro_that_is_filmed_anew_for_each_part_is_an_intro() -> None:
    """Its last shot has no segment in the others, which show it too."""
    segments = [found(0, (0, 10)), found(1, (0, 6.6)), found(2, (0, 6.6))]
    assert intro_numbers(segments, LENGTHS, set(), 3) == {1, 2}
    seen = [*samples(1, 5, 9), *samples(2, 7, 9)]
    assert intro_numbers(segments, LENGTHS, set(), 3, seen) == {0, 1, 2}


@pytest.mark.parametrize("film_s", [-20.0, 6.0, 400.0])
def test_what_others_show_at_another_time_makes_no_intro(film_s: float) -> None:
    """Subtitles of one font are seen everywhere."""
    segments = [found(0, (0, 10)), found(1, (0, 6.6)), found(2, (0, 6.6))]
    seen = [*samples(1, 7, 9, film_s), *samples(2, 7, 9)]
    assert intro_numbers(segments, LENGTHS, set(), 3, seen) == {1, 2}


def test_films_without_a_segment_make_no_intro() -> None:
    seen = [*samples(1, 0, 9), *samples(2, 0, 9), *samples(3, 0, 9)]
    assert intro_numbers([found(0, (0, 10))], LENGTHS, set(), 3, seen) == set()
