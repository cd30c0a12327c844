"""Relevance judgments: what a person has said of two pictures, the same thing or not. Evidence beside the catalogue.

A judgment is of contents (SHA-256), not of names or numbers: it holds for every copy of a file, and survives renames,
moves, merges, removal and indexing again. A changed file is another content, of which nothing was said.
"""

from __future__ import annotations

import hashlib
import os
import re
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from bof.errors import OptionError
from bof.store.side_database import SideDatabase
from bof.system.database import DamagedDatabaseError

FILE_NAME = "judgments.sqlite"

_FILE = SideDatabase(
    FILE_NAME,
    "CREATE TABLE IF NOT EXISTS judgments (one TEXT, other TEXT, same INTEGER, seconds INTEGER, seal TEXT,"
    " PRIMARY KEY (one, other)) WITHOUT ROWID",
    "the pairs that were judged",
    "make the folder writable, or restore the file from a copy (without it every judgment is forgotten)",
)

_DIGEST = re.compile(r"[0-9a-f]{64}")
_LAST_SECOND = 253_402_300_799
"""The end of the year 9999."""

_SETTLED_NS = 1_000_000_000
"""A file that changed less than this before it was read may change again without a new time."""

ByContent = Mapping[str, Mapping[str, bool]]
"""SHA-256 -> SHA-256 of what it was judged with -> whether they are the same."""


@dataclass(frozen=True, slots=True)
class Judgment:
    """Two contents by their SHA-256, in order; whether they show the same thing; when it was said, in seconds UTC."""

    one: str
    other: str
    is_same: bool
    seconds: int

    @classmethod
    def of(cls, one: str, other: str, is_same: bool, seconds: int | None = None) -> Judgment:
        """Of two contents in any order, said now unless `seconds` is given. Raises OptionError for what is none."""
        for content in (one, other):
            if not isinstance(content, str) or not _DIGEST.fullmatch(content):
                expected = "the SHA-256 of a picture's file, 64 digits"
                raise OptionError(option="judgment", expected=expected, found=repr(content)[:80])
        if one == other:
            raise OptionError(option="judgment", expected="two pictures", found="one file twice")
        at = int(time.time()) if seconds is None else seconds
        if not 0 <= at <= _LAST_SECOND:
            raise OptionError(option="judgment", expected="a time from 1970 to 9999", found=at)
        return cls(min(one, other), max(one, other), is_same, at)

    @property
    def seal(self) -> str:
        """A checksum, so that a changed bit is found and not believed."""
        facts = f"{self.one} {self.other} {int(self.is_same)} {self.seconds}"
        return hashlib.sha256(facts.encode("ascii")).hexdigest()[:16]


_INSERT = "INSERT INTO judgments VALUES (?, ?, ?, ?, ?) ON CONFLICT (one, other) DO UPDATE SET"
_REPLACED = "same = excluded.same, seconds = excluded.seconds, seal = excluded.seal"
_LATER = "WHERE excluded.seconds > seconds OR (excluded.seconds = seconds AND excluded.same != same)"


def add_judgments(folder: Path, judgments: Iterable[Judgment], *, only_later: bool = False) -> int:
    """Note judgments, each in the place of an older one of its pair; returns how many were noted.

    only_later: none takes the place of a later one, as where they come from another index. Raises IndexStoreError.
    """
    rows = [(j.one, j.other, int(j.is_same), j.seconds, j.seal) for j in judgments]
    with _FILE.connected(folder, write=True) as database:
        before = database.total_changes
        database.executemany(f"{_INSERT} {_REPLACED} {_LATER if only_later else ''}", rows)
        return database.total_changes - before


def withdraw_judgments(folder: Path, pairs: Iterable[tuple[str, str]]) -> int:
    """Forget what was said of pairs of contents; returns of how many something was. Raises IndexStoreError."""
    if not _FILE.exists(folder):
        return 0
    rows = [(min(pair), max(pair)) for pair in pairs]
    with _FILE.connected(folder, write=True) as database:
        before = database.total_changes
        database.executemany("DELETE FROM judgments WHERE one = ? AND other = ?", rows)
        return database.total_changes - before


def read_judgments(folder: Path) -> list[Judgment]:
    """Every judgment, the last first. Raises IndexStoreError where the file is damaged."""
    if not _FILE.exists(folder):
        return []
    with _FILE.connected(folder, write=False) as database:
        rows = database.execute("SELECT one, other, same, seconds, seal FROM judgments").fetchall()
        return sorted(map(_checked, rows), key=lambda judged: (-judged.seconds, judged.one, judged.other))


def require_sound_judgments(folder: Path) -> None:
    """Raises IndexStoreError where any byte of the judgments is not what was written, as far as it can be seen."""
    if _FILE.exists(folder):
        with _FILE.connected(folder, write=False) as database:
            (found,) = database.execute("PRAGMA integrity_check(1)").fetchone()
            if found != "ok":
                raise DamagedDatabaseError("a sound file", str(found)[:200])
    read_judgments(folder)


def _checked(row: tuple[object, ...]) -> Judgment:
    one, other, same, seconds, seal = row
    if not (isinstance(one, str) and isinstance(other, str) and same in (0, 1) and isinstance(seconds, int)):
        raise DamagedDatabaseError("two SHA-256, 0 or 1, and a time", repr(row)[:80])
    try:
        judged = Judgment.of(one, other, bool(same), seconds)
    except OptionError as error:
        raise DamagedDatabaseError(error.expected, error.found) from None
    if (judged.one, judged.seal) != (one, seal):
        raise DamagedDatabaseError("the judgment that was written", "another (checksum)")
    return judged


@dataclass(slots=True)
class JudgmentReader:
    """The judgments of an index by content, read again where the file has changed. Safe from any thread."""

    folder: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _read: tuple[tuple[int, ...], ByContent] | None = None

    def by_content(self) -> ByContent:
        """As of now. Raises IndexStoreError where the file is damaged."""
        try:
            status = os.lstat(self.folder / FILE_NAME)
        except FileNotFoundError:
            return _NONE
        stamp = status.st_ino, status.st_size, status.st_mtime_ns
        with self._lock:
            if self._read is not None and self._read[0] == stamp:
                return self._read[1]
            is_settled = time.time_ns() - status.st_mtime_ns > _SETTLED_NS
            found = _by_content(read_judgments(self.folder))
            self._read = (stamp, found) if is_settled else None
            return found


_NONE: ByContent = MappingProxyType({})


def _by_content(judgments: Iterable[Judgment]) -> ByContent:
    found: dict[str, dict[str, bool]] = {}
    for judged in judgments:
        found.setdefault(judged.one, {})[judged.other] = judged.is_same
        found.setdefault(judged.other, {})[judged.one] = judged.is_same
    return found
