"""Pixels: what a decoder of Pillow gives becomes a `Picture`, upright and 8 bit; shrinking, grey, boxes.

Profiles of colour (ICC) are not applied: features are of grey, and docs/formats.md says what that costs.
"""

from __future__ import annotations

import contextlib
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bof.errors import ImageError
from bof.options import Extent, PixelLimit, long_side_of
from bof.types import F64, U8, Box

# EXIF orientation -> cv2.flip code: 1 left-right, 0 up-down, -1 both; 5 to 8 are transposed first.
_FLIP_OF_ORIENTATION = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}
_ORIENTATION_TAG = 0x0112


_DARK_ENOUGH = 16.0
"""What is darker than white by this, in grey levels on average where it is opaque, is seen on white."""


View = tuple[PixelLimit | None, bool]
"""Of a decoded picture: its longest side or its extent, None for all of it; in grey, else in RGB."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture: pixels u8 (h, w) grey or (h, w, 3) RGB, maybe shrunk and maybe read-only.

    width, height: the original upright picture's size in pixels, before any shrinking. note: what a person should know
    of how it was read, where it is not all that its file promises; else empty.
    """

    pixels: U8
    width: int
    height: int
    note: str = ""

    def __repr__(self) -> str:
        shape = f", pixels {self.pixels.shape[1]} x {self.pixels.shape[0]}" if hasattr(self.pixels, "shape") else ""
        kind = "grey" if getattr(self.pixels, "ndim", 0) == 2 else "RGB"
        return f"Picture({self.width} x {self.height}, {kind}{shape})"


def decode_image(image: Image.Image, max_side: PixelLimit | None = None, *, grey: bool = False) -> Picture:
    """The same for an image of Pillow's, whose reader may be used up. Raises whatever Pillow raises of a broken one."""
    return decode_image_views(image, [(max_side, grey)])[0]


def decode_image_views(image: Image.Image, views: Sequence[View]) -> list[Picture]:
    """Several views of it, decoded once. Of several a JPEG's decoder makes none: it decodes the whole."""
    (max_side, grey), *others = views
    size = image.size
    is_drafted = not others and image.draft("L" if grey else None, _draft_size(size, max_side)) is not None
    image.load()
    if not is_drafted:
        size = image.size  # Pillow itself turns a TIFF while loading; its info then holds no EXIF for us
    # After load, because a PNG may carry its EXIF behind the pixels.
    orientation = orientation_of(image.info.get("exif") or b"")
    width, height = size if orientation < 5 else size[::-1]
    shown = (upright(shrink(_pixels(image, grey, max_side), max_side), orientation) for max_side, grey in views)
    return [Picture(np.ascontiguousarray(pixels), width, height) for pixels in shown]


def _draft_size(size: tuple[int, int], limit: PixelLimit | None) -> tuple[int, int]:
    """The size to ask of the JPEG decoder, which can halve up to three times: as often as leaves max_side or more."""
    scale, max_side = 1, limit and long_side_of(limit, *size)
    while max_side and scale < 8 and max(size) >= 2 * scale * max_side:
        scale *= 2
    return max(1, size[0] // scale), max(1, size[1] // scale)


def _pixels(image: Image.Image, grey: bool, limit: PixelLimit | None) -> U8:
    """The loaded image as u8 (h, w) or RGB u8 (h, w, 3); within an extent, what is white and transparent on black."""
    if image.mode[0] in "IF":  # I, I;16, I;16B, F
        image = Image.fromarray(_to_8_bit(np.asarray(image)))
    elif image.has_transparency_data:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        image = _on("black" if isinstance(limit, Extent) and _is_white(image) else "white", image)
    elif image.mode not in ("L", "RGB", "1"):
        image = image.convert("RGB")  # palette, CMYK, YCbCr; grey comes from RGB whatever was before
    mode = "L" if grey else "RGB"
    return np.asarray(image if image.mode == mode else image.convert(mode))  # convert always copies


def _on(background: str, image: Image.Image) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", image.size, background), image).convert("RGB")


def _is_white(image: Image.Image) -> bool:
    """Does an RGBA image show next to nothing on white, and something on black?"""
    dark = 255.0 - np.asarray(image.convert("L"), np.float32)
    shown = np.asarray(image.getchannel("A"), np.float32)
    n_shown = float(shown.sum())
    return n_shown > 0 and float((dark * shown).sum()) < _DARK_ENOUGH * n_shown


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


def shrink(pixels: U8, max_side: PixelLimit | None) -> U8:
    """Pixels u8 (h, w) or (h, w, 3) with a long side, or an extent, of at most max_side, never enlarged."""
    height, width = pixels.shape[:2]
    scale = long_side_of(max_side, width, height) / max(width, height)
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


def opponent_channels(pixels: U8) -> tuple[U8, U8]:
    """Red against green, and both against blue, u8 (h, w) each, of RGB u8 (h, w, 3); 128 is neither.

    What is equally bright differs in one of them (van de Sande, Gevers and Snoek 2010, section 3).
    """
    red, green, blue = np.moveaxis(pixels.astype(np.float32), 2, 0)
    values = (red - green) / 2, (red + green) / 4 - blue / 2
    first, second = (np.clip(np.rint(one + 128), 0, 255).astype(np.uint8) for one in values)
    return first, second


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


def correlation(values: F64, others: F64) -> float:
    """Of the pixels of two pictures, f64 (n,) or (n, channels) with all channels together; 0 where one is plain."""
    values, others = values - values.mean(axis=0), others - others.mean(axis=0)
    return float((values * others).sum() / max(float(np.sqrt((values**2).sum() * (others**2).sum())), 1.0))


def upright(pixels: U8, orientation: int) -> U8:
    """Pixels as they are looked at, of those that were stored under this orientation of EXIF, 1 to 8."""
    if orientation >= 5:
        pixels = cast(U8, cv2.transpose(pixels))
    if orientation in _FLIP_OF_ORIENTATION:
        pixels = cast(U8, cv2.flip(pixels, _FLIP_OF_ORIENTATION[orientation]))
    return pixels


def orientation_of(exif: bytes) -> int:
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
