"""Clips searched in films: which segments of which film they copy, compared with the truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.evaluation.benchmarks.films import ClipBenchmark, ClipQuery
from bof.evaluation.run import Progress
from bof.evaluation.segments import CopiedSegment, PairResult, SegmentFigures, figures, measure_pair

IGNORED_SHARE = 0.5
"""A prediction is passed over if it has so much of its area in what is ignored, and meets no truth."""

FindSegments = Callable[[Path], Mapping[Path, Sequence[CopiedSegment]]]
"""What a clip copies, by film."""


@dataclass(frozen=True, slots=True)
class ClipResult:
    """One clip: every film that has truth or predictions, and the predictions that count."""

    clip: str
    groups: Sequence[str]
    pairs: Mapping[str, PairResult]
    predicted: Mapping[str, Sequence[CopiedSegment]]
    seconds: float

    @property
    def is_found(self) -> bool:
        """Was a segment found in every film that the clip copies?"""
        return all(pair.recall is None or pair.recall > 0 for pair in self.pairs.values())


def search_clips(find: FindSegments, benchmark: ClipBenchmark, progress: Progress | None = None) -> list[ClipResult]:
    """Search every clip of a benchmark."""
    results = []
    for done, query in enumerate(benchmark.queries, 1):
        start = time.perf_counter()
        predicted = find(query.clip)
        results.append(measure_clip(query, predicted, time.perf_counter() - start))
        if progress:
            progress(done, len(benchmark.queries))
    return results


def measure_clip(
    query: ClipQuery, predicted: Mapping[Path, Sequence[CopiedSegment]], seconds: float = 0.0
) -> ClipResult:
    """What the predictions of a clip are worth."""
    counted = {film: _counted(query, film, segments) for film, segments in predicted.items()}
    films = {film for film, segments in (*counted.items(), *query.copied.items()) if segments}
    pairs = {str(film): measure_pair(counted.get(film, []), query.copied.get(film, [])) for film in sorted(films)}
    shown = {str(film): segments for film, segments in counted.items() if segments}
    return ClipResult(str(query.clip), query.groups, pairs, shown, seconds)


def _counted(query: ClipQuery, film: Path, segments: Sequence[CopiedSegment]) -> list[CopiedSegment]:
    truth, ignored = query.copied.get(film, []), query.ignored.get(film, [])
    return [
        segment
        for segment in segments
        if any(segment.meets(each) for each in truth)
        or sum(segment.shared_area(each) for each in ignored) < IGNORED_SHARE * segment.area
    ]


def clip_figures(results: Sequence[ClipResult], n_films: int) -> SegmentFigures:
    """Over some clips."""
    return figures([result.pairs for result in results], n_films)


def figures_by_group(results: Sequence[ClipResult], n_films: int) -> dict[str, SegmentFigures]:
    """Over the clips of each group, by its name."""
    names = sorted({group for result in results for group in result.groups})
    return {name: clip_figures([r for r in results if name in r.groups], n_films) for name in names}
