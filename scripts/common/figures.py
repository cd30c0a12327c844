"""Figures as SVG: the same data give the same bytes. matplotlib is imported only when something is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bof.evaluation.report.figures import require_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SETTINGS: Any = {"svg.hashsalt": "bof", "svg.fonttype": "none", "font.size": 9.0}


@contextmanager
def svg(file: Path, width: float, height: float) -> Iterator[Figure]:
    """A figure of some inches to draw on, which is then saved. ReportError without matplotlib."""
    require_matplotlib()
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_SETTINGS):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        figure.savefig(file, format="svg", metadata={"Date": None}, bbox_inches="tight")


def finish(axes: Axes) -> None:
    """A light grid behind the lines, no frame, a legend where something has a label."""
    axes.grid(color="#d5dae0", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7, frameon=False)
