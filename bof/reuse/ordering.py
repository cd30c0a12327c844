"""The order of the pictures of a cluster: by a field, or by the time of their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bof.reuse.types import SEPARATOR, ReuseGraph


@dataclass(frozen=True, slots=True)
class Ordered:
    """A picture at its place in a cluster; value: what orders it, as text, empty where it has none."""

    place: int
    value: str


def ordered(graph: ReuseGraph, places: Sequence[int], field: str = "") -> list[Ordered]:
    """Pictures of a cluster by the first value of a field, numbers before text and by their size, then by name; those
    without the field last. Without a field by the time when their files were changed last.
    """
    if not field:
        by_time = sorted(places, key=lambda place: (graph.pictures[place].mtime_ns, place))
        return [Ordered(place, _day(graph.pictures[place].mtime_ns)) for place in by_time]
    values = {place: list(graph.fields[place].get(field, ())) for place in places}
    by_field = sorted(places, key=lambda place: (*_rank(values[place]), place))
    return [Ordered(place, SEPARATOR.join(values[place])) for place in by_field]


def _rank(values: Sequence[str]) -> tuple[int, float, str]:
    if not values:
        return 2, 0.0, ""
    try:
        number = float(values[0])
    except ValueError:
        return 1, 0.0, values[0]
    return (0, number, "") if number == number else (1, 0.0, values[0])  # NaN has no place among numbers


def _day(mtime_ns: int) -> str:
    return datetime.fromtimestamp(mtime_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d")


def span(pictures: Sequence[Ordered]) -> str:
    """From the first value to the last, in words; empty where there is none."""
    known = [picture.value for picture in pictures if picture.value]
    if not known:
        return ""
    return known[0] if known[0] == known[-1] else f"{known[0]} to {known[-1]}"
