"""Tables fit the terminal, and verdicts have colours where they may."""

from __future__ import annotations

import io
import re

import pytest

from bof.cli.terminal import Column, elided, in_colour, painted, table_lines, text_width

NAMES = ["a.jpg", "a folder with a long name/and a picture with a longer one.jpg", f"{4 * '以图搜图'}.jpg"]
VERDICTS = ["same", "part", "no"]
COLUMNS = [
    Column("rank", ["1", "2", "3"], 4, True),
    Column("score", ["21.85", "19.09", "2.97"], 6, True, 2),
    Column("inliers", ["271", "175", ""], 7, True, 1),
    Column("nothing", ["", "", ""], 30),
    Column("verdict", VERDICTS, 10),
    Column("box in the hit", ["0,0,320,240", "", ""], 23, importance=0),
]
LAST = Column("name", NAMES, tails=["", " (63% of the query and 57% of it agree, the rest differs)", ""])


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 132, 200])
def test_no_line_is_wider_than_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    painted_lines = table_lines(COLUMNS, LAST, VERDICTS, Terminal())
    lines = [re.sub(r"\x1b\[\d+m", "", line) for line in painted_lines]
    assert max(map(text_width, lines)) <= columns
    assert "nothing" not in lines[0]
    assert ("box in the hit" in lines[0]) == (columns >= 100)
    text = re.sub(r"\s+", " ", " ".join(lines))
    assert "(63% of the query and 57% of it agree, the rest differs)" in text
    assert all(verdict in text for verdict in VERDICTS)


def test_what_is_no_terminal_gets_everything() -> None:
    lines = list(table_lines(COLUMNS, LAST, VERDICTS, io.StringIO()))
    assert lines[0] == "rank   score  inliers  verdict     box in the hit           name"
    assert lines[1] == "   1   21.85      271  same        0,0,320,240              a.jpg"
    assert lines[2].endswith(f"{NAMES[1]}{LAST.tails[1]}")
    assert len(lines) == 4


@pytest.mark.parametrize("width", [8, 9, 20])
@pytest.mark.parametrize("text", ["short", "a rather long name.jpg", "以图搜图以图搜图以图搜图.jpg", "é" * 30])
def test_a_text_loses_its_middle(text: str, width: int) -> None:
    cut = elided(text, width)
    assert text_width(cut) <= width
    head, _, tail = cut.partition("…")
    assert cut == text or (text.startswith(head) and text.endswith(tail) and text_width(cut) >= width - 2)


def test_wide_characters_count_twice_and_marks_not() -> None:
    assert [text_width(text) for text in ("abc", "图", "é", "")] == [3, 2, 1, 0]


@pytest.mark.parametrize(
    ("environment", "on_terminal", "in_pipe"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_who_wants_colours_gets_them(
    environment: dict[str, str], on_terminal: bool, in_pipe: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (in_colour(Terminal()), in_colour(io.StringIO())) == (on_terminal, in_pipe)


def test_verdicts_are_painted_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert painted("same", "same", io.StringIO()) == "\x1b[32msame\x1b[0m"
    assert painted("unverified", "unverified", io.StringIO()) == "unverified"
    plain = list(table_lines(COLUMNS, Column("name", ["same", "b", "c"]), VERDICTS, io.StringIO()))
    assert "\x1b[32msame      \x1b[0m" in plain[1]
    assert plain[1].endswith("  same")
    assert re.sub(r"\x1b\[\d+m", "", plain[1]) == "   1   21.85      271  same        0,0,320,240              same"
