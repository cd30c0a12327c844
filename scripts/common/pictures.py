"""Sheets of pictures for a person to look at: tiles with frames, in rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from bof.images.decode import read_image, shrink
from bof.types import U8

Colour = tuple[int, int, int]

GREEN, RED, BLUE, WHITE = (40, 160, 60), (200, 50, 50), (60, 90, 200), (255, 255, 255)

_FRAME_PX = 4


def rgb(path: Path, max_side: int | None = None) -> U8:
    """A picture RGB u8 (h, w, 3); its long side is at most max_side."""
    return read_image(path, max_side=max_side).pixels


def tile(pixels: U8, side: int, frame: Colour = WHITE) -> U8:
    """A picture in a square of this side on white, with a frame: RGB u8 (side, side, 3)."""
    small = shrink(np.ascontiguousarray(pixels), side - 2 * _FRAME_PX)
    framed = cv2.copyMakeBorder(small, _FRAME_PX, _FRAME_PX, _FRAME_PX, _FRAME_PX, cv2.BORDER_CONSTANT, value=frame)
    square = blank(side, side)
    square[: framed.shape[0], : framed.shape[1]] = framed
    return square


def blank(height: int, width: int) -> U8:
    """White RGB u8 (height, width, 3)."""
    return np.full((height, width, 3), 255, np.uint8)


def grid(tiles: Sequence[U8], columns: int) -> U8:
    """Tiles of one size in rows; the last row is filled up with white."""
    full = [*tiles, *[np.full_like(tiles[0], 255)] * (-len(tiles) % columns)]
    return np.concatenate([np.concatenate(full[at : at + columns], axis=1) for at in range(0, len(full), columns)])


def encode(pixels: U8, suffix: str, quality: int | None = None) -> bytes:
    """RGB u8 (h, w, 3) as a file of the format that a suffix names; quality: of a JPEG, 0 to 100."""
    flags = [] if quality is None else [cv2.IMWRITE_JPEG_QUALITY, quality]
    return cv2.imencode(suffix, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), flags)[1].tobytes()
