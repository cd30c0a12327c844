"""Geometry decides: correspondences -> similarity hypotheses -> affine -> homography -> inliers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bof.geometry.hypotheses import (
    MAX_PAIRS,
    MIN_FIT,
    STRICT,
    Hypotheses,
    Pairs,
    Placement,
    TurnLimits,
    pair_up,
    placement_of,
)
from bof.geometry.transforms import apply
from bof.geometry.two_points import propose
from bof.native import refine
from bof.options import VerifyOptions
from bof.system.threads import in_threads
from bof.types import F64, I64, Correspondences, Geometry, Size, Verification, reference_side

MIN_LOCATED = 6
"""Inliers from which a transform is believed enough to be shown."""

_MIN_HOMOGRAPHY = 8
_TENTATIVE = 64
"""So many matches are told where pixels are to decide which of them is right."""

_PERSPECTIVE_F = 8.0
_MAX_STRETCH = 4.0

NO_MATCHES = Correspondences(np.empty(0, np.int32), np.empty(0, np.uint16), np.empty(0))


def verify(query: Geometry, database: Geometry, matches: Correspondences, options: VerifyOptions) -> Verification:
    """Find the transform that most of the matches' weight agrees with.

    matches: strongest first, as `Votes.for_images` gives them. Returns the inliers, one to one, with features at one
    cell_size counted once, and database_from_query in pixels of the original pictures, None where fewer than
    MIN_LOCATED matches agree.
    """
    matches = matches.take(slice(MAX_PAIRS))
    placed = placement_of(database.take(matches.database))
    indptr = np.array([0, len(matches)], np.int64)
    return verify_all(query, [(database.width, database.height)], placed, indptr, matches, options)[0]


def verify_all(
    query: Geometry,
    sizes: Sequence[Size],
    database: Placement,
    indptr: I64,
    matches: Correspondences,
    options: VerifyOptions,
    least: int = MIN_LOCATED,
) -> list[Verification]:
    """`verify` for many pictures at once.

    sizes: of each picture; database, in fractions of reference sides, and matches: picture after picture, those of
    picture i in rows indptr[i]:indptr[i + 1], strongest first and at most MAX_PAIRS; least: inliers from which a
    transform is found; where that is less than MIN_LOCATED, pictures without one tell their tentative matches.
    """
    pairs = pair_up(indptr, placement_of(query), matches.query, database, matches.weight)
    pairs, best, turn_limits = propose(pairs, query, options.tolerance, min(least, MIN_FIT))
    transform, weight, spread = _refined(pairs, query, best, options.tolerance, turn_limits, least)
    starts, stops = indptr[:-1].tolist(), np.minimum(indptr[1:], indptr[:-1] + _TENTATIVE).tolist()
    found = zip(
        starts, stops, best.n_agreeing.tolist(), _in_pixels(transform, query, sizes), weight.tolist(),
        spread.tolist(), strict=True,
    )  # fmt: skip
    return [
        Verification(n, total, width, target, matches.take(best.agreeing[start : start + n]))
        if n >= least
        else Verification(
            n, 0.0, 0.0, None, NO_MATCHES, tentative=matches.take(slice(start, stop)) if least < MIN_LOCATED else None
        )
        for start, stop, n, target, total, width in found
    ]


def similarities(query: Geometry, database: Geometry, matches: Correspondences) -> F64:
    """What each match alone says of how a query lies in a picture: database_from_query f64 (n, 3, 3), in pixels."""
    indptr, placed = np.array([0, len(matches)], np.int64), placement_of(database.take(matches.database))
    pairs = pair_up(indptr, placement_of(query), matches.query, placed, matches.weight)
    (x, y, u, v), (scale, cosine, sine) = pairs.places, pairs.turns
    a, b = scale * cosine, scale * sine
    zero, one = np.zeros(len(matches)), np.ones(len(matches))
    rows = [[a, -b, u - a * x + b * y], [b, a, v - b * x - a * y], [zero, zero, one]]
    return _in_pixels(np.array(rows).transpose(2, 0, 1), query, [(database.width, database.height)] * len(matches))


def agreeing(
    query: Geometry, database: Geometry, matches: Correspondences, database_from_query: F64, tolerance: float
) -> Correspondences:
    """The matches, one to one, that a transform f64 (3, 3) explains within a fraction of the picture's long side.

    matches: strongest first; database_from_query: in pixels.
    """
    found = apply(database_from_query, query.xy_px[matches.query].astype(np.float64))
    apart = np.linalg.norm(found - database.xy_px[matches.database], axis=1)
    some = matches.take(np.flatnonzero(apart <= tolerance * database.long_side))
    some = some.take(np.sort(np.unique(some.query, return_index=True)[1]))
    return some.take(np.sort(np.unique(some.database, return_index=True)[1]))


def _in_pixels(transform: F64, query: Geometry, sizes: Sequence[Size]) -> F64:
    """Transforms f64 (n, 3, 3) in fractions as transforms in pixels, the bottom right element 1.

    Fractions count from the picture's corner, pixels from the centre of the first.
    """
    side = query.reference_side
    fractions_from_pixels = np.array([[1 / side, 0.0, 0.5 / side], [0.0, 1 / side, 0.5 / side], [0.0, 0.0, 1.0]])
    target = transform @ fractions_from_pixels
    sides = np.array([reference_side(*size) for size in sizes], np.float64)
    target[:, :2] = target[:, :2] * sides[:, None, None] - 0.5 * target[:, 2:]
    scale = target[:, 2:, 2:]
    return np.asarray(target / np.where(scale == 0.0, 1.0, scale), np.float64)


def _refined(
    pairs: Pairs, query: Geometry, best: Hypotheses, tolerance: float, turn_limits: TurnLimits = STRICT,
    least: int = MIN_LOCATED,
) -> tuple[F64, F64, F64]:  # fmt: skip
    """Transforms f64 (n, 3, 3) in fractions, sums of the inliers' weights and their spreads f64 (n,).

    The pairs that agree with the hypotheses give way to the inliers. Points along a line, as frets, frames and shelves
    make them, agree more easily than points all over: that is why the spread is reported.
    """
    n = len(best.seed)
    found = np.zeros((n, 3, 3)), np.zeros(n), np.zeros(n)
    size = np.array([query.width, query.height], np.float64) / query.reference_side
    needed = (min(least, MIN_FIT), least, _MIN_HOMOGRAPHY)
    rules = np.array(
        [tolerance, _MAX_STRETCH, _PERSPECTIVE_F, turn_limits.cosine, turn_limits.log_scale, *needed], np.float64
    )

    def some(pictures: range) -> None:
        columns = (pairs.places, pairs.turns, pairs.weight, pairs.cells)
        refine(pairs.indptr, pictures, *columns, size, rules, best.seed, best.n_agreeing, best.agreeing, *found)

    in_threads(some, pairs.shares)
    return found
