"""The files of a segment in one table: type, shape and order of each; what comes from a disk is held against it.

Opening takes time that hardly grows with the index: types, shapes, ends of offsets and their order. Numbers inside the
arrays are compared in native code where they are used, and all of them by `--check`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bof.errors import BofError, IndexStoreError
from bof.global_descriptors import color, hashes, sketch
from bof.native.mapped_file import MappedFile
from bof.options import GROUPS
from bof.system.directory import Directory
from bof.system.files import FileFact
from bof.system.npy_header import read_npy_header

ADVICE = "the segment is damaged; {bof index} --check says what can be saved"

_MAX_HEADER = 1 << 12
_ALIGNED = 16
"""numpy has always begun the numbers of a file at a multiple of it; native code reads them where they lie."""

_MAX_DIMENSION = 1 << 16
"""Numbers of an embedding."""


@dataclass(frozen=True, slots=True)
class SegmentArraySpec:
    """One file: the types that it may have, its shape in numbers and in names of sizes, offsets: into which size."""

    types: tuple[str, ...]
    shape: tuple[int | str, ...]
    offsets: str = ""


def _spec(kind: str, *shape: int | str, offsets: str = "") -> SegmentArraySpec:
    return SegmentArraySpec(tuple(kind.split()), shape, offsets)


ARRAYS: Mapping[str, SegmentArraySpec] = MappingProxyType(
    {
        "vote_indptr": _spec("i4", "n_words+1", offsets="n_features"),
        "vote_image": _spec("i4", "n_features"),
        "vote_feature": _spec("u2", "n_features"),
        "signature": _spec("u8", "n_features"),
        "feature_indptr": _spec("i8", "n_images+1", offsets="n_features"),
        "word": _spec("u2 i4", "n_features"),
        "xy": _spec("u2", "n_features", 2),
        "scale_angle": _spec("u2", "n_features", 2),
    }
)
"""Features, by word and by image."""

COLUMNS: Mapping[str, SegmentArraySpec] = MappingProxyType(
    {
        **{f"{group}.known": _spec("b1", "n_images") for group in GROUPS},
        **{f"hash.{name}": _spec(kind[1:], "n_images", *row) for name, (kind, row) in hashes.ARRAYS.items()},
        **{f"color.{name}": _spec(kind[1:], "n_images", *row) for name, (kind, row) in color.ARRAYS.items()},
        **{f"sketch.{name}": _spec(kind[1:], "n_images", *row) for name, (kind, row) in sketch.ARRAYS.items()},
        "embedding.embedding": _spec("f2", "n_images", "dimension"),
    }
)
"""Global descriptors, a row an image."""


def open_array(folder: Directory, name: str, facts: Mapping[str, FileFact], sizes: dict[str, int]) -> NDArray[Any]:
    """A file as a read-only view, nothing of which is read yet; sizes that it is the first to tell are added.

    Raises IndexStoreError where it is missing, no regular file, or not as the table and the catalogue say.
    """
    file, spec = f"{name}.npy", {**ARRAYS, **COLUMNS}.get(name)
    path = folder.path / file
    try:
        if file not in facts or spec is None:
            raise IndexStoreError("the catalogue does not know this file", path=path, advice=ADVICE)
        expected = facts[file].n_bytes
        with folder.open_file(file) as stream:
            found = folder.size_of(file)
            if found != expected:
                raise IndexStoreError(path=path, expected=f"{expected} bytes", found=found, advice=ADVICE)
            array = _mapped(path, stream, expected)
    except BofError:
        raise
    except Exception as error:  # numpy's parser of headers answers damage with nearly every exception there is
        raise IndexStoreError(f"cannot be opened ({error})", path=path, advice=ADVICE) from error
    _require(array, spec, sizes, path)
    return array


def most_bytes(name: str, sizes: Mapping[str, int]) -> int:
    """No sound file of this name is larger, whatever is said of it: larger ones are not read."""
    spec = {**ARRAYS, **COLUMNS}.get(name)
    if spec is None:
        return 1 << 62
    known = {"dimension": _MAX_DIMENSION, **sizes}
    shape = [n if isinstance(n, int) else known[n.partition("+1")[0]] + n.endswith("+1") for n in spec.shape]
    return _MAX_HEADER + math.prod(shape) * max(np.dtype(kind).itemsize for kind in spec.types)


def _mapped(path: Path, stream: IO[bytes], n_bytes: int) -> NDArray[Any]:
    shape, is_fortran, dtype = read_npy_header(stream, _MAX_HEADER)
    if is_fortran or dtype.hasobject:
        raise ValueError("expected numbers, row by row")
    if stream.tell() % _ALIGNED:
        raise ValueError(f"its numbers begin at byte {stream.tell()}, not at a multiple of {_ALIGNED}")
    n_items = int(np.prod(shape, dtype=object)) if shape else 1
    if min(shape, default=0) < 0 or stream.tell() + n_items * dtype.itemsize != n_bytes:
        raise ValueError(f"its header names {shape} of {dtype}, which is not what its {n_bytes} bytes hold")
    return MappedFile(path, stream, n_bytes).view(dtype, shape, stream.tell())


def _require(array: NDArray[Any], spec: SegmentArraySpec, sizes: dict[str, int], path: Path) -> None:
    kind = array.dtype.str.lstrip("<|")
    fits = kind in spec.types and array.ndim == len(spec.shape)
    if fits:
        fits = all(_is_size(n, name, sizes) for n, name in zip(array.shape, spec.shape, strict=True))
    if not fits:
        expected = f"{' or '.join(spec.types)} of shape {_named(spec.shape, sizes)}"
        problem = "its arrays contradict each other"
        raise IndexStoreError(problem, path=path, expected=expected, found=f"{kind} {array.shape}", advice=ADVICE)
    if spec.offsets and not is_offsets(array, sizes.setdefault(spec.offsets, int(array[-1]) if len(array) else 0)):
        problem = "its arrays contradict each other"
        expected = f"offsets that rise from 0 to {sizes[spec.offsets]}"
        raise IndexStoreError(problem, path=path, expected=expected, found="others", advice=ADVICE)


def _is_size(n: int, name: int | str, sizes: dict[str, int]) -> bool:
    if isinstance(name, int):
        return n == name
    size, plus, _ = name.partition("+1")
    n -= bool(plus)
    return n >= 0 and sizes.setdefault(size, n) == n


def _named(shape: tuple[int | str, ...], sizes: Mapping[str, int]) -> str:
    known = [f"{name} ({sizes[n]})" if isinstance(name, str) and (n := name.partition("+")[0]) in sizes else f"{name}"
             for name in shape]  # fmt: skip
    return f"({', '.join(known)})"


def is_offsets(offsets: NDArray[Any], n_entries: int) -> bool:
    """Do they rise from 0 to n_entries? Compared, not subtracted: a difference could wrap."""
    return bool(len(offsets) and offsets[0] == 0 and offsets[-1] == n_entries and (offsets[1:] >= offsets[:-1]).all())
