"""ICO: the largest of the pictures in a file of icons. Each is a PNG, or a bitmap of at most 256 x 256 pixels."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import BinaryIO

from PIL import IcoImagePlugin, PngImagePlugin

from bof.images.readers.formats import ICO, Format
from bof.images.readers.probe import Probe
from bof.images.readers.reader import OpenedPicture, PillowPicture

_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_ICONS = 256


@dataclass(frozen=True, slots=True)
class _Icon:
    """An entry of the directory, and its size as its own header has it; a bitmap's is twice as high, with the mask."""

    entry: bytes
    data: bytes
    width: int
    height: int


class IcoReader:
    """As PictureReader."""

    @property
    def format(self) -> Format:
        """ICO."""
        return ICO

    def matches(self, probe: Probe) -> bool:
        """By a directory that is sound: its mark is four bytes that many other files begin with."""
        head = probe.head
        if len(head) < 22 or not head.startswith(b"\0\0\1\0"):
            return False
        n_icons, (n_bytes, offset) = int.from_bytes(head[4:6], "little"), struct.unpack_from("<II", head, 14)
        return 0 < n_icons <= _MOST_ICONS and head[9] == 0 and n_bytes > 0 and offset >= 6 + 16 * n_icons

    def open(self, stream: BinaryIO) -> OpenedPicture:
        """As PictureReader.open. Raises ValueError for a bitmap whose header says more than the directory can."""
        largest = max(_icons(stream.read()), key=lambda icon: icon.width * icon.height)
        if largest.data.startswith(_PNG):
            return PillowPicture(PngImagePlugin.PngImageFile(io.BytesIO(largest.data), ""))
        if not (0 < largest.width <= 256 and 0 < largest.height <= 256):
            raise ValueError(f"expected a bitmap of 1 to 256 pixels, found {largest.width} x {largest.height}")
        sides = bytes((largest.width % 256, largest.height % 256))
        single = b"\0\0\1\0\1\0" + sides + largest.entry[2:12] + struct.pack("<I", 22) + largest.data
        return PillowPicture(IcoImagePlugin.IcoImageFile(io.BytesIO(single), ""))


def _icons(data: bytes) -> list[_Icon]:
    n_icons = min(int.from_bytes(data[4:6], "little"), _MOST_ICONS)
    return [_icon(data, 6 + 16 * number) for number in range(n_icons)]


def _icon(data: bytes, at: int) -> _Icon:
    entry = data[at : at + 16]
    n_bytes, offset = struct.unpack_from("<II", entry, 8)
    body = data[offset : offset + n_bytes]
    if body.startswith(_PNG):
        return _Icon(entry, body, *struct.unpack_from(">II", body, 16))
    width, height = struct.unpack_from("<ii", body, 4)
    return _Icon(entry, body, width, abs(height) // 2)
