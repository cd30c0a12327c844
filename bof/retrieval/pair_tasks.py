"""All pairs on Dask's workers: each opens the index at the same commit and searches with shares of its pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from bof.errors import ClusterError
from bof.native.mapped_file import reading
from bof.retrieval.all_pairs import Neighbours, nearest
from bof.retrieval.shortlist import VoteAndVerify
from bof.scheduling.connection import Cluster
from bof.scheduling.shares import Work, spread
from bof.store.index import Index, Snapshot
from bof.system.threads import in_threads
from bof.system.workers import LostItem
from bof.vocabulary.vocabulary import load_vocabulary

_IN_A_SHARE = 64
"""Pictures that a worker searches with at a time."""


@dataclass(frozen=True, slots=True)
class PairSpec:
    """What every worker needs to know. generation: the commit that all open; n: neighbours of each picture."""

    folder: Path
    vocabulary_folder: Path
    generation: int
    n: int


def all_pairs_on_workers(
    cluster: Cluster,
    collection: Snapshot,
    spec: PairSpec,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Neighbours]:
    """As `all_pairs`, in the order of the images' numbers. Raises ClusterError where a worker sees another commit."""
    live = np.flatnonzero(collection.weights.live).tolist()
    shares = (live[first : first + _IN_A_SHARE] for first in range(0, len(live), _IN_A_SHARE))
    found: dict[int, Sequence[Neighbours]] = {}
    n_done = 0
    for first, images, neighbours in spread(cluster, Work(f"{__name__}:search_share", spec), shares):
        if isinstance(neighbours, LostItem):
            raise ClusterError(f"workers end while they search with image {images[0]}: {neighbours.reason}")
        found[first] = neighbours
        while n_done in found:
            done = found.pop(n_done)
            yield from done
            n_done += len(done)
            if progress:
                progress(n_done, len(live))


def search_share(spec: PairSpec, images: Sequence[int]) -> list[Neighbours]:
    """The neighbours of some images; on a worker."""
    stages = _stages(spec.folder, spec.vocabulary_folder, spec.generation)
    with reading(stages.collection):
        return in_threads(lambda image: nearest(stages, image, spec.n), images)


@lru_cache(maxsize=2)
def _stages(folder: Path, vocabulary_folder: Path, generation: int) -> VoteAndVerify:
    collection = Index.open(folder).snapshot()
    if collection.generation != generation:
        problem, advice = "the index has changed meanwhile", "the same command begins anew"
        raise ClusterError(problem, path=folder, expected=f"commit {generation}", found=collection.generation,
                           advice=advice)  # fmt: skip
    return VoteAndVerify(collection, load_vocabulary(vocabulary_folder))


def pair_spec(folder: Path, vocabulary_folder: Path, generation: int, n: int) -> PairSpec:
    """Of places as every machine names them."""
    return PairSpec(Path(os.path.abspath(folder)), vocabulary_folder, generation, n)
