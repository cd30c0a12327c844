"""One picture of unknown origin for a command: a small one is decoded here, others in a child that may die of it.

Others are large, or in a format whose decoder is less tried (HEIC, RAW, SVG, JPEG XL, those of plug-ins). A child takes
longer to start than most searches take; 24 million pixels take 530 MB to decode at the worst. Nothing is read or
decoded before its size is known.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bof.errors import ImageError, display_name, reason_of
from bof.images.address import Address, is_part
from bof.images.decode import Picture, PictureTooLargeError, View, decode, decode_views, is_isolated, read_bytes
from bof.images.opening import read_content, require_one_picture, sha256_of_picture
from bof.options import MAX_PIXELS, PixelLimit
from bof.system.memory import DECODE_BYTES, machine_memory
from bof.system.workers import Limits, LostItem, run_in_workers

log = logging.getLogger("bof")

SMALL_PIXELS, SMALL_BYTES = 24_000_000, 64 << 20
"""What is decoded here has no more pixels, by its header, and its file no more bytes."""

_MOST_BYTES = 8 * MAX_PIXELS + SMALL_BYTES
"""A file with more holds no picture that may be decoded: 16 bits of red, green, blue and alpha, and what is beside."""

_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Item:
    """A picture as the bytes of its file, or where the file lies; and what to decode of it, a view or two."""

    source: bytes | Path
    views: Sequence[View]
    name: str


@dataclass(frozen=True, slots=True)
class LimitedReader:
    """Reads pictures in `n_bytes` of memory: the file, and what decoding it takes."""

    n_bytes: int

    @classmethod
    def of(cls, megabytes: int) -> LimitedReader:
        """As the option --memory has it; 0: half of what the machine has."""
        return cls(megabytes << 20 or machine_memory() // 2)

    @property
    def max_bytes(self) -> int:
        """The largest file that is read."""
        return min(_MOST_BYTES, self.n_bytes)

    def load(self, path: Path) -> bytes | Path:
        """A file as `decode` takes it: its bytes, or its path where it is large or a part of a file. Raises ImageError.

        path: as a person writes it, `a.pdf#page=12` for a page.
        """
        address = Address.parse_spoken(os.fspath(path))
        if address.part:
            return Path(str(address))
        require_one_picture(address.file)
        try:
            if path.stat().st_size > SMALL_BYTES:
                return path
        except (OSError, ValueError):
            pass  # read_bytes says why
        return read_bytes(path, max_bytes=SMALL_BYTES)

    def load_stream(self, stream: BinaryIO, name: str) -> bytes:
        """All that a stream holds. Raises ImageError where that is too much."""
        data = stream.read(self.max_bytes + 1)
        if len(data) > self.max_bytes:
            raise ImageError("too large", path=name, expected=f"at most {self.max_bytes} bytes", found="more")
        return data

    def decode(self, source: bytes | Path, *, max_side: PixelLimit | None, grey: bool, name: str) -> Picture:
        """The picture, as `decode.decode` has it. Raises ImageError, also where its process does not survive it."""
        return self.decode_views(source, [(max_side, grey)], name)[0]

    def decode_views(self, source: bytes | Path, views: Sequence[View], name: str) -> list[Picture]:
        """Several views of the picture, as `decode.decode_views` has them; where a child is needed, in one."""
        pictures = self._decode(Item(source, views, name))
        if pictures[0].note:
            log.warning("%s: %s", display_name(name), pictures[0].note)
        return pictures

    def _decode(self, item: Item) -> list[Picture]:
        if _is_harmless(item.source, item.name):
            return self.decode_here(item)
        (found,) = run_in_workers(f"{__name__}:decode_in_worker", self, [item], 1, Limits(_SECONDS, self.n_bytes))
        if isinstance(found, list):
            return found
        raise ImageError(found.reason, path=item.name) if isinstance(found, LostItem) else found

    def decode_here(self, item: Item) -> list[Picture]:
        """The views in this process."""
        source = item.source
        n_most = self.n_bytes // DECODE_BYTES
        data = source if isinstance(source, bytes) else self._read(source, min(n_most, MAX_PIXELS))
        n_pixels = n_pixels_of(data, item.name)
        if n_most < n_pixels <= MAX_PIXELS:
            advice = f"it needs {{memory}} {-(-n_pixels * DECODE_BYTES >> 20)} or more"
            expected = f"at most {n_most} pixels"
            raise ImageError("too large", path=item.name, expected=expected, found=n_pixels, advice=advice)
        return decode_views(data, item.views, name=item.name)

    def _read(self, path: Path, max_pixels: int) -> bytes:
        return read_content(path, max_bytes=self.max_bytes, max_pixels=max_pixels)


def _is_harmless(source: bytes | Path, name: str) -> bool:
    """Is it small, and in a format that is decoded here? Raises ImageError where it is no picture."""
    if isinstance(source, Path) or len(source) > SMALL_BYTES:
        return False
    return not is_isolated(source, name) and n_pixels_of(source, name) <= SMALL_PIXELS


def content_of(source: bytes | Path) -> str:
    """The sha256 of a picture's file. Raises ImageError."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    try:
        if is_part(source):
            return sha256_of_picture(source, b"")
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ImageError(f"cannot read: {reason_of(error)}", path=source) from error


def n_pixels_of(data: bytes, name: str) -> int:
    """How many pixels a picture has by its header; nothing else of it is decoded. Raises ImageError."""
    try:
        decode(data, max_pixels=0, name=name)
    except PictureTooLargeError as error:
        return error.n_pixels
    return 0


def decode_in_worker(reader: LimitedReader, item: Item) -> list[Picture] | ImageError:
    """In a process of its own. What is wrong with a picture comes back as a value."""
    try:
        return reader.decode_here(item)
    except ImageError as error:
        if isinstance(error.__cause__, MemoryError):  # the picture may be sound
            raise error.__cause__ from None
        return error
