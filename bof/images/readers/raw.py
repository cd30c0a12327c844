"""RAW files of cameras by rawpy (LibRaw): the preview in the file where it will do, else developed.

The rule: the embedded JPEG is read where it has the shape of the picture, within two per cent, and a long side of at
least 1,024 pixels, or all of the picture's. Anything else is developed, with the camera's white balance, at half the
size where that is enough. What LibRaw cannot develop gives a smaller preview, which the picture's note says.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from PIL import Image, JpegImagePlugin

from bof.images.pixels import Picture, decode_image, orientation_of, shrink, to_grey, upright
from bof.images.readers.formats import RAW, Format
from bof.images.readers.iso import brands_of
from bof.images.readers.probe import Probe
from bof.images.readers.reader import OpenedPicture
from bof.images.readers.tiff_tags import is_of_a_sensor
from bof.options import PixelLimit, long_side_of

if TYPE_CHECKING:
    from rawpy import RawPy

_LONG_ENOUGH = 1024
_SHAPE_TOLERANCE = 0.02
_CLIPPED = 0.001
"""The share of pixels that may become white when a picture is brightened; LibRaw's own, 0.01, costs features."""

_MOST_LARGER = 1.2
"""A preview with more pixels than the picture, by more than its borders, lies."""

_MAGIC = (
    b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM", b"II\x1a\0\0\0HEAPCCDR",
    b"IIII\x1a\0\0\0", b"MMMM\0\0\0\x1a",
)  # fmt: skip
"""Fujifilm, Olympus (three), Panasonic, Sigma, Minolta, Canon's oldest, Phase One. CR2 has its own at byte 8."""

_ORIENTATION_OF_FLIP = {3: 3, 5: 8, 6: 6}
"""LibRaw's flip (how to turn what is stored) -> EXIF orientation."""


class RawReader:
    """As PictureReader."""

    @property
    def format(self) -> Format:
        """RAW."""
        return RAW

    def matches(self, probe: Probe) -> bool:
        """By the marks of makers; or it is a TIFF with the numbers of a sensor."""
        head = probe.head
        is_canon = (head.startswith(b"II*\0") and head[8:10] == b"CR") or brands_of(probe)[:1] == [b"crx "]
        return is_canon or head.startswith(_MAGIC) or is_of_a_sensor(probe)

    def open(self, stream: BinaryIO) -> OpenedPicture:
        """As PictureReader.open."""
        import rawpy

        raw = rawpy.RawPy()
        raw.open_buffer(stream)
        return RawPicture(raw)


@dataclass(frozen=True, slots=True)
class RawPicture:
    """A RAW file that was opened."""

    raw: RawPy

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture."""
        sizes = self.raw.sizes
        is_turned = sizes.flip in (5, 6)
        return (sizes.height, sizes.width) if is_turned else (sizes.width, sizes.height)

    def read(self, max_side: PixelLimit | None, *, grey: bool) -> Picture:
        """As OpenedPicture.read."""
        preview = self._preview(max_side, grey)
        if preview is not None and self._is_enough(preview):
            return self._in_this_frame(preview)
        try:
            return self._developed(max_side, grey)
        except Exception as error:
            if preview is None:
                raise
            note = f"this RAW cannot be developed ({type(error).__name__}); its preview was read"
            return replace(self._in_this_frame(preview), note=f"{note}: {preview.width} x {preview.height} pixels")

    def _preview(self, max_side: PixelLimit | None, grey: bool) -> Picture | None:
        """The embedded JPEG, upright, in its own size; None where there is none that can be read and has this shape."""
        import rawpy

        try:
            thumbnail = self.raw.extract_thumb()
            if thumbnail.format != rawpy.ThumbFormat.JPEG:
                return None
            image = JpegImagePlugin.JpegImageFile(io.BytesIO(bytes(thumbnail.data)), "")
            if image.width * image.height > _MOST_LARGER * self.size[0] * self.size[1]:
                return None
            preview = self._turned(image, decode_image(image, max_side, grey=grey))
        except Exception:  # a broken preview is none; LibRaw's errors have no common root but Exception
            return None
        return preview if self._has_this_shape(preview) else None

    def _turned(self, image: Image.Image, stored: Picture) -> Picture:
        """Upright by the file's orientation, where the preview says none itself."""
        orientation = _ORIENTATION_OF_FLIP.get(self.raw.sizes.flip, 1)
        if orientation_of(image.info.get("exif") or b"") != 1 or orientation == 1:
            return stored
        is_lying = (stored.width > stored.height) == (self.size[0] < self.size[1])
        if orientation != 3 and not is_lying:
            return stored  # it was turned already
        sides = (stored.height, stored.width) if orientation > 4 else (stored.width, stored.height)
        return Picture(np.ascontiguousarray(upright(stored.pixels, orientation)), *sides)

    def _has_this_shape(self, preview: Picture) -> bool:
        width, height = self.size
        return abs(preview.width * height / (preview.height * width) - 1) <= _SHAPE_TOLERANCE

    def _is_enough(self, preview: Picture) -> bool:
        return max(preview.width, preview.height) >= min(_LONG_ENOUGH, max(self.size))

    def _in_this_frame(self, preview: Picture) -> Picture:
        width, height = self.size
        return replace(preview, width=width, height=height)

    def _developed(self, max_side: PixelLimit | None, grey: bool) -> Picture:
        width, height = self.size
        is_half = max_side is not None and max(width, height) >= 2 * long_side_of(max_side, width, height)
        options: dict[str, Any] = {"use_camera_wb": True, "auto_bright_thr": _CLIPPED, "half_size": is_half}
        pixels = shrink(self.raw.postprocess(**options), max_side)
        return Picture(np.ascontiguousarray(to_grey(pixels) if grey else pixels), width, height)
