"""Frames of a film from where its file stands: times, and what is damaged is passed over and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

import av
from av.video.frame import VideoFrame

from bof.images.films.containers import FilmSource, encrypted

_MAX_FAILURES = 64
"""So many failures to read one after another end a film: what follows is lost."""

_USUAL_RATE = Fraction(25)
_REORDERED = frozenset({"h264", "hevc"})
"""AVI has no presentation times, and of these codecs FFmpeg cannot tell them before decoding."""

DAMAGED, BACKWARDS = "damaged packet", "frame whose time goes back"


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A decoded frame, the time from which it is shown in seconds from the first one, and for how long."""

    time: Fraction
    duration: Fraction
    frame: VideoFrame


@dataclass(frozen=True, slots=True)
class Clock:
    """Times of frames: those that the container gives, from that of the first frame on.

    zero: of the first frame, in units of base; usual: how long a frame is shown where nothing says so; counts: the
    container's times are of the order of decoding, so each frame follows the one before it after the usual time.
    """

    zero: int
    base: Fraction
    usual: Fraction
    counts: bool = False

    @classmethod
    def of(cls, source: FilmSource, first: VideoFrame) -> Clock:
        """The clock of a film with this first frame."""
        zero = first.pts if first.pts is not None else source.stream.start_time or 0
        rate = source.stream.average_rate or source.stream.guessed_rate or _USUAL_RATE
        name, codec = source.container.format.name, source.stream.codec_context.codec.canonical_name
        return cls(zero, source.base, 1 / rate, counts=name == "avi" and codec in _REORDERED)

    def units(self, time: Fraction) -> int:
        """A time as the container counts it."""
        return self.zero + int(time / self.base)

    def timed(self, frame: VideoFrame, last: TimedFrame | None) -> TimedFrame:
        """A frame with its time; one that has none comes after the last one."""
        is_known = frame.duration and frame.duration > 0 and not self.counts
        duration = frame.duration * self.base if is_known else self.usual
        if frame.pts is not None and not self.counts:
            return TimedFrame((frame.pts - self.zero) * self.base, duration, frame)
        return TimedFrame(last.time + last.duration if last else Fraction(0), duration, frame)


@dataclass(slots=True)
class Decoder:
    """Decodes what comes next in a film's file. flaws: what was wrong with it, how often, by kind."""

    source: FilmSource
    flaws: Counter[str] = field(default_factory=Counter)

    def decode(self) -> Iterator[VideoFrame]:
        """The frames from where the file stands, in the order in which they are shown."""
        n_failures = 0
        while n_failures < _MAX_FAILURES:
            try:
                for packet in self.source.container.demux(self.source.stream):
                    n_failures = 0
                    yield from self._frames_of(packet)
                return
            except MemoryError:
                raise
            except (av.FFmpegError, OSError):
                n_failures += 1
                self.flaws[DAMAGED] += 1

    def _frames_of(self, packet: av.Packet[av.VideoStream]) -> list[VideoFrame]:
        if packet.has_sidedata("encryption_info"):
            raise encrypted(self.source.path)
        try:
            return packet.decode()
        except MemoryError:
            raise
        except av.EOFError:
            return []
        except av.FFmpegError:
            self.flaws[DAMAGED] += 1
            return []

    def timed(self, frames: Iterator[VideoFrame], clock: Clock) -> Iterator[TimedFrame]:
        """Frames with their times, each later than the last one."""
        last: TimedFrame | None = None
        for frame in frames:
            found = clock.timed(frame, last)
            if last is not None and found.time <= last.time:
                self.flaws[BACKWARDS] += 1
                continue
            if frame.is_corrupt:
                self.flaws[DAMAGED] += 1
            last = found
            yield found
