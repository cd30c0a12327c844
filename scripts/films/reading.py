"""Reading films for their pictures: frames in order, how long one lasts."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

from bof.images.films.film import Film
from bof.images.films.types import Frame


@cache
def seconds_of(path: Path) -> float:
    """The time of its last frame."""
    with Film(str(path)) as film:
        return max(float(frame.time) for frame in film.frames(max_side=64, grey=True))


def frames_between(path: Path, start: float, stop: float) -> Iterator[Frame]:
    """The frames shown from start on and before stop, in RGB; the first is the one shown at start."""
    with Film(str(path)) as film:
        yield from film.frames(Fraction(start), Fraction(stop))


def frame_at(path: Path, time: Fraction) -> Frame:
    """The frame shown at a time, in RGB."""
    with Film(str(path)) as film:
        return film.frame_at(time)
