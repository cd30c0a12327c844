"""The figures of docs/performance.md: ratios, and the stages of a query."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from scripts.bench.table import Row
from scripts.common.figures import svg


def draw(rows: Sequence[Row], folder: Path) -> list[Path]:
    """Write ratios.svg and stages.svg, each where there are rows for it; the same rows give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    compared, staged = [row for row in rows if row.ratio is not None], [row for row in rows if row.parts]
    drawn = []
    for name, chosen, draw_rows in (("ratios", compared, _ratios), ("stages", staged, _stages)):
        if chosen:
            drawn.append(folder / f"{name}.svg")
            draw_rows(chosen, drawn[-1])
    return drawn


def _ratios(rows: Sequence[Row], file: Path) -> None:
    """A bar a comparison, on a logarithmic axis; limits in another colour."""
    with svg(file, 9, 1.0 + 0.45 * len(rows)) as figure:
        axes = figure.add_subplot()
        for place, row in enumerate(rows):
            ratio = row.ratio or 0.0
            axes.barh(place, ratio, color="#d1495b" if row.is_limit else "#2a6f97", height=0.7)
            axes.annotate(f" {ratio:.2f}", (ratio, place), va="center")
        axes.set_xscale("log")
        axes.axvline(1.0, color="black", linewidth=0.5)
        axes.set_yticks(range(len(rows)), [f"{row.group}, {row.what}\n{row.peer}" for row in rows])
        axes.invert_yaxis()
        axes.set_xlabel("blue: times as fast or small as the peer; red: times the limit")


def _stages(rows: Sequence[Row], file: Path) -> None:
    """A bar a kind of query, its stages one after another, in milliseconds."""
    with svg(file, 9, 0.8 + 0.5 * len(rows)) as figure:
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
