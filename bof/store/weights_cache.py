"""What is derived from a whole collection is kept beside it, so that opening a large index need not read it all."""

from __future__ import annotations

import logging
import os
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bof.store.inverted_file import Weights
from bof.system.directory import Directory
from bof.system.files import fsync_path, open_for_writing
from bof.types import Bool

FILE_NAME = "weights.npz"
WORTH_CACHING = 1 << 22
"""Features from which deriving weights takes long enough to keep them."""

_MOST_HEADER, _MOST_REST = 1 << 10, 1 << 14
"""Bytes of an array's header, and of all that the archive holds besides arrays."""

log = logging.getLogger("bof")


def load_weights(
    folder: Path, generation: int, segments: Sequence[str], live: Bool, n_words: int, *, counts_films: bool = False
) -> Weights | None:
    """The weights that were kept of just this commit; None where there are none, or they are damaged.

    counts_films: there are films, each of which must count as one document; a bof that did not know films has counted
    their frames.

    What the archive must hold is known before it is read: nothing is inflated, and no more is read than that. It
    carries a checksum of each array, which is compared.
    """
    expected = _arrays(generation, segments, np.empty(n_words), np.empty(len(live)), counts_films=counts_films)
    try:
        with Directory.open(folder) as here, here.open_file(FILE_NAME) as stream:
            saved = _read(stream, expected)
    except Exception as error:  # a damaged archive raises nearly every exception there is
        log.debug("%s: %s", folder / FILE_NAME, error)
        return None
    if any((saved[name] != expected[name]).any() for name in expected.keys() - {"idf", "norm"}):
        return None
    idf, norm = saved["idf"], saved["norm"]
    are_weights = np.isfinite(idf).all() and np.isfinite(norm).all() and (idf >= 0).all() and (norm > 0).all()
    return Weights(idf, norm, live) if are_weights else None


def _arrays(
    generation: int, segments: Sequence[str], idf: NDArray[Any], norm: NDArray[Any], *, counts_films: bool
) -> dict[str, NDArray[Any]]:
    named = {"generation": np.int64(generation), "segments": np.array(segments, np.str_), "idf": idf, "norm": norm}
    named |= {"counts_films": np.True_} if counts_films else {}
    return {name: np.asarray(array) for name, array in named.items()}


def _read(stream: IO[bytes], expected: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The arrays of an archive. Raises ValueError unless they have the types and shapes of those that are expected."""
    n_bytes = os.fstat(stream.fileno()).st_size
    if n_bytes > sum(array.nbytes for array in expected.values()) + _MOST_REST:
        raise ValueError(f"{n_bytes} bytes, more than the weights take")
    with zipfile.ZipFile(stream) as archive:
        members = {member.filename: member for member in archive.infolist()}
        if set(members) != {f"{name}.npy" for name in expected} or len(archive.infolist()) != len(members):
            raise ValueError("other arrays")
        return {name: _read_array(archive, members[f"{name}.npy"], model) for name, model in expected.items()}


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, model: NDArray[Any]) -> NDArray[Any]:
    if member.compress_type != zipfile.ZIP_STORED or member.file_size > model.nbytes + _MOST_HEADER:
        raise ValueError(f"{member.filename} is compressed, or of {member.file_size} bytes")
    with archive.open(member) as content:
        if np.lib.format.read_magic(content) != (1, 0):
            raise ValueError("expected a .npy file of version 1.0")
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(content, max_header_size=_MOST_HEADER)
        if (shape, dtype) != (model.shape, model.dtype) or is_fortran:
            raise ValueError(f"{member.filename} is {dtype} {shape}")
        return np.frombuffer(content.read(), dtype).reshape(shape)


def save_weights(
    folder: Path, generation: int, segments: Sequence[str], weights: Weights, *, counts_films: bool = False
) -> None:
    """Keep weights for those who open the index next. Only the holder of the writer's lock calls it.

    counts_films: see `load_weights`; of a collection without films nothing is said.
    Where it fails nothing is lost: they are derived again. Nothing is written through a link.
    """
    fresh = folder / f".{FILE_NAME}.partial.npz"
    try:
        fresh.unlink(missing_ok=True)
        with open_for_writing(fresh) as stream:
            arrays = _arrays(generation, segments, weights.idf, weights.norm, counts_films=counts_films)
            np.savez(stream, allow_pickle=False, **arrays)
        fsync_path(fresh)
        os.replace(fresh, folder / FILE_NAME)
    except OSError as error:
        log.debug("%s: %s", folder / FILE_NAME, error)
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
