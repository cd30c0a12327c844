"""What the catalogue has of every image of a commit, in columns: a million images are a few arrays, not objects."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.store.catalog.records import CELLS, require_cells
from bof.system.database import DamagedDatabaseError
from bof.types import I32, I64, U8, Bool, Size


@dataclass(frozen=True, slots=True)
class ImageRow:
    """A view of one image's columns: what searches need of it. Its id stays whatever is merged."""

    name: str
    path: str
    width: int
    height: int
    segment: int
    position: int
    deleted: bool
    id: int


@dataclass(frozen=True, slots=True)
class Texts:
    """Strings as the file system has them, one after another: u8, and where each ends, i64 (n,)."""

    content: U8
    ends: I64

    def __getitem__(self, i: int) -> str:
        start = int(self.ends[i - 1]) if i else 0
        return os.fsdecode(self.content[start : int(self.ends[i])].tobytes())

    def __len__(self) -> int:
        return len(self.ends)

    def find(self, text: str) -> list[int]:
        """Where this string stands."""
        expected = np.frombuffer(os.fsencode(text), np.uint8)
        sizes = np.diff(self.ends, prepend=0)
        rows = np.flatnonzero(sizes == len(expected))
        stored = self.content[(self.ends[rows] - len(expected))[:, None] + np.arange(len(expected))]
        return list(map(int, rows[(stored == expected).all(axis=1)]))

    def some(self, first: int, stop: int) -> Texts:
        """Some of the strings, from first to stop."""
        start = int(self.ends[first - 1]) if first else 0
        ends = self.ends[first:stop]
        return Texts(self.content[start : int(ends[-1]) if len(ends) else start], ends - start)

    def parts(self, first: int, stop: int) -> tuple[I64, U8]:
        """Sizes i64 and bytes u8 of some of the strings, from first to stop."""
        bounds = self.ends[max(0, first - 1) : stop]
        start = int(bounds[0]) if first else 0
        sizes = np.diff(bounds) if first else np.diff(bounds, prepend=0)
        return sizes, self.content[start : int(bounds[-1]) if len(bounds) else 0]


@dataclass(frozen=True, slots=True)
class CatalogueColumns(Sequence[ImageRow]):
    """The images of a commit by segment and position; row i is made when it is needed.

    width, height, segment, position i32 (n,); deleted bool (n,); id i64 (n,).
    """

    names: Texts
    paths: Texts
    width: I32
    height: I32
    segment: I32
    position: I32
    deleted: Bool
    id: I64

    def __repr__(self) -> str:
        return f"CatalogueColumns({len(self)} images)"

    def __len__(self) -> int:
        return len(self.id)

    def __getitem__(self, i: int) -> ImageRow:  # type: ignore[override]
        if not -len(self) <= i < len(self):
            raise IndexError(f"image {i} of {len(self)}")
        i = int(i) % len(self)
        numbers = (int(self.width[i]), int(self.height[i]), int(self.segment[i]), int(self.position[i]))
        return ImageRow(self.names[i], self.paths[i], *numbers, bool(self.deleted[i]), int(self.id[i]))

    def __iter__(self) -> Iterator[ImageRow]:
        return (self[i] for i in range(len(self)))

    def sizes(self, images: I64) -> list[Size]:
        """Width and height of each of some images."""
        return list(zip(self.width[images].tolist(), self.height[images].tolist(), strict=True))

    def some(self, first: int, stop: int) -> CatalogueColumns:
        """Some of the images, from first to stop."""
        columns = [getattr(self, each.name)[first:stop] for each in fields(CatalogueColumns)[2:]]
        return CatalogueColumns(self.names.some(first, stop), self.paths.some(first, stop), *columns)


COLUMNS = ", ".join(["name", "path", *(each.name for each in fields(ImageRow)[2:])])

CatalogueRow = tuple[bytes, bytes, int, int, int, int, int, int]
"""One image as the catalogue's table has it, in the order of ImageRow's fields."""


def gather_rows(batches: Iterable[Sequence[CatalogueRow]]) -> CatalogueColumns:
    """The rows of all batches as columns, in their order. Raises DamagedDatabaseError for a cell that cannot be one."""
    return joined([_columns(batch) for batch in batches])


def _columns(batch: Sequence[CatalogueRow]) -> CatalogueColumns:
    names, paths, *numbers = zip(*batch, strict=True) if batch else [()] * len(fields(ImageRow))
    kinds = (np.int32, np.int32, np.int32, np.int32, np.bool_, np.int64)
    named = zip([each.name for each in fields(ImageRow)[2:]], numbers, kinds, strict=True)
    return CatalogueColumns(_texts("name", names), _texts("path", paths), *(_numbers(*column) for column in named))


def _numbers(name: str, cells: Sequence[int], kind: type[np.generic]) -> Any:
    """Whole numbers in the catalogue's range; numpy finds out faster than Python whether all are."""
    column: NDArray[Any] = np.array(cells) if cells else np.empty(0, np.int64)
    cell = CELLS[f"images.{name}"]
    if column.dtype != np.int64 or (len(cells) and not cell.low <= column.min() <= column.max() <= cell.high):
        require_cells(f"images.{name}", cells)
    return column.astype(kind)


def _texts(name: str, texts: Sequence[bytes]) -> Texts:
    require_cells(f"images.{name}", texts)
    content = np.frombuffer(b"".join(texts), np.uint8)
    if not content.all():
        raise DamagedDatabaseError(f"file names in images.{name}", "one with NUL")
    return Texts(content, np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts))))


def joined(parts: Sequence[CatalogueColumns]) -> CatalogueColumns:
    """The images of all parts, in their order."""
    if len(parts) < 2:
        return parts[0] if parts else _columns([])
    names, paths = (_joined_texts([getattr(part, name) for part in parts]) for name in ("names", "paths"))
    columns = [np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(CatalogueColumns)[2:]]
    return CatalogueColumns(names, paths, *columns)


def _joined_texts(parts: Sequence[Texts]) -> Texts:
    firsts = np.cumsum([0, *(len(part.content) for part in parts[:-1])])
    ends = [part.ends + first for part, first in zip(parts, firsts, strict=True)]
    return Texts(np.concatenate([part.content for part in parts]), np.concatenate(ends))
