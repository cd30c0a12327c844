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

from scripts.common.tables import figure, table

SCALES = {"s": 1.0, "ms": 1e3, "us": 1e6, "MB": 1e-6}
"""Units that figures are printed in, as multiples of what is kept: seconds and bytes."""

HEAD = ("what", "bof", "peer or limit", "ratio")
_PACKAGES = ("bof", "numpy", "opencv-contrib-python", "faiss-cpu", "scipy", "pycolmap", "asmk")


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison: what bof took and what a peer or a limit took for the same, in seconds or bytes, pair by pair.

    The ratio says how many times faster or smaller bof is; of a limit, which cannot be beaten, how many times the limit
    bof takes. parts: the mean seconds of each stage of `ours`.
    """

    group: str
    what: str
    unit: str
    ours: Sequence[float]
    peer: str = ""
    theirs: Sequence[float] = ()
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


def lines(rows: Sequence[Row]) -> list[str]:
    """One table, a bold line before each group's rows, and below it the notes."""
    cells: list[Sequence[str]] = []
    for group, members in groupby(rows, lambda row: row.group):
        cells += [(f"**{group}**", "", "", ""), *(_cells(row) for row in members)]
    notes = [f"{row.group}, {row.what}: {row.note}" for row in rows if row.note]
    return [*table(HEAD, cells), *([""] if notes else []), *notes]


def _cells(row: Row) -> Sequence[str]:
    peer = f"{row.peer}: {_figure(row.theirs, row.unit)}" if row.theirs else ""
    ratio = figure(row.ratio, 2, "") + (" of the limit" if row.is_limit else "")
    return row.what, _figure(row.ours, row.unit), peer, ratio


def _figure(values: Sequence[float], unit: str) -> str:
    """The median with its unit, to three digits."""
    value = median(values) * SCALES[unit]
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f} {unit}"


def as_json(rows: Iterable[Row], settings: Mapping[str, object]) -> dict[str, object]:
    """Machine, settings, and every row with its raw values in seconds or bytes."""
    plain = [{**asdict(row), "median": median(row.ours), "ratio": row.ratio} for row in rows]
    return {"machine": machine(), "settings": dict(settings), "rows": plain}


def machine() -> dict[str, object]:
    """What the figures were measured on."""
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        cpu = named[0] if named else cpu
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return {"cpu": cpu, "cores": os.cpu_count(), "python": platform.python_version(), "versions": versions}
