"""The pictures of a page of duplicates: thumbnails, and a member laid over the group's representative."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from bof.alignment.canvas import decoded_from_original
from bof.errors import ImageError
from bof.geometry import transforms
from bof.grouping.types import Member
from bof.html import PageImage, inline_jpeg
from bof.images.address import is_remote
from bof.images.decode import Picture, decode, shrink
from bof.images.draw import GREEN, INK, encode_jpeg
from bof.images.opening import read_picture
from bof.store.pictures import StoredPictures
from bof.types import F64, U8, Bool

THUMBNAIL_PX = 200
OVERLAY_PX = 320
_READ_PX = 1024
_QUALITY = 72
_OPACITY = 0.5
_GAIN = 3
"""Differences are shown so many times as large."""

_FARTHEST_PX = 1 << 14


def read(member: Member, stored: StoredPictures | None) -> Picture | str:
    """The picture, shrunk for showing, or why there is none; of one on another machine what is stored of it."""
    try:
        if not is_remote(member.path):
            return read_picture(member.path, max_side=_READ_PX)
        if stored is None or (data := stored.read(member.sha256)) is None:
            return "lies on another machine, and the index stores no thumbnail of it"
        found = decode(data, max_side=_READ_PX, name=member.name)
        return replace(found, width=member.width, height=member.height)
    except ImageError as error:
        return str(error)


def thumbnail(picture: Picture | str) -> PageImage:
    """A small picture for a page."""
    return (
        PageImage("", problem=picture) if isinstance(picture, str) else _embedded(shrink(picture.pixels, THUMBNAIL_PX))
    )


def overlay(base: Picture, member: Picture, base_from_member: F64) -> tuple[PageImage, PageImage] | None:
    """The base with the member over it, half seen through and outlined; and their difference where both are.

    None where the transform cannot be drawn.
    """
    # Drawn at twice the size that is shown, for smooth lines.
    canvas = Picture(shrink(base.pixels, 2 * OVERLAY_PX), base.width, base.height)
    size = (canvas.pixels.shape[1], canvas.pixels.shape[0])
    transform = decoded_from_original(canvas) @ base_from_member @ np.linalg.inv(decoded_from_original(member))
    height, width = member.pixels.shape[:2]
    outline = transforms.apply(transform, transforms.corners((0, 0, width, height)))
    if not np.isfinite(outline).all() or np.abs(outline).max() > _FARTHEST_PX:
        return None
    laid = np.asarray(cv2.warpPerspective(member.pixels, transform, size, flags=cv2.INTER_LINEAR), np.uint8)
    ones = np.full((height, width), 255, np.uint8)
    both = np.asarray(cv2.warpPerspective(ones, transform, size, flags=cv2.INTER_NEAREST), np.uint8) > 0
    blend, difference = _blend(canvas.pixels, laid, both, outline), _difference(canvas.pixels, laid, both)
    return _embedded(_halved(blend)), _embedded(_halved(difference))


def _blend(base: U8, laid: U8, both: Bool, outline: F64) -> U8:
    shown = np.array(base)
    shown[both] = (laid[both] * _OPACITY + base[both] * (1 - _OPACITY)).astype(np.uint8)
    points = [np.rint(outline * 16).astype(np.int32).reshape(-1, 1, 2)]
    for ink, width in ((INK, 8), (GREEN, 4)):
        cv2.polylines(shown, points, True, ink, width, cv2.LINE_AA, 4)
    return shown


def _difference(base: U8, laid: U8, both: Bool) -> U8:
    """White where both are alike, darker the more they differ; where there is but one, a light grey."""
    differing = np.asarray(cv2.absdiff(base, laid), np.uint8).max(axis=2).astype(np.int32) * _GAIN
    shown = np.where(both, 255 - np.minimum(differing, 255), 208).astype(np.uint8)
    return np.repeat(shown[:, :, None], 3, axis=2)


def _halved(rgb: U8) -> U8:
    size = (max(1, rgb.shape[1] // 2), max(1, rgb.shape[0] // 2))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _embedded(rgb: U8) -> PageImage:
    return PageImage(inline_jpeg(encode_jpeg(rgb, _QUALITY)), rgb.shape[1], rgb.shape[0])
