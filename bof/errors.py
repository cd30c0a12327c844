"""Every error that bof raises on purpose, one tree:

    BofError                 catch this to catch them all
    ├── OptionError          an option is outside its range, or two options contradict each other
    ├── ImageError           one picture cannot be used: unreadable, too large, not a picture
    ├── VocabularyError      a vocabulary is missing, damaged, or cannot be trained from what was given
    ├── IndexStoreError      an index is missing, damaged, or cannot be written
    │   └── MismatchError    the index was built with another vocabulary, other features or another format
    ├── ModelError           a model is missing, is no image model, or gives another shape than it should
    ├── BenchmarkError       ground truth or the photographs that it names are missing or malformed
    ├── ReportError          a report cannot be written: no place for it, or no matplotlib
    ├── DuplicateError       duplicates cannot be acted on or undone: no log, no trash
    └── ServerError          the server cannot run, or a client's request was refused

A message says what is wrong and where, what was expected and found, and what to do next. Nobody parses a message: what
a program needs of an error is a field of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

_OPTION = re.compile(r"\{([a-z_]+)\}")


class BofError(Exception):
    """Root of the tree: a problem that the user can act on.

    It carries what it knows, and builds its text from that: `where: expected E, found F; advice`, or, where there is
    nothing to compare, `where: fault; advice`. option: the name of an option as Python has it; path: a file or
    folder. `{name}` in any text stands for the option of that name, which each caller spells its own way.
    """

    def __init__(
        self,
        fault: str = "",
        *,
        option: str = "",
        path: str | os.PathLike[str] = "",
        expected: object = "",
        found: object = "",
        advice: str = "",
    ) -> None:
        super().__init__(fault)
        self.fault, self.option, self.path = fault, option, os.fspath(path)
        self.expected, self.found, self.advice = str(expected), str(found), advice

    def __str__(self) -> str:
        return self.text()

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it travels between processes whole."""
        return type(self), (self.fault,), self.__dict__

    def text(self, spell: Callable[[str], str] = str) -> str:
        """The whole message. spell: how an option is called where the message is read (`--max-side` in a shell)."""
        where = [spell(self.option)] if self.option else []
        where += [self.path] if self.path else []
        return ": ".join([*where, self.reason(spell)])

    def reason(self, spell: Callable[[str], str] = str) -> str:
        """The message without the option and the path that it is about."""
        compared = f"expected {self.expected}, found {self.found}" if self.expected else ""
        said = ": ".join(part for part in (self.fault, compared) if part)
        whole = "; ".join(part for part in (said, self.advice) if part)
        return _OPTION.sub(lambda name: spell(name[1]), whole)


class OptionError(BofError):
    """An option is outside its range, or two options contradict each other."""


class ImageError(BofError):
    """One picture cannot be used."""


class VocabularyError(BofError):
    """A vocabulary is missing, damaged, or cannot be trained from what was given."""


class IndexStoreError(BofError):
    """An index is missing, damaged, or cannot be written."""


class MismatchError(IndexStoreError):
    """An index does not belong to the vocabulary, the features or the format in use."""


class ModelError(BofError):
    """A model is missing, is no image model, or gives another shape than it should."""


class BenchmarkError(BofError):
    """Ground truth or the photographs that it names are missing or malformed."""


class ReportError(BofError):
    """A report cannot be written: no place for it, or no matplotlib."""


class ServerError(BofError):
    """The server cannot run, or a client's request was refused."""


class DuplicateError(BofError):
    """Duplicates cannot be acted on or undone: no log, no trash."""
