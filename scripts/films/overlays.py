"""What is laid over the pictures of a film: captions, channels' logos, bars, grain. All change the frame in place."""

from __future__ import annotations

from functools import cache, lru_cache

import cv2
import numpy as np

from bof.types import U8
from scripts.films.camera import Size
from scripts.films.styles import Style
from scripts.siblings.canvas import BLACK, WHITE, Sheet
from scripts.siblings.marks import logo
from scripts.siblings.streams import colour

Box = tuple[int, int, int, int]
"""Left, top, width, height."""

_LOGO_SHARE = 0.09
_GRAIN_TILES = 8


def content_box(style: Style) -> Box:
    """Where the pictures lie between the bars."""
    width, height = style.width, style.height
    if style.bars > 0:
        bar = round(style.bars * height) // 2 * 2
        return 0, bar, width, height - 2 * bar
    bar = round(-style.bars * width) // 2 * 2
    return bar, 0, width - 2 * bar, height


@lru_cache(maxsize=8)
def subtitle(text: str, width: int, height: int) -> tuple[U8, U8]:
    """A line of white letters with a black edge for a frame of that size: RGB (h, w, 3) and how opaque it is (h, w)."""
    size = max(11, round(0.052 * min(width, height * 1.4)))
    tall = round(size * 1.7)
    sheet, mask = Sheet(width, tall, BLACK), Sheet(width, tall, BLACK)
    sheet.text((width / 2, tall / 2), text[: int(1.75 * width / size)], size, WHITE, "bold", "mm")
    mask.text((width / 2, tall / 2), text[: int(1.75 * width / size)], size, WHITE, "bold", "mm")
    edge = cv2.dilate(mask.pixels[:, :, 0], np.ones((5, 5), np.uint8))
    return sheet.pixels, np.asarray(edge, np.uint8)


@lru_cache(maxsize=8)
def lower_third(text: str, width: int, height: int) -> tuple[U8, U8]:
    """A name on a coloured bar that lets some of the picture through."""
    size = max(11, round(0.05 * height))
    tall = round(size * 1.8)
    sheet = Sheet(round(width * 0.55), tall, (24, 40, 96))
    sheet.text((size, tall / 2), text, size, WHITE, "bold", "lm")
    return sheet.pixels, np.full(sheet.pixels.shape[:2], 225, np.uint8)


@cache
def channel_logo(channel: int, width: int, height: int) -> tuple[U8, U8]:
    """A channel's emblem, half transparent: the same in all of its films."""
    side = max(16, round(_LOGO_SHARE * min(width, height * 1.4)))
    rng = np.random.default_rng([7, channel])
    pixels = logo(rng, side, colour(rng), BLACK)
    return pixels, np.where(pixels.max(axis=2) > 8, 215, 0).astype(np.uint8)


@cache
def _grain(width: int, height: int, level: float) -> list[U8]:
    rng = np.random.default_rng(11)
    made = []
    for _ in range(_GRAIN_TILES):
        noise = rng.normal(128, level, (height, width, 1)).clip(0, 255).astype(np.uint8)
        made.append(np.ascontiguousarray(np.repeat(noise, 3, axis=2)))
    return made


def lay(frame: U8, layer: tuple[U8, U8], x: int, y: int) -> None:
    """Blend a layer and its opacity over the frame at a place; what lies outside is left out."""
    pixels, opacity = layer
    part = frame[y : y + pixels.shape[0], x : x + pixels.shape[1]]
    over = opacity[: part.shape[0], : part.shape[1], None].astype(np.uint16)
    seen = pixels[: part.shape[0], : part.shape[1]]
    part[:] = ((seen * over + part * (255 - over)) // 255).astype(np.uint8)


def lay_caption(frame: U8, kind: str, text: str) -> None:
    """A subtitle in the middle at the bottom, or a name to the left above it."""
    height, width = frame.shape[:2]
    if kind == "subtitles":
        layer = subtitle(text, width, height)
        lay(frame, layer, 0, round(height * 0.97) - layer[0].shape[0])
    else:
        layer = lower_third(text, width, height)
        lay(frame, layer, round(width * 0.04), round(height * 0.9) - layer[0].shape[0])


def lay_logo(frame: U8, channel: int) -> None:
    """Top right."""
    height, width = frame.shape[:2]
    layer = channel_logo(channel, width, height)
    lay(frame, layer, width - layer[0].shape[1] - width // 30, height // 22)


def add_grain(frame: U8, level: float, number: int) -> U8:
    """The frame with grain; another of a few patterns from frame to frame."""
    size: Size = frame.shape[1], frame.shape[0]
    tile = _grain(*size, level)[(number * 5 + number // 8) % _GRAIN_TILES]
    return np.asarray(cv2.addWeighted(frame, 1, tile, 1, -128), np.uint8)
