"""The pictures of a page of duplicates: thumbnails, and a member laid over its head."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bof.errors import ImageError
from bof.geometry import transforms
from bof.images.decode import Picture, display_name, read_image, shrink
from bof.images.draw import GREEN, INK, encode_jpeg
from bof.types import F64, U8

THUMBNAIL_PX = 240
OVERLAY_PX = 360
_READ_PX = 1024
_QUALITY = 78
_OPACITY = 0.5
_GAIN = 3
"""Differences are shown so many times as large."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A picture as a data URI with its size in pixels; where uri is empty, problem says why."""

    uri: str
    width: int = 0
    height: int = 0
    problem: str = ""


def read(path: Path) -> Picture | str:
    """The picture, shrunk for showing, or why there is none."""
    try:
        return read_image(path, max_side=_READ_PX)
    except ImageError as error:
        return display_name(str(error))


def thumbnail(picture: Picture | str) -> Embedded:
    """A small picture for a page."""
    if isinstance(picture, str):
        return Embedded("", problem=picture)
    return _embedded(_fitted(picture, THUMBNAIL_PX))


def overlay(head: Picture, member: Picture, head_from_member: F64) -> tuple[Embedded, Embedded] | None:
    """The head with the member over it, half seen through and outlined; and their difference where both are.

    None where the transform cannot be drawn.
    """
    base = _fitted(head, 2 * OVERLAY_PX)
    corners = transforms.corners((0, 0, member.width, member.height))
    outline = transforms.apply(_scaled(base, head) @ head_from_member, corners)
    if not np.isfinite(outline).all() or np.abs(outline).max() > 1 << 14:
        return None
    transform = _scaled(base, head) @ head_from_member @ np.linalg.inv(_scaled(member.pixels, member))
    size = (base.shape[1], base.shape[0])
    laid = np.asarray(cv2.warpPerspective(member.pixels, transform, size, flags=cv2.INTER_LINEAR), np.uint8)
    ones = np.full(member.pixels.shape[:2], 255, np.uint8)
    both = np.asarray(cv2.warpPerspective(ones, transform, size, flags=cv2.INTER_NEAREST), np.uint8) > 0
    return _embedded(_halved(_blend(base, laid, both, outline))), _embedded(_halved(_difference(base, laid, both)))


def _blend(base: U8, laid: U8, both: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], outline: F64) -> U8:
    shown = np.array(base)
    shown[both] = (laid[both] * _OPACITY + base[both] * (1 - _OPACITY)).astype(np.uint8)
    points = [np.rint(outline * 16).astype(np.int32).reshape(-1, 1, 2)]
    for ink, width in ((INK, 8), (GREEN, 4)):
        cv2.polylines(shown, points, True, ink, width, cv2.LINE_AA, 4)
    return shown


def _difference(base: U8, laid: U8, both: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> U8:
    """White where both are alike, darker the more they differ; where there is but one, a light grey."""
    differing = np.asarray(cv2.absdiff(base, laid), np.uint8).max(axis=2).astype(np.int32) * _GAIN
    shown = np.where(both, 255 - np.minimum(differing, 255), 208).astype(np.uint8)
    return np.repeat(shown[:, :, None], 3, axis=2)


def _fitted(picture: Picture, side: int) -> U8:
    rgb = picture.pixels if picture.pixels.ndim == 3 else np.repeat(picture.pixels[:, :, None], 3, axis=2)
    return shrink(rgb, side)


def _scaled(pixels: U8, picture: Picture) -> F64:
    """From the original's pixels to those of a scaled copy, f64 (3, 3)."""
    return transforms.scaling(pixels.shape[1] / picture.width, pixels.shape[0] / picture.height)


def _halved(rgb: U8) -> U8:
    size = (max(1, rgb.shape[1] // 2), max(1, rgb.shape[0] // 2))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _embedded(rgb: U8) -> Embedded:
    data = base64.b64encode(encode_jpeg(rgb, _QUALITY)).decode("ascii")
    return Embedded(f"data:image/jpeg;base64,{data}", rgb.shape[1], rgb.shape[0])
