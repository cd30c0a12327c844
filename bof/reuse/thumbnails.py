"""Small pictures for the page of a reuse graph, with what they share framed."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from bof.alignment.canvas import decoded_from_original
from bof.geometry import transforms
from bof.html import PageImage, inline_jpeg
from bof.images.decode import Picture, shrink, to_rgb
from bof.images.draw import GREEN, INK, VIOLET, encode_jpeg
from bof.reuse.types import SharedKind
from bof.types import F64, U8, Box

THUMBNAIL_PX = 220
_DRAWN_AT = 2
"""Twice the size that is shown, for smooth lines."""

_QUALITY = 68
_SHIFT = 4
_ALIKE = 0.5
"""Frames that share so much of the smaller one's area are one: twenty pages that share one block show one frame."""

_MOST_FRAMES = 4

Frame = tuple[SharedKind, F64]
"""The kind of a pair, and the outline f64 (n, 2) of what is shared in pixels of the original."""


def thumbnail(picture: Picture | None, frames: Sequence[Frame]) -> PageImage:
    """A small picture with frames, parts violet, what is the same green; frames that are much alike are drawn once."""
    if picture is None:
        return PageImage("", problem="cannot be read, or has changed since it was indexed")
    canvas = Picture(np.array(shrink(to_rgb(picture.pixels), _DRAWN_AT * THUMBNAIL_PX)), picture.width, picture.height)
    for kind, outline in distinct(frames):
        _draw(canvas, outline, VIOLET if kind == "part" else GREEN)
    height, width = canvas.pixels.shape[:2]
    size = max(1, width // _DRAWN_AT), max(1, height // _DRAWN_AT)
    rgb = np.asarray(cv2.resize(canvas.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return PageImage(inline_jpeg(encode_jpeg(rgb, _QUALITY)), *size)


def distinct(frames: Sequence[Frame]) -> list[Frame]:
    """Of frames that lie at one place the first, at most a few."""
    chosen: list[Frame] = []
    for frame in frames:
        if len(chosen) < _MOST_FRAMES and all(_alike(_box(frame[1]), _box(known)) < _ALIKE for _, known in chosen):
            chosen.append(frame)
    return chosen


def _box(outline: F64) -> Box:
    return *outline.min(axis=0).tolist(), *outline.max(axis=0).tolist()


def _alike(one: Box, other: Box) -> float:
    """The area that two boxes share over the smaller one's."""
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / max(min(areas), 1e-9)


def _draw(canvas: Picture, outline: F64, colour: tuple[int, int, int]) -> None:
    points = transforms.apply(decoded_from_original(canvas), outline)
    if not np.isfinite(points).all():
        return
    last = np.array([canvas.pixels.shape[1], canvas.pixels.shape[0]]) - 3
    fixed = np.rint(np.clip(points, 2, last) * (1 << _SHIFT)).astype(np.int32)
    pixels: U8 = canvas.pixels
    for ink, width in ((INK, 9), (colour, 5)):
        cv2.polylines(pixels, [fixed.reshape(-1, 1, 2)], True, ink, width, cv2.LINE_AA, _SHIFT)
