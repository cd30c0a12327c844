"""Segments that were found piece by piece become whole ones; what another explains better is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from bof.clips.aligning import Aligned
from bof.clips.types import Ends, TimeRange

_JOIN_PAUSE_S = 0.5
_SAME_SPEED = 0.03
_EXPLAINED_S = 1.5
_MOSTLY = 0.8
_LONGER, _BRIEF_S = 1.5, 4.0
"""Of one film a segment of so few seconds is an echo of one that is so many times longer."""

_LESS_ALIKE, _FEWER, _OTHER_SPEED, _SHOT_S = 0.08, 0.25, 0.12, 6.0
"""Another film may have used a piece of it, and is as like the query then. One whose frames are so much less alike, or
of whose points so few agree, shows the same thing on another day: of two photographs of one shelf 0.67 to 0.87, where
the copied one has 0.99. It is an echo where it is no longer than a shot, stands still, or plays at a speed so
different; films are copied up to a tenth faster or slower."""


@dataclass(frozen=True, slots=True)
class Found:
    """A segment by its numbers, in seconds. film: its number in the library; probability: of its matches; n_shots: how
    many shots of the film it has matches in; ends: how its ends are known.
    """

    film: int
    aligned: Aligned
    probability: float
    ends: Ends

    @classmethod
    def of(cls, aligned: Aligned, film: int, probability: float) -> Found:
        """By frames."""
        return cls(film, aligned, probability, "shot" if aligned.still else "frame")

    def swapped(self, film: int) -> Found:
        """The same as the other film sees it. film: the number of the query."""
        one = replace(self.aligned, query_s=self.aligned.film_s, film_s=self.aligned.query_s)
        return replace(self, film=film, aligned=one)

    @property
    def length_s(self) -> float:
        """Of the query."""
        return self.aligned.query_s[1] - self.aligned.query_s[0]

    @property
    def score(self) -> float:
        """Seconds of the query, counted as far as frames are alike."""
        return self.length_s * self.aligned.likeness

    def explains(self, film: int, mirrored: bool, query_s: float, film_s: float) -> bool:
        """Does a line at these times belong to this segment?"""
        one = self.aligned
        if film != self.film or mirrored != one.mirrored or not one.query_s[0] <= query_s <= one.query_s[1]:
            return False
        if one.still:
            return one.film_s[0] <= film_s <= one.film_s[1]
        return abs(one.film_s[0] + one.speed * (query_s - one.query_s[0]) - film_s) <= _EXPLAINED_S


def joined(found: Sequence[Found]) -> list[Found]:
    """Segments that go on where others end are one."""
    whole: list[Found] = []
    for one in sorted(found, key=lambda f: (f.film, f.aligned.mirrored, f.aligned.query_s)):
        place = next((i for i, before in enumerate(whole) if _goes_on(before, one)), None)
        if place is None:
            whole.append(one)
        else:
            whole[place] = _both(whole[place], one)
    return whole


def _goes_on(before: Found, after: Found) -> bool:
    """Is one the next piece of the other, or the same again?"""
    one, other = before.aligned, after.aligned
    if before.film != after.film or one.mirrored != other.mirrored or one.still or other.still:
        return False
    if abs(one.speed - other.speed) > _SAME_SPEED or other.query_s[0] - one.query_s[1] > _JOIN_PAUSE_S:
        return False
    expected = one.film_s[1] + one.speed * (other.query_s[0] - one.query_s[1])
    return abs(expected - other.film_s[0]) <= _JOIN_PAUSE_S


def _both(before: Found, after: Found) -> Found:
    one, other = before.aligned, after.aligned
    query_s = one.query_s[0], max(one.query_s[1], other.query_s[1])
    film_s = min(one.film_s[0], other.film_s[0]), max(one.film_s[1], other.film_s[1])
    shares = one.n_shows, other.n_shows
    likeness = (one.likeness * shares[0] + other.likeness * shares[1]) / max(sum(shares), 1)
    longer = one if before.length_s >= after.length_s else other
    aligned = replace(longer, query_s=query_s, film_s=film_s, likeness=likeness, n_shows=sum(shares),
                      speed=(film_s[1] - film_s[0]) / (query_s[1] - query_s[0]),
                      proof=max(one.proof, other.proof, key=lambda proof: proof[2]))  # fmt: skip
    return replace(before, aligned=aligned, probability=max(before.probability, after.probability))


def without_echoes(found: Sequence[Found]) -> list[Found]:
    """The segments without those of a single picture that is shown at another time too, where a longer one explains the
    same piece of the query; the best first.
    """
    best_first = sorted(found, key=lambda f: (-f.score, f.film, f.aligned.query_s, f.aligned.film_s))
    chosen: list[Found] = []
    for one in best_first:
        if not any(_explains_better(better, one) for better in chosen):
            chosen.append(one)
    return chosen


def _explains_better(better: Found, one: Found) -> bool:
    a, b = better.aligned, one.aligned
    shared = min(a.query_s[1], b.query_s[1]) - max(a.query_s[0], b.query_s[0])
    if shared < _MOSTLY * one.length_s:
        return False
    if better.film == one.film and _same_time(better, one):
        return True
    if better.film != one.film and _is_less_alike(a, b):
        return one.length_s < _SHOT_S or b.still or abs(b.speed / a.speed - 1) > _OTHER_SPEED
    is_brief = better.film == one.film and one.length_s < _BRIEF_S
    return better.length_s >= _LONGER * one.length_s and (b.still or is_brief)


def _is_less_alike(better: Aligned, one: Aligned) -> bool:
    """Are its frames less like the query's, or do so few of their points agree, that it shows another day?"""
    return better.likeness - one.likeness >= _LESS_ALIKE or one.proof[2] <= _FEWER * better.proof[2]


def _same_time(better: Found, one: Found) -> bool:
    """Is it the same piece of the film?"""
    a, b = better.aligned.film_s, one.aligned.film_s
    return min(a[1], b[1]) - max(a[0], b[0]) >= _MOSTLY * (b[1] - b[0])


def as_range(seconds: tuple[float, float]) -> TimeRange:
    """Exact to the microsecond."""
    start, stop = (Fraction(value).limit_denominator(1_000_000) for value in seconds)
    return TimeRange(start, stop)
