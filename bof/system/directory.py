"""A folder that somebody else may have filled: nothing below it is reached through a link, a FIFO or a path in a name.

Names are resolved against an open descriptor of the folder, so that nothing that is swapped meanwhile leads elsewhere.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

_HAS_DESCRIPTORS = {os.open, os.unlink, os.rmdir, os.stat} <= os.supports_dir_fd and os.listdir in os.supports_fd
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_FOLDER = getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class Directory:
    """One open folder. Use it as a context manager, or close it.

    path: what messages call it. Every method raises OSError where a name is a link or no file or folder as expected.
    """

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def open(cls, path: Path) -> Self:
        """A folder that the user has named: links lead to it as the user set them."""
        return cls(path, os.open(path, os.O_RDONLY | _FOLDER) if _HAS_DESCRIPTORS else None)

    @classmethod
    def open_below(cls, path: Path, *names: str) -> Directory:
        """A folder some floors below one that the user has named; none of the names is a link."""
        found: Directory = cls.open(path)
        for name in names:
            with found as outer:
                found = outer.folder(name)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def folder(self, name: str) -> Directory:
        """A folder in this one, which is no link."""
        if self._descriptor is None:
            self._require(name, stat.S_ISDIR, "folder")
            return Directory(self.path / name, None)
        flags = os.O_RDONLY | _FOLDER | _NO_FOLLOW
        return Directory(self.path / name, self._opened(name, flags, "folder"))

    def open_file(self, name: str) -> IO[bytes]:
        """A file in this folder for reading, which is no link, no FIFO and no device."""
        self._require(name, stat.S_ISREG, "file")
        descriptor = self._opened(name, os.O_RDONLY | _NO_FOLLOW | _NO_WAIT, "file")
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise _wrong(self.path / name, "file")
        return open(self.path / name, "rb", opener=lambda *_: descriptor)

    def size_of(self, name: str) -> int:
        """Bytes of a file in this folder."""
        return self._require(name, stat.S_ISREG, "file").st_size

    def names(self) -> list[str]:
        """What is in the folder, in order."""
        return sorted(os.listdir(self.path if self._descriptor is None else self._descriptor))

    def is_folder(self, name: str) -> bool:
        """Is this name a folder, and no link to one?"""
        return stat.S_ISDIR(self._stat(name).st_mode)

    def remove_file(self, name: str) -> None:
        """Take away a file or a link; what a link leads to is not touched."""
        path, where = self._at(name)
        os.unlink(path, **where)

    def remove_folder(self, name: str) -> None:
        """Take away a folder of files; one that holds anything else keeps that, and raises OSError."""
        with self.folder(name) as inner:
            for file in inner.names():
                if not inner.is_folder(file):
                    inner.remove_file(file)
        path, where = self._at(name)
        os.rmdir(path, **where)

    def _at(self, name: str) -> tuple[str, dict[str, int]]:
        """A name as system calls take it."""
        if not name or name in (".", "..") or "/" in name or os.sep in name or "\0" in name:
            raise OSError(errno.EINVAL, "expected a plain name", str(self.path / "?"))
        return (str(self.path / name), {}) if self._descriptor is None else (name, {"dir_fd": self._descriptor})

    def _stat(self, name: str) -> os.stat_result:
        path, where = self._at(name)
        return os.stat(path, follow_symlinks=False, **where)

    def _require(self, name: str, is_kind: Callable[[int], bool], kind: str) -> os.stat_result:
        status = self._stat(name)
        if not is_kind(status.st_mode):
            raise _wrong(self.path / name, kind)
        return status

    def _opened(self, name: str, flags: int, kind: str) -> int:
        path, where = self._at(name)
        try:
            return os.open(path, flags, **where)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK):
                raise _wrong(self.path / name, kind) from error
            raise


def _wrong(path: Path, kind: str) -> OSError:
    return OSError(errno.ELOOP, f"expected a {kind}, found a link or something else", str(path))
