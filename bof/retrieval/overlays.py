"""An overlay is what many pictures share at one place of the frame: a watermark, a channel's logo, a caption, a form.

It proves nothing about what pictures show, so that the query's features in it are left out. Copies of the query, video
frames and scans of one page share features at one place too. They differ in how these features lie: those of an
overlay lie together, while of a copy some features are found here and others next to them are not, all over the frame.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from bof.geometry import transforms
from bof.geometry.hypotheses import Hypotheses, Pairs, placement_of
from bof.retrieval.collection import Collection
from bof.retrieval.votes import Votes
from bof.types import F64, I64, Bool, Geometry, Overlay, Verification

MIN_IMAGES = 4
"""What fewer pictures share may be the thing itself."""

MIN_FEATURES = 12
"""With fewer an overlay decides nothing."""

MIN_LEFT = 30
"""Fewer features that are left of the query say too little: it is nothing but the overlay."""

_MAX_SHARE = 0.6
"""A picture with a larger share of its features in the overlay, or of the query's, may be a copy of the query."""

_FEW_SHARE = 0.1
"""A feature belongs to the overlay if so many of the pictures with the overlay have it."""

_MIN_INLIERS = 6
_PLACE, _TURN_DEG, _LOG_SCALE = 0.02, 15.0, math.log(1.3)
"""One place: so near, as a fraction of the long side, and about as large and as much turned."""

_FEATURES_PER_CELL = 4
_MIN_TOGETHER = 0.2
"""How much more often a neighbour of an overlay's feature is in the overlay too, from chance 0 to always 1.

Measured by scripts/overlays: of watermarks over texture 0.3 and more, of channels' frames 0.8; of copies that JPEG, blur
or size have spoiled 0.09 at most.
"""


def find_overlay(collection: Collection, query: Geometry, votes: Votes, images: I64) -> Overlay | None:
    """The query's features that at least some of the images, which geometry finds in their own places, share there."""
    if len(images) < MIN_IMAGES:
        return None
    shared = _shared(collection, query, votes, images)
    sizes = np.array([len(collection.geometry(image)) for image in images.tolist()])
    n_shared = shared.sum(axis=1)
    has_it = (n_shared >= _MIN_INLIERS) & (n_shared <= _MAX_SHARE * np.minimum(sizes, len(query)))
    n_images = int(has_it.sum())
    inside = shared[has_it].sum(axis=0) >= max(MIN_IMAGES, _FEW_SHARE * n_images)
    if n_images < MIN_IMAGES or not MIN_FEATURES <= inside.sum() <= len(query) - MIN_LEFT:
        return None
    if inside.mean() > _MAX_SHARE or lie_together(query.xy_px.astype(np.float64), inside) < _MIN_TOGETHER:
        return None
    xy = query.xy_px[inside]
    return Overlay(np.flatnonzero(inside), n_images, (*xy.min(axis=0).tolist(), *xy.max(axis=0).tolist()))


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


def _shared(collection: Collection, query: Geometry, votes: Votes, images: I64) -> Bool:
    """Which features of the query each image has at the same place of its frame, bool (n_images, n_features)."""
    indptr, matches = votes.matches(images)
    one = placement_of(query)[:, matches.query]
    other = collection.placement(images, indptr, matches.database)
    turn = np.abs((one[3] - other[3] + 180.0) % 360.0 - 180.0)
    is_near = np.abs(one[:2] - other[:2]).max(axis=0) < _PLACE
    fits = is_near & (turn < _TURN_DEG) & (np.abs(np.log(one[2] / other[2])) < _LOG_SCALE)
    shared = np.zeros((len(images), len(query)), np.bool_)
    shared[np.repeat(np.arange(len(images)), np.diff(indptr))[fits], matches.query[fits]] = True
    return shared


def in_their_places(query: Geometry, long_side: Mapping[int, int], found: Mapping[int, Verification]) -> I64:
    """The verified images in which what agrees lies where it lies in the query's frame. long_side: in pixels."""
    return np.array([i for i, known in found.items() if _stays(query, long_side[i], known)], np.int64)


def _stays(query: Geometry, long_side: int, found: Verification) -> bool:
    if found.database_from_query is None:
        return False
    xy = query.xy_px[found.inliers.query].astype(np.float64)
    moved = (transforms.apply(found.database_from_query, xy) + 0.5) / long_side - (xy + 0.5) / query.long_side
    return bool(np.median(np.abs(moved).max(axis=1)) < _PLACE)


def stay(pairs: Pairs, best: Hypotheses) -> Bool:
    """`in_their_places` for hypotheses that nothing was refined from: bool (n,), one a picture."""
    places, is_enough = pairs.places[:, best.seed], best.n_agreeing >= _MIN_INLIERS
    is_near = np.abs(places[:2] - places[2:]).max(axis=0) < _PLACE
    return np.asarray(is_enough & is_near & (np.abs(np.log(pairs.turns[0, best.seed])) < _LOG_SCALE), np.bool_)
