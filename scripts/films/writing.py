"""Frames into film files with PyAV, each at its own time."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.video.stream import VideoStream

from bof.types import U8

_TICKS = 90000
"""Time base in which every film's frames are handed to the encoder."""


def write_film(
    path: Path,
    frames: Iterable[U8],
    times: Sequence[Fraction],
    codec: str = "libx264",
    rate: Fraction = Fraction(25),
    options: Mapping[str, str] | None = None,
) -> None:
    """Write RGB frames u8 (h, w, 3), even sides, at their times in seconds; times has the film's end as one more.

    rate: what the file says of itself. The file appears under its name only when it is whole.
    """
    part = path.with_name(f"{path.stem}.part{path.suffix}")
    base = Fraction(1, _TICKS) if codec != "mpeg4" else 1 / rate
    with av.open(str(part), "w") as container:
        stream: VideoStream | None = None
        for number, pixels in enumerate(frames):
            if stream is None:
                stream = cast(VideoStream, container.add_stream(codec, rate=rate, options=dict(options or {})))
                stream.height, stream.width = pixels.shape[:2]
                stream.pix_fmt = "yuv420p"
                stream.codec_context.time_base = base
                stream.codec_context.thread_count = 1
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = round(times[number] / base), base
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode(None))
    os.replace(part, path)
