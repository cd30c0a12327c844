"""Every correspondence proposes a similarity: which of them do most others agree with?

Every correspondence carries position, scale and angle in both pictures, so each one alone is a hypothesis of four
degrees of freedom (Philbin et al. 2007, section 4). All strong ones are tried: nothing is sampled, the answer is
deterministic. Coordinates are fractions of a picture's long side, so one tolerance fits every size.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bof.loops import best_hypotheses
from bof.types import F32, F64, I32, I64, Bool, Geometry

MAX_PAIRS = 320
"""The strongest correspondences of two pictures are enough to decide."""

MAX_HYPOTHESES = 64
"""And the strongest of those are enough as hypotheses."""

MIN_FIT = 5
"""Correspondences that must agree before anything is fitted to them."""

_MAX_ANGLE = math.radians(30)
_MAX_LOG_SCALE = math.log(2)
_SPOT = 0.02
"""Features within one cell of this fraction of the long side are one spot and count once."""

_WEIGHT_STEPS = 1 << 15
_CHUNK = 64
"""Pictures that a thread takes at once."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where features lie, as fractions of their picture's long side: xy f64 (n, 2), scale f64 (n,); angle_deg f64."""

    xy: F64
    scale: F64
    angle_deg: F64


@dataclass(frozen=True, slots=True)
class Pairs:
    """Matched features in fractions: xy f64 (m, 2); scale and direction (cosine, sine) of database from query."""

    query_xy: F64
    database_xy: F64
    scale: F64
    cosine: F64
    sine: F64
    weight: F64

    def take(self, rows: NDArray[np.integer] | slice) -> Pairs:
        """The chosen pairs."""
        return Pairs(
            self.query_xy[rows], self.database_xy[rows], self.scale[rows],
            self.cosine[rows], self.sine[rows], self.weight[rows],
        )  # fmt: skip


def placement_of(geometry: Geometry) -> Placement:
    """A picture's features in fractions, counted from the picture's corner."""
    side = geometry.long_side
    scale = geometry.scale_px.astype(np.float64) / side
    return Placement((geometry.xy_px.astype(np.float64) + 0.5) / side, scale, geometry.angle_deg.astype(np.float64))


def pair_up(query: Placement, database: Placement, weight: F64) -> Pairs:
    """Row i of both placements belongs to match i."""
    angle = np.radians(database.angle_deg - query.angle_deg)
    return Pairs(query.xy, database.xy, database.scale / query.scale, np.cos(angle), np.sin(angle), weight)


def find_hypotheses(indptr: I64, pairs: Pairs, tolerance: float) -> list[tuple[int, I64]]:
    """For each picture the pair whose similarity gathers most, and the pairs that agree with it one to one.

    The pairs of picture i are rows indptr[i]:indptr[i + 1], strongest first; the rows returned are rows of `pairs`.
    """
    columns, weight, spots = _columns(indptr, pairs)
    limits = np.array([tolerance, math.cos(_MAX_ANGLE), _MAX_LOG_SCALE], np.float32)

    def some(first: int) -> list[tuple[int, I64]]:
        ends = indptr[first : first + _CHUNK + 1]
        seed, n, rows = best_hypotheses(ends, columns, weight, spots, limits, MAX_HYPOTHESES, MIN_FIT)
        return [(int(seed[i]), rows[ends[i] : ends[i] + n[i]]) for i in range(len(seed))]

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        parts = threads.map(some, range(0, len(indptr) - 1, _CHUNK))
        return [found for part in parts for found in part]


def _columns(indptr: I64, pairs: Pairs) -> tuple[F32, I32, I32]:
    """What the compiled loop reads: f32 (8, m), weights in whole steps of the picture's strongest, spots i32 (2, m)."""
    rows = (*pairs.query_xy.T, *pairs.database_xy.T, pairs.scale, pairs.cosine, pairs.sine, np.log(pairs.scale))
    strongest = np.repeat(np.append(pairs.weight, 1.0)[indptr[:-1]], np.diff(indptr))
    weight = np.rint(pairs.weight / np.maximum(strongest, 1e-300) * _WEIGHT_STEPS).astype(np.int32)
    return np.array(rows, np.float32), weight, np.stack([_cells(pairs.query_xy), _cells(pairs.database_xy)])


def _cells(xy: F64) -> I32:
    """The number of the grid cell that each point lies in."""
    column, row = np.floor(xy / _SPOT).astype(np.int32).T
    return np.asarray(row << 16 ^ column & 0xFFFF, np.int32)


def similarity(pairs: Pairs, i: int) -> F64:
    """The transform f64 (3, 3) that pair i alone proposes."""
    a, b = pairs.scale[i] * pairs.cosine[i], pairs.scale[i] * pairs.sine[i]
    (x, y), (u, v) = pairs.query_xy[i], pairs.database_xy[i]
    return np.array([[a, -b, u - (a * x - b * y)], [b, a, v - (b * x + a * y)], [0.0, 0.0, 1.0]])


def gate(pairs: Pairs, i: int) -> Bool:
    """Which pairs agree with pair i in scale and angle, wherever they lie."""
    near_scale = np.abs(np.log(pairs.scale / pairs.scale[i])) < _MAX_LOG_SCALE
    near_angle = pairs.cosine * pairs.cosine[i] + pairs.sine * pairs.sine[i] > math.cos(_MAX_ANGLE)
    return np.asarray(near_scale & near_angle)


def allowed(scale: float, tolerance: float) -> float:
    """Squared residual allowed: the tolerance must hold in both pictures, so it shrinks with the scale."""
    return (tolerance * min(1.0, scale)) ** 2


def one_to_one(pairs: Pairs, rows: I64) -> I64:
    """Of rows, strongest first, those whose spots are both still free."""
    taken: tuple[set[int], set[int]] = (set(), set())
    kept = []
    cells = zip(_cells(pairs.query_xy[rows]).tolist(), _cells(pairs.database_xy[rows]).tolist(), strict=True)
    for row, (query_spot, database_spot) in zip(rows.tolist(), cells, strict=True):
        if query_spot not in taken[0] and database_spot not in taken[1]:
            taken[0].add(query_spot)
            taken[1].add(database_spot)
            kept.append(row)
    return np.array(kept, np.int64)
