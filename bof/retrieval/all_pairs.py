"""Every picture of a collection is a query: pairs for structure from motion, groups of duplicates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bof.native.mapped_file import reading
from bof.retrieval.expansion import DEPTH, neighbours
from bof.retrieval.shortlist import VoteAndVerify
from bof.system.threads import in_threads, n_threads

_PER_THREAD = 16
"""Pictures that a thread searches with before results are handed out: what is in memory at once."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """A picture, and those most like it, best first: their numbers in the collection and how like it they are."""

    image: int
    others: tuple[tuple[int, float], ...]


def all_pairs(
    stages: VoteAndVerify, n: int, progress: Callable[[int, int], None] | None = None, mapped_limit: int | None = None
) -> Iterator[Neighbours]:
    """Every live image with its n neighbours, ties by name, in the order of the images' numbers.

    Every thread searches with a picture of its own, so that all cores work all the time. mapped_limit: bytes of the
    index's files that may stay in memory.
    """
    collection = stages.collection
    live = np.flatnonzero(collection.weights.live).tolist()
    size = n_threads() * _PER_THREAD
    for first in range(0, len(live), size):
        with reading(collection):
            found = in_threads(lambda image: nearest(stages, image, n), live[first : first + size])
        yield from found
        if mapped_limit is not None:
            collection.stay_within(mapped_limit)
        if progress:
            progress(min(first + size, len(live)), len(live))


def nearest(stages: VoteAndVerify, image: int, n: int) -> Neighbours:
    """An image with its n neighbours."""
    found = neighbours(stages, image, max(2 * n, DEPTH))
    best = sorted(found, key=lambda pair: (-pair[1], stages.collection.rows.names[pair[0]]))
    return Neighbours(image, tuple(pair for pair in best[:n] if pair[1] > 0))
