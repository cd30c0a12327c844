"""What is derived from a whole collection is kept beside it, so that opening a large index need not read it all."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bof.store.inverted_file import Weights
from bof.system.files import fsync_path
from bof.types import Bool

FILE_NAME = "weights.npz"
WORTH_CACHING = 1 << 22
"""Features from which deriving weights takes long enough to keep them."""

log = logging.getLogger("bof")


def load_weights(folder: Path, generation: int, segments: Sequence[str], live: Bool, n_words: int) -> Weights | None:
    """The weights that were kept of just this commit; None where there are none, or they are damaged.

    The archive carries a checksum of each array, which is compared.
    """
    try:
        with (folder / FILE_NAME).open("rb") as stream, np.load(stream, allow_pickle=False) as saved:
            is_same = int(saved["generation"]) == generation and saved["segments"].tolist() == list(segments)
            idf, norm = saved["idf"], saved["norm"]
    except Exception as error:  # a damaged archive raises nearly every exception there is
        log.debug("%s: %s", folder / FILE_NAME, error)
        return None
    if not is_same or idf.shape != (n_words,) or norm.shape != live.shape:
        return None
    return Weights(idf, norm, live)


def save_weights(folder: Path, generation: int, segments: Sequence[str], weights: Weights) -> None:
    """Keep weights for those who open the index next. Only the holder of the writer's lock calls it.

    Where it fails nothing is lost: they are derived again.
    """
    fresh = folder / f".{FILE_NAME}.partial.npz"
    try:
        np.savez(
            fresh,
            allow_pickle=False,
            generation=generation,
            segments=list(segments),
            idf=weights.idf,
            norm=weights.norm,
        )
        fsync_path(fresh)
        os.replace(fresh, folder / FILE_NAME)
    except OSError as error:
        log.debug("%s: %s", folder / FILE_NAME, error)
        fresh.unlink(missing_ok=True)
