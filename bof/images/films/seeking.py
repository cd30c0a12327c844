"""Reading begins at a time, and gives the very frames that reading from the beginning gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, dropwhile

import av
from av.video.frame import VideoFrame

from bof.images.films.decoding import BACKWARDS, Clock, Decoder, TimedFrame
from bof.images.films.deinterlacing import deinterlace

_STEPS_S = (0, 1, 4, 16, 64)
"""So much earlier reading begins where what was found is later than what was sought; in the end, at the beginning."""


_GUESSED = frozenset({"mpeg"})
"""Containers that give few frames a time; FFmpeg guesses those between, wrongly in the first group after a jump."""


def seek(decoder: Decoder, clock: Clock, time: Fraction) -> Iterator[TimedFrame] | None:
    """Frames from a frame on that is shown at a time, or earlier; None where only the beginning will do.

    Where a container's index lands is not trusted: the first frame that is decoded there must be a key frame with a
    time, not later, and the next must not be earlier. What is shown before it was made of frames that were not read
    (open groups of pictures).
    """
    if clock.counts:
        return None
    for step in _STEPS_S:
        if time - step <= 0 and step:
            return None
        frames = _frames_after(decoder, clock, time - step)
        flaws = Counter(decoder.flaws)
        first, second = next(frames, None), next(frames, None)
        if decoder.flaws[BACKWARDS] > flaws[BACKWARDS]:
            decoder.flaws.clear()
            decoder.flaws.update(flaws)
        elif first is not None and first.time <= time:
            return chain([first] if second is None else [first, second], frames)
    return None


def _frames_after(decoder: Decoder, clock: Clock, time: Fraction) -> Iterator[TimedFrame]:
    source = decoder.source
    try:
        source.container.seek(clock.units(time), stream=source.stream)
    except (av.FFmpegError, OSError, OverflowError):
        return iter(())
    frames = _from_key_frame(decoder.decode())
    if source.container.format.name in _GUESSED:
        next(frames, None)
        frames = _from_key_frame(frames)
    return deinterlace(decoder.timed(frames, clock), is_beginning=False)


def _from_key_frame(frames: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    return dropwhile(lambda frame: not frame.key_frame or frame.pts is None, frames)
