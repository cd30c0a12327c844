"""How long a film is, by its last packets: headers lie, and files are cut off."""

from __future__ import annotations

from fractions import Fraction

import av

from bof.images.films.containers import FilmSource
from bof.images.films.decoding import Clock

_STEPS_S = (4, 40, 400, 4000)
"""So much before the end that the header names, the last packets are looked for; then from the beginning. Packets come
in the order of decoding: the one that is shown last is not the last.
"""

_MAX_PACKETS = 2_000_000
CUT_OFF = "second missing at the end"


def header_duration(source: FilmSource, clock: Clock) -> Fraction:
    """What the header says, in seconds from the first frame; 0: nothing."""
    stream, container = source.stream, source.container
    if stream.duration and stream.duration > 0:
        return stream.duration * source.base - (clock.zero - (stream.start_time or 0)) * source.base
    if container.duration and container.duration > 0:
        return (
            Fraction(container.duration, av.time_base)
            + Fraction(container.start_time or 0, av.time_base)
            - (clock.zero * source.base)
        )
    return Fraction(0)


def find_end(source: FilmSource, clock: Clock) -> Fraction:
    """Until when the last frame is shown, in seconds from the first one. The file stands at its end afterwards."""
    claimed = max(header_duration(source, clock), Fraction(0))
    for step in (*_STEPS_S, claimed):
        end = _last_end(source, clock, max(claimed - step, Fraction(0)))
        if end > 0:
            return end
        if step >= claimed:
            break  # it began at the beginning
    return claimed


def _last_end(source: FilmSource, clock: Clock, start: Fraction) -> Fraction:
    """The end of the last packet from a time on; 0 where there is none."""
    end = Fraction(0)
    try:
        source.container.seek(clock.units(start), stream=source.stream)
        for number, packet in enumerate(source.container.demux(source.stream)):
            if packet.pts is not None and not packet.is_discard and not packet.is_corrupt:
                duration = packet.duration * source.base if packet.duration else clock.usual
                end = max(end, (packet.pts - clock.zero) * source.base + duration)
            if number == _MAX_PACKETS:
                break
    except (av.FFmpegError, OSError, OverflowError):
        pass  # what was found until then counts
    return end
