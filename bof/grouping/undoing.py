"""Putting back what a log says was moved or linked. What stands on the disk decides, so it can be run again."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import unquote_to_bytes

from bof.errors import display_name, reason_of
from bof.grouping.journal import Action, Entry
from bof.grouping.moving import fsync_folder, holds, is_claim, move_file, unlink_file

State = Literal["put back", "as it was", "not undone"]


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of one deed: put back now, found as it was before, or not undone, and then why."""

    entry: Entry
    state: State
    words: str


def undo(entries: Sequence[Entry]) -> list[Undone]:
    """Undo deeds, the last first. Nothing is overwritten, and nothing is lost where it is ended halfway."""
    return [_undo(entry) for entry in reversed(entries)]


def _undo(entry: Entry) -> Undone:
    ways: dict[Action, Callable[[Entry], Undone]] = {"move": _unmove, "link": _unlink, "trash": _untrash}
    try:
        _clear_parts(entry)
        return ways[entry.action](entry)
    except OSError as error:
        return Undone(entry, "not undone", reason_of(error))


def _clear_parts(entry: Entry) -> None:
    """A partial copy that a crash left: what it was made from stands, for that goes last."""
    for part in (Path(entry.part), _back(entry)):
        with suppress(FileNotFoundError):
            os.unlink(part)


def _back(entry: Entry) -> Path:
    """The partial copy on the way back, of a name that another run knows too."""
    return Path(entry.path).with_name(Path(entry.part).stem + ".back")


# -- Moves ------------------------------------------------------------------------------------------------------------


def _unmove(entry: Entry) -> Undone:
    path, target = Path(entry.path), Path(entry.target)
    stands = holds(path, entry.sha256)
    if stands:
        _drop_second(entry, target)
        return Undone(entry, "as it was", "")
    if is_claim(path) and holds(target, entry.sha256):
        os.unlink(path)
    if os.path.lexists(path):
        return Undone(entry, "not undone", f"another file stands there now; what was moved is {_where(entry)}")
    if not holds(target, entry.sha256):
        return Undone(entry, "not undone", f"it is {_where(entry)}")
    move_file(target, path, _back(entry), entry.sha256)
    _remove_empty(entry)
    return Undone(entry, "put back", "")


def _where(entry: Entry) -> str:
    target = Path(entry.target)
    name = display_name(entry.target)
    if not os.path.lexists(target):
        return f"not at {name} any more"
    return f"at {name}" if holds(target, entry.sha256) else f"at {name}, where it was changed since"


def _drop_second(entry: Entry, target: Path) -> None:
    """The file stands where it was: a crash came between its two names, or when the new one was only claimed."""
    if is_claim(target) or holds(target, entry.sha256):
        os.unlink(target)
        fsync_folder(target.parent)
    _remove_empty(entry)


def _remove_empty(entry: Entry) -> None:
    """Take away the folders that the move had made below the folder that was named; one that holds anything stays."""
    made, home = Path(entry.target).parent, Path(entry.path).parent
    with suppress(OSError):
        while made.name and made.name == home.name:
            os.rmdir(made)
            made, home = made.parent, home.parent


# -- Links and the trash ----------------------------------------------------------------------------------------------


def _unlink(entry: Entry) -> Undone:
    path = Path(entry.path)
    if not os.path.lexists(path):
        return Undone(entry, "not undone", f"nothing is there now; the same picture is at {display_name(entry.target)}")
    found = os.lstat(path)
    if found.st_ino == entry.inode or found.st_nlink == 1:
        return Undone(entry, "as it was", "")
    if not holds(path, entry.sha256):
        return Undone(entry, "not undone", "it has changed since")
    unlink_file(path, _back(entry), entry.sha256, entry.mode, entry.mtime_ns)
    return Undone(entry, "put back", "")


def _untrash(entry: Entry) -> Undone:
    if holds(Path(entry.path), entry.sha256):
        return Undone(entry, "as it was", "")
    places = find_in_trash(Path(entry.path), entry.sha256)
    where = ", ".join(map(display_name, places)) or "the system's trash, if it was not emptied"
    return Undone(entry, "not undone", f"it is in {where}; put it back from there")


def find_in_trash(path: Path, sha256: str) -> list[Path]:
    """Where the trash holds this file; on freedesktop.org systems (Trash specification 1.0), elsewhere unknown."""
    if sys.platform in ("win32", "darwin"):
        return []
    return [
        held
        for trash in _trashes(path)
        for note in _notes(trash, path.stem)
        if _path_in(note, trash) == os.path.abspath(path)
        if holds(held := trash / "files" / note.name.removesuffix(".trashinfo"), sha256)
    ]


def _trashes(path: Path) -> list[Path]:
    """The trash of the user, and those at the top of the file system that the file was on."""
    home = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "Trash"
    top = next((folder for folder in path.parents if os.path.ismount(folder)), Path(os.sep))
    user = os.getuid() if hasattr(os, "getuid") else 0
    return [home, top / ".Trash" / str(user), top / f".Trash-{user}"]


def _notes(trash: Path, stem: str) -> list[Path]:
    """The notes on files of about this name: trashes number those of one name."""
    with suppress(OSError):
        names = [name for name in os.listdir(trash / "info") if name.startswith(stem) and name.endswith(".trashinfo")]
        return [trash / "info" / name for name in sorted(names)]
    return []


def _path_in(note: Path, trash: Path) -> str:
    """Where a trashed file came from; a path that is not absolute counts from the folder that holds the trash."""
    try:
        lines = note.read_bytes().splitlines()
    except OSError:
        return ""
    told = next((line.removeprefix(b"Path=") for line in lines if line.startswith(b"Path=")), b"")
    top = trash.parent.parent if trash.parent.name == ".Trash" else trash.parent
    return os.path.abspath(top / os.fsdecode(unquote_to_bytes(told)))
