"""One film of a command becomes the segments that it shares with the films of an index."""

from __future__ import annotations

import os
from dataclasses import dataclass

from bof.clips.finding import find_segments
from bof.clips.types import ClipAnswer
from bof.engine import Engine
from bof.errors import ImageError, display_name
from bof.images.documents import find_kind
from bof.images.documents.films import FILMS
from bof.options import ClipOptions


@dataclass(frozen=True, slots=True)
class FoundSegments:
    """A film and what it shares. name: as it was given; shown: what messages call it; label: what files about it are
    called.
    """

    name: str
    shown: str
    label: str
    answer: ClipAnswer


def is_film(name: str) -> bool:
    """Is a query of the command line a whole film? A time of one, `film.mp4#t=83.240`, is a picture."""
    if not os.path.isfile(name):
        return False
    try:
        return find_kind(name) is FILMS
    except ImageError:
        return False  # what reads it as a picture says why


def find_clip(engine: Engine, name: str, label: str, options: ClipOptions, top: int) -> FoundSegments:
    """Search with one film. top: at most so many segments, and as many pictures. Raises ImageError."""
    answer = find_segments(engine, name, options)
    return FoundSegments(name, display_name(name), label, answer.first(top))
