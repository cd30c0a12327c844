"""Pictures from files: their bytes, their sizes, their pixels, whatever the format.

`readers` knows the formats. Pillow does most decoding, OpenCV only resizes and turns. Measured on JPEG in grey,
Pillow's draft mode gives the very bytes of cv2.imdecode at nearly its speed, and it is silent, whereas the libjpeg and
libpng inside OpenCV write to stderr past any log level. Pillow's reader classes are called directly, not through
Image.open, whose decompression bomb check is a process-wide setting; the cap here is a parameter.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Sequence
from pathlib import Path

from bof.errors import ImageError, reason_of
from bof.images.pixels import Picture as Picture
from bof.images.pixels import View as View
from bof.images.pixels import correlation as correlation
from bof.images.pixels import crop as crop
from bof.images.pixels import decode_image as decode_image
from bof.images.pixels import shrink as shrink
from bof.images.pixels import to_grey as to_grey
from bof.images.pixels import to_rgb as to_rgb
from bof.images.readers import find_reader
from bof.images.readers.formats import FORMATS, describe_formats
from bof.images.readers.others import describe_content
from bof.images.readers.probe import Probe
from bof.images.readers.reader import PictureReader, PillowPicture
from bof.images.regular import open_regular
from bof.options import MAX_PIXELS, PixelLimit

_DECODED_ONCE = frozenset({"PNG", "WebP", "TIFF", "BMP", "GIF", "PNM", "AVIF", "JPEG 2000", "TGA"})
"""Formats whose views are made of the whole picture. Of the others the decoder itself makes grey, or other sizes."""


class NotAPictureError(ImageError):
    """A file is empty, or is no picture of a known kind."""


class MissingReaderError(NotAPictureError):
    """A file is a picture of a known kind, and what reads it is not installed."""


class PictureTooLargeError(ImageError):
    """A picture has more pixels, n_pixels, than may be decoded."""

    def __init__(self, name: str, width: int, height: int, max_pixels: int) -> None:
        self.n_pixels = width * height
        found = f"{width} x {height} = {self.n_pixels}"
        super().__init__("too large", path=name, expected=f"at most {max_pixels} pixels", found=found)


# -- Finding and reading files ----------------------------------------------------------------------------------------


def read_bytes(path: Path, *, max_bytes: int | None = None) -> bytes:
    """The bytes of a regular file; ImageError with the reason for anything else: folders, pipes, devices, no access.

    max_bytes: a larger file is refused before any of it is read.
    """
    try:
        return _read_regular(path, max_bytes)
    except (OSError, ValueError, MemoryError) as error:  # ValueError: a NUL in the path
        raise ImageError(f"cannot read: {reason_of(error)}", path=path) from error


def _read_regular(path: Path, max_bytes: int | None) -> bytes:
    with open_regular(path) as file:
        n_bytes = os.fstat(file.fileno()).st_size
        if max_bytes is not None and n_bytes > max_bytes:
            raise OSError(f"expected at most {max_bytes} bytes, found {n_bytes}")
        return file.read()


def read_size(path: Path) -> tuple[int, int]:
    """Width and height as the header of a picture file has them, before EXIF; of most formats nothing else is read.

    Raises ImageError where the file is no picture, or its header cannot be read.
    """
    try:
        with open_regular(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader = _reader(Probe.of_stream(file, os.fspath(path)), os.fspath(path))
            return reader.open(file).size
    except ImageError:
        raise
    except Exception as error:  # as in `decode`
        raise ImageError(path=path, expected="the header of a picture", found=reason_of(error)) from error


# -- Decoding ---------------------------------------------------------------------------------------------------------


def read_image(
    path: Path, *, max_side: PixelLimit | None = None, max_pixels: int = MAX_PIXELS, grey: bool = False
) -> Picture:
    """The picture in a file: read_bytes, then decode, whose options these are; ImageError names the path."""
    return decode(read_bytes(path), max_side=max_side, max_pixels=max_pixels, grey=grey, name=os.fspath(path))


def decode(
    data: bytes,
    *,
    max_side: PixelLimit | None = None,
    max_pixels: int = MAX_PIXELS,
    grey: bool = False,
    name: str = "picture",
) -> Picture:
    """The picture that a file's bytes hold: first frame, EXIF orientation applied, alpha on white, 8 bits a channel.

    max_side: the long side in pixels, or the extent, is shrunk to this, never enlarged; max_pixels: more than this in
    the header is refused before any pixel is decoded; grey: pixels u8 (h, w), otherwise RGB u8 (h, w, 3); name: for
    messages.
    16-bit pictures are scaled by 8, 12 or 16 bits, whichever holds their largest value. A JPEG whose end is missing
    gives what is there; the picture's note says so.
    Raises ImageError when the data is empty, truncated, broken, too large or no picture, MissingReaderError where what
    reads its format is not installed.
    """
    return _decode(data, [(max_side, grey)], max_pixels, name)[0]


def decode_views(
    data: bytes, views: Sequence[View], *, max_pixels: int = MAX_PIXELS, name: str = "picture"
) -> list[Picture]:
    """The picture in several views, each with the bits that `decode` makes of it; decoded once where that gives them.

    Raises ImageError as `decode` does.
    """
    if kind_of(data, name) in _DECODED_ONCE:
        return _decode(data, views, max_pixels, name)
    return [_decode(data, [view], max_pixels, name)[0] for view in views]


def _decode(data: bytes, views: Sequence[View], max_pixels: int, name: str) -> list[Picture]:
    """One view, or several of a picture that Pillow reads."""
    reader = _reader(Probe.of_bytes(data, name), name)
    try:
        # The bytes are hostile: decoders answer with nearly every exception there is, and all mean the same to us.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of tags that nobody here reads
            opened = reader.open(io.BytesIO(data))
            _check_size(opened.size, max_pixels, name)
            if isinstance(opened, PillowPicture):
                return opened.read_views(views)
            return [opened.read(max_side, grey=grey) for max_side, grey in views]
    except ImageError:
        raise
    except Exception as error:
        found = f"a broken, truncated or unsupported one: {reason_of(error)}"
        raise ImageError(path=name, expected=f"a whole {reader.format.kind} picture", found=found) from error


def kind_of(data: bytes, name: str = "") -> str | None:
    """What kind of picture a file's bytes announce (`JPEG`, as readers/formats.py has it), None for none.

    The first bytes will do, but to tell RAW from TIFF. name: of the file; a TGA without a footer needs its suffix.
    """
    reader = find_reader(Probe.of_bytes(data, name))
    return reader.format.kind if reader else None


def kind_of_file(path: Path) -> str | None:
    """The same of a file, of which little is read; None also for what is no regular file, or cannot be read."""
    try:
        with open_regular(path) as file:
            reader = find_reader(Probe.of_stream(file, path.name))
    except (OSError, ValueError):
        return None
    return reader.format.kind if reader else None


def is_isolated(data: bytes, name: str = "") -> bool:
    """Is this in a format whose decoder should have a process of its own?"""
    reader = find_reader(Probe.of_bytes(data, name))
    return reader is not None and reader.format.is_isolated


def _reader(probe: Probe, name: str) -> PictureReader:
    """The reader of a file. Raises NotAPictureError for an empty one, and for what nobody here can read."""
    if not probe.head:
        raise NotAPictureError(path=name, expected="a picture", found="an empty file")
    reader = find_reader(probe)
    if reader is None:
        what = describe_content(probe.head)
        found = f"{what}, a file that begins with {probe.head[:8]!r}"
        raise NotAPictureError(path=name, expected=f"a picture ({describe_formats(FORMATS)})", found=found)
    if not reader.format.is_readable:
        known = reader.format
        advice = f"install it with: {known.advice}" if known.extra else known.advice
        problem = f"a {known.kind} picture, which needs {known.library}"
        raise MissingReaderError(problem, path=name, advice=advice)
    return reader


def _check_size(size: tuple[int, int], max_pixels: int, name: str) -> None:
    width, height = size
    if width * height > max_pixels:
        raise PictureTooLargeError(name, width, height, max_pixels)
