"""Writing that survives a crash: a file or folder appears whole and on disk, or not at all."""

from __future__ import annotations

import errno
import hashlib
import json
import mmap
import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


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


def fact_of(path: Path) -> FileFact:
    """Size and checksum of a file that stands."""
    return FileFact(path.stat().st_size, sha256_of(path))


def fsync_path(path: Path) -> None:
    """Force a file's content, or a folder's list of names, onto the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_folder(target: Path, fill: Callable[[Path], None]) -> None:
    """Fill a new folder beside `target`, force it onto the disk, and move it into place.

    A folder that stands at `target` is replaced only once the new one is complete. Nothing is left behind when
    `fill` fails.
    """
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
    except OSError:
        shutil.copyfile(source, target)


def save_arrays(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write each array to folder/NAME.npy (no pickle)."""
    for name, array in arrays.items():
        try:
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        except OSError as error:
            if error.errno is not None:
                raise
            # numpy says only how many elements were not written
            code = errno.ENOSPC if shutil.disk_usage(folder).free < array.nbytes else errno.EIO
            raise OSError(code, os.strerror(code)) from error


def map_array(path: Path) -> NDArray[Any]:
    """A saved array as a read-only view of the file: nothing is read before it is touched."""
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
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """The value of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


class ArrayFile:
    """A .npy file whose shape is known and whose rows come in pieces."""

    def __init__(self, path: Path, dtype: DTypeLike, shape: tuple[int, ...]) -> None:
        self._dtype = np.dtype(dtype)
        self._stream: BufferedWriter = path.open("wb")
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
