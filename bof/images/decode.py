"""Pictures from files: find them in folders, read any common kind, upright and 8 bit.

Pillow does all decoding, OpenCV only resizes and turns. Measured on JPEG in grey, Pillow's draft mode gives the very
bytes of cv2.imdecode at nearly its speed, and it is silent, whereas the libjpeg and libpng inside OpenCV write to
stderr past any log level. Pillow's reader classes are called directly, not through Image.open, whose decompression
bomb check is a process-wide setting; the cap here is a parameter.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import os
import re
import stat
import struct
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from bof.errors import ImageError, reason_of
from bof.options import MAX_PIXELS
from bof.types import U8, Box

log = logging.getLogger("bof")


class _Jpeg(JpegImagePlugin.JpegImageFile):
    """Pillow's JPEG reader without the resolution: to find it, Pillow parses all EXIF and warns when that is broken."""

    def _read_dpi_from_exif(self) -> None:
        pass


# Chosen by the first bytes, never by the suffix: files called .jpg that hold a PNG or a WebP are common.
_READERS: tuple[tuple[str, re.Pattern[bytes], Callable[[IO[bytes], str], Image.Image]], ...] = (
    ("JPEG", re.compile(rb"\xff\xd8\xff"), _Jpeg),
    ("PNG", re.compile(rb"\x89PNG\r\n\x1a\n"), PngImagePlugin.PngImageFile),
    ("WebP", re.compile(rb"RIFF.{4}WEBP", re.DOTALL), WebPImagePlugin.WebPImageFile),
    ("TIFF", re.compile(rb"II[*+]\0|MM\0[*+]"), TiffImagePlugin.TiffImageFile),
    ("BMP", re.compile(rb"BM"), BmpImagePlugin.BmpImageFile),
    ("GIF", re.compile(rb"GIF8[79]a"), GifImagePlugin.GifImageFile),
    ("PNM", re.compile(rb"P[1-6]\s"), PpmImagePlugin.PpmImageFile),
    ("AVIF", re.compile(rb".{4}ftyp(avif|avis|mif1)", re.DOTALL), AvifImagePlugin.AvifImageFile),
)

_MAGIC_BYTES = 64
"""More than any of the patterns above needs."""

# EXIF orientation -> cv2.flip code: 1 left-right, 0 up-down, -1 both; 5 to 8 are transposed first.
_FLIP_OF_ORIENTATION = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}
_ORIENTATION_TAG = 0x0112


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture: pixels u8 (h, w) grey or (h, w, 3) RGB, maybe shrunk and maybe read-only.

    width, height: the original upright picture's size in pixels, before any shrinking.
    """

    pixels: U8
    width: int
    height: int

    def __repr__(self) -> str:
        shape = f", pixels {self.pixels.shape[1]} x {self.pixels.shape[0]}" if hasattr(self.pixels, "shape") else ""
        kind = "grey" if getattr(self.pixels, "ndim", 0) == 2 else "RGB"
        return f"Picture({self.width} x {self.height}, {kind}{shape})"


View = tuple[int | None, bool]
"""Of a decoded picture: its longest side, None for all of it; in grey, else in RGB."""


class NotAPictureError(ImageError):
    """A file is empty, or is no picture of a known kind."""


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
    with _open_regular(path) as file:
        n_bytes = os.fstat(file.fileno()).st_size
        if max_bytes is not None and n_bytes > max_bytes:
            raise OSError(f"expected at most {max_bytes} bytes, found {n_bytes}")
        return file.read()


@contextlib.contextmanager
def _open_regular(path: Path) -> Iterator[io.BufferedReader]:
    # Opening a FIFO waits for its writer unless O_NONBLOCK; Windows has no such flag, and needs O_BINARY.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("expected a regular file, found a pipe, a device or a folder")
        yield file


def read_size(path: Path) -> tuple[int, int]:
    """Width and height as the header of a picture file has them, before EXIF; of most kinds nothing else is read.

    Raises ImageError where the file is no picture, or its header cannot be read.
    """
    try:
        with _open_regular(path) as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _, reader = _reader(file.read(_MAGIC_BYTES), os.fspath(path))
            file.seek(0)
            return reader(file, "").size
    except ImageError:
        raise
    except Exception as error:  # as in `decode`
        raise ImageError(path=path, expected="the header of a picture", found=reason_of(error)) from error


# -- Decoding ---------------------------------------------------------------------------------------------------------


def read_image(path: Path, *, max_side: int | None = None, max_pixels: int = MAX_PIXELS, grey: bool = False) -> Picture:
    """The picture in a file: read_bytes, then decode, whose options these are; ImageError names the path."""
    return decode(read_bytes(path), max_side=max_side, max_pixels=max_pixels, grey=grey, name=os.fspath(path))


def decode(
    data: bytes,
    *,
    max_side: int | None = None,
    max_pixels: int = MAX_PIXELS,
    grey: bool = False,
    name: str = "picture",
) -> Picture:
    """The picture that a file's bytes hold: first frame, EXIF orientation applied, alpha on white, 8 bits a channel.

    max_side: the long side in pixels is shrunk to this, never enlarged; max_pixels: more than this in the header is
    refused before any pixel is decoded; grey: pixels u8 (h, w), otherwise RGB u8 (h, w, 3); name: for messages.
    16-bit pictures are scaled by 8, 12 or 16 bits, whichever holds their largest value.
    Raises ImageError when the data is empty, truncated, broken, too large or no picture.
    """
    return _decode(data, [(max_side, grey)], max_pixels, name)[0]


def decode_views(
    data: bytes, views: Sequence[View], *, max_pixels: int = MAX_PIXELS, name: str = "picture"
) -> list[Picture]:
    """The picture in several views, each with the bits that `decode` makes of it; only a JPEG is decoded for each.

    A JPEG holds its grey, and its decoder halves: no view is made of another. Raises ImageError as `decode` does.
    """
    if kind_of(data) == "JPEG":
        return [_decode(data, [view], max_pixels, name)[0] for view in views]
    return _decode(data, views, max_pixels, name)


def _decode(data: bytes, views: Sequence[View], max_pixels: int, name: str) -> list[Picture]:
    kind, reader = _reader(data, name)
    try:
        # The bytes are hostile: Pillow answers with nearly every exception there is, and all mean the same to us.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of tags that nobody here reads
            image = reader(io.BytesIO(data), "")
            _check_size(image.size, max_pixels, name)
            return _decode_views(image, views)
    except ImageError:
        raise
    except Exception as error:
        found = f"a broken, truncated or unsupported one: {reason_of(error)}"
        raise ImageError(path=name, expected=f"a whole {kind} picture", found=found) from error


def kind_of(data: bytes) -> str | None:
    """What kind of picture the first bytes announce (JPEG, PNG, WebP, TIFF, BMP, GIF, PNM, AVIF), None for none."""
    return next((kind for kind, magic, _ in _READERS if magic.match(data)), None)


def _reader(data: bytes, name: str) -> tuple[str, Callable[[IO[bytes], str], Image.Image]]:
    if not data:
        raise NotAPictureError(path=name, expected="a picture", found="an empty file")
    for kind, magic, reader in _READERS:
        if magic.match(data):
            return kind, reader
    kinds = ", ".join(kind for kind, _, _ in _READERS)
    found = f"a file that begins with {data[:8]!r}"
    raise NotAPictureError(path=name, expected=f"a picture ({kinds})", found=found)


def _check_size(size: tuple[int, int], max_pixels: int, name: str) -> None:
    width, height = size
    if width * height > max_pixels:
        raise PictureTooLargeError(name, width, height, max_pixels)


def decode_image(image: Image.Image, max_side: int | None = None, *, grey: bool = False) -> Picture:
    """The same for an image of Pillow's, whose reader may be used up. Raises whatever Pillow raises of a broken one."""
    return _decode_views(image, [(max_side, grey)])[0]


def _decode_views(image: Image.Image, views: Sequence[View]) -> list[Picture]:
    """Of several views the decoder makes none alone: it decodes the whole."""
    (max_side, grey), *others = views
    size = image.size
    is_drafted = not others and image.draft("L" if grey else None, _draft_size(size, max_side)) is not None
    image.load()
    if not is_drafted:
        size = image.size  # Pillow itself turns a TIFF while loading; its info then holds no EXIF for us
    # After load, because a PNG may carry its EXIF behind the pixels.
    orientation = _orientation(image.info.get("exif", b""))
    width, height = size if orientation < 5 else size[::-1]
    pixels = (_upright(shrink(_pixels(image, grey), max_side), orientation) for max_side, grey in views)
    return [Picture(np.ascontiguousarray(each), width, height) for each in pixels]


def _draft_size(size: tuple[int, int], max_side: int | None) -> tuple[int, int]:
    """The size to ask of the JPEG decoder, which can halve up to three times: as often as leaves max_side or more."""
    scale = 1
    while max_side and scale < 8 and max(size) >= 2 * scale * max_side:
        scale *= 2
    return max(1, size[0] // scale), max(1, size[1] // scale)


def _pixels(image: Image.Image, grey: bool) -> U8:
    """The loaded image as u8 (h, w) or RGB u8 (h, w, 3)."""
    if image.mode[0] in "IF":  # I, I;16, I;16B, F
        image = Image.fromarray(_to_8_bit(np.asarray(image)))
    elif image.has_transparency_data:
        image = _on_white(image if image.mode == "RGBA" else image.convert("RGBA"))
    elif image.mode not in ("L", "RGB", "1"):
        image = image.convert("RGB")  # palette, CMYK, YCbCr; grey comes from RGB whatever was before
    mode = "L" if grey else "RGB"
    return np.asarray(image if image.mode == mode else image.convert(mode))  # convert always copies


def _on_white(image: Image.Image) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _to_8_bit(values: NDArray[np.generic]) -> U8:
    """Numbers (h, w) of any type as u8, by the smallest usual full scale that holds them, else least to largest."""
    numbers = np.nan_to_num(values.astype(np.float32), posinf=0, neginf=0)
    low, high = float(numbers.min()), float(numbers.max())
    scales = (1, 255, 4095, 65535) if values.dtype.kind == "f" else (255, 4095, 65535)
    if low < 0 or high > scales[-1]:
        numbers -= np.float32(low)
        full = max(float(numbers.max()), 1e-30)
    else:
        low, full = 0.0, next(scale for scale in scales if high <= scale)
    scaled: U8 = np.rint(numbers * np.float32(255 / full)).clip(0, 255).astype(np.uint8)
    return scaled


def shrink(pixels: U8, max_side: int | None) -> U8:
    """Pixels u8 (h, w) or (h, w, 3) with a long side of at most max_side, never enlarged."""
    height, width = pixels.shape[:2]
    scale = (max_side or max(width, height)) / max(width, height)
    if scale >= 1:
        return pixels
    target = max(1, round(width * scale)), max(1, round(height * scale))
    return cast(U8, cv2.resize(pixels, target, interpolation=cv2.INTER_AREA))


def to_grey(pixels: U8) -> U8:
    """Grey u8 (h, w) of RGB u8 (h, w, 3), as decoding in grey gives it; grey stays."""
    return pixels if pixels.ndim == 2 else np.asarray(Image.fromarray(pixels).convert("L"))


def to_rgb(pixels: U8) -> U8:
    """RGB u8 (h, w, 3) of grey u8 (h, w); what is in colour stays."""
    return pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)


def crop(picture: Picture, box: Box, name: str = "picture") -> U8:
    """The pixels of a box, which is in pixels of the original, rounded outwards.

    Raises ImageError for a box outside the picture; name: for the message.
    """
    x0, y0, x1, y1 = box
    if not (0 <= x0 < x1 <= picture.width and 0 <= y0 < y1 <= picture.height):
        expected = f"a box x0 < x1 and y0 < y1 in {picture.width} x {picture.height} pixels"
        raise ImageError(path=name, expected=expected, found=f"{x0:g},{y0:g},{x1:g},{y1:g}")
    height, width = picture.pixels.shape[:2]
    across, down = width / picture.width, height / picture.height
    left, top = min(int(x0 * across), width - 1), min(int(y0 * down), height - 1)
    return np.ascontiguousarray(picture.pixels[top : math.ceil(y1 * down), left : math.ceil(x1 * across)])


def _upright(pixels: U8, orientation: int) -> U8:
    if orientation >= 5:
        pixels = cast(U8, cv2.transpose(pixels))
    if orientation in _FLIP_OF_ORIENTATION:
        pixels = cast(U8, cv2.flip(pixels, _FLIP_OF_ORIENTATION[orientation]))
    return pixels


def _orientation(exif: bytes) -> int:
    """The orientation, 1 to 8, in a block of EXIF; 1 (upright) where it says none or is broken.

    Pillow's getexif would parse every tag, and warns about the broken EXIF of many an honest photograph.
    """
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    with contextlib.suppress(struct.error):
        (first,) = struct.unpack_from(order + "I", tiff, 4)
        (n_tags,) = struct.unpack_from(order + "H", tiff, first)
        for at in range(first + 2, first + 2 + 12 * n_tags, 12):
            tag, _type, _count, value = struct.unpack_from(order + "HHIH", tiff, at)
            if tag == _ORIENTATION_TAG:
                return int(value) if 1 <= value <= 8 else 1
    return 1
