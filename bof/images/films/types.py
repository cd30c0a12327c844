"""What a film says of itself, and a frame of it. Times are seconds as fractions, from the first frame on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from bof.types import U8


@dataclass(frozen=True, slots=True)
class FilmFacts:
    """What a film says of itself, checked.

    width, height: of the upright picture with square pixels; duration: of the pictures, in seconds from the first
    frame, which has time 0; frame_rate: frames a second on average, 0: unknown; others: what else the file holds and is
    not read (`sound`, `cover`, `subtitles`), how many by kind.
    """

    container: str
    codec: str
    width: int
    height: int
    duration: Fraction
    frame_rate: Fraction
    others: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture of a film. time: from which it is shown; pixels: upright, u8 (h, w) grey or (h, w, 3) RGB, with square
    pixels, shrunk where that was asked for.
    """

    time: Fraction
    pixels: U8
