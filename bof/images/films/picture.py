"""Pixels of a film's frames in the size that is needed: upright, with square pixels, in the colours of a screen.

FFmpeg's scaler makes them small while it makes them grey or RGB: of every frame of a film a small grey picture costs
less than a tenth of decoding it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any, cast

import numpy as np
from av.sidedata.sidedata import Type
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from PIL import Image

from bof.images.decode import decode_image, shrink, to_grey
from bof.images.films.containers import guarded
from bof.images.films.hdr import is_wide, to_sdr
from bof.images.pixels import upright
from bof.types import U8

_HD_WIDTH, _HD_HEIGHT = 1280, 576
"""Of films that do not say so, those larger than this have the colours of BT.709, as players take it."""

_KNOWN_MATRICES = frozenset({0, 1, 4, 5, 6, 7, 9})
"""Of those that ITU-T H.273 numbers, what FFmpeg's scaler takes: it refuses frames that are marked with another."""

_MOST_STRETCH = 16
_UPRIGHT = (1, 0, 0, 1)
_ORIENTATION = {
    _UPRIGHT: 1, (-1, 0, 0, 1): 2, (-1, 0, 0, -1): 3, (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5, (0, 1, -1, 0): 6, (0, -1, -1, 0): 7, (0, -1, 1, 0): 8,
}  # fmt: skip
"""EXIF's orientation of the signs of a display matrix (a, b, c, d): x of the screen is a x + c y, y is b x + d y."""


@dataclass(frozen=True, slots=True)
class FrameView:
    """How the frames of a film are shown.

    width, height: of its upright picture with square pixels; orientation: EXIF's, 1 to 8, of its frames.
    """

    width: int
    height: int
    orientation: int
    _scalers: dict[tuple[int, int, str], VideoReformatter] = field(default_factory=dict)

    @classmethod
    def of(cls, first: VideoFrame, aspect: Fraction | None) -> FrameView:
        """The view of a film with this first frame, whose samples are so wide for their height."""
        width, height = square_size(first.width, first.height, aspect)
        orientation = orientation_of(first)
        return cls(*((width, height) if orientation < 5 else (height, width)), orientation)

    def grey(self, frame: VideoFrame, max_side: int | None) -> U8:
        """u8 (h, w), at most max_side on the long side."""
        if _has_alpha(frame) or is_wide(frame.color_trc, frame.color_primaries):
            return to_grey(self.rgb(frame, max_side))
        return self._shown(self._scale(frame, max_side, "gray"))

    def rgb(self, frame: VideoFrame, max_side: int | None) -> U8:
        """u8 (h, w, 3), at most max_side on the long side; what has alpha on white."""
        if _has_alpha(frame):
            whole = Image.fromarray(self._scale(frame, None, "rgba"), "RGBA")
            return self._shown(shrink(decode_image(whole).pixels, max_side))
        if is_wide(frame.color_trc, frame.color_primaries):
            deep = self._scale(frame, max_side, "rgb48le").view(np.uint16)
            return self._shown(to_sdr(deep, frame.color_trc, frame.color_primaries))
        return self._shown(self._scale(frame, max_side, "rgb24"))

    def _shown(self, pixels: U8) -> U8:
        return np.ascontiguousarray(upright(pixels, self.orientation))

    def _scale(self, frame: VideoFrame, max_side: int | None, pixel_format: str) -> U8:
        """Pixels as they are stored, in the size of the upright picture, or smaller."""
        width, height = self._stored_size(max_side)
        scaler = self._scalers.setdefault((width, height, pixel_format), VideoReformatter())
        scaled = scaler.reformat(
            frame, width, height, pixel_format, src_colorspace=_colours(frame), interpolation=Interpolation.AREA,
            dst_color_range=ColorRange.JPEG, threads=1,
        )  # fmt: skip
        return cast(U8, scaled.to_ndarray())

    def _stored_size(self, max_side: int | None) -> tuple[int, int]:
        scale = min(1.0, (max_side or max(self.width, self.height)) / max(self.width, self.height))
        size = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        return size if self.orientation < 5 else size[::-1]


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A frame of a film as it was decoded, whose pixels are made in the size that is asked for.

    time: from which it is shown. It holds the memory of a whole frame for as long as it lives.
    """

    time: Fraction
    _frame: VideoFrame
    _view: FrameView
    _path: str

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the film's upright picture."""
        return self._view.width, self._view.height

    def grey(self, max_side: int | None = None) -> U8:
        """Its light u8 (h, w), upright, shrunk to so long a side. Raises ImageError."""
        with guarded(self._path):
            return self._view.grey(self._frame, max_side)

    def rgb(self, max_side: int | None = None) -> U8:
        """Its colours u8 (h, w, 3), upright, shrunk to so long a side. Raises ImageError."""
        with guarded(self._path):
            return self._view.rgb(self._frame, max_side)


def square_size(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """The size with square pixels of a picture whose samples are so wide for their height; it never becomes smaller."""
    if not aspect or not Fraction(1, _MOST_STRETCH) <= aspect <= _MOST_STRETCH:
        return width, height
    return (round(width * aspect), height) if aspect >= 1 else (width, round(height / aspect))


def orientation_of(frame: VideoFrame) -> int:
    """EXIF's orientation, 1 to 8, of a frame with a display matrix; turns between are taken for the nearest of four."""
    try:
        matrix = bytes(cast(Any, frame.side_data)[Type.DISPLAYMATRIX])
    except KeyError:
        return 1
    if len(matrix) < 36:
        return 1
    a, b, _, c, d = struct.unpack_from("=5i", matrix)
    is_turned = abs(b) + abs(c) > abs(a) + abs(d)
    signs = (0, _sign(b), _sign(c), 0) if is_turned else (_sign(a), 0, 0, _sign(d))
    return _ORIENTATION.get(signs, 1)


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _colours(frame: VideoFrame) -> int | None:
    """The matrix of a frame that does not say its own."""
    if frame.colorspace in _KNOWN_MATRICES:
        return None
    is_hd = frame.width >= _HD_WIDTH or frame.height > _HD_HEIGHT
    return Colorspace.ITU709 if is_hd else Colorspace.ITU601


def _has_alpha(frame: VideoFrame) -> bool:
    return _format_has_alpha(frame.format.name)


@cache
def _format_has_alpha(name: str) -> bool:
    return any(component.is_alpha for component in VideoFormat(name).components)
