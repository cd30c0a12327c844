"""JPEG XL by whatever plug-in of Pillow the user has installed; bof depends on none.

pillow-jxl-plugin decodes a file as soon as it is opened, so the size is read from the header here, and nothing is
decoded before it was judged (ISO 18181-1, SizeHeader; ISO 18181-2, boxes).
"""

from __future__ import annotations

import contextlib
import importlib
import io
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image

from bof.images.pixels import Picture, decode_image
from bof.images.readers.formats import JPEG_XL, Format
from bof.images.readers.probe import Probe
from bof.images.readers.reader import OpenedPicture
from bof.options import PixelLimit

_BOX = b"\0\0\0\x0cJXL \r\n\x87\n"
_CODESTREAM = b"\xff\x0a"
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
_SIDE_BITS = (9, 13, 18, 30)
_MOST_BOXES = 64


class JpegXlReader:
    """As PictureReader."""

    @property
    def format(self) -> Format:
        """JPEG XL."""
        return JPEG_XL

    def matches(self, probe: Probe) -> bool:
        """By its first bytes."""
        return probe.head.startswith((_BOX, _CODESTREAM))

    def open(self, stream: BinaryIO) -> OpenedPicture:
        """As PictureReader.open. Raises ValueError where no size is in the header."""
        data = stream.read()
        return JpegXlPicture(data, *read_size(_codestream(data)))


@dataclass(frozen=True, slots=True)
class JpegXlPicture:
    """A file whose size is known, and which no plug-in has seen yet."""

    data: bytes
    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as the header has them."""
        return self.width, self.height

    def read(self, max_side: PixelLimit | None, *, grey: bool) -> Picture:
        """As OpenedPicture.read. A decoder turns the picture upright itself, so its EXIF must not turn it again."""
        for module in JPEG_XL.modules:
            with contextlib.suppress(ImportError):
                importlib.import_module(module)
        factory, _ = Image.OPEN["JXL"] if "JXL" in Image.OPEN else Image.OPEN["JPEG XL"]
        image = factory(io.BytesIO(self.data), "")
        image.load()
        image.info.pop("exif", None)
        return decode_image(image, max_side, grey=grey)


def _codestream(data: bytes) -> bytes:
    """Where the codestream begins: all of the file, or the first box that holds some of it."""
    if data.startswith(_CODESTREAM):
        return data
    at = len(_BOX)
    for _ in range(_MOST_BOXES):
        n_bytes, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        body = at + (16 if n_bytes == 1 else 8)
        if kind in (b"jxlc", b"jxlp"):
            return data[body + (4 if kind == b"jxlp" else 0) :]
        at += int.from_bytes(data[at + 8 : at + 16], "big") if n_bytes == 1 else max(n_bytes, 8)
    raise ValueError("expected a codestream, found none")


def read_size(codestream: bytes) -> tuple[int, int]:
    """Width and height of the SizeHeader behind the mark. Raises ValueError where it is no codestream."""
    if not codestream.startswith(_CODESTREAM) or len(codestream) < 12:
        raise ValueError("expected the header of a codestream, found none")
    bits = _Bits(int.from_bytes(codestream[2:18], "little"))
    is_small = bits.take(1) == 1
    height = _side(bits, is_small)
    ratio = bits.take(3)
    if ratio == 0:
        return _side(bits, is_small), height
    across, down = _RATIOS[ratio]
    return height * across // down, height


def _side(bits: _Bits, is_small: bool) -> int:
    if is_small:
        return 8 * (bits.take(5) + 1)
    return bits.take(_SIDE_BITS[bits.take(2)]) + 1


class _Bits:
    """Takes bits of a number, the lowest first."""

    def __init__(self, value: int) -> None:
        self._value = value

    def take(self, n: int) -> int:
        """The next n."""
        taken = self._value & ((1 << n) - 1)
        self._value >>= n
        return taken
