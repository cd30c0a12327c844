"""Figures of merit: of one ranking by the ranks of its positives, of the results of many queries in one pool."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from bof.types import F64, Bool

# -- One ranking ------------------------------------------------------------------------------------------------------


def positive_ranks(ranking: Sequence[str], positives: Collection[str], junk: Collection[str] = ()) -> list[int]:
    """The 1-based ranks of the positives that a ranking has, ascending.

    ranking: names, best first, need not be complete; junk is passed over as if it were not there. A name that is both
    counts as a positive.
    """
    relevant = set(positives)
    ignored = set(junk) - relevant
    retained = (name for name in ranking if name not in ignored)
    return [rank for rank, name in enumerate(retained, 1) if name in relevant]


def average_precision(ranking: Sequence[str], positives: Collection[str], junk: Collection[str] = ()) -> float:
    """Area under the precision-recall curve by the trapezoid rule, as the Oxford Buildings protocol defines it.

    ranking, positives, junk: as for `positive_ranks`. Raises ValueError without positives.
    """
    relevant = set(positives)
    return average_precision_of_ranks(positive_ranks(ranking, relevant, junk), len(relevant))


def average_precision_of_ranks(ranks: Sequence[int], n_positives: int) -> float:
    """Area under the precision-recall curve by the trapezoid rule.

    ranks: those of the positives that were ranked, 1-based, ascending; the other positives were never found. A step
    of recall weighs the mean of the precisions at the positive and just before it; before the first rank that is 1.
    One figure under three names: Oxford (Philbin et al. 2007), Holidays (Jegou et al. 2008) and Revisited Oxford
    (Radenovic et al. 2018) compute it. Raises ValueError without positives.
    """
    if n_positives < 1:
        raise ValueError("average precision needs at least one positive")
    area = 0.0
    for n_before, rank in enumerate(ranks):
        before = n_before / (rank - 1) if rank > 1 else 1.0
        area += (before + (n_before + 1) / rank) / 2 / n_positives
    return area


def precision_at(k: int, ranks: Sequence[int], n_positives: int) -> float:
    """Share of positives among the first k' = min(k, rank of the last positive) results (Radenovic et al. 2018).

    ranks: as for `average_precision_of_ranks`. A positive that is not in the ranking comes after everything, so then
    k' is k: a ranking that breaks off early gains nothing by it.
    """
    depth = min(k, ranks[-1]) if ranks and len(ranks) == n_positives else k
    return sum(rank <= depth for rank in ranks) / depth


def precision_recall(ranks: Sequence[int], n_positives: int) -> tuple[F64, F64]:
    """The curve's points: precision f64 (m,) and recall f64 (m,) at each of the m positives that were ranked."""
    n_found = np.arange(1, len(ranks) + 1, dtype=np.float64)
    return n_found / np.asarray(ranks, np.float64), n_found / n_positives


def recall_at(k: int, ranking: Sequence[str], positives: Collection[str], junk: Collection[str] = ()) -> float:
    """1 if one of the first k names that are not junk is a positive, else 0."""
    return float(any(rank <= k for rank in positive_ranks(ranking[: k + len(set(junk))], positives, junk)))


def ukbench_score(ranking: Sequence[str], group: Collection[str]) -> int:
    """How many of the object's pictures are among the first four, the query itself included (at most 4)."""
    return len(set(ranking[:4]) & set(group))


# -- The results of all queries in one pool ---------------------------------------------------------------------------


def micro_average_precision(scores: F64, is_positive: Bool, n_positives: int) -> float:
    """Average precision over one pool of (query, reference) pairs, so that scores must compare between queries.

    scores f64 (n,), higher is surer; is_positive bool (n,): the pair is a true one; n_positives: all true pairs, those
    that no ranking has included. The sum, over the true pairs of the pool, of the precision there, divided by
    n_positives; equal scores count worst first (Douze et al. 2021, the DISC21 copy detection challenge).
    Raises ValueError without positives.
    """
    precision, hit = _pooled_precision(scores, is_positive, n_positives)
    return float(precision[hit].sum()) / n_positives


def recall_at_precision(least: float, scores: F64, is_positive: Bool, n_positives: int) -> float:
    """The largest recall of any threshold on the pool's scores at which precision is at least `least`, else 0.

    scores, is_positive, n_positives: as for `micro_average_precision`.
    """
    precision, hit = _pooled_precision(scores, is_positive, n_positives)
    reached = np.cumsum(hit)[precision >= least]
    return float(reached.max(initial=0)) / n_positives


def _pooled_precision(scores: F64, is_positive: Bool, n_positives: int) -> tuple[F64, Bool]:
    """The pool from the highest score down, wrong pairs first where scores tie: precision so far, which are true."""
    if n_positives < 1:
        raise ValueError("a pool of results needs at least one positive")
    hit = is_positive[np.lexsort((is_positive, -scores))]
    return np.cumsum(hit) / np.arange(1.0, len(hit) + 1), hit
