"""What a file with several pictures is, whatever its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

DOCUMENT_SUFFIXES: frozenset[str] = frozenset({".zip", ".cbz"})
"""Of files that hold pictures and are none themselves."""

MAX_PARTS = 10_000
"""More pictures of one file are not indexed; what is left is said."""

MIN_SIDE_PX = 100
"""A smaller picture in a document is an ornament: a bullet, a rule, an icon."""


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

    def matches(self, head: bytes) -> bool:
        """Do a file's first bytes announce this kind?"""

    def open(self, file: str) -> Document:
        """Open a file of this kind. Raises ImageError where it is broken, or encrypted."""
