"""ASMK*, the binary aggregated selective match kernel (Tolias, Avrithis and Jegou 2016), as asmk on PyPI has it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from asmk import codebook
from asmk import index as faiss_index
from asmk.asmk_method import ASMKMethod

from bof.types import F32, Box, Features, Ranking
from scripts.common.features import Collection
from scripts.common.timing import Clock
from scripts.peers.peer import Cost, Peer, Workshop, unit_vectors

QUERY_WORDS = 5
_CHUNK = 256
_SIMILARITY = {"alpha": 3.0, "similarity_threshold": 0.0}


@dataclass(frozen=True, slots=True)
class AsmkPeer(Peer):
    """An inverted file of one binary vector an image and word; five words a feature on the query's side."""

    method: Any
    images: Sequence[int]

    def rank(self, path: Path, box: Box | None = None) -> Ranking:
        """Pictures with a positive score."""
        features = self.collection.of(path, box)
        if not len(features):
            return self.ranking([], np.empty(0), 0.0)
        ask = self.ask(features)
        start = time.perf_counter()
        _, _, ranks, scores = ask()
        positive = scores[0] > 0
        rows = [self.images[rank] for rank in ranks[0][positive].tolist()]
        return self.ranking(rows, scores[0][positive], time.perf_counter() - start)

    def ask(self, features: Features) -> Callable[[], Any]:
        """A call that answers a query of some features."""
        vectors = unit_vectors(features.descriptors)
        return lambda: self.method.query_ivf(vectors, np.zeros(len(vectors), np.int64))


def index(workshop: Workshop, collection: Collection) -> list[AsmkPeer]:
    """Assign, aggregate and add every picture; one without features cannot be found."""
    parameters = _parameters(len(collection.database))
    images = [i for i, path in enumerate(collection.database) if len(collection.features[path])]
    centroids = train(workshop)
    book = codebook.Codebook(faiss_index.initialize_index(None), size=len(centroids))
    book.index(centroids)
    method, seconds = _fill(ASMKMethod(parameters, {}, codebook=book), collection, images)
    cost = Cost(seconds, _n_bytes(method))
    return [AsmkPeer("asmk", collection, cost, workshop.training.name, parameters, method, images)]


def train(workshop: Workshop) -> F32:
    """Words f32 (k, 128) by asmk's own k-means (faiss, ten iterations), kept as an array, not as its pickle."""
    cached = workshop.cached("asmk", ".npy")
    if not cached.exists():
        parameters = {"index": {"gpu_id": None}, "train_codebook": {"codebook": {"size": workshop.words}}}
        method = ASMKMethod.initialize_untrained(parameters).train_codebook(unit_vectors(workshop.sample()))
        np.save(cached, method.codebook.centroids)
    return np.asarray(np.load(cached, allow_pickle=False), np.float32)


def _parameters(n_images: int) -> dict[str, Any]:
    """Its published setting, but for the number of words."""
    both: dict[str, Any] = {"aggregate": {}}
    storing = {"kernel": {"binary": True}, "ivf": {"use_idf": False}, "quantize": {"multiple_assignment": 1}}
    asking = {"quantize": {"multiple_assignment": QUERY_WORDS}, "search": {"topk": n_images}, "similarity": _SIMILARITY}
    return {"build_ivf": {**storing, **both}, "query_ivf": {**asking, **both}}


def _fill(untrained: Any, collection: Collection, images: Sequence[int]) -> tuple[Any, float]:
    """Add the pictures, a chunk at a time, because floats of all of them need four times the memory.

    Returns the seconds that it took, too; making floats of bytes is not counted.
    """
    builder, clock = untrained.create_ivf_builder(), Clock()
    for first in range(0, len(images), _CHUNK):
        pictures = [collection.features[collection.database[i]] for i in images[first : first + _CHUNK]]
        numbers = np.repeat(np.arange(len(pictures)) + first, [len(picture) for picture in pictures])
        vectors = unit_vectors(np.concatenate([picture.descriptors for picture in pictures]))
        with clock:
            builder.add(vectors, numbers)
    return untrained.add_ivf_builder(builder), clock.seconds


def _n_bytes(method: Any) -> int:
    """Of the postings that are in use; its arrays grow ahead of need."""
    ivf = method.inverted_file
    columns = [
        column[word][:n] for word, n in enumerate(ivf.counts) if n for column in (ivf.ivf_vecs, ivf.ivf_image_ids)
    ]
    return int(sum(column.nbytes for column in columns))
