"""Which queries a report shows as pictures, and where the pictures that they should have found are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bof.evaluation.benchmarks import Benchmark
from bof.evaluation.run import MAIN, QueryResult, RankedImage
from bof.types import Box

N_SHOWN = 5
N_MISSED_SHOWN = 8


class CasePicture(NamedTuple):
    """A picture to show: its file, and perhaps a box in it, in pixels of the original."""

    path: str
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A hit and its rank: 1-based, junk passed over; None for junk itself."""

    hit: RankedImage
    rank: int | None


@dataclass(frozen=True, slots=True)
class Missed:
    """A picture that the query should have found among those shown, and in words where it is instead."""

    path: str
    where: str


@dataclass(frozen=True, slots=True)
class Case:
    """One query as pictures: itself, its first N_SHOWN hits, and the first N_MISSED_SHOWN positives elsewhere.

    number: 1-based, in the report's order; n_missed: how many positives are not among the hits shown.
    """

    number: int
    result: QueryResult
    query: CasePicture
    shown: Sequence[Ranked]
    missed: Sequence[Missed]
    n_missed: int

    @property
    def shots(self) -> list[CasePicture]:
        """Every picture of the case, the query first."""
        return [
            self.query,
            *(CasePicture(item.hit.path) for item in self.shown),
            *(CasePicture(item.path) for item in self.missed),
        ]


def ranked_hits(result: QueryResult) -> list[Ranked]:
    """The hits that a report has, without the query's own picture where that is junk: it always stands first."""
    ranked, rank = [], 0
    for hit in result.hits:
        rank += hit.relevance != "junk"
        if not (hit.relevance == "junk" and hit.path == result.image):
            ranked.append(Ranked(hit, None if hit.relevance == "junk" else rank))
    return ranked


def first_counted(result: QueryResult) -> RankedImage | None:
    """The first hit that counts, or None."""
    return next((hit for hit in result.hits if hit.relevance != "junk"), None)


def worst_cases(results: Sequence[QueryResult], n: int, benchmark: Benchmark | None = None) -> list[Case]:
    """The n queries of lowest average precision, those below 1; equals in the order of the run.

    benchmark: gives the query's box, and the positives that are not among the report's hits.
    """
    return _cases(results, is_imperfect, lambda result: result.average_precision or 0.0, n, benchmark)


def is_imperfect(result: QueryResult) -> bool:
    """Whether the average precision is below 1; not so for a query without positives."""
    return result.average_precision is not None and result.average_precision < 1


def verified_wrong_cases(results: Sequence[QueryResult], n: int, benchmark: Benchmark | None = None) -> list[Case]:
    """The first n queries with a hit that is wrong and yet has the verdict `same`; wrong ones in front come first."""
    return _cases(results, has_verified_wrong, lambda r: [*map(_is_verified_wrong, r.hits)].index(True), n, benchmark)


def has_verified_wrong(result: QueryResult) -> bool:
    """Whether one of the hits that a report has is wrong and yet has the verdict `same`."""
    return any(map(_is_verified_wrong, result.hits))


def _is_verified_wrong(hit: RankedImage) -> bool:
    return hit.verdict == "same" and hit.relevance == "negative"


def count_parts(results: Sequence[QueryResult], relevance: str) -> int:
    """How many hits of a relevance, of those that a report has, have the verdict `part`."""
    return sum(hit.verdict == "part" and hit.relevance == relevance for result in results for hit in result.hits)


def _cases(
    results: Sequence[QueryResult],
    is_shown: Callable[[QueryResult], bool],
    badness: Callable[[QueryResult], float],
    n: int,
    benchmark: Benchmark | None,
) -> list[Case]:
    numbered = [(number, result) for number, result in enumerate(results, 1) if is_shown(result)]
    numbered.sort(key=lambda pair: badness(pair[1]))
    return [_case(number, result, benchmark) for number, result in numbered[:n]]


def _case(number: int, result: QueryResult, benchmark: Benchmark | None) -> Case:
    query = benchmark.queries[number - 1] if benchmark else None
    ranked = ranked_hits(result)
    missed = [
        Missed(item.hit.path, f"rank {item.rank}") for item in ranked[N_SHOWN:] if item.hit.relevance == "positive"
    ]
    missed += _beyond(result, [str(path) for path in query.positives] if query else [])
    main = result.settings.get(MAIN)
    n_missed = len(missed)
    if main:
        n_missed = main.n_positives - sum(item.hit.relevance == "positive" for item in ranked[:N_SHOWN])
    shot = CasePicture(result.image, query.box if query else None)
    return Case(number, result, shot, ranked[:N_SHOWN], missed[:N_MISSED_SHOWN], n_missed)


def _beyond(result: QueryResult, positives: Sequence[str]) -> list[Missed]:
    """The positives behind the hits that a report has. Their ranks are known, but not always which has which."""
    found = [hit.path for hit in result.hits if hit.relevance == "positive"]
    main = result.settings.get(MAIN)
    ranks = list(main.positive_ranks[len(found) :]) if main else []
    lost = sorted(set(positives) - set(found))
    if not ranks:
        where = "not ranked"
    elif len(lost) == 1:
        where = f"rank {ranks[0]}"
    else:
        where = f"not in the first {len(result.hits)}"
    return [Missed(path, where) for path in lost]
