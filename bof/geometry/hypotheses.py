"""Every correspondence proposes a similarity: which of them do most others agree with?

Every correspondence carries position, scale and angle in both pictures, so each one alone is a hypothesis of four
degrees of freedom (Philbin et al. 2007, section 4). All strong ones are tried: nothing is sampled, the answer is
deterministic. Coordinates are fractions of a picture's reference side, so one tolerance fits every size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bof import native
from bof.system.threads import even_shares, in_threads, shares
from bof.types import F32, F64, I32, I64, Geometry, Size, reference_side

MAX_PAIRS = 320
"""The strongest correspondences of two pictures are enough to decide."""

MAX_HYPOTHESES = 64
"""And the strongest of those are enough as hypotheses."""

MIN_FIT = 5
"""Correspondences that must agree before anything is fitted to them."""

MIN_COSINE = math.cos(math.radians(30))
MAX_LOG_SCALE = math.log(2)
"""Pairs that agree turn and scale about alike."""

_CELL_SIZE = 0.02
"""Features within one cell of this fraction of the long side count once."""

_WEIGHT_STEPS = 1 << 15
_PAIRS_WORTH_A_THREAD = 16384
_HYPOTHESES_WORTH_A_THREAD = 4096
"""Pairs that are worth sharing out: to compute them, and to compare each with many."""


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """What pairs that agree must have alike besides the place: the least cosine between their turns, and the most that
    the logarithms of their scales may differ by.
    """

    cosine: float
    log_scale: float


STRICT, OPEN = TurnLimits(MIN_COSINE, MAX_LOG_SCALE), TurnLimits(-2.0, 1e9)
"""As features with directions have them; and of features without any, whose turns say nothing of each alone."""

Placement = F64
"""Where features lie, f64 (4, n): x, y and scale as fractions of a side of their picture, angle in degrees."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Matched features of several pictures, in fractions: those of picture i at indptr[i]:indptr[i + 1], in order.

    Strongest first. indptr i64 (n + 1); places f64 (4, m): x and y in the query and in the database picture; turns
    f64 (3, m): scale and direction (cosine, sine) of database from query; cells i32 (2, m): the grid cells of both
    points; columns f32 (8, m): places, turns and the logarithm of the scale; weight f64 (m,).
    """

    indptr: I64
    places: F64
    turns: F64
    cells: I32
    columns: F32
    weight: F64

    @property
    def shares(self) -> list[range]:
        """The pictures, about as many pairs for every thread."""
        return shares(np.diff(self.indptr), _HYPOTHESES_WORTH_A_THREAD)


@dataclass(frozen=True, slots=True)
class Hypotheses:
    """For each picture the pair whose similarity gathers most, and the pairs that agree with it, one to one.

    seed i64 (n,): a pair, -1 where there is none; n_agreeing i64 (n,); agreeing i64 (m,): the pairs that agree in
    picture i are agreeing[indptr[i]:][:n_agreeing[i]].
    """

    seed: I64
    n_agreeing: I64
    agreeing: I64


def placement_of(geometry: Geometry) -> Placement:
    """A picture's features in fractions of its reference side, counted from the picture's corner."""
    side = geometry.reference_side
    x, y = (geometry.xy_px.T.astype(np.float64) + 0.5) / side
    return np.stack([x, y, geometry.scale_px.astype(np.float64) / side, geometry.angle_deg.astype(np.float64)])


def refer(placed: Placement, indptr: I64, sizes: Sequence[Size]) -> Placement:
    """Placements in fractions of pictures' long sides, those of picture i in columns indptr[i]:indptr[i + 1], in
    fractions of their reference sides; sizes: width and height of each.
    """
    factors = np.array([max(size) / reference_side(*size) for size in sizes])
    if np.all(factors == 1.0):
        return placed
    of_match = np.repeat(factors, np.diff(indptr))
    return np.concatenate([placed[:3] * of_match, placed[3:]])


def pair_up(indptr: I64, query: Placement, row: I32, database: Placement, weight: F64) -> Pairs:
    """Match i is of feature row[i] of the query and of column i of the database's placement."""
    m, row = len(row), np.ascontiguousarray(row)
    found = np.empty((4, m)), np.empty((3, m)), np.empty((2, m), np.int32), np.empty((8, m), np.float32)
    in_threads(
        lambda matches: native.pair_up(query, row, database, matches, _CELL_SIZE, found),
        even_shares(m, _PAIRS_WORTH_A_THREAD),
    )
    return Pairs(indptr, *found, np.ascontiguousarray(weight))


def find_hypotheses(
    pairs: Pairs, tolerance: float, turn_limits: TurnLimits = STRICT, least: int = MIN_FIT
) -> Hypotheses:
    """Every strong pair of each picture proposes a similarity; the best one, and what agrees with it.

    least: so many pairs must agree.
    """
    n, m = len(pairs.indptr) - 1, len(pairs.weight)
    weight = _whole_weights(pairs)
    limits = np.array([tolerance, turn_limits.cosine, turn_limits.log_scale], np.float32)
    found = Hypotheses(np.empty(n, np.int64), np.empty(n, np.int64), np.empty(m, np.int64))

    def some(pictures: range) -> None:
        arguments = (pairs.indptr, pictures, pairs.columns, weight, pairs.cells, limits, MAX_HYPOTHESES, least)
        native.best_hypotheses(*arguments, found.seed, found.n_agreeing, found.agreeing)

    in_threads(some, pairs.shares)
    return found


def _whole_weights(pairs: Pairs) -> I32:
    """Weights in whole steps of the picture's strongest."""
    strongest = np.repeat(np.append(pairs.weight, 1.0)[pairs.indptr[:-1]], np.diff(pairs.indptr))
    steps = np.rint(pairs.weight / np.maximum(strongest, 1e-300) * _WEIGHT_STEPS)
    return np.asarray(steps, np.int32)
