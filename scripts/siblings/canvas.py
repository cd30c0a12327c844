"""A sheet to draw on, with the fonts that the machine has: text, boxes, discs, lines, pasted pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bof.types import U8
from scripts.siblings.streams import Colour

WHITE, BLACK, INK, GREY = (255, 255, 255), (0, 0, 0), (34, 34, 40), (130, 130, 136)

_FOLDER = Path("/usr/share/fonts/truetype/dejavu")
_FACES = {
    "sans": "DejaVuSans.ttf",
    "bold": "DejaVuSans-Bold.ttf",
    "serif": "DejaVuSerif.ttf",
    "serif-bold": "DejaVuSerif-Bold.ttf",
    "italic": "DejaVuSerif-Italic.ttf",
    "mono": "DejaVuSansMono.ttf",
    "narrow": "DejaVuSansCondensed.ttf",
    "plain": "",
}
"""Debian's names of DejaVu; where one is missing, and for plain, the font inside Pillow serves."""

FACES = ("sans", "serif", "narrow", "plain")
Points = Sequence[tuple[float, float]]


@lru_cache(maxsize=256)
def font(face: str, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font of a face at a size in pixels."""
    file = _FOLDER / _FACES[face]
    return ImageFont.truetype(str(file), size) if file.is_file() else ImageFont.load_default(size)


class Sheet:
    """A picture under construction. Places and sizes are in pixels from the top left."""

    def __init__(self, width: int, height: int, colour: Colour | U8 = WHITE) -> None:
        if isinstance(colour, tuple):
            self._image = Image.new("RGB", (width, height), colour)
        else:
            self._image = Image.fromarray(colour)
        self._pen = ImageDraw.Draw(self._image)

    @property
    def pixels(self) -> U8:
        """RGB u8 (height, width, 3)."""
        return np.asarray(self._image, np.uint8).copy()

    def text(
        self,
        at: tuple[float, float],
        words: object,
        size: int,
        colour: Colour = INK,
        face: str = "sans",
        anchor: str = "la",
    ) -> None:
        """One line; anchor: Pillow's, la: top left, ma: top middle, ra: top right, mm: middle."""
        self._pen.text(at, str(words), colour, font(face, size), anchor)

    def block(
        self,
        at: tuple[float, float],
        words: str,
        width: float,
        size: int,
        colour: Colour = INK,
        face: str = "sans",
        leading: float = 1.35,
        n_lines: int = 1000,
    ) -> float:
        """Text broken into lines of a width, at most n_lines; returns where the next line would begin."""
        x, y = at
        for line in _broken(words, width, size, face)[:n_lines]:
            self.text((x, y), line, size, colour, face)
            y += size * leading
        return y

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: Colour | None = None,
        edge: Colour | None = None,
        thick: int = 1,
        corner: float = 0,
    ) -> None:
        """A rectangle, its corners round where `corner` is their radius."""
        place = (x, y, x + max(width, 1), y + max(height, 1))
        self._pen.rounded_rectangle(place, corner, fill, edge, thick)

    def disc(
        self, x: float, y: float, radius: float, fill: Colour | None = None, edge: Colour | None = None, thick: int = 1
    ) -> None:
        """A disc or a circle around a point."""
        self._pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill, edge, thick)

    def oval(self, x: float, y: float, width: float, height: float, fill: Colour) -> None:
        """A filled ellipse around a point."""
        self._pen.ellipse((x - width / 2, y - height / 2, x + width / 2, y + height / 2), fill)

    def line(self, points: Points, colour: Colour = INK, thick: int = 1) -> None:
        """A line through points."""
        self._pen.line([tuple(map(float, p)) for p in points], colour, thick, joint="curve")

    def poly(self, points: Points, fill: Colour | None = None, edge: Colour | None = None, thick: int = 1) -> None:
        """A polygon."""
        self._pen.polygon([tuple(map(float, p)) for p in points], fill, edge, thick)

    def arc(
        self, place: tuple[float, float, float, float], start: float, end: float, colour: Colour, thick: int
    ) -> None:
        """A part of the ellipse in a place (x0, y0, x1, y1), from an angle to an angle in degrees."""
        self._pen.arc(place, start, end, colour, thick)

    def paste(self, pixels: U8, x: float, y: float, opacity: float = 1.0) -> None:
        """Another picture at a place, through which the ground shows where opacity is below 1."""
        top = Image.fromarray(np.ascontiguousarray(pixels))
        mask = Image.new("L", top.size, round(255 * opacity))
        self._image.paste(top, (round(x), round(y)), mask)

    def slanted(
        self, middle: tuple[float, float], words: str, size: int, colour: Colour, angle: float, opacity: float
    ) -> None:
        """Text turned by degrees around a point, half transparent."""
        layer = Image.new("L", self._image.size, 0)
        ImageDraw.Draw(layer).text(middle, words, round(255 * opacity), font("bold", size), "mm")
        layer = layer.rotate(angle, Image.Resampling.BICUBIC, center=middle)
        self._image.paste(Image.new("RGB", self._image.size, colour), (0, 0), layer)


def _broken(words: str, width: float, size: int, face: str) -> list[str]:
    lines, letters = [""], font(face, size)
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if letters.getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
