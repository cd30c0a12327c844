"""An overlay is what many pictures share at one place of the frame: a watermark, a channel's logo, a caption, a form.

It proves nothing about what pictures show, so that the query's features in it are left out. Copies of the query, video
frames and scans of one page share features at one place too. They differ in how these features lie: those of an
overlay lie together, while of a copy some features are found here and others next to them are not, all over the frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from bof import native
from bof.geometry import transforms
from bof.geometry.hypotheses import Hypotheses, Pairs, placement_of
from bof.retrieval.collection import Collection
from bof.retrieval.votes import Votes
from bof.types import F64, I64, Bool, Geometry, Overlay, Verification

Shift = tuple[float, float]
"""Of what agrees in a hit's frame against the query's, x and y as fractions of the long side."""

Shifts = Mapping[int, Shift]
"""By image; only of images in which it is as large as in the query, and not turned."""

MIN_IMAGES = 4
"""What fewer pictures share may be the thing itself."""

MIN_FEATURES = 12
"""With fewer an overlay decides nothing."""

MIN_LEFT = 30
"""Fewer features that are left of the query say too little: it is nothing but the overlay."""

_MAX_SHARE, _MAX_SHARE_OF_QUERY = 0.5, 0.75
"""A picture with a larger share of its features in the overlay, or of the query's, may be a copy of the query."""

_FEW_SHARE = 0.1
"""A feature belongs to the overlay if so many of the pictures with the overlay have it."""

_MIN_INLIERS = 6
_PLACE, _TURN_DEG, _SCALE = 0.02, 15.0, 1.3
"""One place: so near, as a fraction of the long side, and about as large and as much turned."""

_STRAY, _ROUGHLY = 0.01, 0.25
"""Inliers of a shifted frame have one shift, but for so much; its transform is a shift, but for so much."""

_SEED_SCALE, _SEED_COSINE = 1.15, math.cos(math.radians(8))
"""One pair of features tells scale and angle less well than many inliers do."""

_TOGETHER = 256
"""Images whose features are looked at together: 6 MB of places for each hundred."""

_FEATURES_PER_CELL = 4
_MIN_TOGETHER = 0.16
"""How much more often a neighbour of an overlay's feature is in the overlay too, from chance 0 to always 1.

Measured on UKBench: with watermarks over texture 0.2 and more, with frames and captions above 0.5; with copies that
JPEG, blur or size have spoiled 0.12 at most.
"""


Share = Callable[[Shifts], tuple[Bool, I64]]
"""Of some images: which features of a query each has at the same place, and how many features each has."""


def find_overlay(collection: Collection, query: Geometry, share: Share, shifts: Shifts) -> Overlay | None:
    """What enough images share with the query at one place; others may have it shifted, as tiled watermarks fit too.

    share: `shared_features` of the query's votes, wherever they lie. Of a film the first image counts alone: where a
    camera stands still all frames share what is behind the actors.
    """
    shifts = _one_a_film(collection, shifts)
    if sum(max(abs(x), abs(y)) < _PLACE for x, y in shifts.values()) < MIN_IMAGES:
        return None
    shared, sizes = share(shifts)
    n_shared = shared.sum(axis=1)
    most = np.minimum(_MAX_SHARE * sizes, _MAX_SHARE_OF_QUERY * len(query))
    has_it = (n_shared >= _MIN_INLIERS) & (n_shared <= most)
    n_images = int(has_it.sum())
    inside = shared[has_it].sum(axis=0) >= max(MIN_IMAGES, _FEW_SHARE * n_images)
    if n_images < MIN_IMAGES or not MIN_FEATURES <= inside.sum() <= len(query) - MIN_LEFT:
        return None
    if inside.mean() > _MAX_SHARE_OF_QUERY or lie_together(query.xy_px.astype(np.float64), inside) < _MIN_TOGETHER:
        return None
    xy = query.xy_px[inside]
    return Overlay(np.flatnonzero(inside), n_images, (*xy.min(axis=0).tolist(), *xy.max(axis=0).tolist()))


def _one_a_film(collection: Collection, shifts: Shifts) -> Shifts:
    """Those of pictures, and of each film the first."""
    if collection.films is None or not shifts:
        return shifts
    first = collection.films.first_of_each(np.array(list(shifts), np.int64))
    return {image: shift for (image, shift), chosen in zip(shifts.items(), first, strict=True) if chosen}


def lie_together(xy: F64, inside: Bool) -> float:
    """How much more often than by chance a point next to one inside is inside too, at most 1.

    xy f64 (n, 2): points; inside bool (n,): some of them. Points in one cell of a grid are next to each other.
    """
    low, extent = xy.min(axis=0), float(np.ptp(xy, axis=0).max()) or 1.0
    n_across = max(1, round(math.sqrt(len(xy) / _FEATURES_PER_CELL)))
    cells = np.minimum((xy - low) / extent * n_across, n_across - 1).astype(np.int64)
    cell = cells[:, 0] * n_across + cells[:, 1]
    n, n_inside = np.bincount(cell), np.bincount(cell, inside)
    others, others_inside = n[cell[inside]] - 1, n_inside[cell[inside]] - 1
    share, has_others = float(inside.mean()), others > 0
    if share == 1.0 or not has_others.any():
        return 0.0
    return (float((others_inside[has_others] / others[has_others]).mean()) - share) / (1.0 - share)


def shared_features(collection: Collection, query: Geometry, votes: Votes, shifts: Shifts) -> tuple[Bool, I64]:
    """Which features of the query each image has at the same place, or shifted: bool (n_images, n_features).

    And how many features each image has, i64 (n_images,).
    """
    images, moved = np.array(list(shifts), np.int64), np.array(list(shifts.values()), np.float64).reshape(-1, 2)
    sizes = np.array([len(collection.geometry(image)) for image in shifts], np.int64)
    shared = np.zeros((len(images), len(query)), np.bool_)
    for some in np.split(np.arange(len(images)), range(_TOGETHER, len(images), _TOGETHER)):
        shared[some] = _shared_by(collection, query, votes, images[some], sizes[some], moved[some])
    return shared, sizes


def _shared_by(collection: Collection, query: Geometry, votes: Votes, images: I64, sizes: I64, shift: F64) -> Bool:
    """The same of images of so many features; shift f64 (n_images, 2)."""
    shared = np.zeros((len(images), len(query)), np.bool_)
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    features = np.arange(indptr[-1]) - np.repeat(indptr[:-1], sizes)
    placed = collection.placement(images, indptr, features.astype(np.uint16))
    place = np.full(len(votes.score), -1, np.int32)
    place[images] = np.arange(len(images), dtype=np.int32)
    limits = np.array([_PLACE, _TURN_DEG, _SCALE])
    one, moved = placement_of(query), np.ascontiguousarray(shift.T)
    for part, hits in votes.pieces:
        native.share_features(part.own(place), hits, indptr, placed, one, moved, limits, shared)
    return shared


def unturned(collection: Collection, query: Geometry, found: Mapping[int, Verification]) -> Shifts:
    """The verified images in which what agrees is as large as in the query's frame and not turned."""
    rows = collection.rows
    shifts: dict[int, Shift] = {}
    for image, known in found.items():
        if known.database_from_query is not None:
            long_side = max(int(rows.width[image]), int(rows.height[image]))
            shift = _shift(query, long_side, known.database_from_query, known)
            shifts |= {image: shift} if shift else {}
    return shifts


def _shift(query: Geometry, long_side: int, database_from_query: F64, found: Verification) -> Shift | None:
    (a, b), (c, d) = database_from_query[:2, :2].tolist()
    size = long_side / query.long_side
    if max(abs(a - size), abs(b), abs(c), abs(d - size)) > _ROUGHLY * size:
        return None
    xy = query.xy_px[found.inliers.query].astype(np.float64)
    moved = (transforms.apply(database_from_query, xy) + 0.5) / long_side - (xy + 0.5) / query.long_side
    middle = np.median(moved, axis=0)
    if np.median(np.abs(moved - middle).max(axis=1)) > _STRAY:
        return None
    return float(middle[0]), float(middle[1])


def unturned_hypotheses(images: I64, pairs: Pairs, best: Hypotheses) -> Shifts:
    """`unturned` where nothing was refined: of images i64 (n,), one a picture of the pairs."""
    turned, places = pairs.turns[:, best.seed], pairs.places[:, best.seed]
    is_unscaled = (turned[0] < _SEED_SCALE) & (turned[0] > 1 / _SEED_SCALE)
    fits = (best.n_agreeing >= _MIN_INLIERS) & is_unscaled & (turned[1] > _SEED_COSINE)
    x, y = (places[2:] - places[:2])[:, fits].tolist()
    return dict(zip(images[fits].tolist(), zip(x, y, strict=True), strict=True))
