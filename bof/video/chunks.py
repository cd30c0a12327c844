"""Chunks of a film: stretches of a minute that are worked on one by one, and in which shots begin and end.

A chunk has the shots from the first boundary at or after its start up to the first boundary at or after its stop.
Boundaries are decided by the frames around them, so that neighbouring chunks find the same one, whatever the order in
which they are worked on. Where no boundary follows soon enough, both cut at the time itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

CHUNK_SECONDS = 60
"""What a killed run loses of a film at most, and long against what is decoded twice where chunks meet."""

LONGEST_SEARCH_SECONDS = 30
"""A boundary that comes later than so long after a chunk's edge is none of it."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a film in seconds; stop None: to its end, whatever its duration is said to be."""

    start: Fraction
    stop: Fraction | None


def chunks_of(duration: Fraction) -> list[Chunk]:
    """The chunks of a film that lasts so many seconds, 0: unknown; the last one lasts half to one and a half of one."""
    n = max(1, round(duration / CHUNK_SECONDS))
    edges = [Fraction(CHUNK_SECONDS * i) for i in range(n)]
    return [Chunk(start, stop) for start, stop in zip(edges, [*edges[1:], None], strict=True)]


def edge_of(time: Fraction, boundaries: Iterable[Fraction]) -> Fraction:
    """Where chunks really meet whose edge is at a time: at the first boundary from then on, if it comes soon enough."""
    following = (each for each in boundaries if time <= each < time + LONGEST_SEARCH_SECONDS)
    return min(following, default=time)
