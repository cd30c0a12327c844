"""Files rewritten and given names that are free, whatever the file system has for that."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from bof.grouping.content import ChangedError, Content, opened, require
from bof.system.folders import Folder

_CHUNK = 1 << 20
_BY_DESCRIPTOR = {os.chmod, os.utime} <= os.supports_fd


def set_facts(folder: Folder, name: str, mode: int, mtime_ns: int) -> None:
    """Give a file a mode and a time."""
    with opened(folder, name) as descriptor:
        target: Any = descriptor if _BY_DESCRIPTOR else folder.at(name)
        os.chmod(target, stat.S_IMODE(mode))
        os.utime(target, ns=(mtime_ns, mtime_ns))


def place(folder: Folder, name: str, other: Folder, other_name: str) -> None:
    """Give a file of our own a name that is free, where the file system has no call for it by rewriting it there."""
    try:
        folder.rename_new(name, other, other_name)
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        with opened(folder, name) as source:
            write_new(source, other, other_name)
        folder.unlink(name)


def copy_new(source: int, folder: Folder, part: str, content: Content) -> None:
    """Copy to a new file with times, mode and what else the system copies; read it again and compare."""
    write_new(source, folder, part)
    with deleted_on_failure(folder, part):
        try:
            require(folder, part, Content(content.sha256, content.n_bytes))
        except ChangedError as error:
            raise OSError(errno.EIO, "the copy is not what was to be copied") from error


def write_new(source: int, folder: Folder, name: str) -> None:
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


def _copy_facts(source: Any, target: int, folder: Folder, name: str) -> None:
    """Times, mode, extended attributes."""
    to: Any = target if _BY_DESCRIPTOR else folder.at(name)
    shutil.copystat(source, to)


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


@contextmanager
def deleted_on_failure(folder: Folder, part: str) -> Iterator[None]:
    """Delete a copy or second name of our own where the block fails."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            folder.unlink(part)
        raise
