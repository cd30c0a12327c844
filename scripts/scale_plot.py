"""The figures of `scale_bench`: cost against size, on logarithmic scales. matplotlib is imported only when drawing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from scale_fit import Fit, Result, along, find_fit, whole
from scale_query import WHOLE

from bof.evaluation.report.figures import require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0b6bcb", "#d9730d", "#7a3fb8", "#1b7f5c", "#a8325e", "#57606a")
"""Told apart without seeing red or green."""

STAGED = "verify 200"
"""The way of asking whose stages are drawn: its work is fixed, so that growth shows."""

_SIZE_INCHES = (11.0, 8.0)

Line = tuple[str, str, int]
"""Label, quantity, features."""


def draw(file: Path, results: Sequence[Result], fits: Sequence[Fit], extrapolate: Sequence[int]) -> None:
    """Four figures in one SVG file; the same results give the same bytes. ReportError without matplotlib."""
    require_matplotlib()
    import matplotlib
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
    panels = zip(figure.subplots(2, 2).flat, panels_of(results), strict=True)
    for axes, (title, unit, lines) in panels:
        for number, line in enumerate(lines):
            _draw_line(axes, COLOURS[number % len(COLOURS)], line, results, fits, extrapolate)
        _finish(axes, title, unit)
    figure.supxlabel(
        "images in the collection (filled: run; hollow, dashed: extrapolated; exponent of images in brackets)"
    )
    with matplotlib.rc_context({"svg.hashsalt": "bof"}):
        figure.savefig(file, format="svg", metadata={"Date": None})


def panels_of(results: Sequence[Result]) -> list[tuple[str, str, list[Line]]]:
    """Title, unit and lines of each figure."""
    features = sorted({result.build.features for result in results})
    most = max(features, key=lambda f: (len([r for r in results if r.build.features == f]), f))
    staged = next(r for r in results if r.build.features == most).milliseconds[STAGED]
    ways = list(results[0].milliseconds)
    whole_queries = [(f"{way}, {f} features", whole(way), f) for f in features for way in ways]
    stages = [(stage, f"ms {STAGED}: {stage}", most) for stage in staged if stage != WHOLE]
    opening = [(f"{how}, {f} features", f"s open, {how}", f) for f in features for how in ("cold", "warm")]
    size = [(f"on disk, {f} features", "bytes", f) for f in features]
    size += [(f"resident, {f} features", "bytes resident, asked", f) for f in features]
    return [
        ("A whole query", "milliseconds, median", whole_queries),
        (f"Its stages, 200 verified, {most} features", "milliseconds, median", stages),
        ("Opening, vocabulary included", "seconds", opening),
        ("Size, and memory after the queries", "bytes", size),
    ]


def _draw_line(
    axes: Axes, colour: str, line: Line, results: Sequence[Result], fits: Sequence[Fit], extrapolate: Sequence[int]
) -> None:
    label, quantity, features = line
    chosen = sorted((r for r in results if r.build.features == features), key=along("images"))
    points = [(r.build.images, r.quantities().get(quantity, 0.0)) for r in chosen]
    points = [(size, value) for size, value in points if value > 0]
    if not points:
        return
    fit = find_fit(fits, quantity, "images", features)
    name = f"{label} ({fit.exponent:.2f})" if fit else label
    axes.plot(*zip(*points, strict=True), color=colour, marker="o", markersize=5, linewidth=1.8, label=name)
    beyond = [size for size in extrapolate if size not in {n for n, _ in points}]
    if fit and beyond:
        guessed = [points[-1], *((size, fit.at(size)) for size in sorted(beyond))]
        axes.plot(*zip(*guessed, strict=True), color=colour, linestyle="--", linewidth=1, zorder=1)
        axes.plot(*zip(*guessed[1:], strict=True), color=colour, marker="o", fillstyle="none", linestyle="none")


def _finish(axes: Axes, title: str, unit: str) -> None:
    axes.set(title=title, ylabel=unit, xscale="log", yscale="log")
    axes.grid(color="#d5dae0", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.lines:
        axes.legend(fontsize=7, frameon=False)
