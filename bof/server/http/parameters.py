"""What an endpoint may be asked: declared once, for reading requests and for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from bof.retrieval.search_options import MIRRORS
from bof.server.http.addresses import URL_PATTERN
from bof.server.http.problems import ProblemError, bad_parameter, not_found
from bof.server.rankers import ranker_names
from bof.types import Box

MAX_TEXT = 2000
"""Characters of a condition."""

MAX_ID = (1 << 63) - 1

Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its name, what it means, and the JSON schema of its values.

    default None: it may be left out; place: query or path; many: it may be repeated.
    """

    name: str
    meaning: str
    schema: dict[str, Any]
    default: Any = None
    place: str = "query"
    many: bool = False

    def read(self, texts: Sequence[str]) -> Any:
        """The value of what was given. Raises ProblemError."""
        if not texts:
            return [] if self.many else self.default
        if len(texts) > (20 if self.many else 1):
            raise bad_parameter(self.name, "it once" if not self.many else "it at most 20 times", f"{len(texts)} times")
        values = [self._one(text) for text in texts]
        return values if self.many else values[0]

    def _one(self, text: str) -> Any:
        if self.schema["type"] == "integer":
            return self._whole(text)
        if self.name == "box":
            return read_box(text)
        allowed = self.schema.get("enum")
        if allowed and text not in allowed:
            raise bad_parameter(self.name, f"one of {', '.join(allowed)}", text)
        most = self.schema.get("maxLength", MAX_TEXT)
        if len(text) > most or "\0" in text:
            raise bad_parameter(self.name, f"at most {most} characters, none of them NUL", text)
        return text

    def _whole(self, text: str) -> int:
        plain = text.isascii() and text.isdecimal() and len(text) < 20
        value = int(text) if plain else -1
        allowed = self.schema.get("enum", [value])
        low, high = self.schema.get("minimum", 0), self.schema.get("maximum", MAX_ID)
        if not plain or value not in allowed or not low <= value <= high:
            expected = " or ".join(map(str, allowed)) if "enum" in self.schema else f"a number from {low} to {high}"
            raise bad_parameter(self.name, expected, text)
        return value


def read_box(text: str) -> Box | str:
    """Four numbers, or auto."""
    if text == "auto":
        return text
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError:
        raise bad_parameter("box", "x0,y0,x1,y1 in pixels, or auto", text) from None
    if not (0 <= x0 < x1 <= 1e6 and 0 <= y0 < y1 <= 1e6):
        raise bad_parameter("box", "x0 < x1 and y0 < y1 inside the picture", text)
    return x0, y0, x1, y1


def read_all(request: Request, declared: Sequence[Parameter]) -> Values:
    """Every declared parameter's value. Raises ProblemError for any that is wrong or unknown."""
    known = {parameter.name for parameter in declared if parameter.place == "query"}
    for name in request.query_params:
        if name not in known:
            raise bad_parameter(name[:100], f"one of {', '.join(sorted(known)) or 'no parameters'}", name)
    return {parameter.name: _value(request, parameter) for parameter in declared}


def _value(request: Request, parameter: Parameter) -> Any:
    if parameter.place == "query":
        return parameter.read(request.query_params.getlist(parameter.name))
    text = request.path_params[parameter.name]
    try:
        return parameter.read([text])
    except ProblemError:
        raise not_found(f"{parameter.name} {text[:50]!r}") from None


def whole(name: str, default: int, low: int, high: int, meaning: str) -> Parameter:
    """A whole number."""
    return Parameter(name, meaning, {"type": "integer", "minimum": low, "maximum": high, "default": default}, default)


def choice(name: str, default: Any, values: Sequence[Any], meaning: str) -> Parameter:
    """One of some values."""
    kind = "integer" if isinstance(values[0], int) else "string"
    shown = {} if default is None else {"default": default}
    return Parameter(name, meaning, {"type": kind, "enum": list(values), **shown}, default)


def text(name: str, meaning: str, *, many: bool = False, schema: dict[str, Any] | None = None) -> Parameter:
    """Words."""
    return Parameter(name, meaning, {"type": "string", "maxLength": MAX_TEXT, **(schema or {})}, "", many=many)


def number_in_path(name: str, meaning: str) -> Parameter:
    """An id."""
    return Parameter(name, meaning, {"type": "integer", "minimum": 0, "maximum": MAX_ID}, place="path")


_NUMBER = r"[0-9]+(\.[0-9]+)?"
_BOX = {"type": "string", "pattern": f"^(auto|{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER})$"}

ID = number_in_path("id", "an image of the index")
FILTERS = (
    text("where", "only pictures that meet a condition: year >= 1900 and not tag = draft"),
    text("text", "only pictures with these words in name or metadata", schema={"maxLength": 500}),
    text("tag", "only pictures with this tag; all of them, if repeated", many=True, schema={"maxLength": 200}),
    text("folder", "only pictures whose name lies in this folder", schema={"maxLength": 500}),
)
QUERY = (
    Parameter("box", "search with this part of the picture: x0,y0,x1,y1, or auto", _BOX),
    choice("turn", 0, (0, 90, 180, 270), "turn the picture clockwise first, by these degrees"),
    choice("flip", 0, (0, 1), "then mirror it left to right"),
    choice("mirror", "auto", MIRRORS, "look for the mirror image too: if nothing is clearly the same, always, never"),
)
RANKER = Parameter(
    "ranker", "how to rank; several rankers joined by + are fused", {"type": "string", "pattern": ranker_names()}, "bof"
)
SEARCH = (
    whole("top", 20, 1, 200, "hits in this answer"),
    whole("offset", 0, 0, 1_000_000, "hits to pass over"),
    *QUERY,
    RANKER,
    Parameter(
        "verdict", "only hits of this verdict; may be repeated",
        {"type": "string", "enum": ["same", "maybe", "no", "unverified"]}, many=True,
    ),
    *FILTERS,
)  # fmt: skip
URL = Parameter(
    "url", "fetch the picture here instead of taking it from the body, which is empty then; only where the server may",
    {"type": "string", "pattern": URL_PATTERN, "maxLength": MAX_TEXT},
)  # fmt: skip
VERSION = text("v", "the version: what is fetched with it may be cached for ever", schema={"maxLength": 64})
