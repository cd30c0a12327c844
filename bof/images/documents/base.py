"""What a file with several pictures is, whatever its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Protocol

from bof.images.films.film import FILM_EXTRA, can_read_films

_ARCHIVE_SUFFIXES = frozenset({".zip", ".cbz"})
PDF_SUFFIX, PDF_EXTRA, PDF_LIBRARY = ".pdf", "pdf", "pypdfium2"

MAX_PARTS = 10_000
"""More pictures of one file are not indexed; what is left is said."""

MIN_SIDE_PX = 100
"""A smaller picture in a document is an ornament: a bullet, a rule, an icon."""


_FILMS = "mp4 m4v mov qt avi divx mkv webm wmv asf mpg mpeg mts m2ts 3gp 3g2 flv f4v ogv ogm vob mxf insv lrv"
FILM_SUFFIXES: frozenset[str] = frozenset(f".{suffix}" for suffix in _FILMS.split())
SHARED_SUFFIX = ".ts"
"""Of films (MPEG-TS) and of programs in TypeScript: content tells."""


def missing_extra(suffix: str) -> str:
    """What of bof must be installed before files of this suffix are looked into: `pdf`; nothing where they are."""
    if suffix == PDF_SUFFIX:
        return PDF_EXTRA if find_spec(PDF_LIBRARY) is None else ""
    return FILM_EXTRA if suffix in {*FILM_SUFFIXES, SHARED_SUFFIX} and not can_read_films() else ""


_OPTIONAL_SUFFIXES = FILM_SUFFIXES | {PDF_SUFFIX}
DOCUMENT_SUFFIXES: frozenset[str] = _ARCHIVE_SUFFIXES | {each for each in _OPTIONAL_SUFFIXES if not missing_extra(each)}
"""Of files that hold pictures and are none themselves, as far as what reads them is installed."""


class Document(Protocol):
    """An opened file with several pictures. It is hostile: what it says of itself is checked before it is used."""

    @property
    def parts(self) -> Sequence[str]:
        """The parts that are pictures, in order, as `Address.part` has them; none where the file is one picture."""

    @property
    def others(self) -> Mapping[str, int]:
        """What else it holds and is not indexed: how many, by kind."""

    def read(self, part: str, max_pixels: int) -> bytes:
        """A picture file that `decode` reads and that shows the part.

        Raises PictureTooLargeError before so many pixels are decoded, ImageError where there is no such part, or it is
        broken.
        """

    def close(self) -> None:
        """Give the file back."""


class DocumentKind(Protocol):
    """One kind of such files."""

    @property
    def name(self) -> str:
        """What messages call it."""

    @property
    def is_picture(self) -> bool:
        """Is it a picture file too, read as that picture where it holds no more?"""

    @property
    def is_isolated(self) -> bool:
        """Is it read in a process of its own alone, because what reads it may take that down, or much memory?"""

    def matches(self, head: bytes) -> bool:
        """Do a file's first bytes announce this kind?"""

    def open(self, file: str) -> Document:
        """Open a file of this kind. Raises ImageError where it is broken, or encrypted."""
