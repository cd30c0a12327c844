"""Features without directions: a similarity is proposed by two correspondences instead of one.

Learned points have a place and nothing else, so one correspondence says no scale and no turn. Two say both: each
correspondence is joined with others of its picture pair, in rounds, and the round that most agree with is taken.
Features all of whose angles are 0 have none: SIFT's never are.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bof.geometry.hypotheses import MIN_FIT, OPEN, STRICT, Hypotheses, Pairs, TurnLimits, find_hypotheses
from bof.types import I64, Geometry

_STEPS = (1, 2, 3, 5, 8, 13, 21, 34)
"""How far after it, in the order of their strength, the second correspondence of each round stands."""

_LEAST_APART = 0.02
"""Of the reference side: points that lie nearer say too little of scale and turn."""

_MOST_SCALE = 4.0


def has_directions(geometry: Geometry) -> bool:
    """Do a picture's features say how they are turned?"""
    return not len(geometry) or bool(np.any(geometry.angle_deg))


def propose(
    pairs: Pairs, query: Geometry, tolerance: float, least: int = MIN_FIT
) -> tuple[Pairs, Hypotheses, TurnLimits]:
    """For each picture the best similarity by one pair, or by two where the query's features have no directions.

    least: so many pairs must agree.

    Returns the pairs with the turns that the hypotheses go by, and what must agree besides the place.
    """
    if has_directions(query):
        return pairs, find_hypotheses(pairs, tolerance, least=least), STRICT
    best_pairs, best = pairs, find_hypotheses(pairs, tolerance, OPEN, least)
    for step in _STEPS:
        turned = _joined(pairs, step)
        found = find_hypotheses(turned, tolerance, OPEN, least)
        better = found.n_agreeing > best.n_agreeing
        rows = np.repeat(better, np.diff(pairs.indptr))
        best_pairs = replace(
            best_pairs,
            turns=np.where(rows, turned.turns, best_pairs.turns),
            columns=np.where(rows, turned.columns, best_pairs.columns),
        )
        best = Hypotheses(
            np.where(better, found.seed, best.seed),
            np.where(better, found.n_agreeing, best.n_agreeing),
            np.where(rows, found.agreeing, best.agreeing),
        )
    return best_pairs, best, OPEN


def _joined(pairs: Pairs, step: int) -> Pairs:
    """The pairs with the scale and the turn that each has together with another of its picture."""
    other = _others(pairs.indptr, step)
    x, y = pairs.places[0] + 1j * pairs.places[1], pairs.places[2] + 1j * pairs.places[3]
    in_query, in_database = x[other] - x, y[other] - y
    near = np.minimum(np.abs(in_query), np.abs(in_database)) < _LEAST_APART
    turn = in_database / np.where(near, 1.0, in_query)
    scale = np.abs(turn)
    unclear = near | (scale > _MOST_SCALE) | (scale < 1 / _MOST_SCALE)
    scale = np.where(unclear, 1.0, scale)
    direction = turn / scale
    found = np.stack([scale, direction.real, direction.imag])
    turns = np.where(unclear, pairs.turns, found)
    columns = pairs.columns.copy()
    columns[4:7], columns[7] = turns, np.log(turns[0])
    return replace(pairs, turns=turns, columns=columns)


def _others(indptr: I64, step: int) -> I64:
    """Of every pair the number of the one `step` places after it in its picture; after the last comes the first."""
    sizes = np.diff(indptr)
    start = np.repeat(indptr[:-1], sizes)
    place = np.arange(int(indptr[-1])) - start
    return np.asarray(start + (place + step) % np.maximum(np.repeat(sizes, sizes), 1), np.int64)
