"""Files that change place or become one, so that a crash at any moment, or another program, loses no byte.

Other programs save meanwhile, most by renaming a new file over the old one. So a file is first taken to a folder of its
own, where nobody saves: there it is read, and it goes back unless it is what was planned. Nothing is ever overwritten:
names are given with calls that fail where something stands. What a failed call leaves behind is cleared here; what a
crash leaves behind is cleared by undoing, from the log.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bof.errors import display_name, reason_of
from bof.system.folders import Folder, open_folder

_CHUNK = 1 << 20
_BY_DESCRIPTOR = {os.chmod, os.utime} <= os.supports_fd
_NO_REGULAR_FILE = {errno.ELOOP, errno.EMLINK, errno.EINVAL, errno.ENXIO, errno.EISDIR}


class ChangedError(Exception):
    """A file is not what was planned, and stands where it stood."""


class LeftError(Exception):
    """A file lies at a place where nobody looks for it, and stays there. Its text says why."""

    def __init__(self, reason: str, place: Path) -> None:
        super().__init__(reason)
        self.place = place


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds. inode, mtime_ns: compared too, where they are known."""

    sha256: str
    n_bytes: int
    inode: int | None = None
    mtime_ns: int | None = None

    def fits(self, found: os.stat_result) -> bool:
        """Can a file that looks like this have the content?"""
        known = (self.n_bytes, self.inode, self.mtime_ns)
        facts = (found.st_size, found.st_ino, found.st_mtime_ns)
        return all(value is None or value == fact for value, fact in zip(known, facts, strict=True))


@dataclass(frozen=True, slots=True)
class Way:
    """Names that one deed uses on its way, all of one random number, so that undoing knows them from the log."""

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


# -- Reading ----------------------------------------------------------------------------------------------------------


def holds(path: Path, sha256: str) -> bool:
    """Is there a regular file, no link and not behind one, with this content?"""
    try:
        with open_folder(path.parent) as folder:
            found = folder.find(path.name)
            if found is None:
                return False
            require(folder, path.name, Content(sha256, found.st_size))
            return True
    except (FileNotFoundError, ChangedError):
        return False


def require(folder: Folder, name: str, content: Content) -> os.stat_result:
    """The facts of a file that holds a content, read through one descriptor. Raises ChangedError where it does not."""
    with _opened(folder, name) as descriptor:
        before = os.fstat(descriptor)
        if content.fits(before) and _sha256_of(descriptor) == content.sha256 and content.fits(os.fstat(descriptor)):
            return before
    raise ChangedError("has changed since it was indexed")


@contextmanager
def _opened(folder: Folder, name: str) -> Iterator[int]:
    try:
        descriptor = folder.open_file(name)
    except FileNotFoundError as error:
        raise ChangedError("is gone") from error
    except OSError as error:
        if error.errno not in _NO_REGULAR_FILE:
            raise
        raise ChangedError("is a link or no regular file") from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _sha256_of(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, "rb", closefd=False) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


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
    with _opened(folder, name) as descriptor:
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
    """Make a folder of our own; an empty one that a crash left is made anew."""
    try:
        folder.mkdir(name, 0o700)
    except FileExistsError:
        folder.rmdir(name)
        folder.mkdir(name, 0o700)


def put_back(own: Folder, name: str, folder: Folder) -> None:
    """Rename what lies aside to where it stood, if it is still there. Raises LeftError where something stands now."""
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


def link_file(kept: Path, path: Path, way: Way, content: Content) -> None:
    """Make `path` another name of the kept file; both must hold the content. Raises like `move_file`."""
    with open_folder(kept.parent) as there, open_folder(path.parent) as here:
        there.link(kept.name, here, way.part)
        with _clearing(here, way.part):
            _require_kept(here, way.part, content)
            with taken(here, path.name, way.aside, content) as held:
                place(here, way.part, here, path.name)
                here.sync()
                held.delete()
        here.sync()


def _require_kept(folder: Folder, part: str, content: Content) -> None:
    try:
        require(folder, part, Content(content.sha256, content.n_bytes))
    except ChangedError as error:
        raise ChangedError(f"the picture to keep {error}") from error


def unlink_file(path: Path, way: Way, content: Content, mode: int, mtime_ns: int) -> None:
    """Make a name of a shared file a file of its own again, of the same content, with this mode and time."""
    with open_folder(path.parent) as here:
        with _opened(here, path.name) as source:
            _copy(source, here, way.back, content)
        with _clearing(here, way.back):
            set_facts(here, way.back, mode, mtime_ns)
            with taken(here, path.name, way.undoing, content) as held:
                place(here, way.back, here, path.name)
                here.sync()
                held.delete()
        here.sync()


def set_facts(folder: Folder, name: str, mode: int, mtime_ns: int) -> None:
    """Give a file a mode and a time."""
    with _opened(folder, name) as descriptor:
        target: Any = descriptor if _BY_DESCRIPTOR else folder.at(name)
        os.chmod(target, stat.S_IMODE(mode))
        os.utime(target, ns=(mtime_ns, mtime_ns))


def place(folder: Folder, name: str, other: Folder, other_name: str) -> None:
    """Give a file of our own a name that is free, where the file system has no call for it by writing it anew there."""
    try:
        folder.rename_new(name, other, other_name)
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        with _opened(folder, name) as source:
            _write_new(source, other, other_name)
        folder.unlink(name)


# -- Copies -----------------------------------------------------------------------------------------------------------


def _place_copy(held: Taken, there: Folder, part: str, name: str, content: Content) -> None:
    with _opened(held.folder, held.name) as source:
        _copy(source, there, part, content)
    with _clearing(there, part):
        held.require_unchanged()
        place(there, part, there, name)


def _copy(source: int, folder: Folder, part: str, content: Content) -> None:
    """Copy to a new file with times, mode and what else the system copies; read it again and compare."""
    _write_new(source, folder, part)
    with _clearing(folder, part):
        try:
            require(folder, part, Content(content.sha256, content.n_bytes))
        except ChangedError as error:
            raise OSError(errno.EIO, "the copy is not what was to be copied") from error


def _write_new(source: int, folder: Folder, name: str) -> None:
    """Write a file's content to a new name, forced onto the disk. Raises OSError, and clears what it has written."""
    target = folder.open_file(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        try:
            os.lseek(source, 0, os.SEEK_SET)
            while chunk := os.read(source, _CHUNK):
                _write(target, chunk)
            os.fsync(target)
            _copy_facts(source, target, folder, name)
        finally:
            made = os.fstat(target)
            os.close(target)
        found = folder.find(name)
        if found is None or not os.path.samestat(found, made):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder.path / name))
    except OSError:
        found = folder.find(name)
        if found and os.path.samestat(found, made):
            with suppress(OSError):
                folder.unlink(name)
        raise


def _copy_facts(source: int, target: int, folder: Folder, name: str) -> None:
    """Times, mode, extended attributes."""
    places: tuple[Any, Any] = source, target if _BY_DESCRIPTOR else folder.at(name)
    shutil.copystat(*places)


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


@contextmanager
def _clearing(folder: Folder, part: str) -> Iterator[None]:
    """Delete a copy or second name of our own where the block fails."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            folder.unlink(part)
        raise
