"""The figures of a report as SVG files, each in two inks: one for light pages, one for dark.

matplotlib is imported here only, and only when figures are drawn. Figures are objects of their own: pyplot, which
keeps state and may look for a screen, is not touched.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bof.errors import ReportError, display_name
from bof.evaluation import metrics
from bof.evaluation.run import MAIN, Report
from bof.types import F64

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER = "figures"
N_LEVELS = 101
N_BINS = 20
_SIZE_INCHES = (5.4, 3.4)


@dataclass(frozen=True, slots=True)
class FigureFiles:
    """One figure: its title, what it shows in words, and its two files, relative to the report's folder."""

    title: str
    description: str
    light: str
    dark: str


@dataclass(frozen=True, slots=True)
class _Inks:
    """The colours of one kind of page; lines are told apart without seeing red or green."""

    text: str
    grid: str
    lines: Sequence[str]


_INKS: Mapping[str, _Inks] = {
    "light": _Inks("#24292f", "#d5dae0", ("#0b6bcb", "#d9730d", "#7a3fb8", "#1b7f5c", "#a8325e")),
    "dark": _Inks("#d6dbe1", "#40464e", ("#62aef7", "#f5a35c", "#bb8cf0", "#5cc79d", "#ee87ab")),
}


def require_matplotlib() -> None:
    """ReportError, with the command to install it, where matplotlib is missing."""
    if importlib.util.find_spec("matplotlib") is None:
        advice = 'run: pip install "bof-search[report]"'
        raise ReportError("a report needs matplotlib, which is not installed", advice=advice)


def setting_names(report: Report) -> list[str]:
    """The settings that a report shows: the named ones, or "main" alone."""
    return [name for name in report.settings if any(name in result.settings for result in report.queries)]


def interpolated_precision(positive_ranks: Sequence[int], n_positives: int) -> F64:
    """f64 (101,): the best precision at a recall of at least 0, 0.01, ... 1 (Manning et al. 2008, section 8.4).

    positive_ranks: 1-based and ascending, of the positives that were ranked; n_positives: of all there are.
    """
    precision, recall = metrics.precision_recall(positive_ranks, n_positives)
    best = np.append(np.maximum.accumulate(precision[::-1])[::-1], 0.0)
    # Less a trifle, since a level and the same recall as a quotient may differ in their last digit.
    return np.asarray(best[np.searchsorted(recall, np.linspace(0, 1, N_LEVELS) - 1e-9)], np.float64)


def mean_curve(report: Report, setting: str) -> F64:
    """f64 (101,): the mean of the queries' interpolated precisions in a setting."""
    measured = [result.settings[setting] for result in report.queries if setting in result.settings]
    curves = [interpolated_precision(result.positive_ranks, result.n_positives) for result in measured]
    return np.asarray(np.mean(curves, axis=0), np.float64)


def write_figures(folder: Path, report: Report) -> list[FigureFiles]:
    """Draw the figures that the report has figures for, into folder/figures; ReportError without matplotlib."""
    require_matplotlib()
    (folder / FOLDER).mkdir()
    files = []
    if setting_names(report):
        about = "Mean over the queries, interpolated at 101 levels of recall; one line a setting."
        files.append(_write(folder, "precision-recall", "Precision and recall", about, report, _draw_precision_recall))
        about = f"How many queries have which average precision, in {N_BINS} steps; the counts grow by factors of ten."
        files.append(
            _write(folder, "average-precision", "Average precision of the queries", about, report, _draw_histogram)
        )
    if stage_milliseconds(report):
        about = "Median milliseconds of a query in each stage."
        files.append(_write(folder, "stages", "Where a query's time goes", about, report, _draw_stages))
    return files


def stage_milliseconds(report: Report) -> dict[str, float]:
    """Milliseconds by stage without `after_extract`, which is a sum of others."""
    return {stage: ms for stage, ms in report.query_milliseconds.items() if stage != "after_extract"}


def _write(
    folder: Path, name: str, title: str, about: str, report: Report, draw: Callable[[Axes, Report, _Inks], None]
) -> FigureFiles:
    import matplotlib
    from matplotlib.figure import Figure

    for page, inks in _INKS.items():
        figure = Figure(figsize=_SIZE_INCHES, layout="constrained", facecolor="none")
        axes = figure.add_subplot(facecolor="none")
        draw(axes, report, inks)
        _ink(axes, inks)
        # A fixed salt and no date: the same report has the same bytes.
        with matplotlib.rc_context({"svg.hashsalt": "bof"}):
            figure.savefig(folder / FOLDER / f"{name}-{page}.svg", metadata={"Date": None})
    return FigureFiles(title, about, f"{FOLDER}/{name}-light.svg", f"{FOLDER}/{name}-dark.svg")


def _ink(axes: Axes, inks: _Inks) -> None:
    axes.tick_params(colors=inks.text, which="both", length=0)
    axes.xaxis.label.set_color(inks.text)
    axes.yaxis.label.set_color(inks.text)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(inks.text)


def _draw_precision_recall(axes: Axes, report: Report, inks: _Inks) -> None:
    recall = np.linspace(0, 1, N_LEVELS)
    for number, name in enumerate(setting_names(report)):
        label = f"{'' if name == MAIN else _label(name) + ', '}mAP {report.settings[name].map:.3f}"
        axes.plot(recall, mean_curve(report, name), color=_colour(inks, number), linewidth=2, label=label)
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
    axes.grid(color=inks.grid, linewidth=0.6)
    axes.legend(loc="best", frameon=False, labelcolor=inks.text)


def _draw_histogram(axes: Axes, report: Report, inks: _Inks) -> None:
    names = setting_names(report)
    colours = [_colour(inks, number) for number in range(len(names))]
    values = [[r.settings[name].average_precision for r in report.queries if name in r.settings] for name in names]
    axes.hist(values, bins=N_BINS, range=(0, 1), color=colours, label=list(map(_label, names)), rwidth=0.85)
    # Most queries of an easy set have an AP of 1; without the scale the failures beside them could not be seen.
    axes.set_yscale("symlog", linthresh=1)
    axes.set(xlim=(0, 1), xlabel="average precision", ylabel="queries")
    axes.yaxis.set_major_formatter(lambda value, _place: f"{value:,.0f}")
    axes.grid(color=inks.grid, linewidth=0.6, axis="y")
    if len(names) > 1:
        axes.legend(loc="upper center", frameon=False, labelcolor=inks.text)


def _draw_stages(axes: Axes, report: Report, inks: _Inks) -> None:
    stages = stage_milliseconds(report)
    bars = axes.barh(list(map(_label, stages)), list(stages.values()), color=_colour(inks, 0), height=0.6)
    axes.bar_label(bars, fmt="%.1f", padding=4, color=inks.text)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_xlabel("milliseconds, median")
    axes.grid(color=inks.grid, linewidth=0.6, axis="x")


def _label(name: str) -> str:
    """A name as matplotlib can draw it: in characters that its font has, and never as a formula."""
    return display_name(name).encode("ascii", "backslashreplace").decode().replace("$", r"\$")


def _colour(inks: _Inks, number: int) -> str:
    return inks.lines[number % len(inks.lines)]
