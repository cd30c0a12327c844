"""The log of what is done to files: a line of JSON before each action and one after it, each forced onto the disk.

A log that is read is data like any other: every field is checked by one table before anything is done with it.
"""

from __future__ import annotations

import json
import os
import re
import stat
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from bof.errors import DuplicateError, reason_of
from bof.grouping.content import Content
from bof.grouping.moving import Way
from bof.system.files import fsync_path, read_regular

FORMAT = 2
"""Since 2 the folders of all paths are as they lie on the disk, without links; of 1 they are looked up when it is read.
"""

Action = Literal["move", "link", "trash"]
_MOST_BYTES, _LONGEST_LINE = 1 << 30, 1 << 16
_LONGEST_PATH = 1 << 14


@dataclass(frozen=True, slots=True)
class Entry:
    """One action as the log has it, written before it is done.

    target: where a file is moved to, or the file that it becomes another name of; part: a name that is used on the way,
    of which the others follow; inode, mode, mtime_ns: of the file before.
    """

    number: int
    action: Action
    name: str
    path: str
    target: str
    part: str
    sha256: str
    n_bytes: int
    mtime_ns: int
    mode: int
    inode: int

    @property
    def way(self) -> Way:
        """The names that are used on the way."""
        return Way(Path(self.part).name)

    @property
    def content(self) -> Content:
        """What the file holds."""
        return Content(self.sha256, self.n_bytes)

    @property
    def aside(self) -> Path:
        """Where the file lies while it is acted on."""
        path = Path(self.path)
        return path.with_name(self.way.aside) / path.name

    @property
    def aside_undoing(self) -> Path:
        """Where it lies while that is undone."""
        path = Path(self.target if self.action == "move" else self.path)
        return path.with_name(self.way.undoing) / path.name


def new_part() -> str:
    """A name that nobody has: the one kind of name that a log may call a part."""
    return f".bof-{uuid.uuid4().hex}.partial"


# -- Writing ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Journal:
    """A log that is being written."""

    descriptor: int

    def begin(self, entry: Entry) -> None:
        """Say what is about to be done."""
        self._write(asdict(entry))

    def end(self, entry: Entry, outcome: str, left: Path | None = None) -> None:
        """Say how it ended: "done", or why not, and where a file was left that is neither here nor there."""
        self._write({"number": entry.number, "outcome": outcome, **({"left": str(left)} if left else {})})

    def _write(self, value: dict[str, Any]) -> None:
        line = json.dumps(value).encode("ascii") + b"\n"
        try:
            while line:
                line = line[os.write(self.descriptor, line) :]
            os.fsync(self.descriptor)
        except OSError as error:
            advice = "stopped there, and nothing is done that it does not name"
            raise DuplicateError(f"the log cannot be written: {reason_of(error)}", advice=advice) from error


def default_log(index: Path) -> Path:
    """A new name beside the index's folder."""
    folder = Path(os.path.abspath(index)).parent
    stem = f"bof-duplicates-{time.strftime('%Y%m%d-%H%M%S')}"
    names = [folder / f"{stem}.jsonl", *(folder / f"{stem}-{number}.jsonl" for number in range(2, 1000))]
    return next((name for name in names if not os.path.lexists(name)), folder / f"{stem}-{uuid.uuid4().hex}.jsonl")


@contextmanager
def writing(path: Path, action: Action, index: Path) -> Iterator[Journal]:
    """A new log. Raises DuplicateError where there is a file or none can be written."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
    except OSError as error:
        raise DuplicateError(
            path=path, expected="a place for a new log", found=reason_of(error), advice="name another with {log} FILE"
        ) from error
    try:
        journal = Journal(descriptor)
        journal._write({"bof_duplicates": FORMAT, "action": action, "index": os.path.abspath(index)})
        if os.name != "nt":
            fsync_path(Path(os.path.abspath(path)).parent)
        yield journal
    finally:
        os.close(descriptor)


# -- Reading ----------------------------------------------------------------------------------------------------------

_Check = Callable[[Any], bool]
_PART = re.compile(r"\.bof-[0-9a-f]{32}\.partial")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def _whole(least: int, most: int) -> _Check:
    return lambda value: type(value) is int and least <= value <= most


def _text(most: int) -> _Check:
    return lambda value: isinstance(value, str) and len(value) <= most and "\0" not in value


def _is_path(value: Any) -> bool:
    """Absolute, and as it is written: no `..`, nothing doubled."""
    if not _text(_LONGEST_PATH)(value):
        return False
    return os.path.isabs(value) and os.path.normpath(value) == value and Path(value).name != ""


def _is_mode(value: Any) -> bool:
    return _whole(0, 0o177777)(value) and stat.S_ISREG(value)


_TABLE: Mapping[str, tuple[str, _Check]] = {
    "number": ("a whole number from 1", _whole(1, 1 << 40)),
    "action": ("move, link or trash", lambda value: value in get_args(Action)),
    "name": ("a text", _text(_LONGEST_PATH)),
    "path": ("an absolute path without ..", _is_path),
    "target": ("an absolute path without .., or nothing", lambda value: value == "" or _is_path(value)),
    "part": ("an absolute path without ..", _is_path),
    "sha256": ("64 hexadecimal digits", lambda value: _text(64)(value) and _SHA256.fullmatch(value) is not None),
    "n_bytes": ("a whole number from 0", _whole(0, 1 << 62)),
    "mtime_ns": ("a whole number", _whole(-(1 << 63), (1 << 63) - 1)),
    "mode": ("the mode of a regular file", _is_mode),
    "inode": ("a whole number from 0", _whole(0, (1 << 128) - 1)),
}
"""Of each field of an entry: what it is, in words, and whether a value is that."""

_OUTCOME: Mapping[str, tuple[str, _Check]] = {
    "number": _TABLE["number"],
    "outcome": ("a text", _text(_LONGEST_LINE)),
    "left": ("an absolute path without ..", _is_path),
}
assert tuple(_TABLE) == tuple(field.name for field in fields(Entry))


def read_entries(path: Path) -> list[Entry]:
    """The actions of a log that were begun, but those that failed and were cleared, in their order.

    A last line that a crash cut short is passed over: what it would have named was not begun. Raises DuplicateError.
    """
    number = 0
    try:
        lines = read_regular(path, _MOST_BYTES).split(b"\n")
        version, action = _header(lines[0])
        entries: dict[int, Entry] = {}
        for number, line in enumerate(lines[1:-1], 2):  # noqa: B007
            _read_line(_json(line), action, version, entries)
    except OSError as error:
        raise DuplicateError(path=path, expected="a log of duplicates", found=reason_of(error)) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DuplicateError(
            path=path,
            expected="a log that {move_to}, {hardlink} or {trash} wrote",
            found=f"something else in line {number or 1} ({reason_of(error)})",
            advice="nothing was done; do not trust a log that others may have changed",
        ) from error
    return list(entries.values())


def _json(line: bytes) -> dict[str, Any]:
    if len(line) > _LONGEST_LINE:
        raise ValueError(f"a line of {len(line)} bytes")
    value = json.loads(line)
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return value


def _header(line: bytes) -> tuple[int, Action]:
    header = _json(line)
    version, action = header["bof_duplicates"], header.get("action")
    known: dict[Any, Action] = {name: name for name in get_args(Action)}
    if type(version) is not int or not 1 <= version <= FORMAT:
        raise ValueError(f"format {version!r:.40}")
    if not isinstance(action, str) or action not in known:
        raise ValueError(f"action {action!r:.40}")
    return version, known[action]


def _read_line(value: dict[str, Any], action: Action, version: int, entries: dict[int, Entry]) -> None:
    if "outcome" in value:
        _check(value, _OUTCOME, optional=frozenset({"left"}))
        if value["number"] not in entries:
            raise ValueError(f"an outcome of number {value['number']}, which was not begun")
        if value["outcome"] != "done" and "left" not in value:
            del entries[value["number"]]
        return
    _check(value, _TABLE)
    entry = Entry(**value)
    if entry.action != action or entry.number in entries:
        raise ValueError(f"number {entry.number} a second time, or another action")
    _check_places(entry)
    entries[entry.number] = entry if version > 1 else _resolved(entry)


def _check(
    value: dict[str, Any], table: Mapping[str, tuple[str, _Check]], optional: frozenset[str] = frozenset()
) -> None:
    wrong = set(value) - set(table) or set(table) - set(value) - optional
    if wrong:
        raise ValueError(f"expected the fields {', '.join(table)}, found {', '.join(value)[:200]}")
    for name, (expected, is_right) in table.items():
        if name in value and not is_right(value[name]):
            raise ValueError(f"{name}: expected {expected}, found {value[name]!r:.80}")


def _check_places(entry: Entry) -> None:
    """The part lies beside its file and has a name that only we give; a target is there where the action has one."""
    if (entry.target == "") != (entry.action == "trash"):
        raise ValueError(f"target: expected one for move and link only, found {entry.target!r:.80}")
    beside = entry.target if entry.action == "move" else entry.path
    part = Path(entry.part)
    if part.parent != Path(beside).parent or not _PART.fullmatch(part.name):
        raise ValueError(f"part: expected .bof-NUMBER.partial beside {beside!r:.200}, found {entry.part!r:.200}")
    if entry.path == entry.target:
        raise ValueError("target: expected another path than that of the file")


def _resolved(entry: Entry) -> Entry:
    """An entry of format 1, whose folders may be reached through links, with the folders that they lead to."""
    target = str(real(Path(entry.target))) if entry.target else ""
    return replace(entry, path=str(real(Path(entry.path))), target=target, part=str(real(Path(entry.part))))


def real(path: Path) -> Path:
    """A path whose folders are as they lie on the disk; its last name stays, also where it is a link."""
    return Path(os.path.realpath(path.parent)) / path.name
