"""Verdicts on look-alikes: how many are called the same, how many right ones are kept, which come first.

A verdict is any text; `same` and `part` are counted, others are nothing that is claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.evaluation.benchmarks.types import BenchmarkQuery
from bof.types import Ranking

ALL = "all"
HALF, FAMILY = "half", "family"
REPORTED_BY = ("kind", "query_kind")
SAME, PART = "same", "part"


@dataclass(frozen=True, slots=True)
class SiblingCounts:
    """What one query was told of its siblings, of what it should find (right), and of all other pictures (others).

    first_right: a right picture is the first that is not junk, None where there is none to find; first_same: and is
    called the same.
    """

    labels: Mapping[str, str]
    n_siblings: int
    siblings_same: int
    siblings_part: int
    n_right: int
    right_same: int
    right_part: int
    others_same: int
    first_right: bool | None
    first_same: bool | None


@dataclass(frozen=True, slots=True)
class SiblingFigures:
    """Sums and shares over n_queries queries; a share of nothing is None.

    wrong_same: of the n_pairs pairs of a query and a sibling, those called the same; wrong_part: called a part;
    wrong_of_same: of the n_same pictures called the same, those that are not right; misled: queries with one of these;
    right_same, right_part: of the n_right pairs of a query and a right picture; first: queries whose first picture is
    right, of those that have something to find; first_and_same: and is called the same; families_missed: of the
    n_families that have something to find, those with a query whose first picture is wrong.
    """

    n_queries: int
    n_pairs: int
    wrong_same: float | None
    wrong_part: float | None
    n_same: int
    wrong_of_same: float | None
    misled: float | None
    n_right: int
    right_same: float | None
    right_part: float | None
    first: float | None
    first_and_same: float | None
    n_families: int
    families_missed: int


@dataclass(frozen=True, slots=True)
class SiblingReport:
    """Figures over all queries, and over those with a label: by "kind" and "query_kind", then by its values."""

    all: SiblingFigures
    by: Mapping[str, Mapping[str, SiblingFigures]]


def count(ranking: Ranking, query: BenchmarkQuery) -> SiblingCounts:
    """What a ranking says of a query's pictures; one that it leaves out has no verdict."""
    verdict_of = dict(zip(ranking.paths, ranking.verdicts, strict=True))
    others = verdict_of.keys() - query.siblings - query.positives - query.junk
    first = next((path for path in ranking.paths if path not in query.junk), None)
    first_right = first in query.positives if query.positives else None
    return SiblingCounts(
        query.labels,
        len(query.siblings),
        _called(SAME, query.siblings, verdict_of),
        _called(PART, query.siblings, verdict_of),
        len(query.positives),
        _called(SAME, query.positives, verdict_of),
        _called(PART, query.positives, verdict_of),
        _called(SAME, others, verdict_of),
        first_right,
        first_right and first is not None and verdict_of[first] == SAME,
    )


def _called(verdict: str, paths: Iterable[Path], verdict_of: Mapping[Path, str]) -> int:
    return sum(verdict_of.get(path) == verdict for path in paths)


def figures(counts: Sequence[SiblingCounts]) -> SiblingFigures:
    """Figures over some queries."""
    n_pairs, n_right = sum(c.n_siblings for c in counts), sum(c.n_right for c in counts)
    right_same = sum(c.right_same for c in counts)
    wrong = [c.siblings_same + c.others_same for c in counts]
    seeking = [c for c in counts if c.first_right is not None]
    return SiblingFigures(
        len(counts),
        n_pairs,
        _share(sum(c.siblings_same for c in counts), n_pairs),
        _share(sum(c.siblings_part for c in counts), n_pairs),
        right_same + sum(wrong),
        _share(sum(wrong), right_same + sum(wrong)),
        _share(sum(n > 0 for n in wrong), len(counts)),
        n_right,
        _share(right_same, n_right),
        _share(sum(c.right_part for c in counts), n_right),
        _share(sum(bool(c.first_right) for c in seeking), len(seeking)),
        _share(sum(bool(c.first_same) for c in seeking), len(seeking)),
        len({c.labels.get(FAMILY, "") for c in seeking}),
        len({c.labels.get(FAMILY, "") for c in seeking if not c.first_right}),
    )


def report_siblings(counts: Sequence[SiblingCounts]) -> dict[str, SiblingReport]:
    """A report over all queries, "all", and one over each half, by its name; none where nothing was counted."""
    halves = sorted({c.labels[HALF] for c in counts if HALF in c.labels})
    chosen = {ALL: counts, **{half: [c for c in counts if c.labels.get(HALF) == half] for half in halves}}
    return {name: SiblingReport(figures(some), _by_label(some)) for name, some in chosen.items() if some}


def _by_label(counts: Sequence[SiblingCounts]) -> dict[str, dict[str, SiblingFigures]]:
    values = {name: sorted({c.labels[name] for c in counts if name in c.labels}) for name in REPORTED_BY}
    return {
        name: {value: figures([c for c in counts if c.labels.get(name) == value]) for value in of_name}
        for name, of_name in values.items()
        if of_name
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
