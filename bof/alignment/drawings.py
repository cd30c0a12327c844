"""Is a picture drawn in even colours? Clean logos, icons and pages are; photographs and scans have noise."""

from __future__ import annotations

import cv2
import numpy as np

from bof.images.decode import Picture, to_grey
from bof.types import U8, Bool

_EVEN_LEVELS = 3
"""A pixel whose neighbours are this near is even: half of a drawing's are, a photograph has noise."""

_EVEN_DRAWING = 0.9
"""Clean logos have 0.93 of even pixels and more; of 4,768 photographs and scans of five kinds, as large as they are
compared, seven have 0.85 and one has 0.9, a thing cut out (`scripts.logos.evenness`)."""

_EDGES_PX, _EVEN_SMALL = 30.0, 0.75
"""Edges are as wide in small drawings: a logo of 120 pixels has 0.78 of even pixels. So many a long side are allowed,
down to the second; of 1,844 photographs shrunk to 120 pixels 15 pass, to 160 six, to 240 four."""

_EVEN_PAGE, _BLACK, _WHITE = 0.6, 15, 240
"""Pages of text have 0.68 and more. Of the same pictures 176 are pages so, 171 of them things on white in `train/`."""


def is_flat_drawing(picture: Picture) -> bool:
    """Is it drawn in even colours, as clean logos and icons are? Hardly any photograph is, nor a scan."""
    least = min(_EVEN_DRAWING, max(_EVEN_SMALL, 1 - _EDGES_PX / max(picture.pixels.shape[:2])))
    return bool(float(even_pixels(to_grey(picture.pixels)).mean()) >= least)


def is_page(picture: Picture) -> bool:
    """Is it dark on white or light on black, as clean pages and drawings are?"""
    grey = to_grey(picture.pixels)
    ground = max(np.count_nonzero(grey >= _WHITE), np.count_nonzero(grey <= _BLACK))
    return bool(2 * ground > grey.size) and float(even_pixels(grey).mean()) >= _EVEN_PAGE


def even_pixels(grey: U8) -> Bool:
    """The pixels bool (h, w) of a grey picture u8 (h, w) around which the light hardly differs."""
    around = np.ones((3, 3), np.uint8)
    range_ = cv2.subtract(cv2.dilate(grey, around), cv2.erode(grey, around))
    return np.asarray(range_ <= _EVEN_LEVELS, np.bool_)
