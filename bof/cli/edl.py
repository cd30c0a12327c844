"""Segments as an edit decision list (CMX 3600), which editing programs read: a cut of the films that gives the clip."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from bof.cli.clip_finding import FoundSegments
from bof.clips.types import ClipSegment
from bof.errors import display_name

_DEFAULT_RATE = Fraction(25)
_MAX_EVENTS = 999
_DROPPING = {30: 2, 60: 4}
"""Frames a second, rounded -> numbers that are left out every minute but each tenth, where the rate is 29.97, 59.94."""


def edl_of(found: FoundSegments) -> Iterator[str]:
    """The lines of a list of a clip's segments in the order of the clip.

    Times of a film are counted at its own rate, those of the clip at the clip's. Frames are numbered by drop-frame
    rules where the film's rate is 29.97 or 59.94, and each such event says so.
    """
    rate = found.answer.facts.frame_rate or _DEFAULT_RATE
    segments = sorted(found.answer.segments, key=lambda segment: (segment.query.start, -segment.score))
    yield f"TITLE: {Path(found.shown).name}"
    for number, segment in enumerate(segments[:_MAX_EVENTS], 1):
        yield from _event(number, segment, rate)
    if len(segments) > _MAX_EVENTS:
        yield f"* {len(segments) - _MAX_EVENTS} MORE SEGMENTS HAVE NO PLACE IN A LIST OF {_MAX_EVENTS} EVENTS"


def _event(number: int, segment: ClipSegment, clip_rate: Fraction) -> Iterator[str]:
    rate = segment.frame_rate or clip_rate
    source = timecode(segment.film.start, rate), timecode(segment.film.stop, rate)
    record = timecode(segment.query.start, clip_rate), timecode(segment.query.stop, clip_rate)
    yield f"FCM: {'DROP FRAME' if _dropped(rate) else 'NON-DROP FRAME'}"
    yield f"{number:03}  {_reel(segment):8} V     C        {' '.join((*source, *record))}"
    if abs(segment.speed - 1) > 0.0005:
        yield f"M2   {_reel(segment):8} {float(rate) * segment.speed:07.3f}                {source[0]}"
    yield f"* FROM CLIP NAME: {Path(display_name(segment.name)).name}"
    yield f"* SOURCE FILE: {display_name(segment.path)}"
    if segment.changes or segment.kind != "copy":
        yield f"* COMMENT: {', '.join([segment.kind, *segment.changes])}"


def _reel(segment: ClipSegment) -> str:
    """At most eight letters and digits."""
    return re.sub(r"[^A-Z0-9]", "", segment.path.stem.upper())[:8] or "AX"


def timecode(time: Fraction, rate: Fraction) -> str:
    """Hours, minutes, seconds and frames of a time in seconds; the last mark is `;` where frames are dropped."""
    base, n_dropped = round(rate), _dropped(rate)
    frame = round(time * rate)
    if n_dropped:
        frame += _left_out(frame, base, n_dropped)
    seconds, frames = divmod(frame, base)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{';' if n_dropped else ':'}{frames:02}"


def _dropped(rate: Fraction) -> int:
    """Numbers that are left out every minute at a rate; 0: none."""
    base = round(rate)
    is_ntsc = abs(rate - Fraction(base * 1000, 1001)) < Fraction(1, 1000)
    return _DROPPING.get(base, 0) if is_ntsc else 0


def _left_out(frame: int, base: int, n_dropped: int) -> int:
    """How many numbers are left out before a frame (SMPTE ST 12-1)."""
    a_minute = base * 60 - n_dropped
    ten_minutes = a_minute * 10 + n_dropped
    tens, rest = divmod(frame, ten_minutes)
    minutes = 0 if rest < base * 60 else 1 + (rest - base * 60) // a_minute
    return n_dropped * (9 * tens + minutes)
