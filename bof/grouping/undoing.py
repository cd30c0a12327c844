"""Putting back what a log says was moved or linked. What stands on the disk decides, so it can be run again.

A file is deleted or moved only where it holds what the log names; a copy that a crash cut short only where it is the
beginning of such a file, which stands.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bof.errors import display_name, reason_of
from bof.grouping.clearing import (
    clear_copies,
    clear_folder,
    drop,
    drop_aside,
    exists,
    is_same_file,
    remove_second,
    return_to,
)
from bof.grouping.content import ChangedError, holds
from bof.grouping.journal import Action, Entry
from bof.grouping.moving import LeftError, move_file, unlink_file
from bof.grouping.trash import find_in_trash

State = Literal["put back", "as it was", "not undone"]


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of one action: put back now, found as it was before, or not undone, and then why."""

    entry: Entry
    state: State
    words: str


def undo(entries: Sequence[Entry]) -> list[Undone]:
    """Undo actions, the last first. Nothing is overwritten, and nothing is lost where it is ended halfway."""
    return [undo_one(entry) for entry in reversed(entries)]


def undo_one(entry: Entry) -> Undone:
    """Undo one action."""
    ways: dict[Action, Callable[[Entry], Undone]] = {"move": _unmove, "link": _unlink, "trash": _untrash}
    try:
        return ways[entry.action](entry)
    except ChangedError as error:
        return Undone(entry, "not undone", str(error))
    except LeftError as error:
        return Undone(entry, "not undone", f"{error}; what it held is at {display_name(error.place)}")
    except OSError as error:
        where = f": {display_name(os.fsdecode(error.filename))}" if error.filename else ""
        return Undone(entry, "not undone", f"{reason_of(error)}{where}")
    finally:
        for folder in (entry.aside.parent, entry.aside_undoing.parent):
            clear_folder(folder)


def _set_aside(entry: Entry) -> Undone | None:
    """Where a crash, or another program, left aside what was at the path, and the path is not free: said so."""
    aside, path = entry.aside, Path(entry.path)
    if not exists(aside):
        return None
    if not holds(aside, entry.sha256):
        reason = f"what was there, which is not what the log names, is at {display_name(aside)}"
        return Undone(entry, "not undone", reason)
    if exists(path) and not holds(path, entry.sha256):
        reason = f"another file is there now; what was there before is at {display_name(aside)}"
        return Undone(entry, "not undone", reason)
    return None


# -- Moves ------------------------------------------------------------------------------------------------------------


def _unmove(entry: Entry) -> Undone:
    path, target, way = Path(entry.path), Path(entry.target), entry.way
    copies = [path.with_name(way.back), target.with_name(way.part)]
    clear_copies(entry, copies, [path, target], [entry.aside, entry.aside_undoing, target, path])
    if undone := _set_aside(entry):
        return undone
    if exists(entry.aside) and not exists(path):
        remove_second(target, entry)
        return_to(path, entry.aside, entry)
        _remove_empty(entry)
        return Undone(entry, "put back", "")
    if holds(path, entry.sha256):
        return _stands(entry)
    return_to(target, entry.aside_undoing, entry)
    if exists(path):
        return Undone(entry, "not undone", f"another file is there now; what was moved is {_where(entry)}")
    if not holds(target, entry.sha256):
        return Undone(entry, "not undone", f"it is {_where(entry)}")
    move_file(target, path, way.undoing, way.back, entry.content)
    _remove_empty(entry)
    return Undone(entry, "put back", "")


def _stands(entry: Entry) -> Undone:
    """The file stands where it was: a crash may have come between its two names, or left one aside."""
    path, target = Path(entry.path), Path(entry.target)
    drop_aside(entry)
    if is_same_file(path, target):
        remove_second(target, entry)
    _remove_empty(entry)
    return Undone(entry, "as it was", "")


def _where(entry: Entry) -> str:
    target, aside = Path(entry.target), entry.aside_undoing
    name = display_name(entry.target)
    if holds(aside, entry.sha256):
        return f"at {display_name(aside)}"
    if not exists(target):
        return f"not at {name} any more"
    return f"at {name}" if holds(target, entry.sha256) else f"at {name}, where it was changed since"


def _remove_empty(entry: Entry) -> None:
    """Take away the folders that the move had made below the folder that was named; one that holds anything stays."""
    clear_folder(entry.aside_undoing.parent)
    made, home = Path(entry.target).parent, Path(entry.path).parent
    with suppress(OSError):
        while made.name and made.name == home.name:
            os.rmdir(made)
            made, home = made.parent, home.parent


# -- Links and the trash ----------------------------------------------------------------------------------------------


def _unlink(entry: Entry) -> Undone:
    path, keeper, way = Path(entry.path), Path(entry.target), entry.way
    copies = [path.with_name(way.back), path.with_name(way.part)]
    clear_copies(entry, copies, [path], [entry.aside, entry.aside_undoing, path, keeper])
    if undone := _set_aside(entry):
        return undone
    if exists(entry.aside) and not exists(path):
        return_to(path, entry.aside, entry)
        return Undone(entry, "put back", "")
    return_to(path, entry.aside_undoing, entry)
    if not exists(path):
        return Undone(entry, "not undone", f"nothing is there now; the same picture is at {display_name(entry.target)}")
    for aside in (entry.aside, entry.aside_undoing):
        drop(aside, entry)
    found = os.lstat(path)
    if found.st_ino == entry.inode or found.st_nlink == 1:
        return Undone(entry, "as it was", "")
    if not holds(path, entry.sha256):
        return Undone(entry, "not undone", "it has changed since")
    unlink_file(path, way, entry.content, entry.mode, entry.mtime_ns)
    return Undone(entry, "put back", "")


def _untrash(entry: Entry) -> Undone:
    path = Path(entry.path)
    if undone := _set_aside(entry):
        return undone
    if exists(entry.aside) and not exists(path):
        return_to(path, entry.aside, entry)
        return Undone(entry, "put back", "")
    if holds(path, entry.sha256):
        drop_aside(entry)
        return Undone(entry, "as it was", "")
    places = [*find_in_trash(path, entry.sha256), *find_in_trash(entry.aside, entry.sha256)]
    where = ", ".join(map(display_name, places)) or "the system's trash, if it was not emptied"
    return Undone(entry, "not undone", f"it is in {where}; put it back from there")
