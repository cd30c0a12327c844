"""A stretch of a query film: its small frames, and those frames that are searched with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from bof.clips.strips import STRIP_SIDE_PX, Strip, likeness_of_pairs, looks_of
from bof.errors import ImageError
from bof.images.decode import Picture
from bof.images.films.film import Film
from bof.images.films.types import Frame
from bof.types import I64, U8

CHUNK_S = 60
"""So much of a query is in memory at once."""

_SAME_LOOK = 0.3
"""A frame that is no more alike than this to the samples beside it is searched with too."""


@dataclass(frozen=True, slots=True)
class ClipSample:
    """A frame that is searched with. time: exact; picture: grey, at most as large as features are extracted at."""

    time: Fraction
    picture: Picture


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some seconds of a film: small frames, and samples in the order of time."""

    strip: Strip
    samples: list[ClipSample]


def read_strip(path: str, start: float, stop: float) -> Strip:
    """The small frames of a film that are shown from start until stop. Raises ImageError."""
    with Film(path, n_threads=0) as film:
        frames = film.frames(_exact(max(start, 0.0)), _exact(stop), max_side=STRIP_SIDE_PX, grey=True)
        return _strip_of(
            [(float(frame.time), frame.pixels) for frame in frames], film, min(stop, float(film.facts.duration))
        )


def read_stretches(film: Film, sample_step: float, max_side: int, chunk_s: int = CHUNK_S) -> Iterator[Stretch]:
    """A whole film, a stretch at a time. Raises ImageError for one that breaks."""
    frames: list[Frame] = []
    large: dict[int, U8] = {}
    next_sample, next_stretch = sample_step / 4, Fraction(chunk_s)
    for frame in film.decoded():
        if frame.time >= next_stretch:
            yield _stretch(film, frames, large, float(frame.time))
            frames, large = [], {}
            next_stretch = frame.time + chunk_s
        if frame.time >= next_sample:
            large[len(frames)] = frame.grey(max_side)
            next_sample += sample_step / 2 * max(1, -int((next_sample - float(frame.time)) // (sample_step / 2)))
        frames.append(Frame(frame.time, frame.grey(STRIP_SIDE_PX)))
    if not frames:
        raise ImageError("the film has no frame that can be shown")
    if not large:
        large = {len(frames) - 1: frame.grey(max_side)}
    yield _stretch(film, frames, large, _end_of(frames, film))


def _exact(seconds: float) -> Fraction:
    return Fraction(seconds).limit_denominator(1_000_000)


def _end_of(frames: list[Frame], film: Film) -> float:
    """Until when the last frame is shown: as long as the one before it."""
    if len(frames) > 1:
        return float(2 * frames[-1].time - frames[-2].time)
    return max(float(film.facts.duration), float(frames[-1].time) + 0.04)


def _stretch(film: Film, frames: list[Frame], large: dict[int, U8], stop: float) -> Stretch:
    strip = _strip_of([(float(frame.time), frame.pixels) for frame in frames], film, stop)
    rows = _chosen(strip, np.array(sorted(large), np.int64))
    width, height = film.facts.width, film.facts.height
    samples = [ClipSample(frames[row].time, Picture(large[row], width, height)) for row in rows]
    return Stretch(strip, samples)


def _chosen(strip: Strip, rows: I64) -> list[int]:
    """Every other frame, and those between that look like neither neighbour: what is cut in between."""
    if len(rows) < 3:
        return [int(row) for row in rows]
    looks = looks_of(strip.take(rows), (0.0, 0.0, float(strip.width), float(strip.height)))
    after = likeness_of_pairs(looks.take(np.arange(len(rows) - 1)), looks.take(np.arange(1, len(rows))))
    is_new = ~(np.maximum(after[:-1], after[1:]) >= _SAME_LOOK)
    chosen = [i for i in range(len(rows)) if i % 2 == 0 or i == len(rows) - 1 or bool(is_new[i - 1])]
    return [int(rows[i]) for i in chosen]


def _strip_of(frames: list[tuple[float, U8]], film: Film, stop: float) -> Strip:
    if not frames:
        small = np.empty((0, 1, 1), np.uint8)
        return Strip(np.empty(0), stop, small, film.facts.width, film.facts.height)
    times = np.array([time for time, _ in frames])
    return Strip(times, max(stop, float(times[-1])), np.stack([f for _, f in frames]), film.facts.width,
                 film.facts.height)  # fmt: skip
