"""All pictures of a collection ask at once: pairs for structure from motion, groups of duplicates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bof.errors import IndexStoreError
from bof.options import VerifyOptions, VoteOptions
from bof.retrieval.expansion import DEPTH, neighbours
from bof.store.index import Snapshot
from bof.store.segments import ADVICE
from bof.system.threads import in_threads, n_threads

_PER_THREAD = 16
"""Pictures that a thread asks with before results are handed out: what is in memory at once."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """A picture, and those most like it, best first: their numbers in the snapshot and how like it they are."""

    image: int
    others: tuple[tuple[int, float], ...]


def ask_all(
    snapshot: Snapshot, n: int, progress: Callable[[int, int], None] | None = None, mapped_limit: int | None = None
) -> Iterator[Neighbours]:
    """Every live image with its n neighbours, ties by name, in the order of the images' numbers.

    Every thread asks with a picture of its own, so that all cores work all the time. mapped_limit: bytes of the index's
    files that may stay in memory. Raises IndexStoreError where the index contradicts itself.
    """
    live = np.flatnonzero(snapshot.weights.live).tolist()
    size = n_threads() * _PER_THREAD
    for first in range(0, len(live), size):
        try:
            yield from in_threads(lambda image: _ask(snapshot, image, n), live[first : first + size])
        except (IndexError, ValueError) as error:
            raise IndexStoreError(f"{error}; {ADVICE}") from error
        if mapped_limit is not None:
            snapshot.stay_within(mapped_limit)
        if progress:
            progress(min(first + size, len(live)), len(live))


def _ask(snapshot: Snapshot, image: int, n: int) -> Neighbours:
    found = neighbours(snapshot, image, VoteOptions(), VerifyOptions(), max(2 * n, DEPTH))
    best = sorted(found, key=lambda pair: (-pair[1], snapshot.rows.names[pair[0]]))
    return Neighbours(image, tuple(pair for pair in best[:n] if pair[1] > 0))
