"""Recall at zero false accepts: what a method finds when nothing that it accepts may be wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bof.evaluation.benchmarks.types import BenchmarkQuery
from bof.types import F64, Bool

NEVER = float("-inf")
"""The score of a reference that a method would not return at any threshold."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a method says of one query: scores f64 (n,) and accepted bool (n,), by reference; larger is better."""

    scores: F64
    accepted: Bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """A reply held against the truth.

    right and wrong: the best score of a source and of a reference that is neither source nor junk, NEVER where there
    is none; found: a source is accepted by the method's own threshold; false_accepts: what else is.
    """

    query: BenchmarkQuery
    right: float
    wrong: float
    found: bool
    false_accepts: Sequence[Path]


@dataclass(frozen=True, slots=True)
class MethodReport:
    """One method over all queries: its outcomes, what its own threshold is, and what it costs."""

    name: str
    threshold: str
    outcomes: Sequence[Outcome]
    index_seconds: float
    query_ms: float
    n_bytes: int


def judge(query: BenchmarkQuery, row_of: Mapping[Path, int], reply: Reply) -> Outcome:
    """Hold a reply against what the query ought to find; row_of: each reference's place in the reply."""
    right = _mask(query.positives, row_of)
    wrong = ~right & ~_mask(query.junk, row_of)
    accepted = set(np.flatnonzero(reply.accepted & wrong).tolist())
    return Outcome(
        query,
        float(reply.scores[right].max(initial=NEVER)),
        float(reply.scores[wrong].max(initial=NEVER)),
        bool(reply.accepted[right].any()),
        [path for path, row in row_of.items() if row in accepted] if accepted else [],
    )


def _mask(paths: Collection[Path], row_of: Mapping[Path, int]) -> Bool:
    mask = np.zeros(len(row_of), np.bool_)
    mask[[row_of[path] for path in paths]] = True
    return mask


def groups_of(outcomes: Sequence[Outcome]) -> list[str]:
    """The groups with sources, in the order in which they first come."""
    return list(dict.fromkeys(outcome.query.group for outcome in outcomes if outcome.query.positives))


def best_threshold(outcomes: Sequence[Outcome]) -> float:
    """The loosest threshold without a false accept: scores above it are accepted."""
    return max((outcome.wrong for outcome in outcomes), default=NEVER)


def recall(outcomes: Sequence[Outcome], group: str | None = None, above: float | None = None) -> float:
    """The share of the queries with a source whose source is found, in one group or in all (None).

    above: accept scores above this; None: the method's own threshold. Raises ValueError when no query has a source.
    """
    asked = [o for o in outcomes if o.query.positives and group in (None, o.query.group)]
    if not asked:
        raise ValueError(f"recall needs a query with a source; group {group!r} has none")
    found = [o.found if above is None else o.right > above for o in asked]
    return sum(found) / len(asked)


def n_false_accepts(outcomes: Sequence[Outcome]) -> int:
    """Pairs of a query and a wrong reference that the method's own threshold accepts."""
    return sum(len(outcome.false_accepts) for outcome in outcomes)


def n_misled(outcomes: Sequence[Outcome]) -> int:
    """Queries that were given at least one wrong reference."""
    return sum(bool(outcome.false_accepts) for outcome in outcomes)
