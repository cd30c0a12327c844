"""Tables that fit a terminal, and verdicts in colour on one.

A library for tables would be the largest dependency of the smallest part: this is padding and two escape sequences.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

_COLOURS: Mapping[str, str] = {"same": "32", "part": "35", "maybe": "33", "no": "2"}
"""By verdict, as proofs are framed: green, violet, and yellow and faint for what proves nothing."""

_BETWEEN = "  "
_MIN_NAME = 32
"""Narrower than this no name is cut while there is a column that can be left out."""


def in_colour(stream: TextIO) -> bool:
    """Whether a stream takes colours: see no-color.org and force-color.org."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    is_able = sys.platform != "win32" or bool(os.environ.get("WT_SESSION") or os.environ.get("TERM"))
    return stream.isatty() and is_able and os.environ.get("TERM") != "dumb"


def painted(verdict: str, text: str, stream: TextIO) -> str:
    """The text in the colour of a verdict where the stream takes colours."""
    colour = _COLOURS.get(verdict)
    return f"\x1b[{colour}m{text}\x1b[0m" if colour and in_colour(stream) else text


def line_width(stream: TextIO) -> int | None:
    """The columns of a terminal, or what $COLUMNS says; None where lines may have any length."""
    if os.environ.get("COLUMNS", "").isdigit() or stream.isatty():
        return shutil.get_terminal_size().columns
    return None


def text_width(text: str) -> int:
    """How many columns a text takes in a terminal: two for wide characters, none for marks that are combined."""
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text
    )


def elided(text: str, width: int) -> str:
    """The text, or as much of its beginning and its end as fits into so many columns."""
    if text_width(text) <= width:
        return text
    head = tail = ""
    for n in range(1, len(text)):
        next_head, next_tail = text[: (n + 1) // 2], text[len(text) - n // 2 :]
        if text_width(next_head) + text_width(next_tail) + 1 > width:
            break
        head, tail = next_head, next_tail
    return f"{head}…{tail}"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. width: at least so many; importance: the least important ones are left out first; tails:
    what stands behind the cells of the last column.
    """

    title: str
    cells: Sequence[str]
    width: int = 0
    to_right: bool = False
    importance: int = 9
    tails: Sequence[str] = ()

    @property
    def columns(self) -> int:
        """How wide it is, without tails."""
        return max(self.width, *map(text_width, (self.title, *self.cells)))

    def padded(self, text: str) -> str:
        """A cell as wide as the column."""
        room = " " * (self.columns - text_width(text))
        return room + text if self.to_right else text + room


def table_lines(
    columns: Sequence[Column], last: Column, verdicts: Sequence[str], stream: TextIO | None = None
) -> Iterator[str]:
    """The lines of a table, head first, as wide as the stream's terminal; columns without any content are left out.

    last: the column whose cells are cut where the line is too short, and whose tails then have lines of their own;
    verdicts: of each line, for its colour.
    """
    stream = stream or sys.stdout
    shown = [column for column in columns if any(column.cells)]
    total, room = line_width(stream), 1 << 30
    if total is not None:
        while len(shown) > 1 and _room(shown, total) < min(last.columns, _MIN_NAME):
            shown.remove(min(shown, key=lambda column: column.importance))
        room = max(_room(shown, total), 8)
    yield _BETWEEN.join([*(column.padded(column.title) for column in shown), last.title])
    for row, verdict in enumerate(verdicts):
        cells = (column.padded(column.cells[row]) for column in shown)
        painted_cells = [painted(verdict, cell, stream) if cell.strip() == verdict else cell for cell in cells]
        name, tail = last.cells[row], last.tails[row] if last.tails else ""
        fits = text_width(name + tail) <= room
        yield _BETWEEN.join([*painted_cells, name + tail if fits else elided(name, room)])
        if tail and not fits:
            yield from textwrap.wrap(tail.strip(), total or 80, initial_indent="      ", subsequent_indent="      ")


def _room(columns: Sequence[Column], total: int) -> int:
    """What is left of a line for the last column."""
    return total - sum(column.columns + len(_BETWEEN) for column in columns)
