"""What several films share at their beginnings or ends is an intro, not a copied clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from bof.clips.joining import Found
from bof.clips.library import FilmLibrary
from bof.engine import Engine

DECLARED = "tag = intro"
"""Films of the index that say of themselves that they are nothing else."""

_MOSTLY = 0.8

_EDGE_S, _EDGE_SHARE = 300.0, 0.5
"""An intro lies within this of a film's beginning or end: seconds, and in short films a share of its length."""


_SLACK_S = 0.5
"""A shot may begin so much earlier or end so much later than its keyframes say."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A piece of the query that a film shows, by its number: from when until when in both, in seconds."""

    film: int
    query_s: tuple[float, float]
    film_s: tuple[float, float]


def intro_numbers(
    found: Sequence[Found],
    lengths: Mapping[int, float],
    declared: Set[int],
    n_films: int,
    seen: Sequence[Seen] = (),
) -> set[int]:
    """Which segments are intros: so many films show the same piece of the query at their beginnings or ends, or a film
    that is declared to be an intro does.

    lengths: of films in seconds, where they are known; seen: what else films show of the query. It counts where it goes
    on at the time that a segment of that film says: an intro is filmed anew for each part of a series.
    """
    is_at_edge = [_is_at_edge(one, lengths.get(one.film)) for one in found]
    at_edges = [one for one, is_there in zip(found, is_at_edge, strict=True) if is_there]
    shown: dict[int, list[tuple[float, float]]] = {}
    for one in at_edges:
        shown.setdefault(one.film, []).append(one.aligned.query_s)
    for piece in seen:
        if any(_goes_on(one, piece) for one in at_edges if one.film == piece.film):
            shown[piece.film].append(piece.query_s)
    numbers = set()
    for number, one in enumerate(found):
        n_showing = sum(_show_most(ranges, one) for ranges in shown.values()) if is_at_edge[number] else 0
        is_declared = any(other.film in declared and _show_most([other.aligned.query_s], one) for other in found)
        if n_showing >= n_films or is_declared:
            numbers.add(number)
    return numbers


def declared_films(engine: Engine, library: FilmLibrary) -> set[int]:
    """The films of the library that carry the tag `intro`."""
    ids = engine.select_ids(DECLARED)
    images = np.flatnonzero(np.isin(library.rows.id, list(ids)) & ~library.rows.deleted).tolist() if ids else []
    known = (library.keyframe(image) for image in images)
    return {film.number for film, _ in (one for one in known if one is not None)}


def _is_at_edge(one: Found, length_s: float | None) -> bool:
    """Does it lie near the beginning or the end of its film?"""
    start, stop = one.aligned.film_s
    edge = _EDGE_S if length_s is None else min(_EDGE_S, _EDGE_SHARE * length_s)
    return stop <= edge or (length_s is not None and start >= length_s - edge)


def _goes_on(one: Found, piece: Seen) -> bool:
    """Does the film show a piece of the query when a segment says that it must?"""
    time_s = sum(piece.query_s) / 2
    expected = one.aligned.film_s[0] + one.aligned.speed * (time_s - one.aligned.query_s[0])
    return piece.film_s[0] - _SLACK_S <= expected <= piece.film_s[1] + _SLACK_S


def _show_most(ranges: Sequence[tuple[float, float]], one: Found) -> bool:
    """Do pieces of the query, which may overlap, have most of what it shows in a segment?"""
    start, stop = one.aligned.query_s
    shown, at = 0.0, start
    for first, last in sorted(ranges):
        shown += max(0.0, min(last, stop) - max(first, at))
        at = max(at, min(last, stop))
    return shown >= _MOSTLY * one.length_s
