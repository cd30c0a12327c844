"""A film's file as FFmpeg has it: facts, and decoded frames from a time on. Needs the extra `video`."""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cached_property
from itertools import chain
from pathlib import Path

from bof.errors import ImageError
from bof.images.films.containers import guarded, open_source
from bof.images.films.decoding import DAMAGED, Clock, Decoder, TimedFrame
from bof.images.films.deinterlacing import deinterlace
from bof.images.films.measuring import CUT_OFF, find_end, header_duration
from bof.images.films.picture import DecodedFrame, FrameView
from bof.images.films.seeking import seek
from bof.images.films.types import FilmFacts
from bof.images.regular import open_regular
from bof.system.units import counted


class FilmReader:
    """An open film. One reading goes on at a time: a new one ends those before it."""

    def __init__(self, path: str, n_threads: int, max_pixels: int) -> None:
        """Raises ImageError, PictureTooLargeError: see Film."""
        self.path = path
        self.flaws: Counter[str] = Counter()
        """What was wrong with what was read until now, how often, by kind."""
        self._n_threads, self._max_pixels = n_threads, max_pixels
        self._n_readings = 0
        self._beginning = _Beginning(self._open)
        self._clock = self._beginning.clock
        self._view = FrameView.of(self._beginning.first, self._beginning.decoder.source.stream.sample_aspect_ratio)

    @cached_property
    def facts(self) -> FilmFacts:
        """What the film says of itself, as far as it is so: its duration is that of the frames that are there."""
        with contextlib.ExitStack() as opened, guarded(self.path):
            source = self._open(opened).source
            duration = find_end(source, self._clock)
            missing = math.floor(header_duration(source, self._clock) - duration)
            others = {**source.others, **({CUT_OFF: missing} if missing > 0 else {})}
            name, codec = source.container.format.name, source.stream.codec_context.codec.canonical_name
            rate = Fraction(source.stream.average_rate or 0)
        return FilmFacts(name, codec, self._view.width, self._view.height, duration, rate, others)

    def decoded(self, start: Fraction, stop: Fraction | None) -> Iterator[DecodedFrame]:
        """Every frame that is shown from start on and before stop, in order of time."""
        for found in self._shown(start, stop):
            yield DecodedFrame(found.time, found.frame, self._view, self.path)

    def close(self) -> None:
        """Give the file back."""
        self._n_readings += 1
        self._beginning.close()

    def _open(self, opened: contextlib.ExitStack) -> Decoder:
        """The file, standing at its beginning."""
        with guarded(self.path):
            stream = opened.enter_context(open_regular(Path(self.path)))
            source = open_source(self.path, stream, self._n_threads, self._max_pixels)
            opened.callback(source.container.close)
            return Decoder(source, self.flaws)

    def _shown(self, start: Fraction, stop: Fraction | None) -> Iterator[TimedFrame]:
        """The frames that are shown from start on and before stop."""
        self._n_readings += 1
        reading = self._n_readings
        before: TimedFrame | None = None
        for found in self._guarded_from(start):
            if stop is not None and found.time >= stop:
                break
            if found.time <= start:
                before = found
                continue
            if before is not None:
                yield before
                before = None
            yield found
            if self._n_readings != reading:
                raise RuntimeError("another reading of the film began, which ended this one")
        if before is not None and start < before.time + before.duration:
            yield before

    def _guarded_from(self, start: Fraction) -> Iterator[TimedFrame]:
        with guarded(self.path):
            yield from self._from(start)

    def _from(self, start: Fraction) -> Iterator[TimedFrame]:
        """Frames from the one shown at start, or from an earlier one on."""
        if start > 0:
            found = seek(self._beginning.moved(), self._clock, start)
            if found is not None:
                return found
        if self._beginning.is_moved:
            self._beginning.close()
            self._beginning = _Beginning(self._open)
        return self._beginning.frames()


class _Beginning:
    """A film's file, opened, and decoded as far as its first frame."""

    def __init__(self, open_file: Callable[[contextlib.ExitStack], Decoder]) -> None:
        with contextlib.ExitStack() as opened:
            self.decoder = open_file(opened)
            path = self.decoder.source.path
            with guarded(path):
                self._others = self.decoder.decode()
                first = next(self._others, None)
            if first is None:
                found = f"none, of {counted(self.decoder.flaws[DAMAGED], DAMAGED)}"
                raise ImageError(path=path, expected="a film with frames that can be decoded", found=found)
            self.first, self.clock = first, Clock.of(self.decoder.source, first)
            self.is_moved = False
            self._opened = opened.pop_all()

    def frames(self) -> Iterator[TimedFrame]:
        """All frames; can be asked for once."""
        decoder = self.moved()
        return deinterlace(decoder.timed(chain([self.first], self._others), self.clock), is_beginning=True)

    def moved(self) -> Decoder:
        """What decodes, to be moved from where it stands."""
        self.is_moved = True
        return self.decoder

    def close(self) -> None:
        """Give the file back."""
        self._opened.close()
