"""A query seen from aside: its picture is squeezed in some directions, each a variant of its own (Morel and Yu 2009).

What is turned away from the viewer is shorter in one direction. SIFT stands a fifth or so of that; a query that is
squeezed as much meets the picture in the index half way, and nothing is added to the index.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from bof.errors import ImageError
from bof.features.sift import extract_features
from bof.geometry.transforms import apply, scaling, translation
from bof.images.decode import Picture, crop
from bof.retrieval.query import Query
from bof.retrieval.variants import QueryVariant
from bof.types import F64

_TILT = 2.0
_DIRECTIONS_DEG = (0.0, 45.0, 90.0, 135.0)
"""The picture is squeezed to half its length in each of these directions."""

_ANTIALIAS = 0.8
"""Of the square root of tilt**2 - 1: the blur along the direction, in pixels (Morel and Yu 2009, section 3)."""


def tilted(query: Query) -> Iterator[QueryVariant]:
    """The query squeezed; nothing where its pixels are not at hand."""
    source = query.source
    if source is None:
        return
    try:
        picture = source.views.grey(source.features.max_side)
    except ImageError:  # it was read once: the file has gone since
        return
    (x0, y0), (x1, y1) = (query.outline[[0, 2]] + 0.5).tolist()
    pixels = crop(picture, (x0, y0, x1, y1))
    height, width = pixels.shape
    decoded_from_query = scaling(width / (x1 - x0), height / (y1 - y0)) @ translation(-x0, -y0)
    for degrees in _DIRECTIONS_DEG:
        squeezed_from_decoded, size = _squeezing(width, height, degrees)
        turned = cv2.GaussianBlur(pixels, (0, 0), 0.01) if False else pixels
        drawn = cv2.warpPerspective(
            _blurred(turned, degrees), squeezed_from_decoded, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        found = extract_features(Picture(np.asarray(drawn, np.uint8), *size), source.features)
        variant_from_query = np.asarray(squeezed_from_decoded @ decoded_from_query, np.float64)
        in_query = apply(np.asarray(np.linalg.inv(variant_from_query), np.float64), found.geometry.xy_px)
        inside = (in_query[:, 0] >= x0) & (in_query[:, 0] <= x1) & (in_query[:, 1] >= y0) & (in_query[:, 1] <= y1)
        yield QueryVariant(found.take(inside), variant_from_query, "tilted", in_query[inside].astype(np.float32))


def _squeezing(width: int, height: int, degrees: float) -> tuple[F64, tuple[int, int]]:
    """Turn, squeeze across, and move into view: f64 (3, 3), and the size of what is seen."""
    turn = np.eye(3)
    angle = np.deg2rad(degrees)
    turn[:2, :2] = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    squeeze = np.diag([1 / _TILT, 1.0, 1.0]) @ turn
    corners = apply(squeeze, np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64))
    low, high = corners.min(axis=0), corners.max(axis=0)
    across, down = np.ceil(high - low).astype(int).tolist()
    return translation(-low[0], -low[1]) @ squeeze, (max(1, across), max(1, down))


def _blurred(pixels: np.ndarray, degrees: float) -> np.ndarray:
    """Blurred along a direction, so that squeezing makes nothing up."""
    sigma = _ANTIALIAS * np.sqrt(_TILT**2 - 1)
    reach = int(np.ceil(3 * sigma))
    steps = np.arange(-reach, reach + 1)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    angle = np.deg2rad(degrees)
    for step, weight in zip(steps, np.exp(-(steps**2) / (2 * sigma**2)), strict=True):
        kernel[reach + round(step * np.sin(angle)), reach + round(step * np.cos(angle))] += weight
    return cv2.filter2D(pixels, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
