"""What the catalogue says of every image of a commit, in columns: a million images are a few arrays, not objects."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from bof.types import I32, I64, U8, Bool


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One image of the index and where its features lie; its id stays whatever is merged."""

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


@dataclass(frozen=True, slots=True)
class ImageRows(Sequence[ImageRow]):
    """The images of a commit by segment and position; row i is made when it is asked for.

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


Record = tuple[bytes, bytes, int, int, int, int, int, int]
"""One image as the catalogue's table has it, in the order of ImageRow's fields."""


def gather_rows(batches: Iterable[Sequence[Record]]) -> ImageRows:
    """The records of all batches as columns, in their order."""
    parts = [_columns(batch) for batch in batches] or [_columns([])]
    return parts[0] if len(parts) == 1 else _joined(parts)


def _columns(batch: Sequence[Record]) -> ImageRows:
    names, paths, *numbers = zip(*batch, strict=True) if batch else [()] * len(fields(ImageRow))
    kinds = (np.int32, np.int32, np.int32, np.int32, np.bool_, np.int64)
    columns: list[Any] = [np.array(values, kind) for values, kind in zip(numbers, kinds, strict=True)]
    return ImageRows(_texts(names), _texts(paths), *columns)


def _texts(texts: Sequence[bytes]) -> Texts:
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))
    return Texts(np.frombuffer(b"".join(texts), np.uint8), np.cumsum(sizes))


def _joined(parts: Sequence[ImageRows]) -> ImageRows:
    names, paths = (_joined_texts([getattr(part, name) for part in parts]) for name in ("names", "paths"))
    columns = [np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(ImageRows)[2:]]
    return ImageRows(names, paths, *columns)


def _joined_texts(parts: Sequence[Texts]) -> Texts:
    firsts = np.cumsum([0, *(len(part.content) for part in parts[:-1])])
    ends = [part.ends + first for part, first in zip(parts, firsts, strict=True)]
    return Texts(np.concatenate([part.content for part in parts]), np.concatenate(ends))
