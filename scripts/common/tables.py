"""Tables in Markdown, aligned: whole ones, and those that are printed row by row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

FIRST_WIDTH = 22  # of the names of rows, where the rows come one by one


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """The lines of a table, as wide as its widest cells."""
    cells = [head, *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [line(row, widths) for row in cells]
    return [lines[0], line(["-" * width for width in widths], widths), *lines[1:]]


def widths_of(head: Sequence[str]) -> list[int]:
    """Widths of the columns of a table whose rows come one by one."""
    return [FIRST_WIDTH, *(max(8, len(name)) for name in head[1:])]


def head_lines(head: Sequence[str]) -> list[str]:
    """The head of such a table."""
    widths = widths_of(head)
    return [line(head, widths), line(["-" * width for width in widths], widths)]


def line(cells: Sequence[object], widths: Sequence[int]) -> str:
    """One row: its first cell to the left, figures to the right, other text to the left."""
    padded = [str(cell).rjust(w) if str(cell)[:1] in "-+.0123456789" else str(cell).ljust(w)
              for cell, w in zip(cells[1:], widths[1:], strict=True)]  # fmt: skip
    return f"| {' | '.join([str(cells[0]).ljust(widths[0]), *padded])} |"


def figure(value: float | None, digits: int, missing: str = "-") -> str:
    """A number with some digits after the point; what stands for None."""
    return missing if value is None else f"{value:.{digits}f}"


def share(part: float, whole: float) -> str:
    """As a fraction, a dash of nothing."""
    return figure(part / whole if whole else None, 4)
