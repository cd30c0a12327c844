"""One image and one segment as the catalogue has them, and what each cell may hold."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from bof.images.address import is_remote
from bof.images.opening import stamp_of
from bof.store.segment_files import ARRAYS, COLUMNS
from bof.store.segments import ONLY_IN_FORMAT_1
from bof.system.database import DamagedDatabaseError
from bof.system.files import FileFact

Row = tuple[Any, ...]

_MEMORY = "memory:"

_SHOWN = 80
"""Characters of an odd cell that a message shows."""

_FILE = "|".join(map(re.escape, [*ARRAYS, *ONLY_IN_FORMAT_1, *COLUMNS]))


@dataclass(frozen=True, slots=True)
class Cell:
    """What the cells of one column of a table must be: of one type, numbers from low to high, text as a pattern."""

    kind: type
    low: int = 0
    high: int = (1 << 63) - 1
    pattern: str = ""

    def __str__(self) -> str:
        if self.kind is int:
            return f"a whole number from {self.low} to {self.high}"
        return f"text as {self.pattern}" if self.pattern else "text" if self.kind is str else "bytes"

    def fit(self, values: Sequence[Any]) -> bool:
        """Are these cells as they must be?"""
        if not values or set(map(type, values)) != {self.kind}:
            return not values
        if self.kind is int:
            return bool(self.low <= min(values) and max(values) <= self.high)
        return not self.pattern or all(map(re.compile(self.pattern).fullmatch, values))


_COUNT = Cell(int, 0, (1 << 31) - 1)
_NUMBER = _SIDE = Cell(int, 1, (1 << 31) - 1)
_SHA256 = Cell(str, pattern="[0-9a-f]{64}")

CELLS: Mapping[str, Cell] = MappingProxyType({
    "meta.key": Cell(str), "meta.value": Cell(str),
    "segments.number": _NUMBER, "segments.name": Cell(str, pattern="[0-9a-f]{32}"),
    "segments.n_images": _COUNT, "segments.n_features": _COUNT,
    "files.segment": _NUMBER, "files.name": Cell(str, pattern=rf"(?:{_FILE})\.npy"),
    "files.n_bytes": Cell(int), "files.sha256": _SHA256,
    "images.id": Cell(int, 1), "images.name": Cell(bytes), "images.path": Cell(bytes),
    "images.n_bytes": Cell(int), "images.mtime_ns": Cell(int, -(1 << 63)), "images.sha256": _SHA256,
    "images.width": _SIDE, "images.height": _SIDE,
    "images.n_features": Cell(int, 0, (1 << 16) - 1),
    "images.segment": _NUMBER, "images.position": _COUNT, "images.deleted": Cell(int, 0, 1),
    "metadata.path": Cell(bytes), "metadata.key": Cell(str), "metadata.value": Cell(str),
    "texts.rowid": Cell(int, 1), "texts.text": Cell(str),
    "checksums.part": Cell(str), "checksums.segment": _COUNT, "checksums.block": _COUNT, "checksums.value": _SHA256,
})  # fmt: skip


def checked(table: str, columns: str, rows: Iterable[Row]) -> list[Row]:
    """Rows of a table, whose columns are named in order. Raises DamagedDatabaseError for a cell that cannot be one."""
    found = list(rows)
    for name, values in zip(columns.split(", "), zip(*found, strict=True), strict=bool(found)):
        require_cells(f"{table}.{name}", values)
    return found


def require_cells(name: str, values: Sequence[Any]) -> None:
    """Raises DamagedDatabaseError unless every cell of a column (`table.column`) is as it must be."""
    cell = CELLS[name]
    if not cell.fit(values):
        odd = next(value for value in values if not cell.fit([value]))
        raise DamagedDatabaseError(f"{cell} in {name}", repr(odd)[:_SHOWN])


def path_in_memory(name: str) -> str:
    """What stands in the place of a path for a picture that was given in memory; no absolute path is like it."""
    return _MEMORY + quote(os.fsencode(name), safe="")


def is_in_memory(path: str) -> bool:
    """Was the picture of this path given in memory? Then there is no file."""
    return path.startswith(_MEMORY)


def has_file(path: str) -> bool:
    """May there be a file at this path? Not of what was given in memory, or lies on another machine."""
    return not (is_in_memory(path) or is_remote(path))


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A picture file as it was when it was indexed: absolute path, size in bytes, time of modification.

    A part of a file has the stamp of the file. size: width and height that its picture is said to have, where the file
    is a smaller version of it; None: as the file has it.
    """

    path: str
    n_bytes: int
    mtime_ns: int
    size: tuple[int, int] | None = None

    def is_current(self) -> bool:
        """Is it still that file?"""
        if not has_file(self.path):
            return False
        try:
            return stamp_of(self.path) == (self.n_bytes, self.mtime_ns)
        except (OSError, ValueError):
            return False


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One live image as the catalogue has it.

    name: what a person calls it (its path below the folder that was indexed); path: absolute; n_bytes, mtime_ns and
    sha256: the file when it was read, or the pixels and the time when they were given in memory; width and height: the
    original upright picture; id: 0 before it is indexed.
    """

    name: str
    path: str
    n_bytes: int
    mtime_ns: int
    sha256: str
    width: int
    height: int
    n_features: int
    id: int = 0

    @property
    def file(self) -> FileStamp:
        """Its file as it was when it was indexed."""
        return FileStamp(self.path, self.n_bytes, self.mtime_ns)


RECORD = "name, path, n_bytes, mtime_ns, sha256, width, height, n_features, id"
"""The columns of a record, in the order of its fields."""


def records_of(rows: Iterable[Row]) -> list[ImageRecord]:
    """The records of rows with the columns RECORD. Raises DamagedDatabaseError."""
    found = checked("images", RECORD, rows)
    return [ImageRecord(path_of(name), path_of(path), *rest) for name, path, *rest in found]


def path_of(cell: bytes) -> str:
    """A name or a path as Python has it. Raises DamagedDatabaseError where no file can be called so."""
    if b"\0" in cell:
        raise DamagedDatabaseError("names and paths without NUL", repr(cell)[:_SHOWN])
    return os.fsdecode(cell)


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """One segment and the files that it must have."""

    number: int
    name: str
    n_images: int
    n_features: int
    files: dict[str, FileFact]
