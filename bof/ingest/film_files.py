"""A film is opened: what it says of itself, its content, and the chunks that are to be read of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from bof.images.address import Address, Stamp
from bof.images.films.film import Film
from bof.images.films.times import text_of, times_of
from bof.images.films.types import FilmFacts
from bof.images.listing import Skipped
from bof.images.opening import sha256_of_file, stamp_of
from bof.store.catalog import Fields
from bof.video.chunks import Chunk, chunks_of

DURATION, CODEC, FRAME_RATE = "duration", "codec", "fps"
"""The fields that a film gives each of its pictures: seconds, the codec's name, frames a second on average."""

CHANGED = "it changed while it was read; the same command reads it again"

_FRESH_S, _LOOK_AGAIN_S = 2.0, 0.25
"""A film that was written so short a time ago is looked at again: it may be still growing."""

_MS = Fraction(1, 1000)


@dataclass(frozen=True, slots=True)
class OpenedFilm:
    """A film as it was opened. sha256: of the file; stamp: its size and time, which were the same all the while."""

    path: str
    name: str
    sha256: str
    stamp: Stamp
    facts: FilmFacts

    @property
    def chunks(self) -> list[Chunk]:
        """All its chunks, in order."""
        return chunks_of(self.facts.duration)

    def chunks_after(self, parts: Iterable[str]) -> list[Chunk]:
        """The chunks that are not read yet. parts: the frames that the index has, of chunks that were read in order.

        Times in parts are rounded up: a shot that begins just before a chunk does not count for that chunk.
        """
        starts = [times.start - _MS for part in parts if (times := times_of(part))]
        if not starts:
            return self.chunks
        last = max(Fraction(0), *starts)
        return [chunk for chunk in self.chunks if chunk.start > last]

    def seconds_of(self, chunk: Chunk) -> float:
        """How long a chunk is; 0 where nobody knows."""
        stop = self.facts.duration if chunk.stop is None else chunk.stop
        return float(max(stop - chunk.start, Fraction(0)))

    @property
    def fields(self) -> Mapping[str, Sequence[str]]:
        """What each of its pictures is annotated with."""
        facts = self.facts
        known = {DURATION: facts.duration and text_of(facts.duration), CODEC: facts.codec}
        rate = facts.frame_rate and f"{float(facts.frame_rate):.3f}".rstrip("0").rstrip(".")
        return {key: [str(value)] for key, value in {**known, FRAME_RATE: rate}.items() if value}


def open_film(path: str, name: str) -> OpenedFilm | Skipped:
    """What a film says of itself, and its content, unless it changes meanwhile. Raises ImageError, OSError.

    It is hostile: called in a process of its own.
    """
    stamp = stamp_of(path)
    with Film(path) as film:
        facts = film.facts
    sha256 = sha256_of_file(path)
    if time.time() - stamp[1] / 1e9 < _FRESH_S:
        time.sleep(_LOOK_AGAIN_S)
    if stamp_of(path) != stamp:
        return Skipped(path, CHANGED)
    return OpenedFilm(path, name, sha256, stamp, facts)


def common_fields(annotated: Sequence[Fields]) -> dict[str, list[str]]:
    """What all pictures of a film are annotated with: that is said of the film, and holds for those that come later."""
    if not annotated:
        return {}
    first, *others = annotated
    shared = {key: [v for v in values if all(v in one.get(key, ()) for one in others)] for key, values in first.items()}
    return {key: values for key, values in shared.items() if values and key not in (DURATION, CODEC, FRAME_RATE)}


def time_span(chunk: Chunk) -> str:
    """When a chunk is, in words."""
    until = "its end" if chunk.stop is None else f"{float(chunk.stop):g} s"
    return f"from {float(chunk.start):g} s to {until}"


def part_of(path: str | os.PathLike[str]) -> str:
    """The part of a picture's path."""
    return Address.parse(path).part
