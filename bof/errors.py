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
    ├── ClusterError         Dask, its scheduler or its workers are missing, differ from bof here, or see other files
    └── ServerError          the server cannot run, or a client's request was refused

A message says what is wrong and where, what was expected and found, and what to do next. Nobody parses a message: what
a program needs of an error is a field of it.
"""

from __future__ import annotations

import copyreg
import os
import re
from collections.abc import Callable
from typing import Any

_SPELLED = re.compile(r"\{((?:bof )?[a-z_]+)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class BofError(Exception):
    """Root of the tree: a problem that the user can act on.

    It carries what it knows, and builds its text from that: `where: expected E, found F; advice`, or, where there is
    nothing to compare, `where: problem; advice`. option: the name of an option as Python has it; path: a file or
    folder, or the name of what stands for one. `{name}` in any text but `found` stands for the option of that name, and
    `{bof name}` for the command, which each caller spells its own way.
    """

    def __init__(
        self,
        problem: str = "",
        *,
        option: str = "",
        path: str | os.PathLike[str] = "",
        expected: object = "",
        found: object = "",
        advice: str = "",
    ) -> None:
        super().__init__(problem)
        self.problem, self.option, self.path = problem, option, os.fspath(path)
        self.expected, self.found, self.advice = str(expected), str(found), advice

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text()!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it travels between processes whole, whatever its constructor takes."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]

    def text(self, spell: Callable[[str], str] = str) -> str:
        """The whole message. spell: how an option or a command is called where the message is read (`--max-side`)."""
        where = " ".join(part for part in (self.option and spell(self.option), display_name(self.path)) if part)
        return ": ".join(part for part in (where, self.reason(spell)) if part)

    def reason(self, spell: Callable[[str], str] = str) -> str:
        """The message without the option and the path that it is about."""

        def spelled(text: str) -> str:
            return _SPELLED.sub(lambda name: spell(name[1]), text)

        expected = f"expected {spelled(self.expected)}" if self.expected else ""
        found = f"found {self.found}" if self.found else ""
        compared = ", ".join(part for part in (expected, found) if part)
        whole = ": ".join(part for part in (spelled(self.problem), compared) if part)
        return "; ".join(part for part in (whole, spelled(self.advice)) if part)


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


class ClusterError(BofError):
    """Dask, its scheduler or its workers are missing, differ from bof here, or see other files."""


def reason_of(error: BaseException) -> str:
    """What went wrong without the path, which a message has already named."""
    if isinstance(error, BofError):
        return error.reason()
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return display_name(text or type(error).__name__)


def display_name(path: str | os.PathLike[str]) -> str:
    """The path as one line of UTF-8 text: bytes of a name that are no UTF-8, and control characters, as escapes."""
    text = os.fspath(path).encode("utf-8", "backslashreplace").decode("utf-8")
    return _CONTROL.sub(lambda match: repr(match[0])[1:-1], text)
