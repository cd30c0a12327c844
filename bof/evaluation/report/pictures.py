"""The thumbnails of a report: small JPEG files, the query's box drawn in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from bof.errors import ImageError
from bof.evaluation.report.cases import CasePicture
from bof.html import PageImage
from bof.images.decode import Picture
from bof.images.draw import INK, RED, encode_jpeg
from bof.images.opening import read_picture
from bof.types import U8, Box

LONG_SIDE_PX = 240
FOLDER = "pictures"
_QUALITY = 85


def write_thumbnails(folder: Path, shots: Iterable[CasePicture]) -> dict[CasePicture, PageImage]:
    """Write folder/pictures/0001.jpg and so on, one for each different shot; `src` is relative to the folder.

    A picture that cannot be read is no error: its `problem` says why.
    """
    (folder / FOLDER).mkdir()
    different = dict.fromkeys(shots)
    return {shot: _write(folder, f"{FOLDER}/{number:04d}.jpg", shot) for number, shot in enumerate(different, 1)}


def _write(folder: Path, file: str, shot: CasePicture) -> PageImage:
    try:
        picture = read_picture(shot.path, max_side=LONG_SIDE_PX)
    except ImageError as error:
        return PageImage("", problem=str(error))
    rgb = picture.pixels if shot.box is None else draw_box(picture, shot.box)
    (folder / file).write_bytes(encode_jpeg(rgb, _QUALITY))
    return PageImage(file, rgb.shape[1], rgb.shape[0])


def draw_box(picture: Picture, box: Box) -> U8:
    """The picture's pixels u8 (h, w, 3) with the box, which is in pixels of the original, red on a dark rim."""
    rgb = np.array(picture.pixels, np.uint8)
    shown = np.array([rgb.shape[1], rgb.shape[0]], np.float64)
    corners = (np.array(box, np.float64).reshape(2, 2) + 0.5) * (shown / (picture.width, picture.height)) - 0.5
    first, last = (tuple(map(int, corner)) for corner in np.clip(np.rint(corners), 0, shown - 1).astype(np.int64))
    for ink, width in ((INK, 4), (RED, 2)):
        cv2.rectangle(rgb, first, last, ink, width)
    return rgb
