"""What is laid over every photograph of a collection alike: stock watermarks, a channel's frame, a caption bar."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

import numpy as np

from bof.types import U8
from scripts.siblings import words
from scripts.siblings.canvas import BLACK, INK, WHITE, Sheet
from scripts.siblings.marks import logo
from scripts.siblings.streams import Streams

Draw = Callable[[U8], U8]
"""A picture in RGB with an overlay, of the same size; the overlay is alike for all pictures of one size."""

_RED = (210, 20, 30)


def _nothing(photo: U8) -> U8:
    return photo


def _watermark(photo: U8) -> U8:
    return _slanted_words(photo, "harbourstock")


def _own_words(photo: U8) -> U8:
    """The same with other words on every photograph: what the ink alone costs."""
    return _slanted_words(photo, words.title(np.random.default_rng(zlib.crc32(photo.tobytes())), 2).replace(" ", ""))


def _slanted_words(photo: U8, text: str) -> U8:
    """Slanted letters all over, half transparent."""
    sheet = Sheet(0, 0, photo)
    height, width = photo.shape[:2]
    for i in range(4):
        for j in range(3):
            middle = width * (0.145 + 0.255 * i), height * (0.17 + 0.33 * j)
            sheet.slanted(middle, text, round(width * 0.042), WHITE, 30, 0.45)
    return sheet.pixels


def _stamp(photo: U8) -> U8:
    """One large word across the photograph, and the agency's address below."""
    sheet = Sheet(0, 0, photo)
    height, width = photo.shape[:2]
    sheet.slanted((width / 2, height * 0.45), "HARBOUR PHOTO", round(width * 0.09), WHITE, 32, 0.6)
    line = height // 16
    sheet.box(0, height - line, width, line, BLACK)
    sheet.text((width * 0.02, height - line * 0.85), "www.harbourphoto.example", round(line * 0.55), WHITE)
    return sheet.pixels


def _tv_frame(photo: U8) -> U8:
    """A logo, a lower third and a ticker."""
    sheet = Sheet(0, 0, photo)
    height, width = photo.shape[:2]
    tint = (24, 40, 96)
    side, line = round(width * 0.1), height // 14
    sheet.paste(logo(Streams.of("tv_frame", 0, 0).design, side, tint), width - side - width // 40, height // 30)
    sheet.box(width * 0.03, height * 0.04, width * 0.11, line, _RED)
    sheet.text((width * 0.085, height * 0.04 + line / 2), "LIVE", round(line * 0.7), WHITE, "bold", "mm")
    sheet.box(0, height - 4 * line, width, 2 * line, tint)
    sheet.text((width * 0.03, height - 3.8 * line), "Harbour bridge closed again", round(line * 0.8), WHITE, "bold")
    sheet.box(0, height - 2.8 * line, width, line, WHITE)
    sheet.text((width * 0.03, height - 2.7 * line), "Council meets tonight at eight", round(line * 0.6), INK)
    sheet.box(0, height - line, width, line, (20, 20, 30))
    sheet.box(0, height - line, width * 0.14, line, _RED)
    sheet.text((width * 0.07, height - line / 2), "NEWS 24", round(line * 0.55), WHITE, "bold", "mm")
    ticker = "Markets rise for the third day - Storm warning for the coast - Museum opens its new wing"
    sheet.text((width * 0.16, height - line * 0.85), ticker, round(line * 0.55), WHITE)
    return sheet.pixels


def _caption(photo: U8) -> U8:
    """One bar with a company's name at the bottom."""
    sheet = Sheet(0, 0, photo)
    height, width = photo.shape[:2]
    line = height // 11
    sheet.box(0, height - line, width, line, BLACK)
    sheet.text((width * 0.03, height - line * 0.75), "Harbour Estates", round(line * 0.5), WHITE, "bold")
    sheet.text((width * 0.97, height - line * 0.7), "www.harbour.example", round(line * 0.4), WHITE, "sans", "ra")
    return sheet.pixels


OVERLAYS: Mapping[str, Draw] = {
    "none": _nothing,
    "watermark": _watermark,
    "own words": _own_words,
    "stamp": _stamp,
    "tv frame": _tv_frame,
    "caption": _caption,
}
