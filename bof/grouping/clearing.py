"""What a crash leaves behind, cleared while an action is undone: nothing goes that does not stand elsewhere too."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bof.grouping.content import ChangedError, Content, holds, require
from bof.grouping.copying import place, set_facts
from bof.grouping.journal import Entry
from bof.grouping.moving import taken
from bof.system.folders import open_folder

_CHUNK = 1 << 20


def exists(path: Path) -> bool:
    """Does anything stand there? Raises OSError where there is a link on the way."""
    try:
        with open_folder(path.parent) as folder:
            return folder.find(path.name) is not None
    except FileNotFoundError:
        return False


def is_same_file(path: Path, other: Path) -> bool:
    """Are they two names of one file?"""
    try:
        return os.path.samestat(os.lstat(path), os.lstat(other))
    except FileNotFoundError:
        return False


def return_to(home: Path, aside: Path, entry: Entry) -> None:
    """Put what a crash left aside where it was, if that is free; where it is there too, the second goes."""
    if not holds(aside, entry.sha256):
        return
    if holds(home, entry.sha256):
        drop(aside, entry)
    elif not exists(home):
        with open_folder(aside.parent) as own, open_folder(home.parent, make=True) as folder:
            place(own, aside.name, folder, home.name)
            folder.sync()


def drop(path: Path, entry: Entry) -> bool:
    """Delete a file of our own that holds what stands elsewhere too; it stays where it holds something else."""
    with suppress(FileNotFoundError, ChangedError), open_folder(path.parent) as folder:
        require(folder, path.name, entry.content)
        folder.unlink(path.name)
        return True
    return False


def drop_aside(entry: Entry) -> None:
    """Delete what was left aside of a file that is where it was, perhaps as a copy without its mode and time."""
    dropped = [drop(entry.aside, entry), drop(entry.aside_undoing, entry)]
    path = Path(entry.path)
    if any(dropped):
        with open_folder(path.parent) as folder:
            set_facts(folder, path.name, entry.mode, entry.mtime_ns)


def remove_second(path: Path, entry: Entry) -> None:
    """The same where other programs may save: it is taken aside first, and goes back where it holds something else."""
    _remove(path, entry, entry.content)


def _remove(path: Path, entry: Entry, content: Content) -> None:
    with suppress(FileNotFoundError, ChangedError), open_folder(path.parent) as folder:
        with taken(folder, path.name, entry.way.clearing, content) as held:
            held.delete()
        folder.sync()


def clear_copies(entry: Entry, own: Sequence[Path], public: Sequence[Path], originals: Sequence[Path]) -> None:
    """Delete copies that a crash cut short: what they were made from stands at one of the paths `originals`.

    own: of names that only we give; public: of names that others use, where only a part of the content is deleted.
    """
    cleared = [path.with_name(entry.way.clearing) / path.name for path in public]
    for path in [*own, *cleared, *public]:
        length = _length(path)
        if length is None or length > entry.n_bytes or (path in public and length == entry.n_bytes):
            continue
        whole = next((other for other in originals if other != path and holds(other, entry.sha256)), None)
        beginning = whole and _beginning(whole, length)
        if beginning and path in public:
            _remove(path, entry, beginning)
        elif beginning:
            with suppress(ChangedError), open_folder(path.parent) as folder:
                require(folder, path.name, beginning)
                folder.unlink(path.name)
    for path in cleared:
        clear_folder(path.parent)


def _length(path: Path) -> int | None:
    """Bytes of what stands there, None where nothing does."""
    try:
        with open_folder(path.parent) as folder:
            found = folder.find(path.name)
            return None if found is None else found.st_size
    except FileNotFoundError:
        return None


def _beginning(path: Path, n_bytes: int) -> Content:
    """What a copy of a file's first bytes holds."""
    digest = hashlib.sha256()
    with open_folder(path.parent) as folder, open(folder.open_file(path.name), "rb") as stream:
        rest = n_bytes
        while rest and (chunk := stream.read(min(rest, _CHUNK))):
            digest.update(chunk)
            rest -= len(chunk)
    return Content(digest.hexdigest(), n_bytes)


def clear_folder(folder: Path) -> None:
    """Take away a folder of our own that is empty."""
    with suppress(OSError), open_folder(folder.parent) as parent:
        parent.rmdir(folder.name)
