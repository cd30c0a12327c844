"""What a person may ask of the pictures' metadata, as SQL: `tag = museum and year >= 1900`, and words to look for.

    expression  = term {"or" term};  term = factor {"and" factor}
    factor      = "not" factor | "(" expression ")" | "has" key | key operator value
    operator    = "=" "!=" "<" "<=" ">" ">=" "~"          ~: contains
    key, value  = a bare word, or text in ' or ", where a doubled quote stands for one

A key with several values meets a condition if any value does; `!=` means that none is equal. Equality and `~` ignore
case and how accents are composed. A number is compared with the values that are numbers, any other value by its
characters (dates as 2019-05-01). `modified` and `added` are compared as far as a date is given: 2019, 2019-05 or
2019-05-01T12:30, local time.
"""

from __future__ import annotations

import math
import os
import re
import sqlite3
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from bof.errors import OptionError

BUILT_IN = {
    "name": "images.name",
    "path": "images.path",
    "folder": "images.name",
    "width": "images.width",
    "height": "images.height",
    "bytes": "images.n_bytes",
    "features": "images.n_features",
    "modified": "bof_time(images.mtime_ns / 1000000000)",
    "added": "bof_time(bof_added(images.id))",
}
"""What every image has, and no metadata may be called."""

TIMES = frozenset({"modified", "added"})
"""When its file was changed last, and when this content of it came into the index."""

_DATE = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}(?:T[0-9]{2}(?::[0-9]{2}(?::[0-9]{2})?)?)?)?)?")
_OPERATORS = ("<=", ">=", "!=", "=", "<", ">", "~")
_TOKEN = re.compile(r"""\s*(?:(<=|>=|!=|[=<>~()])|('(?:[^']|'')*'|"(?:[^"]|"")*")|([^\s=<>~()!'"]+)|(\S))""")
_MAX_DEPTH = 10
"""SQLite's parser has a stack of 100 symbols, and a parenthesis takes six: x or y and not (..."""
_MAX_TERMS = 400
"""SQLite refuses expressions deeper than 1000, and a chain is as deep as it is long."""

_CJK = re.compile("([\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff])")
"""Writing without spaces: every character is a word of its own."""

Parameter = str | float | bytes
Condition = tuple[str, list[Parameter]]


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    is_quoted: bool

    def is_word(self, word: str) -> bool:
        return not self.is_quoted and self.text.lower() == word


class _Parser:
    """Recursive descent over the grammar above; every literal becomes a bound parameter."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [_token(match) for match in _TOKEN.finditer(text.rstrip())]
        self._at = 0
        self._depth = 0
        self._n_terms = 0
        self.keys: set[str] = set()

    def whole(self) -> Condition:
        condition = self._expression()
        if self._peek() is not None:
            raise self._error('"and", "or" or the end')
        return condition

    def _expression(self) -> Condition:
        return self._chain("or", self._term)

    def _term(self) -> Condition:
        return self._chain("and", self._factor)

    def _chain(self, word: str, parse: Callable[[], Condition]) -> Condition:
        parts = [parse()]
        while self._skip(word):
            parts.append(parse())
        return f" {word.upper()} ".join(sql for sql, _ in parts), [p for _, parameters in parts for p in parameters]

    def _factor(self) -> Condition:
        is_negated = False
        while self._skip("not"):
            is_negated = not is_negated
        sql, parameters = self._parentheses() if self._skip("(") else self._condition()
        return f"NOT {sql}" if is_negated else sql, parameters

    def _parentheses(self) -> Condition:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise OptionError(
                option="where", expected=f"at most {_MAX_DEPTH} parentheses inside each other", found="more"
            )
        sql, parameters = self._expression()
        self._take(lambda t: t.is_word(")"), '")"')
        self._depth -= 1
        return f"({sql})", parameters

    def _condition(self) -> Condition:
        self._n_terms += 1
        if self._n_terms > _MAX_TERMS:
            raise OptionError(option="where", expected=f"at most {_MAX_TERMS} conditions", found="more")
        key = self._take(_is_value, "a field")
        following = self._peek()
        if key.is_word("has") and following and _is_value(following):
            self._at += 1
            return _has(following.text)
        operator = self._take(lambda t: not t.is_quoted and t.text in _OPERATORS, f"one of {' '.join(_OPERATORS)}")
        value = self._take(_is_value, f'a value after "{operator.text}"')
        self.keys.add(key.text)
        return _compare(key.text, operator.text, value.text)

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _skip(self, word: str) -> bool:
        token = self._peek()
        is_next = token is not None and token.is_word(word)
        self._at += is_next
        return is_next

    def _take(self, fits: Callable[[_Token], bool], expected: str) -> _Token:
        token = self._peek()
        if token is None or not fits(token):
            raise self._error(expected)
        self._at += 1
        return token

    def _error(self, expected: str) -> OptionError:
        token = self._peek()
        found = "the end" if token is None else repr(token.text)
        return OptionError(option="where", expected=expected, found=f"{found} in: {self._text}")


def _token(match: re.Match[str]) -> _Token:
    mark, quoted, word, other = match.groups()
    if quoted:
        return _Token(quoted[1:-1].replace(2 * quoted[0], quoted[0]), True)
    return _Token(mark or word or other, False)


def _is_value(token: _Token) -> bool:
    return token.is_quoted or not (token.text in _OPERATORS or token.text in {"(", ")", "!", "'", '"'})


def _has(key: str) -> Condition:
    if key in BUILT_IN:
        return "1", []
    return "EXISTS (SELECT 1 FROM metadata m WHERE m.path = images.path AND m.key = ?)", [key]


def _compare(key: str, operator: str, value: str) -> Condition:
    """A condition that AND, OR and NOT bind less than, and that is true or false, never NULL."""
    if operator == "!=":
        sql, parameters = _compare(key, "=", value)
        return f"(NOT {sql})", parameters
    if key == "folder":
        return _in_folder(operator, value)
    if key in TIMES:
        return _at_time(key, operator, value)
    subject = f"bof_text({BUILT_IN[key]})" if key in BUILT_IN else "m.value"
    condition, parameters = _holds(subject, operator, value)
    if key in BUILT_IN:
        return f"(({condition}) IS TRUE)", parameters
    return (
        f"EXISTS (SELECT 1 FROM metadata m WHERE m.path = images.path AND m.key = ? AND ({condition}))",
        [key, *parameters],
    )


def _in_folder(operator: str, value: str) -> Condition:
    """What lies in a folder, or below, or in a file with several pictures."""
    if operator != "=":
        raise OptionError(option="where", expected="= or != after folder", found=f'"{operator}"')
    folder = _fold(value.rstrip("/"))
    if value.startswith("/"):
        return "(instr(bof_fold(images.path), ?) = 1)", [f"{folder}/"]
    in_file = "(instr(bof_fold(images.name), ?) = 1 AND instr(images.path, ?) > 0)"
    parameters: list[Parameter] = [f"{folder}/", f"{folder}#", os.fsencode(f"{os.sep}#")]
    return f"(instr(bof_fold(images.name), ?) = 1 OR {in_file})", parameters


def _at_time(key: str, operator: str, value: str) -> Condition:
    """Times are compared as far as the value goes: all of a day is that day, and not after it."""
    value = value.strip().upper().replace(" ", "T")
    if operator == "~" or not _DATE.fullmatch(value):
        expected = f"= != < <= > or >= and a date such as 2019-05-01 or 2019-05-01T12:30 after {key}"
        raise OptionError(option="where", expected=expected, found=f"{operator} {value!r}")
    return f"((substr({BUILT_IN[key]}, 1, {len(value)}) {operator} ?) IS TRUE)", [value]


def _holds(subject: str, operator: str, value: str) -> Condition:
    number = _number(value)
    if operator == "~":
        return f"instr(bof_fold({subject}), ?) > 0", [_fold(value)]
    if operator == "=" and number is not None:
        return f"bof_fold({subject}) = ? OR bof_number({subject}) = ?", [_fold(value), number]
    if operator == "=":
        return f"bof_fold({subject}) = ?", [_fold(value)]
    if number is not None:
        return f"bof_number({subject}) {operator} ?", [number]
    return f"CAST({subject} AS TEXT) {operator} ?", [value]


def _number(text: object) -> float | None:
    try:
        number = float(str(text))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _text(value: object) -> str:
    """Text that SQLite can hold: names may have bytes that are no UTF-8."""
    decoded = os.fsdecode(value) if isinstance(value, bytes) else str(value)
    return decoded.encode("utf-8", "replace").decode("utf-8")


def _fold(value: object) -> str:
    """Text as equality and ~ see it: a file system may take é apart into e and an accent."""
    return _composed(_text(value).casefold())


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def register(database: sqlite3.Connection, added: Callable[[int], int | None]) -> None:
    """Give a connection the functions that compiled conditions call. added: when an image, by id, was, in seconds."""
    database.create_function("bof_added", 1, added, deterministic=True)
    database.create_function("bof_time", 1, _time, deterministic=True)
    database.create_function("bof_text", 1, _text, deterministic=True)
    database.create_function("bof_fold", 1, _fold, deterministic=True)
    database.create_function("bof_number", 1, _number, deterministic=True)


def _time(seconds: int | None) -> str | None:
    """Seconds since 1970 as local time in the form of ISO 8601; None for what no calendar has."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds).isoformat()
    except (OverflowError, OSError, ValueError):
        return None


def keys_of(text: str) -> set[str]:
    """The fields whose values a condition asks for; of `has` alone none. Raises OptionError like `compile_where`."""
    parser = _Parser(_text(text).replace("\0", " "))
    parser.whole()
    return parser.keys


def compile_where(text: str) -> Condition:
    """An SQL condition over `images`, and its parameters, for a connection that `register` has prepared.

    Raises OptionError, which names the place, where the text does not follow the grammar.
    """
    return _Parser(_text(text).replace("\0", " ")).whole()


def compile_text(text: str) -> str:
    """An FTS5 expression: every word must occur, "words in quotes" beside each other, a word* may go on.

    Raises OptionError where no word is left to look for.
    """
    found = [
        '"' + _spaced(phrase or word) + '"' + ("*" if word.endswith("*") else "")
        for phrase, word in re.findall(r'"([^"]*)"|([^\s"]+)', _text(text).replace("\0", " "))
        if any(map(str.isalnum, phrase or word))
    ]
    if not found:
        raise OptionError(option="text", expected="a word to look for", found=repr(text))
    return " AND ".join(found)


def _spaced(text: str) -> str:
    """Text whose words the tokeniser can tell apart, also where the writing has no spaces."""
    return _CJK.sub(r" \1 ", _composed(text))


def searchable(name: str, values: Iterable[str]) -> str:
    """What full-text search reads of an image: its name without suffix, and the values of its metadata."""
    return _spaced(_text("\n".join([os.path.splitext(name)[0], *values])))
