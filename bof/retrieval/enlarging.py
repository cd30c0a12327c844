"""A query is looked at more closely: a small picture enlarged, a large one in four parts, each a variant of its own.

Features are extracted of at most so many pixels, and only the strongest count. What is small in a large picture, or
makes few features at all, is found by what is seen from nearer.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from bof.features.sift import extract_features
from bof.geometry.transforms import translation
from bof.images.decode import Picture, crop
from bof.options import long_side_of
from bof.retrieval.query import Query, QuerySource
from bof.retrieval.variants import QueryVariant
from bof.types import Box

_SMALL_PX2 = 40_000
"""A picture, or a box, of at most so many pixels is enlarged: a small logo, a line of a page."""

_FEW_FEATURES, _MEDIUM_PX2 = 150, 262_144
"""And one of so few features, where that takes no longer than a usual picture."""

_TIMES = 2
_PARTS, _OVERLAP = 2, 1.15
"""A large picture is cut into so many parts down and across, each so many times as wide as if they met."""

_SHRUNK = 0.8
"""There is more to see where a picture was made smaller than this for its features."""


def enlarged(query: Query) -> Iterator[QueryVariant]:
    """What is seen more closely of a query; nothing where it has the features of all its pixels, or these are not at
    hand.
    """
    source = query.source
    if source is None or not len(query.outline):
        return
    x0, y0, x1, y1 = query.box
    if (x1 - x0) * (y1 - y0) <= (_MEDIUM_PX2 if len(query.features) < _FEW_FEATURES else _SMALL_PX2):
        yield from _looked_at(source, [(x0, y0, x1, y1)], max(source.width, source.height), _TIMES)
        return
    zoom = long_side_of(source.features.extent, source.width, source.height) / max(source.width, source.height)
    if zoom >= _SHRUNK:
        return
    boxes = _parts((x0, y0, x1, y1)) if zoom * max(x1 - x0, y1 - y0) > source.features.max_side / _PARTS else None
    boxes = boxes or [(x0, y0, x1, y1)]
    side = max(max(right - left, bottom - top) for left, top, right, bottom in boxes)
    yield from _looked_at(source, boxes, round(source.features.max_side / side * max(source.width, source.height)), 1)


def _parts(box: Box) -> list[Box]:
    """Parts of a box that overlap."""
    x0, y0, x1, y1 = box
    across, down = _edges(x0, x1), _edges(y0, y1)
    return [(left, top, right, bottom) for top, bottom in down for left, right in across]


def _edges(low: float, high: float) -> list[tuple[float, float]]:
    """Where parts begin and end, at whole pixels."""
    length = (high - low) / _PARTS * _OVERLAP
    starts = np.floor(np.linspace(low, high - length, _PARTS)).tolist()
    return [(max(start, low), min(np.ceil(start + length), high)) for start in starts]


def _looked_at(source: QuerySource, boxes: list[Box], max_side: int, times: int) -> Iterator[QueryVariant]:
    """Parts of a picture that is read with at most so long a side, each drawn so many times as large."""
    picture = source.grey(max_side)
    if picture is None:
        return
    for box in boxes:
        pixels = crop(picture, box)
        if times > 1:
            pixels = np.asarray(cv2.resize(pixels, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC), np.uint8)
        width, height = max(1, round(box[2] - box[0])), max(1, round(box[3] - box[1]))
        features = extract_features(Picture(pixels, width, height), source.features)
        corner = np.array(box[:2], np.float32)
        yield QueryVariant(features, translation(-box[0], -box[1]), "enlarged", features.geometry.xy_px + corner)
