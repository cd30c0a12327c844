"""What a film is made of: shots and their keyframes. Times are seconds as fractions, from the first frame on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from bof.types import U8, Features


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A frame that stands for others like it. features: those that last, in pixels of the film's upright picture; small
    u8 (h, w): all of it in grey, where that is at hand.
    """

    time: Fraction
    features: Features
    small: U8 | None = None


@dataclass(frozen=True, slots=True)
class Shot:
    """What was taken in one go: from start until stop, the time of the first frame that is no longer in it."""

    start: Fraction
    stop: Fraction
    keyframes: Sequence[Keyframe]
