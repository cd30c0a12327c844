"""Copies of pictures with too few features, flat logos, flags, blank pages: found by sketches, proved by pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bof.alignment.agreement import DECODED
from bof.alignment.likeness import compare
from bof.geometry.transforms import scaling
from bof.geometry.verification import NO_MATCHES
from bof.global_descriptors.sketch import FEW_FEATURES, LEVELS, SAME_ASPECT, are_near, distances
from bof.images.decode import Picture, to_rgb
from bof.native.mapped_file import reading
from bof.retrieval.collection import Collection
from bof.retrieval.film_frames import representatives
from bof.retrieval.query import Query
from bof.retrieval.shortlist import in_order
from bof.retrieval.shown import Pictures
from bof.system.threads import in_threads
from bof.types import F64, I64, U8, Bool, Verification


def find_whole_copies(query: Query, collection: Collection, pictures: Pictures, n: int) -> dict[int, Verification]:
    """Images that show the same as the query from edge to edge, each with the transform that lays it over the other.

    Only a query of few features is compared so, and with the n images whose sketches are nearest, one of each film.
    """
    if query.picture is None or len(query.features) >= FEW_FEATURES or LEVELS not in query.rows:
        return {}
    one = replace(query.picture, pixels=to_rgb(query.picture.pixels))
    with reading(collection):
        near = representatives(collection.films, _near(query.rows[LEVELS], one, collection).tolist())[:n]

    def is_copy(image: int) -> bool:
        other = pictures.read(image, DECODED)
        return other is not None and compare(one, other, _whole(one, other)).is_whole_copy

    found = zip(near, in_threads(is_copy, near), strict=True)
    return {image: _verification(query, collection, image) for image, is_same in found if is_same}


def _verification(query: Query, collection: Collection, image: int) -> Verification:
    width, height = int(collection.rows.width[image]), int(collection.rows.height[image])
    return Verification(0, 0.0, 0.0, _database_from_query(query, width, height), NO_MATCHES)


def _near(levels: U8, one: Picture, collection: Collection) -> I64:
    """The images i64 whose sketches and aspects are like the query's, nearest first, ties by name."""
    rows = collection.rows
    apart = np.full(len(rows), np.iinfo(np.int64).max)
    for images, sketches, known in collection.column(LEVELS):
        apart[images] = np.where(known, distances(levels, np.asarray(sketches)), apart[images])
    aspect = np.log(rows.width / np.maximum(rows.height, 1)) - np.log(one.width / one.height)
    may_answer: Bool = are_near(apart) & (np.abs(aspect) <= SAME_ASPECT) & collection.weights.live
    found = np.flatnonzero(may_answer)
    nearest = found[np.argsort(apart[found], kind="stable")]
    return in_order(collection, -apart[nearest].astype(np.float64), nearest)


def _whole(one: Picture, other: Picture) -> F64:
    """All of the other onto all of the one."""
    return scaling(one.width / other.width, one.height / other.height)


def _database_from_query(query: Query, width: int, height: int) -> F64:
    """All of the query, or of its box, onto all of a picture of this size."""
    (left, top), (right, bottom) = query.outline[0], query.outline[2]
    across, down = width / (right - left), height / (bottom - top)
    return np.array([[across, 0.0, -left * across - 0.5], [0.0, down, -top * down - 0.5], [0.0, 0.0, 1.0]])
