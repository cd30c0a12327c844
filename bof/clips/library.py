"""The films of an index: which of its images are keyframes of which film, and when they were taken."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path

from bof.engine import Engine
from bof.errors import ImageError
from bof.images.address import Address
from bof.images.films.film import Film
from bof.images.films.times import FrameTimes, times_of
from bof.images.films.types import FilmFacts
from bof.store.catalog import CatalogueColumns


@dataclass(frozen=True, slots=True)
class IndexedFilm:
    """A film of the index: its number here, its name and the path of its file."""

    number: int
    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class FilmLibrary:
    """Looks up the films of images as they are asked for; numbers are given in that order."""

    rows: CatalogueColumns
    films: list[IndexedFilm] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)
    _known: dict[int, tuple[IndexedFilm, FrameTimes] | None] = field(default_factory=dict)
    _facts: dict[int, FilmFacts | None] = field(default_factory=dict)

    def keyframe(self, image: int) -> tuple[IndexedFilm, FrameTimes] | None:
        """The film and the times of an image that is a keyframe; None for a picture."""
        if image not in self._known:
            self._known[image] = self._look_up(image)
        return self._known[image]

    def facts(self, number: int) -> FilmFacts | None:
        """What a film says of itself, where its file is at hand. It is opened once."""
        if number not in self._facts:
            self._facts[number] = None
            with contextlib.suppress(ImageError), Film(str(self.films[number].path)) as film:
                self._facts[number] = film.facts
        return self._facts[number]

    def _look_up(self, image: int) -> tuple[IndexedFilm, FrameTimes] | None:
        path = self.rows.paths[image]
        address = Address.parse(path)
        times = times_of(address.part)
        if times is None:
            return None
        number = self._numbers.setdefault(address.file, len(self.films))
        if number == len(self.films):
            name = Address.file_name(path, self.rows.names[image])
            self.films.append(IndexedFilm(number, name, Path(address.file)))
        return self.films[number], times


def why_not_read(engine: Engine, library: FilmLibrary, image: int) -> str:
    """Why the file of a keyframe's film cannot be compared; empty where it is what was indexed."""
    found = engine.select(ids=[int(library.rows.id[image])]).records
    if not found:
        return "it left the index meanwhile"
    if not Path(Address.parse(found[0].path).file).is_file():
        return "its file is gone"
    return "" if found[0].file.is_current() else "its file has changed since it was indexed"
