"""The document counts of a part are kept in its folder, so that a commit of one part reads no other part again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.store.array_archive import ArrayKind, load_archive, save_archive
from bof.store.document_counts import DocumentCounts

FILE_NAME = "counts.npz"

_MOST_NAMES = 1 << 28
"""Bytes of the names of a part's films."""

_FACTS = ("n_pictures", "n_images", "n_features", "n_rows")


def load_counts(folder: Path, generation: int, n_words: int) -> DocumentCounts | None:
    """The counts that were kept of just this commit; None where there are none, or they are damaged."""
    number = ArrayKind(np.dtype(np.int64))
    frequency = ArrayKind(number.dtype, (n_words,))
    films = ArrayKind(np.dtype(np.uint8), (_MOST_NAMES,), is_at_most=True)
    facts = dict.fromkeys(("generation", *_FACTS), number)
    saved = load_archive(folder, FILE_NAME, {"frequency": frequency, "films": films, **facts})
    if saved is None or int(saved["generation"]) != generation:
        return None
    counts = _counts(saved)
    return counts if _are_sound(counts) else None


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


def save_counts(folder: Path, generation: int, counts: DocumentCounts) -> None:
    """Keep the counts of a part: see `save_archive`."""
    names = b"".join(os.fsencode(film) + b"\0" for film in counts.films)
    facts = {name: np.asarray(np.int64(getattr(counts, name))) for name in _FACTS}
    arrays: dict[str, NDArray[Any]] = {"frequency": counts.frequency, "films": np.frombuffer(names, np.uint8)}
    save_archive(folder, FILE_NAME, {"generation": np.asarray(np.int64(generation)), **arrays, **facts})
