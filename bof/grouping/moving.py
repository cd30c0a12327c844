"""Files that change place or become one, so that a crash at any moment, or another program, loses no byte.

Other programs save meanwhile, most by renaming a new file over the old one. So a file is first taken to a folder of its
own, where nobody saves: there it is read, and it goes back unless it is what was planned. Nothing is ever overwritten:
names are given with calls that fail where something is there. What a failed call leaves behind is cleared here; what a
crash leaves behind is cleared by undoing, from the log.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bof.errors import display_name, reason_of
from bof.grouping.content import ChangedError, Content, opened, require
from bof.grouping.copying import copy_new, deleted_on_failure, place, set_facts
from bof.system.folders import Folder, open_folder


class LeftError(Exception):
    """A file lies at a place where nobody looks for it, and stays there. Its text says why."""

    def __init__(self, reason: str, place: Path) -> None:
        super().__init__(reason)
        self.place = place


@dataclass(frozen=True, slots=True)
class Way:
    """Names that one action uses on its way, all of one random number, so that undoing knows them from the log."""

    part: str
    """A copy that is not complete yet, or a second name of the kept file."""

    @property
    def stem(self) -> str:
        """What they have in common."""
        return self.part.removesuffix(".partial")

    @property
    def back(self) -> str:
        """The copy on the way back."""
        return f"{self.stem}.back"

    @property
    def aside(self) -> str:
        """The folder that the file is taken to."""
        return f"{self.stem}.aside"

    @property
    def undoing(self) -> str:
        """The folder that it is taken to on the way back."""
        return f"{self.stem}.undo"

    @property
    def clearing(self) -> str:
        """The folder that a copy is taken to before it is deleted."""
        return f"{self.stem}.clear"


# -- Taking aside -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Taken:
    """A file in a folder of its own, read there."""

    folder: Folder
    name: str
    found: os.stat_result

    def require_unchanged(self) -> None:
        """Raises ChangedError where a program that had it open has written to it since."""
        now = self.folder.find(self.name)
        if now is None or (now.st_size, now.st_mtime_ns) != (self.found.st_size, self.found.st_mtime_ns):
            raise ChangedError("was written to meanwhile")

    def delete(self) -> None:
        """Delete it, if nobody has written to it."""
        self.require_unchanged()
        self.folder.unlink(self.name)


@contextmanager
def taken(folder: Folder, name: str, aside: str, content: Content) -> Iterator[Taken]:
    """A file that holds a content, taken to a new folder `aside`; what is still there goes back where the block fails.

    Raises ChangedError where it holds something else, and has put it back; LeftError where it could not.
    """
    with opened(folder, name) as descriptor:
        if not content.fits(os.fstat(descriptor)):
            raise ChangedError("has changed since it was indexed")
    _make_empty(folder, aside)
    try:
        with folder.child(aside) as own:
            folder.rename(name, own, name)
            try:
                yield Taken(own, name, require(own, name, content))
            except BaseException:
                put_back(own, name, folder)
                raise
    finally:
        with suppress(OSError):
            folder.rmdir(aside)


def _make_empty(folder: Folder, name: str) -> None:
    """Make a folder of our own; an empty one that a crash left is made again."""
    try:
        folder.mkdir(name, 0o700)
    except FileExistsError:
        folder.rmdir(name)
        folder.mkdir(name, 0o700)


def put_back(own: Folder, name: str, folder: Folder) -> None:
    """Rename what lies aside to where it was, if it is still there. Raises LeftError where something is there now."""
    if own.find(name) is None:
        return
    try:
        place(own, name, folder, name)
    except FileExistsError as error:
        raise LeftError("another program saved it meanwhile", own.path / name) from error
    except OSError as error:
        raise LeftError(reason_of(error), own.path / name) from error
    with suppress(OSError):
        folder.sync()


# -- Moving, linking --------------------------------------------------------------------------------------------------


def move_file(source: Path, target: Path, aside: str, part: str, content: Content) -> None:
    """Move a file that holds a content to a name that is free; folders are made. aside, part: names of its Way.

    Across file systems the content is copied, forced onto the disk and compared before the source goes. Raises
    ChangedError, LeftError, OSError (FileExistsError where target stands); source then stands as it was.
    """
    with open_folder(target.parent, make=True) as there, open_folder(source.parent) as here:
        with taken(here, source.name, aside, content) as held:
            try:
                place(held.folder, held.name, there, target.name)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                _place_copy(held, there, part, target.name, content)
                there.sync()
                _delete_copied(held, target)
        try:
            there.sync()
            here.sync()
        except OSError as error:
            raise LeftError(f"not confirmed by the disk: {reason_of(error)}", target) from error


def _delete_copied(held: Taken, target: Path) -> None:
    try:
        held.delete()
    except ChangedError as error:
        raise ChangedError(f"{error}; what it held before is at {display_name(target)}") from error


def link_file(keeper: Path, path: Path, way: Way, content: Content) -> None:
    """Make `path` another name of the kept file; both must hold the content. Raises like `move_file`."""
    with open_folder(keeper.parent) as there, open_folder(path.parent) as here:
        there.link(keeper.name, here, way.part)
        with deleted_on_failure(here, way.part):
            _require_keeper(here, way.part, content)
            with taken(here, path.name, way.aside, content) as held:
                place(here, way.part, here, path.name)
                here.sync()
                held.delete()
        here.sync()


def _require_keeper(folder: Folder, part: str, content: Content) -> None:
    try:
        require(folder, part, Content(content.sha256, content.n_bytes))
    except ChangedError as error:
        raise ChangedError(f"the picture to keep {error}") from error


def unlink_file(path: Path, way: Way, content: Content, mode: int, mtime_ns: int) -> None:
    """Make a name of a shared file a file of its own again, of the same content, with this mode and time."""
    with open_folder(path.parent) as here:
        with opened(here, path.name) as source:
            copy_new(source, here, way.back, content)
        with deleted_on_failure(here, way.back):
            set_facts(here, way.back, mode, mtime_ns)
            with taken(here, path.name, way.undoing, content) as held:
                place(here, way.back, here, path.name)
                here.sync()
                held.delete()
        here.sync()


def _place_copy(held: Taken, there: Folder, part: str, name: str, content: Content) -> None:
    with opened(held.folder, held.name) as source:
        copy_new(source, there, part, content)
    with deleted_on_failure(there, part):
        held.require_unchanged()
        place(there, part, there, name)
