"""Copied segments compared with the truth: segment precision and recall as VCSL defines them.

He et al., "A Large-scale Comprehensive Dataset and Copy-overlap Aware Evaluation Protocol for Segment-level Video Copy
Detection", CVPR 2022, section 4. A copied segment is a rectangle: a range of the query and a range of the film. Both
axes are measured on their own, each truth or prediction by the union of what meets it, and the two are multiplied. So
it costs nothing to cut a segment in two, and a film's range that is right with a query's range that is not counts half.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

Range = tuple[float, float]
"""From when until when, in seconds."""


@dataclass(frozen=True, slots=True)
class CopiedSegment:
    """A range of the query that is a range of a film, in seconds."""

    query: Range
    film: Range

    def meets(self, other: CopiedSegment) -> bool:
        """Do both have a moment in common, in the query and in the film at once?"""
        return self.shared_area(other) > 0

    def shared_area(self, other: CopiedSegment) -> float:
        """Seconds of the query times seconds of the film that both have."""
        return _length(_shared(self.query, other.query)) * _length(_shared(self.film, other.film))

    @property
    def area(self) -> float:
        """Seconds of the query times seconds of the film."""
        return _length(self.query) * _length(self.film)


@dataclass(frozen=True, slots=True)
class PairResult:
    """A query and a film. precision is None where nothing was predicted, recall where there is nothing to find.

    n_false: predictions that meet no truth.
    """

    precision: float | None
    recall: float | None
    n_false: int


@dataclass(frozen=True, slots=True)
class SegmentFigures:
    """Means over pairs of a query and a film, and over queries.

    precision: over the pairs with predictions; recall: over those with truth; f1: of these two; macro_f1: of precision
    and recall that are means over queries of means over the query's pairs, where a pair without predictions has a
    precision of 1; missed: share of pairs with truth that have no prediction; false_alarms: share of pairs without
    truth that have one; n_false_segments: predictions that meet no truth of their pair.
    """

    n_queries: int
    n_pairs: int
    precision: float | None
    recall: float | None
    f1: float | None
    macro_f1: float | None
    missed: float | None
    false_alarms: float | None
    n_false_segments: int


def measure_pair(predicted: Sequence[CopiedSegment], truth: Sequence[CopiedSegment]) -> PairResult:
    """Segment precision and recall of one query and one film."""
    n_false = sum(not any(one.meets(other) for other in truth) for one in predicted)
    return PairResult(
        _covered(predicted, truth) if predicted else None, _covered(truth, predicted) if truth else None, n_false
    )


def _covered(segments: Sequence[CopiedSegment], others: Sequence[CopiedSegment]) -> float:
    """How much of the segments the others cover: the share of seconds in the query times that in the film."""
    meeting = [(one, [other for other in others if one.meets(other)]) for one in segments]
    in_query = sum(_union(_shared(one.query, other.query) for other in met) for one, met in meeting)
    in_film = sum(_union(_shared(one.film, other.film) for other in met) for one, met in meeting)
    return in_query / sum(_length(one.query) for one in segments) * in_film / sum(_length(one.film) for one in segments)


def figures(queries: Sequence[Mapping[str, PairResult]], n_films: int) -> SegmentFigures:
    """Over some queries: of each the films with truth or predictions. n_films: that each query was compared with."""
    pairs = [pair for query in queries for pair in query.values()]
    true, predicted = ([p for p in pairs if getattr(p, name) is not None] for name in ("recall", "precision"))
    precision, recall = _mean(p.precision for p in pairs), _mean(p.recall for p in pairs)
    n_without = len(queries) * n_films - len(true)
    found = [query for query in queries if query]
    return SegmentFigures(
        len(queries),
        len(queries) * n_films,
        precision,
        recall,
        _f1(precision, recall),
        _f1(_mean(_of_query(q, "precision") for q in found), _mean(_of_query(q, "recall") for q in found)),
        _share(sum(p.precision is None for p in true), len(true)),
        _share(sum(p.recall is None for p in predicted), n_without),
        sum(pair.n_false for pair in pairs),
    )


def _of_query(pairs: Mapping[str, PairResult], name: str) -> float:
    values = (getattr(pair, name) for pair in pairs.values())
    return fmean(1.0 if value is None else float(value) for value in values)


def _f1(precision: float | None, recall: float | None) -> float | None:
    if recall is None:
        return None
    precision = precision or 0.0  # nothing was predicted, so that nothing is found either
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


# -- Ranges -----------------------------------------------------------------------------------------------------------


def _shared(one: Range, other: Range) -> Range:
    return max(one[0], other[0]), min(one[1], other[1])


def _length(span: Range) -> float:
    return max(0.0, span[1] - span[0])


def _union(spans: Iterable[Range]) -> float:
    """Seconds that at least one of the ranges has."""
    total, end = 0.0, float("-inf")
    for start, stop in sorted(spans):
        total += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return total
