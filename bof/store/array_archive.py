"""What is derived from an index is kept beside it, as arrays in one file; a damaged one is derived again."""

from __future__ import annotations

import logging
import math
import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bof.system.directory import Directory
from bof.system.files import fsync_path, open_for_writing
from bof.system.npy_header import read_npy_header

_MOST_HEADER, _MOST_REST = 1 << 10, 1 << 14
"""Bytes of an array's header, and of all that an archive holds besides arrays."""

log = logging.getLogger("bof")


@dataclass(frozen=True, slots=True)
class ArrayKind:
    """What an array must be. is_at_most: of one dimension, and it may be shorter."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...] = ()
    is_at_most: bool = False

    @property
    def most_bytes(self) -> int:
        """Bytes that it takes at most."""
        return math.prod(self.shape) * self.dtype.itemsize

    def fits(self, shape: tuple[int, ...]) -> bool:
        """May it have this shape?"""
        if self.is_at_most:
            return len(shape) == 1 and 0 <= shape[0] <= self.shape[0]
        return shape == self.shape


def partial_name(file_name: str) -> str:
    """What such a file is called while it is written."""
    return f".{file_name}.partial.npz"


def load_archive(folder: Path, file_name: str, expected: Mapping[str, ArrayKind]) -> dict[str, NDArray[Any]] | None:
    """The arrays of an archive; None where there is none, or it holds others than expected, or is damaged.

    What it must hold is known before it is read: nothing is inflated, and no more is read than that. It carries a
    checksum of each array, which is compared.
    """
    try:
        with Directory.open(folder) as here, here.open_file(file_name) as stream:
            return _read(stream, expected)
    except Exception as error:  # a damaged archive raises nearly every exception there is
        log.debug("%s: %s", folder / file_name, error)
        return None


def _read(stream: IO[bytes], expected: Mapping[str, ArrayKind]) -> dict[str, NDArray[Any]]:
    n_bytes = os.fstat(stream.fileno()).st_size
    if n_bytes > sum(kind.most_bytes for kind in expected.values()) + _MOST_REST:
        raise ValueError(f"{n_bytes} bytes, more than the arrays take")
    with zipfile.ZipFile(stream) as archive:
        members = {member.filename: member for member in archive.infolist()}
        if set(members) != {f"{name}.npy" for name in expected} or len(archive.infolist()) != len(members):
            raise ValueError("other arrays")
        return {name: _read_array(archive, members[f"{name}.npy"], kind) for name, kind in expected.items()}


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, kind: ArrayKind) -> NDArray[Any]:
    if member.compress_type != zipfile.ZIP_STORED or member.file_size > kind.most_bytes + _MOST_HEADER:
        raise ValueError(f"{member.filename} is compressed, or of {member.file_size} bytes")
    with archive.open(member) as content:
        shape, is_fortran, dtype = read_npy_header(content, _MOST_HEADER)
        if dtype != kind.dtype or is_fortran or not kind.fits(shape):
            raise ValueError(f"{member.filename} is {dtype} {shape}")
        return np.frombuffer(content.read(), dtype).reshape(shape)


def save_archive(folder: Path, file_name: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Keep arrays for those who come next. Only the holder of the writer's lock calls it.

    Where it fails nothing is lost: they are derived again. Nothing is written through a link.
    """
    fresh = folder / partial_name(file_name)
    try:
        fresh.unlink(missing_ok=True)
        with open_for_writing(fresh) as stream:
            np.savez(stream, allow_pickle=False, **arrays)
        fsync_path(fresh)
        os.replace(fresh, folder / file_name)
    except OSError as error:
        log.debug("%s: %s", folder / file_name, error)
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
