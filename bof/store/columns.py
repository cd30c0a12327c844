"""Optional columns of a segment: what a picture looks like as a whole, a row of fixed width an image.

Columns come in groups that are described together: `hash.ahash`, `hash.phash`, ... each in a file of its own, beside
`hash.known`, bool, false where an image has no row yet. docs/format.md describes the files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.system.files import ArrayFile
from bof.types import Bool

Rows = Mapping[str, NDArray[Any]]
"""Of one image: name of a column -> its row."""

Columns = Mapping[str, NDArray[Any]]
"""Of a segment: name of a column -> (n_images, *row)."""

_KNOWN = "known"
_CHUNK = 1 << 12
"""Rows held in memory at once."""


def group_of(name: str) -> str:
    """The group that a column belongs to."""
    return name.partition(".")[0]


def known_of(group: str) -> str:
    """The column that says which images have rows in a group."""
    return f"{group}.{_KNOWN}"


def is_column(name: str) -> bool:
    """Is this array of a segment an optional column?"""
    return "." in name


def groups_of(columns: Columns) -> set[str]:
    """The groups that some columns belong to."""
    return {group_of(name) for name in columns}


def known(columns: Columns, group: str, n_images: int) -> Bool:
    """Which images bool (n_images,) have rows in a group."""
    found = columns.get(known_of(group))
    return np.zeros(n_images, np.bool_) if found is None else np.asarray(found)


def gather(images: Sequence[Rows]) -> dict[str, NDArray[Any]]:
    """The rows of some images as columns; an image without rows in a group gets zeros and is not known in it."""
    columns: dict[str, NDArray[Any]] = {}
    for position, rows in enumerate(images):
        for name, row in rows.items():
            if name not in columns:
                columns[name] = np.zeros((len(images), *row.shape), row.dtype)
            columns[name][position] = row
    for group in sorted(groups_of(columns)):
        columns[known_of(group)] = np.array([any(group_of(name) == group for name in rows) for rows in images])
    return columns


def rows_of(columns: Columns, position: int) -> Rows:
    """The rows of one image, in the groups in which it is known."""
    groups = {group for group in groups_of(columns) if columns[known_of(group)][position]}
    named = {name: array for name, array in columns.items() if group_of(name) in groups}
    return {name: array[position].copy() for name, array in named.items() if name != known_of(group_of(name))}


def are_sound(columns: Columns, n_images: int) -> bool:
    """Has every column a row an image, and every group its column that says what is known?"""
    marks = [columns.get(known_of(group)) for group in groups_of(columns)]
    return all(len(array) == n_images for array in columns.values()) and all(
        mark is not None and mark.dtype == np.bool_ and mark.ndim == 1 for mark in marks
    )


def join(folder: Path, parts: Sequence[tuple[Columns, Bool]]) -> None:
    """Write the columns of several segments as one's: of each, the images bool (n_images,) to keep.

    Where segments have rows of another width in a group (another model), the last one's width holds, and others are
    not known.
    """
    n_images = sum(int(np.count_nonzero(keep)) for _, keep in parts)
    model = {name: array for columns, _ in parts for name, array in columns.items()}
    for group in sorted(groups_of(model)):
        fitting = [{} if _differs(columns, model, group) else columns for columns, _ in parts]
        if not any(bool(known(c, group, len(keep))[keep].any()) for c, (_, keep) in zip(fitting, parts, strict=True)):
            continue
        for name in sorted(name for name in model if group_of(name) == group):
            pieces = zip(fitting, (keep for _, keep in parts), strict=True)
            write_rows(folder, name, n_images, model[name], _retained(pieces, name, model[name]))


def _differs(columns: Columns, model: Columns, group: str) -> bool:
    """Does this segment lack a group's columns, or have them with rows of another kind?"""
    expected = {name: _kind(array) for name, array in model.items() if group_of(name) == group}
    found = {name: _kind(array) for name, array in columns.items() if group_of(name) == group}
    return found != expected


def _kind(array: NDArray[Any]) -> tuple[np.dtype[Any], tuple[int, ...]]:
    return array.dtype, array.shape[1:]


def _retained(pieces: Iterable[tuple[Columns, Bool]], name: str, model: NDArray[Any]) -> Iterator[NDArray[Any]]:
    for columns, keep in pieces:
        rows = np.flatnonzero(keep)
        for first in range(0, len(rows), _CHUNK):
            chunk = rows[first : first + _CHUNK]
            yield columns[name][chunk] if name in columns else np.zeros((len(chunk), *model.shape[1:]), model.dtype)


def overlay(folder: Path, n_images: int, columns: Columns, fresh: Mapping[int, Rows]) -> list[str]:
    """Write a segment's columns again with new rows of some images, by position; what they bring no row of stays.

    Returns the names of the columns that were written: all of the groups that the new rows are in.
    """
    written = []
    for group in sorted({group_of(name) for rows in fresh.values() for name in rows}):
        bringing = {at: rows for at, rows in fresh.items() if any(group_of(name) == group for name in rows)}
        position = np.fromiter(bringing, np.int64, len(bringing))
        added = gather([{n: row for n, row in rows.items() if group_of(n) == group} for rows in bringing.values()])
        before = {} if _differs(columns, added, group) else columns
        for name, rows in added.items():
            write_rows(folder, name, n_images, rows, _overlaid(n_images, before.get(name), position, rows))
            written.append(name)
    return written


def _overlaid(
    n_images: int, before: NDArray[Any] | None, position: NDArray[np.int64], rows: NDArray[Any]
) -> Iterator[NDArray[Any]]:
    for first in range(0, n_images, _CHUNK):
        size = min(_CHUNK, n_images - first)
        chunk = np.zeros((size, *rows.shape[1:]), rows.dtype)
        if before is not None:
            chunk[:] = before[first : first + size]
        inside = (position >= first) & (position < first + size)
        chunk[position[inside] - first] = rows[inside]
        yield chunk


def write_rows(folder: Path, name: str, n_images: int, model: NDArray[Any], chunks: Iterable[NDArray[Any]]) -> None:
    """Write a column, its rows like those of `model`, from chunks of rows."""
    with ArrayFile(folder / f"{name}.npy", model.dtype, (n_images, *model.shape[1:])) as file:
        for chunk in chunks:
            file.write(chunk)
