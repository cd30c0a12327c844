"""What an option is: its default, range or choices, unit and meaning, and how a value is read and checked."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

from bof.errors import OptionError

_WHOLE = re.compile(r"-?[0-9]{1,20}")
_MAX_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Option:
    """One option. Its values lie from low to high, or are among choices; what is neither a number nor a choice is text.

    many: it takes several values; joined: what stands between several values in one text; form: what a value looks
    like, in words; parse: the value of a text, raising ValueError, where that is no plain number or text; expert: it is
    not for every day.
    """

    name: str
    default: Any
    meaning: str
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()
    unit: str = ""
    many: bool = False
    joined: str = ""
    form: str = ""
    parse: Callable[[str], Any] | None = None
    expert: bool = False

    @property
    def kind(self) -> type[Any]:
        """The type of a value: int, float or str."""
        return next((type(v) for v in (*self.choices, self.default, self.low) if isinstance(v, int | float | str)), str)

    @property
    def range(self) -> str:
        """From low to high, in words; empty where there are none."""
        return "" if self.low is None else f"{self.low} to {self.high}"

    @property
    def expected(self) -> str:
        """What a value should be, in words."""
        if self.choices:
            return f"{'some' if self.many else 'one'} of {', '.join(map(str, self.choices))}"
        return self.form or self.range or "text"

    def check(self, value: Any) -> None:
        """Raises OptionError unless the value is one that this option may have."""
        for part in value.split(self.joined) if self.joined else value if self.many else [value]:
            if not self._has(part):
                raise self.refused(part)

    def read(self, text: str) -> Any:
        """The value that a text stands for; of an option with many, one of them. Raises OptionError."""
        try:
            value = (self.parse or _PARSERS[self.kind])(text)
        except ValueError:
            raise self.refused(text) from None
        self.check([value] if self.many else value)
        return value

    def refused(self, value: object) -> OptionError:
        """That a value is none of this option's."""
        found = repr(value[:_MAX_SHOWN]) if isinstance(value, str) else value
        return OptionError(option=self.name, expected=self.expected, found=found)

    def _has(self, value: Any) -> bool:
        if self.choices:
            return value in self.choices
        if self.low is not None and self.high is not None:
            number = Integral if self.kind is int else Real
            return isinstance(value, number) and self.low <= float(value) <= self.high
        if self.parse and isinstance(value, str):
            with contextlib.suppress(ValueError):
                self.parse(value)
                return True
            return False
        return True


def _whole_number(text: str) -> int:
    """Without the spaces, underscores and digits of other scripts that Python takes too."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(text)
    return int(text)


_PARSERS: Mapping[type[Any], Callable[[str], Any]] = MappingProxyType({int: _whole_number, float: float, str: str})


def declare(default: Any, meaning: str, low: float | None = None, high: float | None = None, **more: Any) -> Any:
    """A dataclass field that is an option; more: of Option."""
    return field(default=default, metadata={"meaning": meaning, "low": low, "high": high, **more})


def options_of(kind: type[Any]) -> tuple[Option, ...]:
    """The options that a class declares, in order; not those of the classes inside it."""
    return tuple(Option(each.name, each.default, **each.metadata) for each in fields(kind) if each.metadata)


def option_of(kind: type[Any], name: str) -> Option:
    """One of the options that a class declares."""
    return next(option for option in options_of(kind) if option.name == name)


class Checked:
    """Refuses a value outside its range or choices at construction."""

    def __post_init__(self) -> None:
        for option in options_of(type(self)):
            option.check(getattr(self, option.name))
