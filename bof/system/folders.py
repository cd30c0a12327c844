"""A folder that is held open: what is done there is done in this folder, whatever becomes of the names that led to it.

No link is followed, neither on the way to the folder nor in it. Where the system cannot hold folders open (Windows),
paths are used instead.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bof.system import renaming

HAS_DESCRIPTORS = os.open in os.supports_dir_fd
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_ON_THE_WAY = _FOLDER | getattr(os, "O_PATH", 0)
_FILE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""No link, no waiting for the other end of a pipe, no translation of line ends."""

NO_LINKS = frozenset({errno.EPERM, errno.EMLINK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
"""What systems say where a file cannot have a second name."""


@dataclass(frozen=True, slots=True)
class Folder:
    """An open folder. path: where it was found; descriptor: None where paths are used. Names are those of its files."""

    path: Path
    descriptor: int | None

    def at(self, name: str) -> str:
        """What system calls are given: the name beside the descriptor, else the whole path."""
        return str(self.path / name) if self.descriptor is None else name

    def find(self, name: str) -> os.stat_result | None:
        """What stands at a name, itself and not where it leads; None where there is nothing."""
        try:
            return os.stat(self.at(name), dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def open_file(self, name: str, flags: int = os.O_RDONLY, mode: int = 0o600) -> int:
        """A descriptor of a regular file. Raises OSError, also where a link or no regular file stands."""
        descriptor = os.open(self.at(name), flags | _FILE, mode, dir_fd=self.descriptor)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        raise OSError(errno.EINVAL, "no regular file", str(self.path / name))

    def rename(self, name: str, other: Folder, other_name: str) -> None:
        """Rename whatever stands at the name at that moment; what stands at the other name is replaced."""
        os.rename(self.at(name), other.at(other_name), src_dir_fd=self.descriptor, dst_dir_fd=other.descriptor)

    def rename_new(self, name: str, other: Folder, other_name: str) -> None:
        """Rename to a free name. name: of our own, which nobody else saves to.

        Raises FileExistsError where something is there, an OSError with ENOTSUP where the file system has neither
        a call for this nor second names.
        """
        try:
            renaming.rename_new(self.at(name), other.at(other_name), self.descriptor, other.descriptor)
            return
        except OSError as error:
            if error.errno not in renaming.UNSUPPORTED:
                raise
        try:
            self.link(name, other, other_name)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), str(other.path / other_name)) from error
        self.unlink(name)

    def link(self, name: str, other: Folder, other_name: str) -> None:
        """Give a file, or a link itself, a second name, which is free."""
        os.link(
            self.at(name), other.at(other_name),
            src_dir_fd=self.descriptor, dst_dir_fd=other.descriptor, follow_symlinks=False,
        )  # fmt: skip

    def unlink(self, name: str) -> None:
        """Take a name away."""
        os.unlink(self.at(name), dir_fd=self.descriptor)

    def mkdir(self, name: str, mode: int = 0o777) -> None:
        """Make a folder in it."""
        os.mkdir(self.at(name), mode, dir_fd=self.descriptor)

    def rmdir(self, name: str) -> None:
        """Take an empty folder in it away."""
        os.rmdir(self.at(name), dir_fd=self.descriptor)

    def sync(self) -> None:
        """Force the list of names onto the disk, where the system can."""
        if self.descriptor is not None:
            os.fsync(self.descriptor)

    @contextmanager
    def child(self, name: str) -> Iterator[Folder]:
        """A folder in it. Raises OSError where none stands or a link does."""
        if self.descriptor is None:
            yield Folder(self.path / name, None)
            return
        descriptor = os.open(name, _FOLDER, dir_fd=self.descriptor)
        try:
            yield Folder(self.path / name, descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def open_folder(path: Path, *, make: bool = False) -> Iterator[Folder]:
    """Hold a folder open. path: absolute, without links (`os.path.realpath`); make: those of its folders that lack.

    Raises OSError: FileNotFoundError where there is none, and with ENOTDIR or ELOOP where there is a link on the way.
    """
    if not HAS_DESCRIPTORS:
        if make:
            path.mkdir(parents=True, exist_ok=True)
        if os.path.normcase(os.path.realpath(path)) != os.path.normcase(path):
            raise _linked(path)
        yield Folder(path, None)
        return
    descriptor = _walk(path, make=make)
    try:
        yield Folder(path, descriptor)
    finally:
        os.close(descriptor)


def _walk(path: Path, *, make: bool) -> int:
    """Open folder after folder from the root, each in the one before; the last one's descriptor."""
    names = path.parts[1:]
    here, descriptor = Path(path.anchor), os.open(path.anchor, _ON_THE_WAY if names else _FOLDER)
    for place, name in enumerate(names, 1):
        try:
            below = _step(Folder(here, descriptor), name, _FOLDER if place == len(names) else _ON_THE_WAY, make=make)
        finally:
            os.close(descriptor)
        here, descriptor = here / name, below
    return descriptor


def _step(folder: Folder, name: str, flags: int, *, make: bool) -> int:
    try:
        if make and folder.find(name) is None:
            with suppress(FileExistsError):
                folder.mkdir(name)
                _sync_on_the_way(folder)
        return os.open(name, flags, dir_fd=folder.descriptor)
    except OSError as error:
        found = folder.find(name)
        if found and stat.S_ISLNK(found.st_mode):
            raise _linked(folder.path / name) from error
        raise OSError(error.errno, error.strerror, str(folder.path / name)) from error


def _sync_on_the_way(folder: Folder) -> None:
    """Its descriptor may be one that cannot be forced onto the disk."""
    descriptor = os.open(".", _FOLDER, dir_fd=folder.descriptor)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _linked(path: Path) -> OSError:
    return OSError(errno.ELOOP, "there is a link, where a folder was", str(path))
