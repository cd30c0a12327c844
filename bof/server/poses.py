"""How a query's picture is looked at: turned, mirrored, in the frame of a larger picture that it is a copy of."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bof.errors import ImageError
from bof.images.decode import Picture, View, decode_views, to_grey
from bof.options import PixelLimit
from bof.types import U8, Box

_ROUNDING_PX = 1.5
"""A smaller copy's sides are whole numbers: so far may they be from those of its picture."""


@dataclass(frozen=True, slots=True)
class Pose:
    """How a query is looked at: turned clockwise by degrees, then mirrored, then a box of it, or the subject's."""

    turn: int = 0
    flip: bool = False
    box: Box | str | None = None


@dataclass(frozen=True, slots=True)
class PosedPicture:
    """A picture as it is looked at; it counts as its file only as long as it is looked at as it is.

    frame: width and height of the upright picture that this is a smaller copy of, in whose pixels coordinates are.
    """

    data: bytes
    pose: Pose
    max_pixels: int
    frame: tuple[int, int] | None = None

    @property
    def sha256(self) -> str:
        """Of its file, empty where it is not looked at as it is."""
        return hashlib.sha256(self.data).hexdigest() if self.pose == Pose() else ""

    def grey(self, max_side: PixelLimit) -> Picture:
        """Its light, with at most so long a side."""
        return self._views((max_side, True))[0]

    def colours(self, max_side: PixelLimit) -> Picture:
        """In RGB."""
        return self._views((max_side, False))[0]

    def both(self, grey_side: PixelLimit, colour_side: PixelLimit) -> tuple[Picture, Picture]:
        """In grey and in RGB, of sides of their own."""
        grey, colours = self._views((grey_side, True), (colour_side, False))
        return grey, colours

    def _views(self, *views: View) -> list[Picture]:
        found = decode_views(self.data, views, max_pixels=self.max_pixels)
        return [_posed(_framed(view, self.frame), self.pose) for view in found]


@dataclass(frozen=True, slots=True)
class RereadPicture:
    """The same, decoded by another process: for whom a first look was not enough. All raise ImageError."""

    posed: PosedPicture
    decode: Callable[[bytes, PixelLimit], Picture]

    @property
    def sha256(self) -> str:
        """Of its file, empty where it is not looked at as it is."""
        return self.posed.sha256

    def grey(self, max_side: PixelLimit) -> Picture:
        """Its light, with at most so long a side."""
        found = self.colours(max_side)
        return replace(found, pixels=to_grey(found.pixels))

    def colours(self, max_side: PixelLimit) -> Picture:
        """In RGB."""
        return _posed(_framed(self.decode(self.posed.data, max_side), self.posed.frame), self.posed.pose)

    def both(self, grey_side: PixelLimit, colour_side: PixelLimit) -> tuple[Picture, Picture]:
        """In grey and in RGB, of sides of their own."""
        return self.grey(grey_side), self.colours(colour_side)


def _framed(picture: Picture, frame: tuple[int, int] | None) -> Picture:
    """The picture in the frame of a larger one. Raises ImageError where it is no smaller copy of such a picture."""
    if frame is None:
        return picture
    (width, height), (across, down) = frame, (picture.width, picture.height)
    is_like = min(abs(across * height / width - down), abs(down * width / height - across)) <= _ROUNDING_PX
    if not is_like or across > width or down > height:
        expected = f"a size of which {across} x {down} is a smaller copy"
        raise ImageError(option="frame", expected=expected, found=f"{width},{height}")
    return replace(picture, width=width, height=height)


def _posed(picture: Picture, pose: Pose) -> Picture:
    """The picture turned clockwise, then mirrored left to right."""
    pixels: U8 = np.rot90(picture.pixels, -pose.turn // 90)
    pixels = pixels[:, ::-1] if pose.flip else pixels
    size = (picture.width, picture.height) if pose.turn % 180 == 0 else (picture.height, picture.width)
    return Picture(np.ascontiguousarray(pixels), *size)
