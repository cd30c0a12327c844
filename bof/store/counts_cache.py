"""The document counts of a part are kept in its folder, so that a commit of one part reads no other part again."""

from __future__ import annotations

import logging
import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bof.store.document_counts import DocumentCounts
from bof.system.directory import Directory
from bof.system.files import fsync_path, open_for_writing

FILE_NAME = "counts.npz"

_MOST_HEADER, _MOST_NAMES = 1 << 10, 1 << 28
"""Bytes of an array's header, and of the names of a part's films."""

_FACTS = ("n_pictures", "n_images", "n_features", "n_rows")

log = logging.getLogger("bof")


def load_counts(folder: Path, generation: int, n_words: int) -> DocumentCounts | None:
    """The counts that were kept of just this commit; None where there are none, or they are damaged.

    Nothing is inflated, and no more is read than counts can take. The archive carries a checksum of each array.
    """
    try:
        with Directory.open(folder) as here, here.open_file(FILE_NAME) as stream:
            saved = _read(stream, n_words)
        counts = _counts(saved)
    except Exception as error:  # a damaged archive raises nearly every exception there is
        log.debug("%s: %s", folder / FILE_NAME, error)
        return None
    is_of_it = int(saved["generation"]) == generation and _are_sound(counts)
    return counts if is_of_it else None


def _counts(saved: Mapping[str, NDArray[Any]]) -> DocumentCounts:
    names = saved["films"].tobytes().split(b"\0")[:-1]
    n_pictures, n_images, n_features, n_rows = (int(saved[name]) for name in _FACTS)
    films = tuple(os.fsdecode(name) for name in names)
    return DocumentCounts(saved["frequency"], n_pictures, films, n_images, n_features, n_rows)


def _are_sound(counts: DocumentCounts) -> bool:
    """Can these be the counts of any part?"""
    most = counts.n_pictures + len(counts.films)
    is_possible = 0 <= counts.n_pictures <= counts.n_images <= counts.n_rows and counts.n_features >= 0
    return is_possible and bool(((counts.frequency >= 0) & (counts.frequency <= most)).all())


def _read(stream: IO[bytes], n_words: int) -> dict[str, NDArray[Any]]:
    most = {"frequency": (np.int64, n_words), "films": (np.uint8, _MOST_NAMES)}
    expected = {**most, **dict.fromkeys(("generation", *_FACTS), (np.int64, 1))}
    with zipfile.ZipFile(stream) as archive:
        members = {member.filename: member for member in archive.infolist()}
        if set(members) != {f"{name}.npy" for name in expected} or len(archive.infolist()) != len(members):
            raise ValueError("other arrays")
        arrays = {name: _read_array(archive, members[f"{name}.npy"], *kind) for name, kind in expected.items()}
    if arrays["frequency"].shape != (n_words,):
        raise ValueError("another vocabulary")
    return arrays


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, kind: type[Any], most: int) -> NDArray[Any]:
    if member.compress_type != zipfile.ZIP_STORED or member.file_size > most * np.dtype(kind).itemsize + _MOST_HEADER:
        raise ValueError(f"{member.filename} is compressed, or of {member.file_size} bytes")
    with archive.open(member) as content:
        if np.lib.format.read_magic(content) != (1, 0):
            raise ValueError("expected a .npy file of version 1.0")
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(content, max_header_size=_MOST_HEADER)
        if dtype != kind or is_fortran or len(shape) > 1:
            raise ValueError(f"{member.filename} is {dtype} {shape}")
        return np.frombuffer(content.read(), dtype).reshape(shape)


def save_counts(folder: Path, generation: int, counts: DocumentCounts) -> None:
    """Keep the counts of a part. Only the holder of the writer's lock calls it.

    Where it fails nothing is lost: they are counted again. Nothing is written through a link.
    """
    fresh = folder / f".{FILE_NAME}.partial.npz"
    names = b"".join(os.fsencode(film) + b"\0" for film in counts.films)
    facts = {name: np.int64(getattr(counts, name)) for name in _FACTS}
    try:
        fresh.unlink(missing_ok=True)
        with open_for_writing(fresh) as stream:
            np.savez(
                stream, allow_pickle=False, generation=np.int64(generation), frequency=counts.frequency,
                films=np.frombuffer(names, np.uint8), **facts,
            )  # fmt: skip
        fsync_path(fresh)
        os.replace(fresh, folder / FILE_NAME)
    except OSError as error:
        log.debug("%s: %s", folder / FILE_NAME, error)
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
