"""The system's trash: putting files there and finding them. Trash specification 1.0 of freedesktop.org."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote_to_bytes

from bof.errors import DuplicateError
from bof.grouping.content import Content, holds, require
from bof.grouping.moving import Way, taken
from bof.system.files import write_file
from bof.system.folders import Folder, open_folder

Trash = Callable[[str], None]

_HAS_NOTES = sys.platform not in ("win32", "darwin")
"""Does the trash say in files of text where each of its files was?"""

_LONGEST_NOTE = 1 << 16


def require_trash() -> Trash:
    """The system's trash. Raises DuplicateError where the package for it is missing."""
    try:
        from send2trash import send2trash
    except ImportError as error:
        advice = 'install it with: pip install "bof-search[trash]"'
        raise DuplicateError("{trash} needs the package send2trash", advice=advice) from error
    return send2trash  # type: ignore[no-any-return]


def trash_file(path: Path, way: Way, content: Content, trash: Trash) -> None:
    """Put a file that holds a content into the trash. Raises ChangedError, LeftError, OSError.

    Where notes say what a file was called, it goes there from a folder of its own, where no other program saves, and
    the note is mended; elsewhere from where it stands.
    """
    with open_folder(path.parent) as folder:
        if not _HAS_NOTES:
            _trash_in_place(folder, path, content, trash)
            return
        with taken(folder, path.name, way.aside, content) as held:
            trash(str(held.folder.path / held.name))
            if held.folder.find(held.name):
                raise OSError(errno.EBUSY, "the trash did not take it", str(path))
        _mend_note(path, way.aside)
        folder.sync()


def _trash_in_place(folder: Folder, path: Path, content: Content, trash: Trash) -> None:
    """The system renames whatever stands there: whether the file that was read has a name tells if it was that."""
    n_names = require(folder, path.name, content).st_nlink
    held = None if os.name == "nt" else folder.open_file(path.name)
    try:
        trash(str(path))
        if held is not None and os.fstat(held).st_nlink < n_names:
            reason = "another program saved it meanwhile; what it saved is in the system's trash"
            raise OSError(errno.EBUSY, reason, str(path))
    finally:
        if held is not None:
            os.close(held)


def find_in_trash(path: Path, sha256: str) -> list[Path]:
    """Where the trash holds this file; on freedesktop.org systems, elsewhere unknown."""
    return [
        held for note, held in _notes_and_files(path) if _path_in(note) == os.path.abspath(path) if _holds(held, sha256)
    ]


def _holds(held: Path, sha256: str) -> bool:
    return holds(Path(os.path.realpath(held.parent)) / held.name, sha256)


def _mend_note(path: Path, aside: str) -> None:
    """Let the note say where the file was before it was taken to a folder of its own."""
    noted = str(path.parent / aside / path.name)
    for note, _ in _notes_and_files(path):
        if _path_in(note) == noted:
            for before, after in ((f"/{aside}/", b"/"), (f"={aside}/", b"=")):
                write_file(note, note.read_bytes().replace(before.encode("ascii"), after))


def _notes_and_files(path: Path) -> list[tuple[Path, Path]]:
    """Of the files in the trash that may be this one: the note of each, and the file."""
    if not _HAS_NOTES:
        return []
    notes = [note for trash in _trashes(path) for note in _notes(trash, path.stem)]
    return [(note, note.parents[1] / "files" / note.name.removesuffix(".trashinfo")) for note in notes]


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
        return [note for name in sorted(names) if (note := trash / "info" / name).is_file()]
    return []


def _path_in(note: Path) -> str:
    """Where a trashed file came from; a path that is not absolute counts from the folder that holds the trash."""
    try:
        with note.open("rb") as stream:
            lines = stream.read(_LONGEST_NOTE).splitlines()
    except OSError:
        return ""
    noted = next((line.removeprefix(b"Path=") for line in lines if line.startswith(b"Path=")), b"")
    trash = note.parents[1]
    top = trash.parent.parent if trash.parent.name == ".Trash" else trash.parent
    return os.path.abspath(top / os.fsdecode(unquote_to_bytes(noted)))
