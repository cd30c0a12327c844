"""What a file holds, read through one descriptor: no link, nothing that is not what was planned."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bof.system.folders import Folder, open_folder

_NO_REGULAR_FILE = {errno.ELOOP, errno.EMLINK, errno.EINVAL, errno.ENXIO, errno.EISDIR}


class ChangedError(Exception):
    """A file is not what was planned, and is where it was."""


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
    with opened(folder, name) as descriptor:
        before = os.fstat(descriptor)
        if content.fits(before) and _sha256_of(descriptor) == content.sha256 and content.fits(os.fstat(descriptor)):
            return before
    raise ChangedError("has changed since it was indexed")


@contextmanager
def opened(folder: Folder, name: str) -> Iterator[int]:
    """A descriptor of a regular file. Raises ChangedError where there is none."""
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
