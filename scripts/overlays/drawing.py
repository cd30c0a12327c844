"""What is laid over every photograph of a collection alike: a stock watermark, a channel's frame, a caption bar."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bof.types import U8
from scripts.siblings.canvas import BLACK, INK, WHITE, Sheet
from scripts.siblings.marks import logo
from scripts.siblings.streams import Streams

Draw = Callable[[U8], U8]
"""A picture in RGB with an overlay, of the same size; the overlay is alike for all pictures of one size."""

_RED = (210, 20, 30)


def _nothing(photo: U8) -> U8:
    return photo


def _watermark(photo: U8) -> U8:
    """Slanted letters with a shadow all over, half transparent."""
    sheet = Sheet(0, 0, photo)
    height, width = photo.shape[:2]
    for i in range(4):
        for j in range(4):
            x, y = width * (0.145 + 0.24 * i), height * (0.13 + 0.25 * j)
            for shift, tint in ((2, BLACK), (0, WHITE)):
                sheet.slanted((x + shift, y + shift), "harbourstock", round(width * 0.042), tint, 30, 0.6)
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
    "tv frame": _tv_frame,
    "caption": _caption,
}
