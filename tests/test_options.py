"""options: one declaration each; a wrong value is refused alike in Python, on a command line and over HTTP."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

import bof.options
import bof.options.serving
from bof.cli.arguments import flag
from bof.cli.main import COMMANDS
from bof.cli.options_page import STAGES
from bof.errors import OptionError
from bof.global_descriptors import hashes
from bof.grouping.rules import BY_NAME
from bof.options import (
    COLUMN_OF,
    GROUPS,
    HASHES,
    PRESET,
    RULES,
    SKETCH,
    VARIANTS,
    ModelOptions,
    ReuseOptions,
    SearchOptions,
    VerifyOptions,
)
from bof.options.option import Option, options_of
from bof.server.app import ENDPOINTS
from bof.server.http.parameters import Parameter

ALONE = [
    option
    for module in (bof.options, bof.options.serving)
    for option in vars(module).values()
    if isinstance(option, Option)
]
DECLARED: list[tuple[Option, Callable[[Any], object]]] = [
    *(
        (option, lambda value, kind=kind, name=option.name: kind(**{name: value}))
        for kind in STAGES
        for option in options_of(kind)
    ),
    *((option, lambda value, option=option: option.check([value] if option.many else value)) for option in ALONE),
]
"""Every option, and how Python gives it a value."""

NAMES = [f"{option.name}-{number}" for number, (option, _) in enumerate(DECLARED)]


def wrong(option: Option) -> list[Any]:
    """Values that are just outside."""
    if option.choices:
        return ["x"] if isinstance(option.choices[0], str) else [max(option.choices) + 1, min(option.choices) - 1]
    if option.low is not None and option.high is not None:
        step = 1 if isinstance(option.low, int) else 0.5
        return [option.low - step, option.high + step]
    return ["nonsense"] if option.parse else []


def message(option: Option, name: str, value: object) -> str:
    found = repr(value) if isinstance(value, str) else value
    return f"{name}: expected {option.expected}, found {found}"


@pytest.mark.parametrize(("option", "give"), DECLARED, ids=NAMES)
def test_python_takes_the_default_and_the_ends_and_refuses_what_is_outside(
    option: Option, give: Callable[[Any], object]
) -> None:
    given = [option.default] if not option.many and option.default is not None else []
    for value in (*given, *option.choices, option.low, option.high):
        if value is not None and option.name not in ("same", "maybe"):
            give(value)
    for value in wrong(option):
        with pytest.raises(OptionError) as caught:
            give(value)
        assert str(caught.value) == message(option, option.name, value)
        assert caught.value.option == option.name


def test_a_declaration_says_all() -> None:
    for option, _ in DECLARED:
        assert option.meaning
        assert (option.low is None) == (option.high is None)
        assert not (option.choices and option.low is not None)
        if option.kind in (int, float) and not option.choices:
            assert option.low is not None, option.name


NEEDED = {"search": ["x"], "train_vocab": ["x", "-o", "y"], "evaluate": ["ukbench", "--root", "x"]}
FLAGS = {
    command: {
        name
        for action in importlib.import_module(f"bof.{command}")._parser()._actions
        for name in action.option_strings
    }
    for command in COMMANDS
}
SHELL = [
    (command, option)
    for command in COMMANDS
    for option, _ in DECLARED
    if flag(option.name) in FLAGS[command] and (command, option.name) != ("evaluate", "box")
]


@pytest.mark.parametrize(("command", "option"), SHELL, ids=[f"{c}-{o.name}-{n}" for n, (c, o) in enumerate(SHELL)])
def test_a_command_refuses_the_same_values(command: str, option: Option, capsys: pytest.CaptureFixture[str]) -> None:
    main = importlib.import_module(f"bof.{command}").main
    for value in wrong(option):
        assert main([*NEEDED.get(command, []), f"{flag(option.name)}={value}"]) == 2
        assert capsys.readouterr().err == f"error: {message(option, flag(option.name), value)}\n"


def test_every_option_has_a_flag_of_some_command() -> None:
    assert not {flag(option.name) for option, _ in DECLARED} - set().union(*FLAGS.values())


PARAMETERS = {
    f"{endpoint.method} {endpoint.path} {parameter.name}": parameter
    for endpoint in ENDPOINTS
    for parameter in endpoint.parameters
    if parameter.place == "query"
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_http_refuses_the_same_values(name: str) -> None:
    parameter = PARAMETERS[name]
    for value in wrong(parameter.option):
        with pytest.raises(OptionError) as caught:
            parameter.read([str(value)])
        assert str(caught.value) == message(parameter.option, parameter.name, value)


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_schema_of_a_parameter_is_its_declaration(name: str) -> None:
    parameter, option = PARAMETERS[name], PARAMETERS[name].option
    schema = parameter.schema["items"] if option.many else parameter.schema
    assert (schema.get("minimum"), schema.get("maximum")) == (option.low, option.high)
    assert schema.get("enum", []) == ([] if option.joined else list(option.choices))
    assert schema.get("default", "") == ("" if option.default in (None, ()) else option.default)


def test_what_is_an_option_of_searching_is_declared_once() -> None:
    declared = {option.name: option for option in options_of(SearchOptions)}
    shared = {p.name: p for p in PARAMETERS.values() if p.name in declared}
    assert set(shared) == {"ranker", *VARIANTS, "where", "text", "metric", "fusion", "group_by"}
    assert all(parameter.option == declared[name] for name, parameter in shared.items())


@pytest.mark.parametrize("text", ["", " 5", "5 ", "+5", "1_0", "٥", "5.0", "0x5", "nan", "1e1", "9" * 30])
def test_a_whole_number_is_plain_digits(text: str) -> None:
    with pytest.raises(OptionError, match="number: expected 0 to 9, found"):
        Option("number", 1, "a number", 0, 9).read(text)


def test_what_is_found_is_shown_shortened() -> None:
    with pytest.raises(OptionError) as caught:
        Parameter(Option("number", 1, "a number", 0, 9)).read(["x" * 1999])
    assert len(str(caught.value)) < 300


def test_contradictions_name_both_options() -> None:
    with pytest.raises(OptionError) as caught:
        VerifyOptions(same=0.5, maybe=0.6)
    assert caught.value.text(flag) == "--maybe: expected at most --same (0.5), found 0.6"
    with pytest.raises(OptionError, match="ranker: expected one of bof, votes, tfidf and others once each, found 'bof"):
        SearchOptions(ranker="bof+votes")


def test_what_is_declared_is_what_there_is() -> None:
    assert tuple(hashes.ARRAYS) == HASHES
    assert {column.partition(".")[0] for column in COLUMN_OF.values()} == set(GROUPS) - {SKETCH}
    assert set(RULES) <= set(BY_NAME)
    assert PRESET.choices == tuple(bof.options.PRESETS)


def test_no_two_options_of_a_command_line_share_a_flag() -> None:
    names: dict[str, str] = {}
    for option, _ in DECLARED:
        assert names.setdefault(flag(option.name), option.name) == option.name
    of_kinds = [{option.name for option in options_of(kind)} for kind in (ModelOptions, ReuseOptions)]
    others = [option.name for kind in STAGES for option in options_of(kind) if kind not in (ModelOptions, ReuseOptions)]
    assert not [name for name in others if any(name in names for names in of_kinds)]
