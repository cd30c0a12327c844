"""What is typed: names of programs, flags between names, mistakes with suggestions, options for experts."""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from pathlib import Path

import pytest

from bof import __version__
from bof.cli import main
from bof.cli.command import message_of
from bof.cli.main import COMMANDS
from bof.cli.parser import CommandParser, program_name
from bof.errors import BofError
from bof.options import GROUPS

Captured = pytest.CaptureFixture[str]


def parser_of(command: str) -> CommandParser:
    parser = importlib.import_module(f"bof.{command}")._parser()
    assert isinstance(parser, CommandParser)
    return parser


def refused(command: str, arguments: list[str], capsys: Captured) -> list[str]:
    """The lines that a wrong command line gets."""
    with pytest.raises(SystemExit) as stop:
        parser_of(command).parse_args(arguments)
    out, err = capsys.readouterr()
    assert (stop.value.code, out) == (2, "")
    return err.splitlines()


@pytest.mark.parametrize(
    ("started", "bof", "search"),
    [
        ("/usr/bin/bof", "bof", "bof search"),
        ("C:\\Scripts\\bof.exe", "bof", "bof search"),
        ("/lib/bof/__main__.py", "python -m bof", "python -m bof search"),
        ("/lib/bof/search.py", "bof", "python -m bof.search"),
    ],
)
def test_a_program_is_called_as_it_was_typed(
    started: str, bof: str, search: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setattr(sys, "argv", [started])
    assert (program_name(), program_name("search")) == (bof, search)
    assert refused("search", [], capsys)[1].startswith(f"usage: {search} QUERY... ")
    assert message_of(BofError("none", advice="run {bof search} with {top}")) == f"none; run {search} with --top"


def test_a_message_for_python_names_the_installed_command() -> None:
    assert str(BofError("none", advice="run {bof index}")) == "none; run bof index"


@pytest.mark.parametrize("arguments", [["--version"], ["-V"]])
def test_the_version_is_said(arguments: list[str], capsys: Captured) -> None:
    assert main.main(arguments) == 0
    assert capsys.readouterr().out == f"bof {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_the_version_too(command: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as stop:
        main.main([command, "--version"])
    assert (stop.value.code, capsys.readouterr().out) == (0, f"bof {__version__}\n")


def test_flags_stand_anywhere_between_names() -> None:
    given = parser_of("search").parse_args(["a.jpg", "--top", "1", "b.jpg", "--json", "c.jpg"])
    assert (given.queries, given.top, given.json) == (["a.jpg", "b.jpg", "c.jpg"], 1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--columns", "hash", "PHOTOS"],
        ["PHOTOS", "--columns", "hash"],
        ["--columns=hash", "PHOTOS"],
        ["--dry-run", "--columns", "hash", "PHOTOS", "--delete"],
    ],
)
def test_a_flag_with_several_values_leaves_other_words_to_the_command(arguments: list[str]) -> None:
    given = parser_of("index").parse_args(arguments)
    assert (given.photos, given.columns) == ([Path("PHOTOS")], ["hash"])


def test_a_flag_with_several_values_takes_all_that_are_its_own() -> None:
    given = parser_of("index").parse_args(["--columns", "hash", "color", "PHOTOS", "--columns", "embedding"])
    assert (given.photos, given.columns) == ([Path("PHOTOS")], ["hash", "color", "embedding"])
    given = parser_of("search").parse_args(["--verdict", "same", "part", "q.jpg"])
    assert (given.queries, given.verdict) == (["q.jpg"], ["same", "part"])


def test_a_value_that_is_none_of_the_choices_is_named_and_not_taken_for_a_folder() -> None:
    with pytest.raises(BofError) as caught:
        parser_of("index").parse_args(["--columns", "hsh", "PHOTOS"])
    assert message_of(caught.value) == f"--columns: expected some of {', '.join(GROUPS)}, found 'hsh'"


def test_a_flag_with_several_values_needs_one(capsys: Captured) -> None:
    assert "--columns: expected one argument" in refused("index", ["PHOTOS", "--columns"], capsys)[0]


def test_after_two_dashes_all_words_are_names() -> None:
    given = parser_of("search").parse_args(["--top", "2", "--", "-odd.jpg", "--top", "-", "plain.jpg"])
    assert (given.queries, given.top) == (["./-odd.jpg", "./--top", "-", "plain.jpg"], 2)


def test_a_file_that_looks_like_a_flag_gets_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    (tmp_path / "-odd.jpg").write_bytes(b"any")
    monkeypatch.chdir(tmp_path)
    error, _ = refused("search", ["-odd.jpg"], capsys)
    assert error == "error: -odd.jpg looks like an option; for the file of that name write ./-odd.jpg"
    assert parser_of("search").parse_args(["./-odd.jpg"]).queries == ["./-odd.jpg"]


@pytest.mark.parametrize(("flag", "value"), [("--depth", "-1"), ("--words-per-feature", "-5")])
def test_a_negative_number_is_a_value_and_no_flag(flag: str, value: str) -> None:
    with pytest.raises(BofError, match=f"found {value}"):
        parser_of("search").parse_args(["q.jpg", flag, value])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["q.jpg", "--colour"], "error: unrecognized arguments: --colour"),
        (["q.jpg", "--tops", "3"], "error: unrecognized arguments: --tops 3; did you mean --top?"),
        (["q.jpg", "--verdicts=same"], "error: unrecognized arguments: --verdicts=same; did you mean --verdict?"),
        (["q.jpg", "--rank", "x"], "error: unrecognized arguments: --rank x; did you mean --ranker?"),
        ([], "error: the following arguments are required: query"),
        (["q.jpg", "--top"], "error: argument --top: expected one argument"),
        (["a\nb", "--x\ny"], r"error: unrecognized arguments: --x\ny"),
    ],
)
def test_what_is_wrong_comes_before_a_usage_of_one_line(arguments: list[str], line: str, capsys: Captured) -> None:
    error, usage = refused("search", arguments, capsys)
    assert error.partition("; did")[0] == line.partition("; did")[0]
    assert "did you mean" not in line or error == line
    assert usage == "usage: bof search QUERY... [--index DIR] [options] (--help says more)"


def test_a_file_after_json_says_what_json_means(capsys: Captured) -> None:
    error, _ = refused("duplicates", ["--json", "out.json"], capsys)
    assert error.endswith("out.json; --json prints to standard output, --json-file FILE writes a file")


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("serach", "did you mean bof search?"),
        ("train-vocap", "did you mean bof train_vocab?"),
        ("Index", "did you mean bof index?"),
        ("fly", "expected a command, found 'fly'"),
    ],
)
def test_a_mistyped_command_gets_a_suggestion(word: str, advice: str, capsys: Captured) -> None:
    assert main.main([word]) == 2
    error, usage = capsys.readouterr().err.splitlines()
    assert error.endswith(advice)
    assert usage.startswith("usage: bof COMMAND")


def test_a_picture_in_the_place_of_a_command_is_searched_with(query_file: Path, capsys: Captured) -> None:
    assert main.main([str(query_file)]) == 2
    assert capsys.readouterr().err.splitlines()[0].endswith(f"to search with it: bof search {query_file}")


@pytest.fixture
def query_file(tmp_path: Path) -> Path:
    (tmp_path / "query.jpg").write_bytes(b"any")
    return tmp_path / "query.jpg"


@pytest.mark.parametrize("arguments", [["help"], ["--help"], ["-h"]])
def test_help_names_every_command(arguments: list[str], capsys: Captured) -> None:
    assert main.main(arguments) == 0
    out = capsys.readouterr().out
    assert all(re.search(rf"^  {name.replace('_', '[-_]')} +\w", out, re.MULTILINE) for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_day_is_a_part_of_all_of_it(command: str, capsys: Captured) -> None:
    shown = []
    for flag in ("--help", "--help-all"):
        with pytest.raises(SystemExit) as stop:
            main.main([command, flag])
        out, err = capsys.readouterr()
        assert (stop.value.code, err) == (0, "")
        shown.append(set(re.findall(r"^  (?:-\w(?: [A-Z]+)?, )?(--[\w-]+)", out, re.MULTILINE)))
    assert shown[0] < shown[1]
    assert "--debug" in shown[1] - shown[0]
    actions = [action for action in parser_of(command)._actions if action.help != argparse.SUPPRESS]
    every = {name for action in actions for name in action.option_strings if name[:2] == "--"}
    assert shown[1] == every


def test_the_help_of_a_search_has_what_is_for_every_day(capsys: Captured) -> None:
    with pytest.raises(SystemExit):
        main.main(["search", "--help"])
    out = capsys.readouterr().out
    assert all(flag in out for flag in ("--top", "--verdict", "--ranker", "--where", "--save", "--html", "--json"))
    assert not any(flag in out for flag in ("--max-hamming", "--tolerance", "--expand", "--memory", "--no-verify"))
    assert re.search(r"\d+ more options, for experts: bof search --help-all", out)
