"""The log of what is done to files: a line of JSON before each deed and one after it, each forced onto the disk."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from bof.errors import DuplicateError, reason_of
from bof.grouping.moving import fsync_folder

FORMAT = 1
Action = Literal["move", "link", "trash"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One deed as the log has it, written before it is done.

    target: where a file is moved to, or the file that it becomes another name of; part: a name that is used on the way;
    inode, mode, mtime_ns: of the file before.
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


@dataclass(frozen=True, slots=True)
class Journal:
    """A log that is being written."""

    descriptor: int

    def begin(self, entry: Entry) -> None:
        """Say what is about to be done."""
        self._write(asdict(entry))

    def end(self, entry: Entry, outcome: str) -> None:
        """Say how it ended: "done", or why not."""
        self._write({"number": entry.number, "outcome": outcome})

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
    """A new log. Raises DuplicateError where a file stands or none can be written."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
    except OSError as error:
        expected = f"a place for a new log: {reason_of(error)}"
        raise DuplicateError(path=path, expected=expected, advice="name another with {log} FILE") from error
    try:
        journal = Journal(descriptor)
        journal._write({"bof_duplicates": FORMAT, "action": action, "index": os.path.abspath(index)})
        fsync_folder(Path(os.path.abspath(path)).parent)
        yield journal
    finally:
        os.close(descriptor)


def read_entries(path: Path) -> list[Entry]:
    """The deeds of a log that were begun, but those that failed and were cleared, in their order.

    A last line that a crash cut short is passed over: what it would have named was not begun. Raises DuplicateError.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise DuplicateError(path=path, expected=f"a log of duplicates: {reason_of(error)}") from error
    entries: dict[int, Entry] = {}
    try:
        head = json.loads(lines[0])
        if head["bof_duplicates"] != FORMAT:
            raise ValueError(f"format {head['bof_duplicates']}")
        for line in lines[1:-1]:
            value = json.loads(line)
            if "outcome" not in value:
                entries[value["number"]] = Entry(**value)
            elif value["outcome"] != "done":
                entries.pop(value["number"], None)
    except (ValueError, KeyError, TypeError) as error:
        expected = "a log that {move_to}, {hardlink} or {trash} wrote"
        raise DuplicateError(path=path, expected=expected, found=f"something else ({error})") from error
    return list(entries.values())
