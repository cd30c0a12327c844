"""What an endpoint may be asked: declared once, for reading requests and for the OpenAPI document.

What is an option of searching (bof/options) is one here too: with its choices, its default and its meaning.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from starlette.requests import Request

from bof.errors import OptionError
from bof.options import BOX, TOP, VARIANTS, SearchOptions
from bof.options.option import Option, option_of
from bof.server.http.problems import not_found
from bof.types import Verdict
from bof.web.addresses import URL_PATTERN

MAX_TEXT = 2000
"""Characters of a condition."""

MAX_ID = (1 << 63) - 1

_MAX_VALUES = 20
_TYPES = {int: "integer", float: "number", str: "string"}

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One option of an endpoint. Without a default it may be left out; with many it may be repeated.

    place: query or path; more: of the JSON schema of a value, besides what the option says.
    """

    option: Option
    place: str = "query"
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The option's."""
        return self.option.name

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of its values."""
        one = {**_schema(self.option), **self.more}
        return {"type": "array", "items": one, "maxItems": _MAX_VALUES} if self.option.many else one

    def read(self, texts: Sequence[str]) -> Any:
        """The value of what was given. Raises OptionError."""
        many = self.option.many
        if not texts:
            return list(self.option.default) if many else self.option.default
        if len(texts) > (_MAX_VALUES if many else 1):
            expected = f"it at most {_MAX_VALUES} times" if many else "it once"
            raise OptionError(option=self.name, expected=expected, found=f"{len(texts)} times")
        values = [self._one(text) for text in texts]
        return values if many else values[0]

    def _one(self, text: str) -> Any:
        most = self.more.get("maxLength", MAX_TEXT)
        if len(text) > most or "\0" in text:
            expected = f"at most {most} characters, none of them NUL"
            raise OptionError(option=self.name, expected=expected, found=repr(text[:200]))
        return self.option.read(text)


def _schema(option: Option) -> dict[str, Any]:
    """The JSON schema of a value of an option."""
    found: dict[str, Any] = {"type": _TYPES[option.kind]}
    if option.joined:
        names = "|".join(option.choices)
        found["pattern"] = rf"^({names})(\{option.joined}({names}))*$"
    elif option.choices:
        found["enum"] = list(option.choices)
    elif option.low is not None:
        found.update(minimum=option.low, maximum=option.high)
    elif not option.parse:
        found["maxLength"] = MAX_TEXT
    return found if option.default in (None, "", ()) else {**found, "default": option.default}


def read_all(request: Request, declared: Sequence[Parameter]) -> Values:
    """Every declared parameter's value. Raises OptionError for any that is wrong or unknown."""
    known = {parameter.name for parameter in declared if parameter.place == "query"}
    for name in request.query_params:
        if name not in known:
            expected = f"one of {', '.join(sorted(known)) or 'no parameters'}"
            raise OptionError(option=name[:100], expected=expected, found=repr(name[:100]))
    return {parameter.name: _value(request, parameter) for parameter in declared}


def _value(request: Request, parameter: Parameter) -> Any:
    if parameter.place == "query":
        return parameter.read(request.query_params.getlist(parameter.name))
    text = request.path_params[parameter.name]
    try:
        return parameter.read([text])
    except OptionError:
        raise not_found(f"{parameter.name} {text[:50]!r}") from None


def whole(name: str, default: int, low: int, high: int, meaning: str) -> Parameter:
    """A whole number."""
    return Parameter(Option(name, default, meaning, low, high))


def choice(name: str, default: Any, values: Sequence[Any], meaning: str) -> Parameter:
    """One of some values."""
    return Parameter(Option(name, default, meaning, choices=tuple(values)))


def number_in_path(name: str, meaning: str) -> Parameter:
    """An id."""
    return Parameter(Option(name, None, meaning, 0, MAX_ID), place="path")


def _of_search(name: str, **more: Any) -> Parameter:
    return Parameter(option_of(SearchOptions, name), more=more)


_NUMBER = r"[0-9]+(\.[0-9]+)?"
_BOX = {"pattern": f"^(auto|{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER})$"}

ID = number_in_path("id", "an image of the index")
FILTERS = (
    _of_search("where"),
    _of_search("text", maxLength=500),
    Parameter(
        Option("tag", (), "only pictures with this tag; all of them, if repeated", many=True), more={"maxLength": 200}
    ),
    Parameter(
        Option("folder", "", "only pictures in this folder, or in this file with several"), more={"maxLength": 500}
    ),
)
TURN = choice("turn", 0, (0, 90, 180, 270), "turn the picture clockwise first, by these degrees")
FLIP = choice("flip", 0, (0, 1), "then mirror it left to right")
QUERY = (Parameter(BOX, more=_BOX), TURN, FLIP, *(_of_search(name) for name in VARIANTS))
SHOTS = choice("shots", 0, (0, 1), "a hit for each shot of a film that is found, not one for the film")
EXCLUDE_SELF = choice("exclude_self", 0, (0, 1), "leave the query's own entry in the index out of the hits")
SEARCH = (
    Parameter(dataclasses.replace(TOP, high=200)),
    whole("offset", 0, 0, 1_000_000, "hits to pass over"),
    *QUERY,
    _of_search("ranker"),
    _of_search("metric"),
    _of_search("fusion"),
    _of_search("group_by", maxLength=200),
    Parameter(
        Option(
            "verdict",
            (),
            "only hits of this verdict; may be repeated",
            choices=get_args(Verdict),
            many=True,
        )
    ),
    SHOTS,
    EXCLUDE_SELF,
    *FILTERS,
)
SEARCH_FEATURES = tuple(one for one in SEARCH if one.name not in ("box", "turn", "flip", "exclude_self"))
"""Of a query without a picture."""

URL = Parameter(
    Option(
        "url",
        None,
        "fetch the picture here instead of taking it from the body, which is empty then; only where the server may",
    ),
    more={"pattern": URL_PATTERN},
)
OTHER = Parameter(
    Option(
        "other",
        (),
        "another picture of the same thing, which is one query with this one: the id of a stored query, or the number "
        "of a picture of the index; may be repeated",
        many=True,
    ),
    more={"maxLength": 64},
)
STORED = Parameter(Option("query", None, "a stored query"), place="path", more={"maxLength": 64})
MAX_SIDE = 1_000_000
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_SIZE = re.compile(r"([1-9][0-9]{0,6}),([1-9][0-9]{0,6})")


def _read_size(text: str) -> tuple[int, int]:
    """Width and height. Raises ValueError."""
    found = _SIZE.fullmatch(text)
    width, height = (int(side) for side in found.groups()) if found else (0, 0)
    if not 1 <= min(width, height) <= max(width, height) <= MAX_SIDE:
        raise ValueError(text)
    return width, height


def _read_seconds(text: str) -> str:
    """A time of a film as addresses have it. Raises ValueError."""
    if not _SECONDS.fullmatch(text):
        raise ValueError(text)
    return text


def _read_digest(text: str) -> str:
    """A SHA-256 in hexadecimal digits. Raises ValueError."""
    if not re.fullmatch("[0-9a-f]{64}", text):
        raise ValueError(text)
    return text


FRAME = Parameter(
    Option("frame", None, "size of the upright picture that this is a smaller copy of; coordinates are in its pixels",
           form="WIDTH,HEIGHT", parse=_read_size),
    more={"pattern": f"^{_SIZE.pattern}$"},
)  # fmt: skip
CONTENT = Parameter(
    Option("sha256", None, "of the file that this is a smaller copy of; a hit with that content is the same file",
           form="64 hexadecimal digits", parse=_read_digest),
    more={"pattern": "^[0-9a-f]{64}$"},
)  # fmt: skip
TIME = Parameter(
    Option("t", None, "of a frame of a film: the frame that is shown at so many seconds, instead of it",
           form="SECONDS", parse=_read_seconds),
    more={"pattern": f"^{_SECONDS.pattern}$"},
)  # fmt: skip
NAME = Parameter(
    Option("name", "", "what the picture is called; without it, as the form's file is"), more={"maxLength": 200}
)
VERSION = Parameter(
    Option("v", "", "the version: what is fetched with it may be cached for ever"), more={"maxLength": 64}
)
