"""Frames that were taken as two fields are made whole: FFmpeg's bwdif looks at the frames before and after."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import av
from av.filter import Graph
from av.video.frame import VideoFrame

from bof.images.films.decoding import TimedFrame

_FORMATS = frozenset(
    [f"yuv{sampling}p{depth}" for sampling in (410, 411, 420, 422, 440, 444) for depth in ("", "10le", "12le")]
    + ["yuvj420p", "yuvj422p", "yuvj444p", "gray", "gray10le"]
)
"""Pixel formats that bwdif takes as they are."""


def deinterlace(frames: Iterator[TimedFrame], *, is_beginning: bool) -> Iterator[TimedFrame]:
    """Frames without combs; those that are not flagged as interlaced pass as they are.

    is_beginning: the first frame is the film's first. Else an interlaced one that comes first is left out: what was
    shown before it is not known, and a frame should be the same wherever reading began.
    """
    before: TimedFrame | None = None
    run: _FieldRun | None = None
    for found in frames:
        if run is not None and not (_is_interlaced(found.frame) and run.takes(found.frame)):
            yield from run.end(found)
            run = None
        if _is_interlaced(found.frame):
            if run is None:
                run = _FieldRun(found.frame)
                if before is not None:
                    yield from run.add(before, is_shown=False)
            yield from run.add(found, is_shown=is_beginning or before is not None)
        else:
            yield found
        before = found
    if run is not None:
        yield from run.end(None)


def _is_interlaced(frame: VideoFrame) -> bool:
    return frame.interlaced_frame and frame.format.name in _FORMATS


class _FieldRun:
    """Interlaced frames that follow each other. The filter gives each when it has seen the next."""

    def __init__(self, first: VideoFrame) -> None:
        self._kind = _kind(first)
        self._pending: deque[TimedFrame | None] = deque()
        self._graph = Graph()
        self._graph.threads = 1
        source = self._graph.add_buffer(
            width=first.width, height=first.height, format=first.format, time_base=first.time_base
        )
        filters = self._graph.add("bwdif", "mode=send_frame:parity=auto:deint=all"), self._graph.add("buffersink")
        self._graph.link_nodes(source, *filters).configure()

    def takes(self, frame: VideoFrame) -> bool:
        """Is it like the first?"""
        return _kind(frame) == self._kind

    def add(self, found: TimedFrame, *, is_shown: bool) -> Iterator[TimedFrame]:
        """What is whole once this frame is known; is_shown: it becomes one of them."""
        if self.takes(found.frame):
            self._pending.append(found if is_shown else None)
            self._graph.push(found.frame)
            yield from self._whole()

    def end(self, after: TimedFrame | None) -> Iterator[TimedFrame]:
        """What is left, once the frame after the run is known, if there is one."""
        if after is not None:
            yield from self.add(after, is_shown=False)
        self._graph.push(None)
        yield from self._whole()

    def _whole(self) -> Iterator[TimedFrame]:
        while self._pending:
            try:
                frame = self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
            source = self._pending.popleft()
            if source is not None:
                yield TimedFrame(source.time, source.duration, frame)


def _kind(frame: VideoFrame) -> tuple[int, int, str]:
    return frame.width, frame.height, frame.format.name
