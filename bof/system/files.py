"""Writing that survives a crash: a file or folder appears whole and on disk, or not at all; never through a link."""

from __future__ import annotations

import errno
import hashlib
import json
import mmap
import os
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bof.system.npy_header import PARSING

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileFact:
    """What a file must look like: its size in bytes and the SHA-256 of its content."""

    n_bytes: int
    sha256: str


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return sha256_in(stream)


def sha256_in(stream: IO[bytes]) -> str:
    """The SHA-256 of what a stream holds, in hexadecimal."""
    return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def sha256_of_json(value: object) -> str:
    """The SHA-256 of a value as JSON with sorted keys, in hexadecimal."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def read_regular(path: Path, most: int) -> bytes:
    """The content of a regular file of at most so many bytes. Raises OSError, also for a pipe, device or folder."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as stream:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "no regular file", str(path))
        if found.st_size > most:
            raise OSError(errno.EFBIG, f"{found.st_size} bytes, more than the {most} that are read", str(path))
        return stream.read(most)


def fact_of(path: Path) -> FileFact:
    """Size and checksum of an existing file."""
    return FileFact(path.stat().st_size, sha256_of(path))


def is_disk_full(error: OSError) -> bool:
    """Did something fail because a disk, or what a user may take of it, is full?"""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def fsync_path(path: Path) -> None:
    """Force a file's content, or a folder's list of names, onto the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_no_link(path: Path) -> int | None:
    """The mode of a regular file that may be written over, None where there is nothing.

    Raises OSError, which says so in words, where there is a link, a folder or no regular file.
    """
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(mode):
        raise OSError(errno.ELOOP, "there is a link, and nothing is written through links", str(path))
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "there is no regular file", str(path))
    return mode


def require_folder(path: Path) -> None:
    """Raises OSError, which says so in words, where there is a link or no folder."""
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        raise OSError(errno.ELOOP, "there is a link, and nothing is written through links", str(path))
    if not stat.S_ISDIR(mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def open_for_writing(path: Path) -> BufferedWriter:
    """A file that is written in place, from its start. Raises OSError where a link or no regular file stands."""
    mode = require_no_link(path)
    fresh = os.O_EXCL if mode is None else os.O_TRUNC
    flags = os.O_WRONLY | os.O_CREAT | fresh | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return open(os.open(path, flags, 0o666), "wb")


@contextmanager
def writing_file(path: Path) -> Iterator[BufferedWriter]:
    """A file that appears whole when the block ends, and not at all where it fails, in the place of the one before.

    Raises OSError where there is a link, a folder or no regular file.
    """
    mode = require_no_link(path)
    fresh = path.with_name(f".bof-{uuid.uuid4().hex}.partial")
    try:
        with open_for_writing(fresh) as stream:
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(stream.fileno(), stat.S_IMODE(mode))
            yield stream
        require_no_link(path)
        os.replace(fresh, path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all. Raises OSError like `writing_file`."""
    with writing_file(path) as stream:
        stream.write(content)


def write_folder(target: Path, fill: Callable[[Path], None]) -> None:
    """Fill a new folder beside `target`, force it onto the disk, and move it into place.

    A folder that exists at `target` is replaced only once the new one is complete. Nothing is left behind when
    `fill` fails. Raises OSError where `target` is a link.
    """
    if os.path.islink(target):
        require_no_link(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{uuid.uuid4().hex}.partial")
    fresh.mkdir()
    try:
        fill(fresh)
        for path in [*fresh.iterdir(), fresh]:
            fsync_path(path)
        _move_into_place(fresh, target)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    fsync_path(target.parent)


def _move_into_place(fresh: Path, target: Path) -> None:
    """A rename cannot replace a filled folder, so the old one steps aside first and returns if the move fails."""
    if not target.exists():
        fresh.rename(target)
        return
    aside = target.with_name(f".{target.name}.{uuid.uuid4().hex}.old")
    target.rename(aside)
    try:
        fresh.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def link_or_copy(source: Path, target: Path) -> None:
    """The same content under a second name: the same file where the file system can, else a copy."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        with source.open("rb") as stream, open_for_writing(target) as copy:
            shutil.copyfileobj(stream, copy, _CHUNK)


def save_arrays(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write each array to folder/NAME.npy (no pickle)."""
    for name, array in arrays.items():
        try:
            with open_for_writing(folder / f"{name}.npy") as stream:
                np.save(stream, array, allow_pickle=False)
        except OSError as error:
            if error.errno is not None:
                raise
            # numpy says only how many elements were not written
            code = errno.ENOSPC if shutil.disk_usage(folder).free < array.nbytes else errno.EIO
            raise OSError(code, os.strerror(code)) from error


def map_array(path: Path) -> NDArray[Any]:
    """A saved array as a read-only view of the file: nothing is read before it is touched."""
    with PARSING:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def mapped_bytes() -> int:
    """Memory that mapped files take in this process now; 0 where the system does not tell."""
    try:
        resident_and_shared = Path("/proc/self/statm").read_text(encoding="ascii").split()[2]
    except OSError:
        return 0
    return int(resident_and_shared) * mmap.PAGESIZE


def release(array: NDArray[Any]) -> None:
    """Give back the memory that a mapped file takes; what is needed again is read again."""
    base: Any = array
    while base is not None and not isinstance(base, mmap.mmap):
        base = getattr(base, "base", None)
    if base is not None and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


def write_json(path: Path, value: object) -> None:
    """Write JSON that a person can read and a diff can compare."""
    with open_for_writing(path) as stream:
        stream.write((json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """The value of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


class ArrayFile:
    """A .npy file whose shape is known and whose rows come in pieces."""

    def __init__(self, path: Path, dtype: DTypeLike, shape: tuple[int, ...]) -> None:
        self._dtype = np.dtype(dtype)
        self._stream = open_for_writing(path)
        header = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._stream, header)

    def __enter__(self) -> ArrayFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, rows: NDArray[Any]) -> None:
        """The next rows."""
        self._stream.write(np.ascontiguousarray(rows, self._dtype).data)

    def close(self) -> None:
        """No more rows."""
        self._stream.close()
