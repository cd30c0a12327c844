"""ASMK*, the binary aggregated selective match kernel (Tolias, Avrithis and Jegou 2016), as asmk on PyPI has it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from asmk import codebook, index
from asmk.asmk_method import ASMKMethod
from peer_common import Clock, Collection, Cost, Workshop, ranking_of, unit_vectors

from bof.types import F32, Box, Features, Ranking

QUERY_WORDS = 5
_CHUNK = 256
_SIMILARITY = {"alpha": 3.0, "similarity_threshold": 0.0}


@dataclass(frozen=True, slots=True)
class AsmkPeer:
    """An inverted file of one binary vector an image and word; five words a feature on the query's side."""

    collection: Collection
    method: Any
    images: Sequence[int]
    cost: Cost
    trained_on: str
    name: str = "asmk"

    @classmethod
    def index(cls, workshop: Workshop, collection: Collection) -> AsmkPeer:
        """Assign, aggregate and add every picture; one without features cannot be found."""
        centroids = train(workshop)
        untrained = ASMKMethod(_parameters(len(collection.database)), {}, codebook=_codebook(centroids))
        images = [i for i, path in enumerate(collection.database) if len(collection.features[path])]
        method, seconds = _fill(untrained, collection, images)
        return cls(collection, method, images, Cost(seconds, _n_bytes(method)), workshop.training.name)

    @property
    def description(self) -> Mapping[str, object]:
        """Its parameters, as it names them."""
        return {key: self.method.params[key] for key in ("build_ivf", "query_ivf")}

    def rank(self, path: Path, box: Box | None = None) -> Ranking:
        """Pictures with a positive score."""
        vectors = unit_vectors(self.collection.of(path, box).descriptors)
        start = time.perf_counter()
        if not len(vectors):
            return ranking_of(self.collection.database, [], np.empty(0), 0.0)
        _, _, ranks, scores = self.method.query_ivf(vectors, np.zeros(len(vectors), np.int64))
        positive = scores[0] > 0
        rows = [self.images[rank] for rank in ranks[0][positive].tolist()]
        return ranking_of(self.collection.database, rows, scores[0][positive], time.perf_counter() - start)


def train(workshop: Workshop) -> F32:
    """Words f32 (k, 128) by asmk's own k-means (faiss, ten iterations), kept as an array, not as its pickle."""
    kept = workshop.kept("asmk", ".npy")
    if not kept.exists():
        parameters = {"index": {"gpu_id": None}, "train_codebook": {"codebook": {"size": workshop.words}}}
        method = ASMKMethod.initialize_untrained(parameters).train_codebook(unit_vectors(workshop.sample()))
        np.save(kept, method.codebook.centroids)
    return np.asarray(np.load(kept, allow_pickle=False), np.float32)


def _codebook(centroids: F32) -> Any:
    book = codebook.Codebook(index.initialize_index(None), size=len(centroids))
    book.index(centroids)
    return book


def _parameters(n_images: int) -> dict[str, Any]:
    """Its published setting, but for the number of words."""
    return {
        "build_ivf": {
            "kernel": {"binary": True},
            "ivf": {"use_idf": False},
            "quantize": {"multiple_assignment": 1},
            "aggregate": {},
        },
        "query_ivf": {
            "quantize": {"multiple_assignment": QUERY_WORDS},
            "aggregate": {},
            "search": {"topk": n_images},
            "similarity": _SIMILARITY,
        },
    }


def ask_asmk(peer: AsmkPeer) -> Callable[[Features], Callable[[], object]]:
    """Makes a query of features, untimed; what it returns asks the index."""

    def prepare(features: Features) -> Callable[[], object]:
        vectors = unit_vectors(features.descriptors)
        return lambda: peer.method.query_ivf(vectors, np.zeros(len(vectors), np.int64))

    return prepare


def _fill(untrained: Any, collection: Collection, images: Sequence[int]) -> tuple[Any, float]:
    """Add the pictures, a chunk at a time, because floats of all of them need four times the memory.

    Returns the seconds that it took, too; making floats of bytes is not counted.
    """
    builder, clock = untrained.create_ivf_builder(), Clock()
    for first in range(0, len(images), _CHUNK):
        pictures = [collection.features[collection.database[i]] for i in images[first : first + _CHUNK]]
        numbers = np.repeat(np.arange(len(pictures)) + first, [len(picture) for picture in pictures])
        vectors = unit_vectors(np.concatenate([picture.descriptors for picture in pictures]))
        with clock.running():
            builder.add(vectors, numbers)
    return untrained.add_ivf_builder(builder), clock.seconds


def _n_bytes(method: Any) -> int:
    """Of the postings that are in use; its arrays grow ahead of need."""
    ivf = method.inverted_file
    kept = [column[word][:n] for word, n in enumerate(ivf.counts) if n for column in (ivf.ivf_vecs, ivf.ivf_image_ids)]
    return int(sum(column.nbytes for column in kept))
