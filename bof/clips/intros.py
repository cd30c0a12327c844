"""What several films share at their beginnings or ends is an intro, not a copied clip."""

from __future__ import annotations

from collections.abc import Sequence

from bof.clips.joining import Found

_MOSTLY = 0.8


def intro_numbers(found: Sequence[Found], n_films: int) -> set[int]:
    """Which segments are intros: so many films, the query's among them, show the same piece of the query."""
    numbers = set()
    for number, one in enumerate(found):
        films = {other.film for other in found if _covers(other, one)}
        if len(films) + 1 >= n_films and any(_covers(one, other) for other in found if other.film != one.film):
            numbers.add(number)
    return numbers


def _covers(other: Found, one: Found) -> bool:
    a, b = other.aligned.query_s, one.aligned.query_s
    return min(a[1], b[1]) - max(a[0], b[0]) >= _MOSTLY * one.length_s
