"""The formats that Pillow reads by itself: which of its classes, and how the first bytes tell them.

Chosen by content, never by the suffix: files called .jpg that hold a PNG or a WebP are common.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import BinaryIO

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Jpeg2KImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TgaImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from bof.images.readers import formats
from bof.images.readers.formats import Format
from bof.images.readers.iso import brands_of
from bof.images.readers.probe import Probe
from bof.images.readers.reader import OpenedPicture, PillowPicture, PillowReader
from bof.images.readers.tiff_tags import is_of_a_sensor

PNG = PillowReader(formats.PNG, re.compile(rb"\x89PNG\r\n\x1a\n"), PngImagePlugin.PngImageFile)
WEBP = PillowReader(formats.WEBP, re.compile(rb"RIFF.{4}WEBP", re.DOTALL), WebPImagePlugin.WebPImageFile)
BMP = PillowReader(  # with one of the sizes of header that there are: two letters begin many a text
    formats.BMP, re.compile(rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL), BmpImagePlugin.BmpImageFile
)
GIF = PillowReader(formats.GIF, re.compile(rb"GIF8[79]a"), GifImagePlugin.GifImageFile)
PNM = PillowReader(formats.PNM, re.compile(rb"P[1-6](?:\s|#[^\n]*\n)+\d"), PpmImagePlugin.PpmImageFile)
JPEG_2000 = PillowReader(
    formats.JPEG_2000,
    re.compile(rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  \r\n\x87\n", re.DOTALL),
    Jpeg2KImagePlugin.Jpeg2KImageFile,
)


class TiffReader:
    """A TIFF file that is no RAW: see `raw`."""

    @property
    def format(self) -> Format:
        """TIFF."""
        return formats.TIFF

    def matches(self, probe: Probe) -> bool:
        """By its first bytes and its directories."""
        return re.match(rb"II[*+]\0|MM\0[*+]", probe.head) is not None and not is_of_a_sensor(probe)

    def open(self, stream: BinaryIO) -> OpenedPicture:
        """As PictureReader.open."""
        return PillowPicture(TiffImagePlugin.TiffImageFile(stream, ""))


class AvifReader:
    """AVIF: the container of HEIC, with pictures of another codec."""

    @property
    def format(self) -> Format:
        """AVIF."""
        return formats.AVIF

    def matches(self, probe: Probe) -> bool:
        """By its brands."""
        return bool({b"avif", b"avis"} & set(brands_of(probe)))

    def open(self, stream: BinaryIO) -> OpenedPicture:
        """As PictureReader.open."""
        return PillowPicture(AvifImagePlugin.AvifImageFile(stream, ""))


_TGA_FOOTER = b"TRUEVISION-XFILE.\0"
_TGA_DEPTHS = {1: (8,), 2: (16, 24, 32), 3: (8, 16), 9: (8,), 10: (16, 24, 32), 11: (8, 16)}
"""Bits a pixel by type of image: with a palette, in colour, grey; from 9 on the same, packed."""


@dataclass(frozen=True, slots=True)
class TgaReader:
    """TGA begins with no mark: it is known by its footer, or, of a file that is called so, by a sound header."""

    @property
    def format(self) -> Format:
        """TGA."""
        return formats.TGA

    def matches(self, probe: Probe) -> bool:
        """By its footer, or its name and header."""
        if len(probe.head) < 18 or not _is_tga_header(probe.head):
            return False
        return probe.suffix in formats.TGA.suffixes or probe.at(-len(_TGA_FOOTER), 18) == _TGA_FOOTER

    def open(self, stream: BinaryIO) -> OpenedPicture:
        """As PictureReader.open."""
        return PillowPicture(TgaImagePlugin.TgaImageFile(stream, ""))


def _is_tga_header(head: bytes) -> bool:
    _, map_type, kind, _, _, _, _, _, width, height, depth, flags = struct.unpack_from("<BBBHHBHHHHBB", head)
    is_whole = width > 0 and height > 0 and not flags & 0xC0
    return is_whole and map_type in (0, 1) and depth in _TGA_DEPTHS.get(kind, ())
