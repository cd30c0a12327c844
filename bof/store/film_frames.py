"""Which images of a collection are frames of films, and of which film and which shot."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from bof.images.address import Address
from bof.images.films.times import times_of
from bof.store.catalog.catalogue_columns import Texts
from bof.types import I32, I64, Bool

_MARK = re.compile(re.escape(b"#t="))


@dataclass(frozen=True, slots=True)
class FilmFrames:
    """The frames among n images: film i32 (n,) and shot i32 (n,), the number of each one's film and of its shot in the
    collection, -1 of a picture that is no frame of a film.
    """

    film: I32
    shot: I32

    @property
    def is_frame(self) -> Bool:
        """Which images are frames, bool (n,)."""
        return np.asarray(self.film >= 0, np.bool_)

    def first_of_each(self, images: I64, *, by_shot: bool = False) -> Bool:
        """Of images i64 (k,), best first: which are pictures, or the first of their film (shot), bool (k,)."""
        number = (self.shot if by_shot else self.film)[images]
        found = number < 0
        found[np.unique(number, return_index=True)[1]] = True
        return np.asarray(found, np.bool_)

    def place_in_film(self, images: I64) -> I64:
        """Of images i64 (k,), best first: how many of the same film come before each, i64 (k,); 0 of a picture."""
        film = self.film[images]
        order = np.argsort(film, kind="stable")
        ordered = film[order]
        starts = np.flatnonzero(np.diff(ordered, prepend=np.int32(-2)) != 0)
        sizes = np.diff(np.append(starts, len(ordered)))
        place = np.empty(len(film), np.int64)
        place[order] = np.arange(len(ordered)) - np.repeat(starts, sizes)
        return np.where(film < 0, 0, place)


def find_film_frames(paths: Texts) -> FilmFrames | None:
    """The frames among images with these paths; None where there is none. That costs next to nothing."""
    content = paths.content.tobytes()
    places = np.array([found.start() for found in _MARK.finditer(content)], np.int64)
    if not len(places):
        return None
    number_of: dict[object, int] = {}
    shots: dict[object, int] = {}
    film, shot = (np.full(len(paths), -1, np.int32) for _ in range(2))
    for image in np.unique(np.searchsorted(paths.ends, places, side="right")).tolist():
        address = Address.parse(paths[image])
        times = times_of(address.part)
        if times is not None:
            film[image] = number_of.setdefault(address.file, len(number_of))
            shot[image] = shots.setdefault((address.file, times.start, times.stop), len(shots))
    return FilmFrames(film, shot) if number_of else None
