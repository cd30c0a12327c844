"""Figures of merit of a ranking: average precision, recall at k, the UKBench score."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def average_precision(ranking: Sequence[str], positives: Collection[str], junk: Collection[str] = ()) -> float:
    """Area under the precision-recall curve by the trapezoid rule, as the Oxford Buildings protocol defines it.

    ranking: names, best first, need not be complete; junk is passed over as if it were not there. The curve starts at
    precision 1 (Philbin et al. 2007, and the ground truth's compute_ap). Raises ValueError without positives.
    """
    wanted, ignored = set(positives), set(junk)
    if not wanted:
        raise ValueError("average precision needs at least one positive")
    area, n_found, rank, last_precision = 0.0, 0, 0, 1.0
    for name in ranking:
        if name in ignored and name not in wanted:
            continue
        rank += 1
        n_found += name in wanted
        precision = n_found / rank
        if name in wanted:
            area += (last_precision + precision) / 2 / len(wanted)
        last_precision = precision
    return area


def recall_at(k: int, ranking: Sequence[str], positives: Collection[str], junk: Collection[str] = ()) -> float:
    """1 if one of the first k names that are not junk is a positive, else 0."""
    wanted, ignored = set(positives), set(junk)
    kept = [name for name in ranking[: k + len(ignored)] if name in wanted or name not in ignored]
    return float(any(name in wanted for name in kept[:k]))


def ukbench_score(ranking: Sequence[str], group: Collection[str]) -> int:
    """How many of the object's pictures are among the first four, the query itself included (at most 4)."""
    return len(set(ranking[:4]) & set(group))
