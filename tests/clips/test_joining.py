"""Which segments stay beside others that explain the same piece of a query."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bof.clips.aligning import Aligned
from bof.clips.joining import Found, joined, without_echoes


def found(film: int, query_s: tuple[float, float], film_s: tuple[float, float], *, still: bool = False) -> Found:
    aligned = Aligned(query_s, film_s, 1.0, 0.9, np.eye(3), False, (query_s[0], film_s[0], 50), still, 8, (640, 360))
    return Found.of(aligned, film, 0.99)


def test_another_film_may_have_used_a_piece() -> None:
    whole = found(0, (0.0, 10.0), (20.0, 30.0))
    pieces = [found(1, (0.0, 2.0), (5.0, 7.0)), found(1, (2.0, 4.5), (50.0, 52.5))]
    assert {one.film for one in without_echoes([whole, *pieces])} == {0, 1}
    assert len(without_echoes([whole, *pieces])) == 3


def test_a_brief_piece_of_the_same_film_and_a_still_picture_are_echoes() -> None:
    whole = found(0, (0.0, 10.0), (20.0, 30.0))
    again = found(0, (3.0, 5.0), (80.0, 82.0))
    still = found(1, (3.0, 5.0), (80.0, 92.0), still=True)
    assert without_echoes([whole, again, still]) == [whole]


def test_a_brief_piece_of_another_film_that_is_less_alike_shows_the_same_on_another_day() -> None:
    whole, other = found(0, (0.0, 10.0), (20.0, 30.0)), found(1, (3.0, 6.0), (80.0, 82.5))
    aligned = replace(other.aligned, likeness=0.8)
    assert without_echoes([whole, replace(other, aligned=aligned)]) == [whole]
    assert without_echoes([whole, replace(other, aligned=replace(aligned, likeness=0.85))]) != [whole]
    longer = found(1, (1.0, 9.0), (80.0, 88.0))
    slower = replace(longer, aligned=replace(longer.aligned, likeness=0.8, speed=0.85))
    assert len(without_echoes([whole, longer])) == 2
    assert len(without_echoes([whole, replace(longer, aligned=replace(longer.aligned, likeness=0.8))])) == 2
    assert without_echoes([whole, slower]) == [whole]


def test_a_long_piece_that_is_shown_twice_is_found_twice() -> None:
    once, again = found(0, (0.0, 10.0), (20.0, 30.0)), found(0, (0.0, 6.0), (80.0, 86.0))
    assert len(without_echoes([once, again])) == 2


def test_segments_that_go_on_are_one() -> None:
    (one,) = joined([found(0, (0.0, 6.0), (20.0, 26.0)), found(0, (6.0, 9.0), (26.0, 29.0))])
    assert (one.aligned.query_s, one.aligned.film_s) == ((0.0, 9.0), (20.0, 29.0))
    assert len(joined([found(0, (0.0, 6.0), (20.0, 26.0)), found(0, (6.0, 9.0), (40.0, 43.0))])) == 2
