"""What a file tells of how it came about: its JPEG tables, the camera and the programs that its EXIF names, and whether
another file's pixels were made from its own.

A picture that is stored again is decoded and quantised: the same numbers come out when that is done here. What comes
out the other way round tells the order (as in double JPEG compression: Lukas and Fridrich 2003).
"""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, JpegImagePlugin

from bof.errors import ImageError
from bof.images.decode import kind_of, read_bytes
from bof.options import MAX_PIXELS
from bof.types import F32, U8, Bool

_BLOCK = 8
_MOST_BLOCKS = 32
"""So many blocks down and across are looked at, evenly spread."""

_STORED = 0.93
"""Share of the coefficients that come out as they are stored, from which a picture was made from another: 0.95 to 1
where it was, at most 0.91 where a JPEG was stored again with slightly larger steps and one looks from its copy."""
_FINE_STEPS, _STORED_FINE = 12.0, 0.88
"""With a mean step below the first, rounding decides more: 0.89 to 0.95 where it was."""
_MUCH_FINER, _STORED_FROM_COARSE = 1.8, 0.75
"""With steps so many times finer than the other's: 0.87 and more where it was, at most 0.4 the other way round."""
_STORED_WHOLE, _ROUNDED_LEVELS = 0.999, 2
"""Of a file that quantises nothing (PNG) so many blocks are the other's to these levels, which decoders differ by."""
_LEAST_COEFFICIENTS = 64
"""Of fewer that are not zero nothing is concluded."""

_CAMERA_TAGS = ExifTags.Base.Make, ExifTags.Base.Model
_EDITORS = re.compile(
    r"photoshop|lightroom|gimp|snapseed|picasa|paint|affinity|pixelmator|canva|imagemagick|darktable|instagram|facebook",
    re.IGNORECASE,
)

_LOSSLESS = ("PNG", "BMP", "PNM")
"""TIFF, WebP and AVIF may lose, and GIF has few colours."""

_NO_BLOCKS = np.zeros((0, _BLOCK, _BLOCK), np.uint8)

I32 = NDArray[np.int32]

_BASIS = np.asarray(cv2.dct(np.eye(_BLOCK, dtype=np.float32), flags=cv2.DCT_ROWS).T, np.float32)
"""The discrete cosine transform, a frequency a row."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What one file tells.

    steps f32 (8, 8): its JPEG's quantisation steps of light, None for other formats; light u8 (n, 8, 8): some of its
    blocks as an encoder sees them, empty where they were not read; stored i32 (n, 8, 8): their coefficients as its JPEG
    holds them, known bool (n,): where light that was cut off does not hide them, both empty for other formats; size:
    (width, height) as stored; has_camera: does EXIF name one?; editor: the program that EXIF names, "" where none;
    is_lossless: its format never loses.
    """

    steps: F32 | None
    light: U8
    stored: I32
    known: Bool
    size: tuple[int, int]
    has_camera: bool
    editor: str
    is_lossless: bool

    @property
    def coarseness(self) -> float:
        """The mean quantisation step, 0 where nothing is quantised."""
        return 0.0 if self.steps is None else float(self.steps.mean())


def read_provenance(path: Path, *, with_pixels: bool) -> Provenance | None:
    """What a file tells; None of one that cannot be read or is too large. with_pixels: its blocks too."""
    try:
        data = read_bytes(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _read(data, with_pixels)
    except ImageError:
        return None
    except Exception:  # the bytes are hostile: Pillow answers with nearly every exception there is
        return None


def _read(data: bytes, with_pixels: bool) -> Provenance | None:
    image = _opened(data)
    if image.width * image.height > MAX_PIXELS:
        return None
    steps, shown = _steps(image), _NO_BLOCKS
    exif = image.getexif()
    has_camera = any(str(exif.get(tag, "")).strip() for tag in _CAMERA_TAGS)
    found = _EDITORS.search(str(exif.get(ExifTags.Base.Software, "")))
    light = _blocks(np.asarray(image.convert("RGB").convert("L"))) if with_pixels else _NO_BLOCKS
    if with_pixels and steps is not None and image.mode in ("L", "RGB"):
        as_stored = _opened(data)
        as_stored.draft("L", image.size)  # what the file holds, before anything becomes red, green and blue
        shown = _blocks(np.asarray(as_stored))
    stored = _quantised(shown, np.float32(1) if steps is None else steps)
    known = ~((shown == 0) | (shown == 255)).any(axis=(1, 2))
    editor, is_lossless = found[0] if found else "", kind_of(data) in _LOSSLESS
    return Provenance(steps, light, stored, known, image.size, has_camera, editor, is_lossless)


def _opened(data: bytes) -> Image.Image:
    stream = io.BytesIO(data)
    return JpegImagePlugin.JpegImageFile(stream) if kind_of(data) == "JPEG" else Image.open(stream)


def _steps(image: Image.Image) -> F32 | None:
    """The table of light, in rows of blocks."""
    table = getattr(image, "quantization", {}).get(0)
    return None if table is None else np.asarray(table, np.float32).reshape(_BLOCK, _BLOCK)


def _blocks(light: U8) -> U8:
    """Blocks u8 (n, 8, 8) on the grid of a JPEG, evenly spread."""
    rows, columns = light.shape[0] // _BLOCK, light.shape[1] // _BLOCK
    whole = light[: rows * _BLOCK, : columns * _BLOCK].reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2)
    down, across = (max(1, -(-n // _MOST_BLOCKS)) for n in (rows, columns))
    return np.ascontiguousarray(whole[::down, ::across].reshape(-1, _BLOCK, _BLOCK))


def _quantised(light: U8, steps: F32 | np.float32) -> I32:
    """The coefficients i32 (n, 8, 8) that an encoder stores for blocks of light."""
    coefficients = _BASIS @ (light.astype(np.float32) - 128) @ _BASIS.T
    return np.asarray(np.rint(coefficients / steps), np.int32)


def was_made_from(one: Provenance, other: Provenance) -> bool:
    """Was the one stored from the other's pixels, as far as their light tells? Only of pictures of one size."""
    if one.size != other.size or len(one.light) != len(other.light) or not len(one.light):
        return False
    forth, back = _agreement(one, other), _agreement(other, one)
    if forth < _least(one, other) or back < _least(other, one):
        return forth >= _least(one, other)
    # Both ways: what was quantised more coarsely comes out of the finer one again, and is the older.
    return one.coarseness < other.coarseness or (one.coarseness == other.coarseness and forth > back)


def _least(target: Provenance, source: Provenance) -> float:
    """From which agreement on one was made from the other."""
    if target.steps is None:
        return _STORED_WHOLE
    if 0 < _MUCH_FINER * target.coarseness <= source.coarseness:
        return _STORED_FROM_COARSE
    return _STORED_FINE if 0 < target.coarseness < _FINE_STEPS else _STORED


def _agreement(target: Provenance, source: Provenance) -> float:
    """The share of what the target stores that comes out when the source's pixels are stored as it was."""
    if target.steps is None or not len(target.stored):  # nothing was quantised: every block is what the source shows
        apart = cv2.absdiff(target.light.reshape(-1, _BLOCK**2), source.light.reshape(-1, _BLOCK**2))
        return float((apart.max(axis=1) <= _ROUNDED_LEVELS).mean())
    made = _quantised(source.light, target.steps)
    counts = (made != 0) | (target.stored != 0)
    counts[:, 0, 0] = False  # the mean level agrees between any two copies
    if counts[target.known].sum() >= _LEAST_COEFFICIENTS:
        counts &= target.known[:, None, None]
    return float((made == target.stored)[counts].mean()) if counts.sum() >= _LEAST_COEFFICIENTS else 0.0
