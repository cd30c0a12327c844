"""Pictures searched in films: is the film right, the shot, the time; and what is accepted that is in none."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from bof.evaluation.benchmarks.films import FrameBenchmark, FrameQuery, Showing
from bof.evaluation.run import Progress
from bof.evaluation.segments import Range

SAME = "same"


@dataclass(frozen=True, slots=True)
class FrameHit:
    """A hit in a film, times in seconds; of a picture that is no film, shot and time are None."""

    film: Path
    shot: Range | None
    time: float | None
    verdict: str
    score: float


FrameSearch = Callable[[Path], Sequence[FrameHit]]
"""The hits of a picture, best first, at most one a film."""


@dataclass(frozen=True, slots=True)
class FrameResult:
    """One query. film, shot: right at rank 1; None: there is nothing to find.

    error_s: from the first hit's time to the nearest one that shows what the query shows; exact_error_s: to the time of
    the frame that the query was made from. Both are None where the film is wrong or unknown. accepted: a `same` among
    the hits; false_same: one for a film that does not show it.
    """

    image: str
    groups: Sequence[str]
    film: bool | None
    shot: bool | None
    error_s: float | None
    exact_error_s: float | None
    accepted: bool
    false_same: bool
    seconds: float
    first: FrameHit | None


@dataclass(frozen=True, slots=True)
class FrameFigures:
    """Shares of the n_queries queries that are shown somewhere; of the n_rejections others the share accepted.

    film, shot: right at rank 1; within_step: the film is right and error_s is at most one sampling step; the errors in
    seconds are over the queries whose film is right.
    """

    n_queries: int
    film: float | None
    shot: float | None
    within_step: float | None
    error_median_s: float | None
    error_95_s: float | None
    exact_error_median_s: float | None
    n_rejections: int
    false_accept_rate: float | None
    n_false_same: int
    query_ms: float


def search_frames(
    search: FrameSearch, benchmark: FrameBenchmark, progress: Progress | None = None
) -> list[FrameResult]:
    """Search every query of a benchmark."""
    results = []
    for done, query in enumerate(benchmark.queries, 1):
        start = time.perf_counter()
        hits = search(query.image)
        results.append(measure_frame(query, hits, time.perf_counter() - start))
        if progress:
            progress(done, len(benchmark.queries))
    return results


def measure_frame(query: FrameQuery, hits: Sequence[FrameHit], seconds: float = 0.0) -> FrameResult:
    """What the hits of a query are worth."""
    first, films = (hits[0] if hits else None), {each.film for each in query.shown}
    here = [each for each in query.shown if first is not None and each.film == first.film]
    exact = [abs(first.time - each.time) for each in here if first and first.time is not None and each.time is not None]
    away = [_distance(first.time, span) for each in here for span in each.times if first and first.time is not None]
    return FrameResult(
        str(query.image),
        query.groups,
        bool(here) if query.shown else None,
        any(_in_shot(first, each) for each in here) if query.shown else None,
        min(away, default=None),
        min(exact, default=None),
        any(hit.verdict == SAME for hit in hits),
        any(hit.verdict == SAME and hit.film not in films for hit in hits),
        seconds,
        first,
    )


def _in_shot(hit: FrameHit | None, showing: Showing) -> bool:
    """The hit's time lies in the shot: its last moment is the next shot's first, give or take a millisecond."""
    if hit is None or hit.time is None:
        return False
    return showing.shot[0] - 1e-3 <= hit.time < showing.shot[1] + 1e-3


def _distance(time: float, span: Range) -> float:
    """Seconds from a time to a range; 0 inside."""
    return max(0.0, span[0] - time, time - span[1])


def frame_figures(results: Sequence[FrameResult], step_s: float) -> FrameFigures:
    """Over some queries. step_s: seconds between two sampled frames of a film."""
    shown, others = [r for r in results if r.film is not None], [r for r in results if r.film is None]
    errors = [r.error_s for r in shown if r.error_s is not None]
    exact = [r.exact_error_s for r in shown if r.exact_error_s is not None]
    return FrameFigures(
        len(shown),
        _share(sum(bool(r.film) for r in shown), len(shown)),
        _share(sum(bool(r.shot) for r in shown), len(shown)),
        _share(sum(error <= step_s for error in errors), len(shown)),
        median(errors) if errors else None,
        float(np.percentile(errors, 95)) if errors else None,
        median(exact) if exact else None,
        len(others),
        _share(sum(r.accepted for r in others), len(others)),
        sum(r.false_same for r in results),
        1e3 * median(r.seconds for r in results) if results else 0.0,
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
