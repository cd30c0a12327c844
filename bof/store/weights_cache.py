"""What is derived from a whole collection is kept beside it, so that opening a large index need not read it all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.store.array_archive import ArrayKind, load_archive, save_archive
from bof.store.inverted_file import Weights
from bof.types import Bool

FILE_NAME = "weights.npz"
WORTH_CACHING = 1 << 22
"""Features from which deriving weights takes long enough to keep them."""


def load_weights(
    folder: Path, generation: int, segments: Sequence[str], live: Bool, n_words: int, *, counts_films: bool = False
) -> Weights | None:
    """The weights that were kept of just this commit; None where there are none, or they are damaged.

    counts_films: there are films, each of which must count as one document; a bof that did not know films has counted
    their frames.
    """
    expected = _arrays(generation, segments, np.empty(n_words), np.empty(len(live)), counts_films=counts_films)
    kinds = {name: ArrayKind(array.dtype, array.shape) for name, array in expected.items()}
    saved = load_archive(folder, FILE_NAME, kinds)
    if saved is None or any((saved[name] != expected[name]).any() for name in expected.keys() - {"idf", "norm"}):
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


def save_weights(
    folder: Path, generation: int, segments: Sequence[str], weights: Weights, *, counts_films: bool = False
) -> None:
    """Keep weights for those who open the index next: see `save_archive`.

    counts_films: see `load_weights`; of a collection without films nothing is said.
    """
    save_archive(folder, FILE_NAME, _arrays(generation, segments, weights.idf, weights.norm, counts_films=counts_films))
