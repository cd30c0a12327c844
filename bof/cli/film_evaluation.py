"""`bof evaluate frames` and `clips`: the engine's answers measured, as lines of a table and as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bof.clips.finding import find_segments
from bof.engine import Engine
from bof.evaluation.benchmarks.films import CLIPS, FRAMES, ClipBenchmark, FrameBenchmark, load_clips, load_frames
from bof.evaluation.film_clips import ClipResult, clip_figures, search_clips
from bof.evaluation.film_clips import figures_by_group as clip_groups
from bof.evaluation.film_frames import FrameFigures, FrameHit, FrameResult, frame_figures, search_frames
from bof.evaluation.run import Progress
from bof.evaluation.segments import CopiedSegment, SegmentFigures
from bof.options import ClipOptions, SearchOptions

FILM_LOADERS: Mapping[str, Callable[[Path], FrameBenchmark | ClipBenchmark]] = {FRAMES: load_frames, CLIPS: load_clips}
"""By name: pictures to find in films, clips to find in films."""

N_HITS = 10
"""A search gives so many films."""

_COPY = "copy"


@dataclass(frozen=True, slots=True)
class FilmReport:
    """What was measured. figures: over all queries; groups: over those of each group."""

    benchmark: str
    n_database: int
    figures: FrameFigures | SegmentFigures
    groups: Mapping[str, FrameFigures] | Mapping[str, SegmentFigures]
    queries: Sequence[FrameResult] | Sequence[ClipResult]
    options: Mapping[str, Any]


def evaluate_films(
    engine: Engine, benchmark: FrameBenchmark | ClipBenchmark, options: SearchOptions, step_s: float, progress: Progress
) -> FilmReport:
    """Search every query of a benchmark in an index of its films. step_s: seconds between two sampled frames."""
    if isinstance(benchmark, ClipBenchmark):
        return _evaluate_clips(engine, benchmark, progress)
    results = search_frames(lambda image: frame_hits(engine, image, options), benchmark, progress)
    names = sorted({group for result in results for group in result.groups})
    groups = {name: frame_figures([r for r in results if name in r.groups], step_s) for name in names}
    described = {"step_s": step_s, "vote": dataclasses.asdict(options.vote)}
    return FilmReport(
        benchmark.name, len(benchmark.database), frame_figures(results, step_s), groups, results, described
    )


def _evaluate_clips(engine: Engine, benchmark: ClipBenchmark, progress: Progress) -> FilmReport:
    options, n_films = ClipOptions(), len(benchmark.database)
    results = search_clips(lambda clip: copied_segments(engine, clip, options), benchmark, progress)
    described = dataclasses.asdict(options)
    figures = clip_figures(results, n_films)
    return FilmReport(benchmark.name, n_films, figures, clip_groups(results, n_films), results, described)


def frame_hits(engine: Engine, image: Path, options: SearchOptions) -> list[FrameHit]:
    """The first N_HITS films and pictures that the engine finds for a picture."""
    hits = engine.search(image, options, top=N_HITS)
    return [
        FrameHit(
            hit.file,
            (hit.film.start, hit.film.stop) if hit.film else None,
            hit.film.time if hit.film else None,
            hit.verdict,
            hit.score,
        )
        for hit in hits
    ]


def copied_segments(engine: Engine, clip: Path, options: ClipOptions) -> dict[Path, list[CopiedSegment]]:
    """The copies that the engine finds of a clip, by film. What it calls an intro is no copy."""
    segments: dict[Path, list[CopiedSegment]] = {}
    for found in find_segments(engine, clip, options).segments:
        if found.kind == _COPY:
            ranges = ((float(span.start), float(span.stop)) for span in (found.query, found.film))
            segments.setdefault(found.path, []).append(CopiedSegment(*ranges))
    return segments


# -- Table ------------------------------------------------------------------------------------------------------------


def film_lines(report: FilmReport) -> list[str]:
    """The table that the command prints."""
    n_queries = len(report.queries)
    head = [f"{'benchmark':<19} {report.benchmark}, {report.n_database} films, {n_queries} queries"]
    width = max([len("all"), *map(len, report.groups)])
    names = _names(report.figures)
    rows = {"all": report.figures, **report.groups}
    table = [f"{'':<{width}} {' '.join(f'{name:>9}' for name in names)}"]
    table += [f"{name:<{width}} {' '.join(f'{cell:>9}' for cell in _cells(row))}" for name, row in rows.items()]
    return [*head, *table]


def _names(figures: FrameFigures | SegmentFigures) -> list[str]:
    if isinstance(figures, SegmentFigures):
        return ["clips", "precision", "recall", "F1", "macro F1", "missed", "alarms", "false"]
    return ["queries", "film", "shot", "in step", "median s", "95 % s", "exact s", "accepted", "ms"]


def _cells(row: FrameFigures | SegmentFigures) -> list[str]:
    if isinstance(row, SegmentFigures):
        shares = (row.precision, row.recall, row.f1, row.macro_f1, row.missed, row.false_alarms)
        return [str(row.n_queries), *map(_figure, shares), str(row.n_false_segments)]
    errors = (row.error_median_s, row.error_95_s, row.exact_error_median_s)
    figures = (row.film, row.shot, row.within_step, *errors, row.false_accept_rate)
    return [str(row.n_queries + row.n_rejections), *map(_figure, figures), f"{row.query_ms:.0f}"]


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
