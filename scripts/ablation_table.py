"""How a row of the ablation is printed: each figure, and how far it is from the defaults'."""

from __future__ import annotations

from ablation_sets import Figures

_WIDTH = 22


def head(figures: Figures) -> str:
    """The names of the figures, each over its column and that of its differences."""
    return f"{'':{_WIDTH}}" + "".join(f"{name:>10}{'':9}" for name in shown(figures)).rstrip()


def line(name: str, figures: Figures, defaults: Figures | None) -> str:
    """One row. defaults: what to print differences from; None for the defaults themselves."""
    cells = (_cell(key, figures[key], defaults[key] if defaults else None) for key in shown(figures))
    return (f"{name:{_WIDTH}}" + "".join(cells)).rstrip()


def shown(figures: Figures) -> list[str]:
    """What fits into a table: milliseconds by stage are left to the JSON file."""
    return [name for name in figures if not name.startswith("ms_")]


def _cell(key: str, value: float | None, default: float | None) -> str:
    if value is None:
        return f"{'-':>10}{'':9}"
    digits = {"ms": 1, "wrong": 0}.get(key, 4)
    difference = "" if default is None else f"{value - default:+9.{digits}f}"
    return f"{value:10.{digits}f}{difference:9}"
