"""A query seen from aside: its picture is squeezed in some directions, each a variant of its own (Morel and Yu 2009).

What is turned away from the viewer is shorter in one direction. SIFT stands a fifth or so of that; a query that is
squeezed as much meets the picture in the index half way, and nothing is added to the index.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from bof.features.sift import extract_features
from bof.geometry.transforms import apply, scaling, translation
from bof.images.decode import Picture, to_grey
from bof.retrieval.query import Query
from bof.retrieval.variants import QueryVariant
from bof.types import F64, U8

_TILT = 2.0
_DIRECTIONS_DEG = (0.0, 90.0)
"""The picture is squeezed to half its length in each of these directions; two more find 2 of 240 pairs more."""

_N_FEATURES, DEPTH = 400, 20
"""Each finds as much with its strongest features, and among so many images with the most votes, in half the time."""

_ANTIALIAS = 0.8
"""Of the square root of tilt**2 - 1: the blur along the direction, in pixels (Morel and Yu 2009, section 3)."""


def tilted(query: Query) -> Iterator[QueryVariant]:
    """The query squeezed, from its pixels as they are compared, small; nothing where these are not at hand."""
    if query.picture is None or query.source is None:
        return
    options = query.source.features
    options = options.replaced(max_features=min(options.max_features, _N_FEATURES))
    pixels = to_grey(query.picture.pixels)
    height, width = pixels.shape
    x0, y0, x1, y1 = query.box
    small_from_query = scaling(width / (x1 - x0), height / (y1 - y0)) @ translation(-x0, -y0)
    for degrees in _DIRECTIONS_DEG:
        squeezed, size = _squeezing(width, height, degrees)
        drawn = cv2.warpPerspective(_blurred(pixels, degrees), squeezed, size, borderMode=cv2.BORDER_REPLICATE)
        found = extract_features(Picture(np.asarray(drawn, np.uint8), *size), options)
        variant_from_query = np.asarray(squeezed @ small_from_query, np.float64)
        query_from_variant = np.asarray(np.linalg.inv(variant_from_query), np.float64)
        in_query = apply(query_from_variant, found.geometry.xy_px.astype(np.float64))
        inside = np.all((in_query >= [x0, y0]) & (in_query <= [x1, y1]), axis=1)
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


def _blurred(pixels: U8, degrees: float) -> U8:
    """Blurred along a direction, so that squeezing makes nothing up."""
    sigma = _ANTIALIAS * np.sqrt(_TILT**2 - 1)
    reach = int(np.ceil(3 * sigma))
    steps = np.arange(-reach, reach + 1)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    angle = np.deg2rad(degrees)
    for step, weight in zip(steps, np.exp(-(steps**2) / (2 * sigma**2)), strict=True):
        kernel[reach + round(step * np.sin(angle)), reach + round(step * np.cos(angle))] += weight
    return np.asarray(cv2.filter2D(pixels, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE), np.uint8)
