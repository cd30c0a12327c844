"""Which parts an index has, and which pictures go where; and the share of one part that is made on its own.

A picture goes by the file it is in, so that all pages of a document and all frames of a film lie together. What is
there already stays where it is: the rule is for what is new.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bof.errors import OptionError
from bof.images.address import Address

FOLDER = "parts"
FACT = "parts"
"""The folder of the parts, and the fact of the catalogue that names them."""

SHARE = "share"
"""The fact of a part that was made on its own: see `PartShare`."""

MAX_PARTS = 1 << 12
_NAME = re.compile("[0-9a-f]{32}")

By = Literal["hash", "folder"]
BY: tuple[By, ...] = ("hash", "folder")


def number_of(path: str, n_parts: int, by: By) -> int:
    """Which of so many parts, from 0, a picture of this path goes to: by its file's path, or by its folder's."""
    file = Address.parse(path).file
    key = os.path.dirname(file) if by == "folder" else file
    digest = hashlib.blake2b(os.fsencode(key), digest_size=8).digest()
    return int.from_bytes(digest, "little") % n_parts


@dataclass(frozen=True, slots=True)
class Layout:
    """The parts of an index.

    names: of their folders; by: what decides where a new picture goes; base: what the numbers of all parts' commits and
    of the catalogue's are added to, so that the sum grows also where parts are made anew.
    """

    names: tuple[str, ...]
    by: By
    base: int = 0

    @property
    def fact(self) -> dict[str, Any]:
        """As the catalogue has it."""
        return {"names": list(self.names), "by": self.by, "base": self.base}

    @classmethod
    def of(cls, fact: Mapping[str, Any]) -> Layout:
        """Of a fact of the catalogue."""
        return cls(tuple(fact["names"]), fact["by"], fact["base"])

    def place(self, path: str) -> int:
        """The number of the part that a new picture of this path goes to."""
        return number_of(path, len(self.names), self.by)


def is_layout(fact: Any) -> bool:
    """Is this what the catalogue may say of parts?"""
    if not isinstance(fact, dict) or fact.keys() != {"names", "by", "base"}:
        return False
    names = fact["names"]
    are_names = isinstance(names, list) and all(isinstance(name, str) and _NAME.fullmatch(name) for name in names)
    fits = are_names and 1 <= len(names) <= MAX_PARTS and len(set(names)) == len(names)
    return fits and fact["by"] in BY and type(fact["base"]) is int and abs(fact["base"]) < 1 << 62


@dataclass(frozen=True, slots=True)
class Split:
    """A new index is to have so many parts, and what decides where a picture goes."""

    n_parts: int
    by: By = "hash"


@dataclass(frozen=True, slots=True)
class PartShare:
    """The pictures of one part that is made on its own: number, from 1, of so many. Raises OptionError for others."""

    number: int
    of: int
    by: By = "hash"

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of <= MAX_PARTS:
            expected = f"1 to {self.of}" if 1 <= self.of <= MAX_PARTS else f"of 1 to {MAX_PARTS} parts"
            raise OptionError("part", expected=expected, found=f"{self.number} of {self.of}")

    @property
    def fact(self) -> dict[str, Any]:
        """As the catalogue has it."""
        return {"number": self.number, "of": self.of, "by": self.by}

    @property
    def last_id(self) -> int:
        """The id after which those of its pictures begin: no other part of the same collection gives them."""
        return (self.number - 1) << 40

    def holds(self, path: str) -> bool:
        """Does a picture of this path belong to it?"""
        return number_of(path, self.of, self.by) == self.number - 1


def is_share(fact: Any) -> bool:
    """Is this what a catalogue may say of a share?"""
    if not isinstance(fact, dict) or fact.keys() != {"number", "of", "by"} or fact["by"] not in BY:
        return False
    number, of = fact["number"], fact["of"]
    return type(number) is int and type(of) is int and 1 <= number <= of <= MAX_PARTS
