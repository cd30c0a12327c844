"""An opened film: its facts, and its frames at their presentation times."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType
from typing import Self

import av
import numpy as np

from bof.images.decode import shrink
from bof.images.films.types import FilmFacts, Frame


class Film:
    """A film of a file, opened with PyAV."""

    def __init__(self, path: str) -> None:
        self._opened = contextlib.ExitStack()
        self._container = self._opened.enter_context(av.open(path))
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        stream = self._stream
        assert stream.time_base is not None
        self._base: Fraction = stream.time_base
        self._zero = stream.start_time or 0
        self.facts = FilmFacts(
            self._container.format.name,
            stream.codec_context.name,
            stream.width,
            stream.height,
            Fraction(stream.duration or 0) * self._base,
            Fraction(stream.average_rate or 0),
        )

    def frames(
        self, start: Fraction = Fraction(0), stop: Fraction | None = None, *, max_side: int | None = None,
        grey: bool = False,
    ) -> Iterator[Frame]:  # fmt: skip
        """Every frame that is shown from start on and before stop, in order of time; the first is the one shown at
        start. max_side: they are shrunk to so long a side.
        """
        self._container.seek(int(start / self._base) + self._zero, stream=self._stream)
        before: Frame | None = None
        for decoded in self._container.decode(self._stream):
            if decoded.pts is None:
                continue
            time = (decoded.pts - self._zero) * self._base
            if stop is not None and time >= stop:
                break
            pixels = decoded.to_ndarray(format="gray8" if grey else "rgb24")
            frame = Frame(time, shrink(np.ascontiguousarray(pixels), max_side))
            if time < start:
                before = frame
                continue
            if before is not None and time > start:
                yield before
            before = None
            yield frame
        if before is not None:
            yield before

    def frame_at(self, time: Fraction, *, max_side: int | None = None, grey: bool = False) -> Frame:
        """The frame that is shown at a time."""
        return next(self.frames(time, max_side=max_side, grey=grey))

    def close(self) -> None:
        """Give the file back."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
