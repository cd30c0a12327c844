"""Readers of picture formats: each recognises its files by content, and opens them. `find_reader` is the way in."""

from __future__ import annotations

from bof.images.readers.formats import FORMATS, Format, format_of
from bof.images.readers.heic import HeicReader
from bof.images.readers.ico import IcoReader
from bof.images.readers.jpeg import JpegReader
from bof.images.readers.jpeg_xl import JpegXlReader
from bof.images.readers.pillow import BMP, GIF, JPEG_2000, PNG, PNM, WEBP, AvifReader, TgaReader, TiffReader
from bof.images.readers.plug_ins import load_plug_ins
from bof.images.readers.probe import Probe
from bof.images.readers.raw import RawReader
from bof.images.readers.reader import PictureReader
from bof.images.readers.svg import SvgReader

READERS: tuple[PictureReader, ...] = (
    JpegReader(), PNG, WEBP, RawReader(), TiffReader(), BMP, GIF, PNM, AvifReader(), HeicReader(), JPEG_2000,
    JpegXlReader(), IcoReader(), SvgReader(), TgaReader(),
)  # fmt: skip
"""The most frequent first. RAW before TIFF, AVIF before HEIC; TGA, which has no mark, last."""


def find_reader(probe: Probe) -> PictureReader | None:
    """The reader of a file's format, whether or not its library is installed; None where nobody knows the format."""
    own = next((reader for reader in READERS if reader.matches(probe)), None)
    return own or next((reader for reader in load_plug_ins() if reader.matches(probe)), None)


def format_named(kind: str) -> Format | None:
    """The format of this kind, bof's own or a plug-in's."""
    own = next((each for each in FORMATS if each.kind == kind), None)
    return own or next((reader.format for reader in load_plug_ins() if reader.format.kind == kind), None)


def is_picture_suffix(suffix: str) -> bool:
    """Is a file with this suffix, in lower case, a picture by its name, in a format that can be read here?"""
    known = format_of(suffix)
    return known is not None and known.is_readable
