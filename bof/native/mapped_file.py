"""Files of an index that are mapped into memory, and outlive that another program makes one of them shorter."""

from __future__ import annotations

import mmap
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bof.errors import IndexStoreError
from bof.native.library import CALLS

_ADVICE = (
    "files of a segment are never rewritten in place: restore this one from a copy, or drop the segment with "
    "{bof index} --repair, then open the index again"
)


class ShrunkFileError(IndexStoreError):
    """A mapped file became shorter, or longer, while it was read: what was read of it is worthless."""


class MappedFile(mmap.mmap):
    """A file mapped for reading. Where it becomes shorter, zeros are read in place of what is missing.

    Who reads it does so inside `reading`, or calls `require_whole` afterwards. path: what messages call it.
    """

    path: Path
    _n_faults: NDArray[np.int64]
    _slot = -1

    def __new__(cls, path: Path, stream: IO[bytes], n_bytes: int) -> Self:
        """Map the first n_bytes of an open file. Raises ValueError where it has fewer, OSError."""
        return super().__new__(cls, stream.fileno(), n_bytes, access=mmap.ACCESS_READ)

    def __init__(self, path: Path, stream: IO[bytes], n_bytes: int) -> None:
        self.path = path
        self._n_faults = np.zeros(1, np.int64)
        self._slot = CALLS["watch_mapping"](np.frombuffer(self, np.uint8), self._n_faults)

    def __del__(self, is_ending: Callable[[], bool] = sys.is_finalizing) -> None:
        if self._slot >= 0 and not is_ending():
            CALLS["unwatch_mapping"](self._slot)

    def view(self, dtype: DTypeLike, shape: tuple[int, ...], offset: int) -> NDArray[Any]:
        """A read-only array of the file's content, whose base is this object; nothing is read yet."""
        return np.ndarray(shape, dtype, buffer=self, offset=offset)

    @property
    def is_whole(self) -> bool:
        """Has nothing been missing so far, and does the file have the size that it had?"""
        return not self._n_faults[0] and self.size() == len(self)

    def require_whole(self) -> None:
        """Raises ShrunkFileError unless what was read so far was the file's content."""
        if self.is_whole:
            return
        found = self.size()
        change = "longer" if found > len(self) else "shorter"
        raise ShrunkFileError(
            f"became {change} while it was read", path=self.path, expected=f"{len(self)} bytes", found=found,
            advice=_ADVICE,
        )  # fmt: skip


class _Source(Protocol):
    def require_whole(self) -> None: ...


@contextmanager
def reading(*sources: _Source) -> Iterator[None]:
    """What is done inside reads these mapped files, segments or snapshots.

    Raises ShrunkFileError where a file became shorter meanwhile, also instead of the error that this has led to.
    """
    try:
        yield
    except Exception:
        for source in sources:
            source.require_whole()
        raise
    for source in sources:
        source.require_whole()


def file_of(array: NDArray[Any]) -> list[MappedFile]:
    """The mapped file that an array is a view of; none for an array of another kind."""
    return [array.base] if isinstance(array.base, MappedFile) else []
