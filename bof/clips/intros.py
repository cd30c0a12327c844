"""What several films share at their beginnings or ends is an intro, not a copied clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

import numpy as np

from bof.clips.joining import Found
from bof.clips.library import FilmLibrary
from bof.engine import Engine

DECLARED = "tag = intro"
"""Films of the index that say of themselves that they are nothing else."""

_MOSTLY = 0.8

_EDGE_S, _EDGE_SHARE = 300.0, 0.5
"""An intro lies within this of a film's beginning or end: seconds, and in short films a share of its length."""


def intro_numbers(found: Sequence[Found], lengths: Mapping[int, float], declared: Set[int], n_films: int) -> set[int]:
    """Which segments are intros: so many films show the same piece of the query at their beginnings or ends, or a film
    that is declared to be an intro does. lengths: of films in seconds, where they are known.
    """
    at_edges = [one for one in found if _is_at_edge(one, lengths.get(one.film))]
    numbers = set()
    for number, one in enumerate(found):
        films = {other.film for other in at_edges if _covers(other, one)}
        is_shared = one in at_edges and len(films) >= n_films
        if is_shared or any(other.film in declared and _covers(other, one) for other in found):
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


def _covers(other: Found, one: Found) -> bool:
    """Has it most of what the query shows in the other?"""
    a, b = other.aligned.query_s, one.aligned.query_s
    return min(a[1], b[1]) - max(a[0], b[0]) >= _MOSTLY * one.length_s
