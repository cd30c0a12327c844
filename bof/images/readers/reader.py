"""What a reader of a picture format is: the protocol that bof's own readers and those of plug-ins follow."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, BinaryIO, Protocol

from PIL import Image

from bof.images.pixels import Picture, View, decode_image, decode_image_views
from bof.images.readers.formats import Format
from bof.images.readers.probe import Probe
from bof.options import PixelLimit


class OpenedPicture(Protocol):
    """A picture whose header was read, and no pixel yet."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, as stored; what it takes to decode goes by them."""

    def read(self, max_side: PixelLimit | None, *, grey: bool) -> Picture:
        """The pixels. max_side: the long side is shrunk to this; grey: u8 (h, w), else RGB u8 (h, w, 3)."""


class PictureReader(Protocol):
    """Reads one format. A plug-in names one under the entry point group `bof.readers`."""

    @property
    def format(self) -> Format:
        """What it reads."""

    def matches(self, probe: Probe) -> bool:
        """Is it a file of this format, by its content? Reads little, and raises nothing."""

    def open(self, stream: BinaryIO) -> OpenedPicture:
        """The picture in a file. Raises anything where the file is broken; memory and time are limited by others."""


@dataclass(frozen=True, slots=True)
class PillowPicture:
    """A picture that Pillow has opened."""

    image: Image.Image

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as the header has them."""
        return self.image.size

    def read(self, max_side: PixelLimit | None, *, grey: bool) -> Picture:
        """As OpenedPicture.read."""
        return decode_image(self.image, max_side, grey=grey)

    def read_views(self, views: Sequence[View]) -> list[Picture]:
        """Several, decoded once."""
        return decode_image_views(self.image, views)


@dataclass(frozen=True, slots=True)
class PillowReader:
    """A format that a reader class of Pillow's reads, known by its first bytes."""

    format: Format
    magic: re.Pattern[bytes]
    image_file: Callable[[IO[bytes], str], Image.Image]

    def matches(self, probe: Probe) -> bool:
        """As PictureReader.matches."""
        return self.magic.match(probe.head) is not None

    def open(self, stream: BinaryIO) -> OpenedPicture:
        """As PictureReader.open."""
        return PillowPicture(self.image_file(stream, ""))
