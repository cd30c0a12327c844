"""JPEG by Pillow; of a file whose end is missing, what is there."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import BinaryIO

from PIL import JpegImagePlugin

from bof.images.pixels import Picture, decode_image
from bof.images.readers.formats import JPEG, Format
from bof.images.readers.probe import Probe
from bof.images.readers.reader import OpenedPicture
from bof.options import PixelLimit

TRUNCATED = "truncated: the end of the file is missing, and what is there was read"

_END = b"\xff\xd9"
"""The marker behind the last scan (ITU T.81, B.1.1.3): libjpeg leaves flat what should have stood before it."""


class _ImageFile(JpegImagePlugin.JpegImageFile):
    """Pillow's JPEG reader without the resolution: to find it, Pillow parses all EXIF and warns when that is broken."""

    def _read_dpi_from_exif(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class JpegPicture:
    """A JPEG file that was opened."""

    image: _ImageFile
    stream: BinaryIO

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as the header has them."""
        return self.image.size

    def read(self, max_side: PixelLimit | None, *, grey: bool) -> Picture:
        """As OpenedPicture.read. Raises OSError where not even a part of the picture is there."""
        try:
            return decode_image(self.image, max_side, grey=grey)
        except OSError as error:
            if "truncated" not in str(error):
                raise
            self.stream.seek(0)
            ended = _ImageFile(io.BytesIO(self.stream.read() + _END), "")
            picture = decode_image(ended, max_side, grey=grey)
            if picture.pixels.min() == picture.pixels.max():
                raise
            return replace(picture, note=TRUNCATED)


class JpegReader:
    """As PictureReader."""

    @property
    def format(self) -> Format:
        """JPEG."""
        return JPEG

    def matches(self, probe: Probe) -> bool:
        """By its first marker."""
        return probe.head.startswith(b"\xff\xd8\xff")

    def open(self, stream: BinaryIO) -> OpenedPicture:
        """As PictureReader.open."""
        return JpegPicture(_ImageFile(stream, ""), stream)
