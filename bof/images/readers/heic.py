"""HEIC and HEIF by pi-heif (libheif, libde265; it only decodes): what telephones store. libheif turns it upright."""

from __future__ import annotations

from typing import BinaryIO

from bof.images.readers.formats import HEIC, Format
from bof.images.readers.iso import brands_of
from bof.images.readers.probe import Probe
from bof.images.readers.reader import OpenedPicture, PillowPicture

_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}


class HeicReader:
    """As PictureReader. A file may have the brands of AVIF too: `AvifReader` comes first."""

    @property
    def format(self) -> Format:
        """HEIC."""
        return HEIC

    def matches(self, probe: Probe) -> bool:
        """By its brands."""
        return bool(_BRANDS & set(brands_of(probe)))

    def open(self, stream: BinaryIO) -> OpenedPicture:
        """As PictureReader.open."""
        from pi_heif import HeifImageFile

        return PillowPicture(HeifImageFile(stream, ""))
