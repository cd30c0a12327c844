"""The mirror image and the inverse of a query whose descriptors cannot tell them: its pixels are changed and read anew.

Learned descriptors have no cells and directions to permute, as SIFT's have (`variants.FEATURE_VARIANTS`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from bof.features.sift import crop_features, extract_features, mirror_geometry
from bof.geometry.transforms import mirroring
from bof.images.decode import Picture
from bof.retrieval.query import Query
from bof.retrieval.variants import QueryVariant
from bof.types import Features


def mirrored(query: Query) -> Iterator[QueryVariant]:
    """Left and right exchanged; nothing where the pixels are not at hand."""
    x0, y0, x1, y1 = query.box
    for picture in _picture_of(query):
        flipped = _extracted(query, replace(picture, pixels=np.ascontiguousarray(picture.pixels[:, ::-1])))
        width = picture.width
        found = crop_features(flipped, (width - x1, y0, width - x0, y1))
        place = mirror_geometry(replace(found.geometry, width=width))  # twice mirrored: as it lies in the picture
        yield QueryVariant(found, mirroring(width), None, place.xy_px)


def inverted(query: Query) -> Iterator[QueryVariant]:
    """Light and dark exchanged; nothing where the pixels are not at hand."""
    for picture in _picture_of(query):
        found = crop_features(_extracted(query, replace(picture, pixels=255 - picture.pixels)), query.box)
        yield QueryVariant(found, np.eye(3), "inverted", found.geometry.xy_px)


PIXEL_VARIANTS: Mapping[str, Callable[[Query], Iterator[QueryVariant]]] = MappingProxyType(
    {"mirror": mirrored, "inverse": inverted}
)
"""By the option that asks for it."""


def _picture_of(query: Query) -> Iterator[Picture]:
    picture = query.source.grey(query.source.features.extent) if query.source else None
    if picture is not None:
        yield picture


def _extracted(query: Query, picture: Picture) -> Features:
    assert query.source is not None
    return extract_features(picture, query.source.features)
