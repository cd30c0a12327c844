"""Times of a film as addresses have them: `t=83.240`, and with its shot `t=83.240&shot=80.080,91.440`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

_SECONDS = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_PART = re.compile(rf"t=(?P<time>{_SECONDS})(?:&shot=(?P<start>{_SECONDS}),(?P<stop>{_SECONDS}))?")


@dataclass(frozen=True, slots=True)
class FrameTimes:
    """The time of a frame, and from when until when its shot lasts, in seconds; of one without a shot, only its own."""

    time: Fraction
    start: Fraction
    stop: Fraction


def part_of_frame(time: Fraction, start: Fraction, stop: Fraction) -> str:
    """The part of a film that is the frame shown from `time` on, in a shot from start until stop."""
    return f"t={text_of(time)}&shot={text_of(start)},{text_of(stop)}"


def times_of(part: str) -> FrameTimes | None:
    """The times that a part of a film names; None for what is none."""
    found = _PART.fullmatch(part)
    if found is None:
        return None
    time = Fraction(found["time"])
    return FrameTimes(time, Fraction(found["start"] or found["time"]), Fraction(found["stop"] or found["time"]))


def text_of(time: Fraction) -> str:
    """A time in seconds with three decimals, rounded up: at the time that is written the frame is shown already."""
    ms = math.ceil(time * 1000)
    return f"{ms // 1000}.{ms % 1000:03}"
