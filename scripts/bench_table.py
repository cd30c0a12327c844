"""The table of the benchmark: rows of measurements beside a peer or a limit, as text and as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from statistics import median

SCALES = {"s": 1.0, "ms": 1e3, "us": 1e6, "MB": 1e-6}
"""Units that figures are printed in, as multiples of what is kept: seconds and bytes."""

HEAD = ("what", "bof", "peer or limit", "ratio", "asked", "met")
_PACKAGES = ("bof", "numpy", "opencv-contrib-python", "faiss-cpu", "scipy", "pycolmap", "asmk")


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison: what bof took and what a peer or a limit took for the same, in seconds or bytes, pair by pair.

    The ratio says how many times faster or smaller bof is, and is asked to be at least `asked`; of a limit, which
    cannot be beaten, it says how many times the limit bof takes, and is asked to be at most that. parts: the mean
    seconds of each stage of `ours`.
    """

    group: str
    what: str
    unit: str
    ours: Sequence[float]
    peer: str = ""
    theirs: Sequence[float] = ()
    asked: float | None = None
    is_limit: bool = False
    note: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """The median of the pairs' own ratios; None without a peer."""
        if not self.theirs:
            return None
        pairs = zip(self.ours, self.theirs, strict=True)
        return median(our / their if self.is_limit else their / our for our, their in pairs)

    @property
    def met(self) -> bool | None:
        """Is the ratio as asked? None where nothing was asked."""
        if self.ratio is None or self.asked is None:
            return None
        return self.ratio <= self.asked if self.is_limit else self.ratio >= self.asked


def table(rows: Sequence[Row]) -> list[str]:
    """Lines of one Markdown table, a bold line before each group's rows, and below it the notes."""
    cells: list[tuple[str, ...]] = [HEAD]
    for group, members in groupby(rows, lambda row: row.group):
        cells += [(f"**{group}**", "", "", "", "", ""), *(_cells(row) for row in members)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    rule = " | ".join("-" * width for width in widths)
    notes = [f"{row.group}, {row.what}: {row.note}" for row in rows if row.note]
    return [*(f"| {line} |" for line in (lines[0], rule, *lines[1:])), *([""] if notes else []), *notes]


def _cells(row: Row) -> tuple[str, ...]:
    peer = f"{row.peer}: {_figure(row.theirs, row.unit)}" if row.theirs else ""
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    met = {None: "", True: "yes", False: "no"}[row.met]
    return row.what, _figure(row.ours, row.unit), peer, ratio, asked_of(row), met


def asked_of(row: Row) -> str:
    """What was asked of the ratio, in words."""
    return "" if row.asked is None else f"at {'most' if row.is_limit else 'least'} {row.asked:g}"


def _figure(values: Sequence[float], unit: str) -> str:
    """The median with its unit, to three digits."""
    value = median(values) * SCALES[unit]
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f} {unit}"


def as_json(rows: Iterable[Row], settings: Mapping[str, object]) -> dict[str, object]:
    """Machine, settings, and every row with its raw values in seconds or bytes."""
    return {"machine": machine(), "settings": dict(settings), "rows": [_plain(row) for row in rows]}


def _plain(row: Row) -> dict[str, object]:
    medians = {"median": median(row.ours), "peer_median": median(row.theirs) if row.theirs else None}
    return {**asdict(row), **medians, "ratio": row.ratio, "met": row.met}


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    return {"cpu": _cpu_model(), "cores": os.cpu_count(), "python": platform.python_version(), "versions": _versions()}


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
