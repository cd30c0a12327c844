"""The figures of docs/performance.md: ratios with what was asked of them, and the stages of a query."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench_table import Row, asked_of
from matplotlib import rc_context
from matplotlib.figure import Figure

_SETTINGS: Any = {"svg.hashsalt": "bof", "svg.fonttype": "none", "font.size": 9.0}
_COLOURS = {True: "#2a6f97", False: "#d1495b", None: "#9aa5b1"}
_MEANING = {True: "as asked", False: "not as asked", None: "nothing asked"}


def draw(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write ratios.svg and stages.svg, each where there are rows for it; the same rows give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    compared = [row for row in rows if row.ratio is not None]
    staged = [row for row in rows if row.parts]
    with rc_context(_SETTINGS):
        figures = {}
        if compared:
            figures["ratios"] = _ratios(compared)
        if staged:
            figures["stages"] = _stages(staged)
        for name, figure in figures.items():
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")
    return [folder / f"{name}.svg" for name in figures]


def _ratios(rows: Sequence[Row]) -> Figure:
    """A bar a comparison, on a logarithmic axis, with a mark at what was asked."""
    figure = Figure(figsize=(9, 1.0 + 0.45 * len(rows)))
    axes = figure.add_subplot()
    for place, row in enumerate(rows):
        ratio = row.ratio or 0.0
        axes.barh(place, ratio, color=_COLOURS[row.met], height=0.7)
        axes.annotate(f" {ratio:.2f}", (ratio, place), va="center")
        if row.asked is not None:
            axes.plot([row.asked, row.asked], [place - 0.45, place + 0.45], color="black", linewidth=2)
    axes.set_xscale("log")
    axes.axvline(1.0, color="black", linewidth=0.5)
    axes.set_yticks(range(len(rows)), [_label(row) for row in rows])
    axes.invert_yaxis()
    axes.set_xlabel("times as fast as the peer; where at most is asked, times the limit")
    for met in dict.fromkeys(row.met for row in rows):
        axes.bar(0, 0, color=_COLOURS[met], label=_MEANING[met])
    axes.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    return figure


def _label(row: Row) -> str:
    asked = f" ({asked_of(row)})" if row.asked is not None else ""
    return f"{row.group}, {row.what}\n{row.peer}{asked}"


def _stages(rows: Sequence[Row]) -> Figure:
    """A bar a kind of query, its stages one after another, in milliseconds."""
    figure = Figure(figsize=(9, 0.8 + 0.5 * len(rows)))
    axes = figure.add_subplot()
    ends = [0.0] * len(rows)
    for stage in dict.fromkeys(stage for row in rows for stage in row.parts):
        widths = [1e3 * row.parts.get(stage, 0.0) for row in rows]
        axes.barh(range(len(rows)), widths, left=ends, height=0.6, label=stage)
        ends = [end + width for end, width in zip(ends, widths, strict=True)]
    axes.set_yticks(range(len(rows)), [row.what for row in rows])
    axes.invert_yaxis()
    axes.set_xlabel("milliseconds of a query after extraction, mean")
    axes.legend(ncols=6, loc="upper center", bbox_to_anchor=(0.5, -0.35), frameon=False)
    return figure
