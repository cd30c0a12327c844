"""Pixels of pictures: what is searched with as its hits show it, and what of a collection can be read again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from bof.geometry.transforms import translation
from bof.images.decode import Picture, to_rgb
from bof.options import PixelLimit
from bof.retrieval.query import Query
from bof.types import F32, F64, Agreement, Geometry, Verification


class Pictures(Protocol):
    """Reads pictures of a collection again. A picture counts only as it was when it was indexed."""

    def contents(self, images: Sequence[int]) -> Mapping[int, str]:
        """The sha256 of the file of each image, as the catalogue has it."""

    def find(self, sha256: str) -> Sequence[int]:
        """The images whose files have this content."""

    def read(self, image: int, max_side: PixelLimit) -> Picture | None:
        """The picture of an image; None where its file is not what was indexed, or cannot be read here."""


@dataclass(frozen=True, slots=True)
class QueryPixels:
    """What is searched with, a box or a picture: where its features lie, its top left corner f64 (2,) in pixels of the
    picture, and its pixels.
    """

    features: Geometry
    corner: F64
    picture: Picture

    @classmethod
    def of(cls, query: Query, picture: Picture) -> QueryPixels:
        """Of a query whose pixels are at hand."""
        return cls(query.features.geometry, np.array(query.box[:2]), picture)

    @property
    def query_from_picture(self) -> F64:
        """From what is shown to the whole picture, f64 (3, 3)."""
        return translation(*self.corner.tolist())

    def points(self, found: Verification) -> F32:
        """Where the inliers of a hit lie f32 (m, 2), in pixels of what is shown."""
        return found.points_in(self.features) - self.corner.astype(np.float32)

    def as_found(self, found: Verification) -> Picture:
        """The pixels as the hit shows them: with light and dark exchanged, where it was found so."""
        if found.variant != "inverted":
            return self.picture
        return dataclasses.replace(self.picture, pixels=np.asarray(255 - self.picture.pixels, np.uint8))

    def in_query(self, found: Agreement) -> Agreement:
        """An agreement with the region in pixels of the whole picture."""
        region = found.query_region
        return found if region is None else dataclasses.replace(found, query_region=region + self.corner)


def in_rgb(picture: Picture) -> Picture:
    """The same in RGB."""
    return dataclasses.replace(picture, pixels=to_rgb(picture.pixels))
