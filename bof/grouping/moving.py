"""Files that change place or become one, so that a crash at any moment leaves every byte somewhere.

Nothing is ever overwritten by a move: names are claimed with calls that fail where something stands. What a failed call
leaves behind is cleared here; what a crash leaves behind is cleared by undoing, from the log.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from bof.system.files import fsync_path, sha256_of

_NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""What systems say where a second name cannot be given: other file system, FAT, too many names."""

_CHUNK = 1 << 20


def holds(path: Path, sha256: str) -> bool:
    """Is there a regular file, no link, with this content?"""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode) and sha256_of(path) == sha256
    except FileNotFoundError:
        return False


def move_file(source: Path, target: Path, part: Path, sha256: str) -> None:
    """Move a file that holds this content to a name that is free. part: a name beside target that is free too.

    Across file systems the content is copied, forced onto the disk and compared before the source goes. Raises OSError,
    FileExistsError where target stands; source then stands as it was.
    """
    _make_folders(target.parent)
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        copy_file(source, part, sha256)
        _place(part, target)
    try:
        fsync_folder(target.parent)
        os.unlink(source)
    except OSError:
        with suppress(OSError):
            os.unlink(target)
        raise
    fsync_folder(source.parent)


def link_file(kept: Path, path: Path, part: Path) -> None:
    """Make `path` another name of the kept file, at one stroke. part: a name beside it that is free."""
    os.link(kept, part, follow_symlinks=False)
    _replace(part, path)


def unlink_file(path: Path, part: Path, sha256: str, mode: int, mtime_ns: int) -> None:
    """Make a name of a shared file a file of its own again, of the same content, with this mode and time."""
    copy_file(path, part, sha256)
    os.chmod(part, stat.S_IMODE(mode))
    os.utime(part, ns=(mtime_ns, mtime_ns))
    _replace(part, path)


def copy_file(source: Path, part: Path, sha256: str) -> None:
    """Copy to a new file with times, mode and what else the system copies, forced onto the disk and compared."""
    before = os.stat(source)
    target = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        try:
            with source.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    _write(target, chunk)
            os.fsync(target)
        finally:
            os.close(target)
        shutil.copystat(source, part)
        after = os.stat(source)
        changed = (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)
        if changed or sha256_of(part) != sha256:
            raise OSError(errno.EIO, "the copy is not what was to be copied")
    except OSError:
        with suppress(OSError):
            os.unlink(part)
        raise


def fsync_folder(folder: Path) -> None:
    """Force a folder's names onto the disk, where the system can (Windows cannot)."""
    if os.name != "nt":
        fsync_path(folder)


def is_claim(path: Path) -> bool:
    """Is there an empty file, as a crash leaves one that had claimed a name? No picture is empty."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == 0


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _place(part: Path, target: Path) -> None:
    """Give a complete file a name that is free; without second names it is claimed first, by an empty file."""
    try:
        os.link(part, target, follow_symlinks=False)
        os.unlink(part)
    except OSError as error:
        if error.errno in _NO_LINKS:
            _claim(part, target)
            return
        with suppress(OSError):
            os.unlink(part)
        raise


def _claim(part: Path, target: Path) -> None:
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError:
        with suppress(OSError):
            os.unlink(part)
        raise
    try:
        _replace(part, target)
    except OSError:
        with suppress(OSError):
            os.unlink(target)
        raise


def _replace(part: Path, path: Path) -> None:
    try:
        os.replace(part, path)
    except OSError:
        with suppress(OSError):
            os.unlink(part)
        raise
    fsync_folder(path.parent)


def _make_folders(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folders(folder.parent)
    with suppress(FileExistsError):
        os.mkdir(folder)
    fsync_folder(folder.parent)
