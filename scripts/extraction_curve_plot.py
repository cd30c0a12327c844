"""The figure of `extraction_curve`: accuracy against time, the edge and the presets. matplotlib is imported late."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from extraction_curve_settings import edge

from bof.evaluation.report.figures import require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = {
    "UKBench, 320 x 240": ("ms_ukbench", "map_ukbench"),
    "DVD covers, 1024 x 768": ("ms_dvd", "map_dvd"),
    "Details of them: the middle ninth": ("ms_dvd", "map_detail"),
}
"""Title: cost and accuracy."""

_SIZE_INCHES = (14.0, 4.6)
_EDGE, _PRESET, _OTHER = "#0b6bcb", "#d9730d", "#8c959f"

Figures = Mapping[str, float]


def draw(file: Path, table: Mapping[str, Figures], presets: Mapping[str, str]) -> None:
    """One SVG file, a panel a benchmark; the same figures give the same bytes. ReportError without matplotlib.

    presets: by name the row of the table that each is.
    """
    require_matplotlib()
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": "bof", "svg.fonttype": "none"}):
        figure = Figure(figsize=_SIZE_INCHES, layout="constrained")
        for axes, (title, (cost, accuracy)) in zip(figure.subplots(1, len(PANELS)).flat, PANELS.items(), strict=True):
            points = {row: (figures[cost], figures[accuracy]) for row, figures in table.items()}
            _draw_panel(axes, points, {preset: row for preset, row in presets.items() if row in points})
            axes.set(title=title, xlabel="CPU milliseconds a picture, bytes to features", ylabel="mAP")
        figure.savefig(file, format="svg", metadata={"Date": None})


def _draw_panel(axes: Axes, points: Mapping[str, tuple[float, float]], presets: Mapping[str, str]) -> None:
    best = edge(points)
    axes.plot(*zip(*points.values(), strict=True), color=_OTHER, marker="o", markersize=4, linestyle="none")
    axes.plot(*zip(*(points[name] for name in best), strict=True), color=_EDGE, marker="o", markersize=4, label="edge")
    for name in best:
        if name not in presets.values():
            _label(axes, name, points[name], _EDGE, (5, -9))
    for preset, name in presets.items():
        axes.plot(*points[name], color=_PRESET, marker="D", markersize=7, linestyle="none")
        _label(axes, preset, points[name], _PRESET, (0, 8))
    axes.grid(color="#d5dae0", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(0.12)
    axes.legend(fontsize=8, frameon=False, loc="lower right")


def _label(axes: Axes, text: str, point: tuple[float, float], colour: str, offset: tuple[int, int]) -> None:
    axes.annotate(text, point, textcoords="offset points", xytext=offset, fontsize=7, color=colour)
