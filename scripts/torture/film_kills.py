"""Films that are indexed while the process is killed: chunk by chunk, nothing is lost and nothing twice."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import cv2
import numpy as np

from bof.images.decode import read_image
from bof.types import U8
from scripts.torture.index import Finding
from scripts.torture.interrupted import kill_indexing

_FILMS, _SHOTS, _SHOT_SECONDS, _RATE = 2, 100, 3, 5
_SIZE = 320, 240
_RUNS = 4.0
"""What a chunk took before a kill is lost, which is much of what a kill leaves time for."""

_MARGIN_PX = 24
"""A camera pans so far over each photograph."""


def kill(pictures: Sequence[Path], scratch: Path, arguments: argparse.Namespace) -> list[Finding]:
    """SIGKILL at random moments while films of five minutes are indexed."""
    folder = scratch / "films"
    folder.mkdir()
    n_shots = min(_SHOTS, len(pictures))
    for number in range(_FILMS):
        chosen = [pictures[(number * n_shots + i) % len(pictures)] for i in range(n_shots)]
        _write(folder / f"{number}.mp4", chosen)
    facts = Finding("films", f"{_FILMS} of {n_shots} shots, {n_shots * _SHOT_SECONDS} s")
    return [facts, *kill_indexing(folder, pictures[:n_shots], scratch, arguments, _RUNS)]


def _write(path: Path, pictures: Sequence[Path]) -> None:
    """A film with one shot of each picture."""
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=_RATE, options={"preset": "veryfast"})
        stream.width, stream.height = _SIZE
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            for pixels in _pan(picture):
                film.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        film.mux(stream.encode(None))


def _pan(picture: Path) -> Iterator[U8]:
    width, height = _SIZE
    wide = cv2.resize(read_image(picture).pixels, (width + _MARGIN_PX, height), interpolation=cv2.INTER_AREA)
    n_frames = _SHOT_SECONDS * _RATE
    for i in range(n_frames):
        left = _MARGIN_PX * i // n_frames
        yield np.ascontiguousarray(wide[:, left : left + width], np.uint8)
