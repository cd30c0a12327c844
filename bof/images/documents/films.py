"""Films as files with several pictures: any frame is one, by its time. (A first version.)"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PIL import Image

from bof.errors import ImageError, reason_of
from bof.images.decode import PictureTooLargeError
from bof.images.films.film import Film
from bof.images.films.times import times_of

FILM_SUFFIXES = frozenset(
    f".{suffix}"
    for suffix in [
        "mp4",
        "mov",
        "m4v",
        "avi",
        "mkv",
        "webm",
        "wmv",
        "mpg",
        "mpeg",
        "mts",
        "m2ts",
        "ts",
        "3gp",
        "flv",
        "ogv",
    ]
)
_MAGIC = re.compile(
    rb".{4}(?:ftyp(?!avi[fs]|heic|heix|mif1)|moov|mdat)|RIFF.{4}AVI |\x1aE\xdf\xa3|\0\0\x01[\xb3\xba]|FLV", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class FilmKind:
    """Films."""

    name: str = "film"
    is_picture: bool = False
    is_isolated: bool = True

    def matches(self, head: bytes) -> bool:
        """Do a file's first bytes announce a film?"""
        return _MAGIC.match(head) is not None

    def open(self, file: str) -> FilmDocument:
        """Open a film. Raises ImageError where it is broken."""
        try:
            return FilmDocument(file, Film(file))
        except Exception as error:
            raise ImageError(path=file, expected="a film", found=reason_of(error)) from error


@dataclass(slots=True)
class FilmDocument:
    """An open film."""

    file: str
    film: Film
    parts: Sequence[str] = ()
    others: Mapping[str, int] = field(default_factory=dict)

    def read(self, part: str, max_pixels: int) -> bytes:
        """The frame that is shown at the time of a part, as PNM."""
        times = times_of(part)
        if times is None:
            raise ImageError(path=self.file, expected="a time in seconds", found=part)
        facts = self.film.facts
        if facts.width * facts.height > max_pixels:
            raise PictureTooLargeError(self.file, facts.width, facts.height, max_pixels)
        try:
            frame = self.film.frame_at(times.time)
        except StopIteration:
            raise ImageError(path=self.file, expected="a time of the film", found=part) from None
        written = io.BytesIO()
        Image.fromarray(frame.pixels).save(written, "PPM")
        return written.getvalue()

    def close(self) -> None:
        """Give the file back."""
        self.film.close()


FILMS = FilmKind()
