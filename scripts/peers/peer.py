"""What the peers share: a ranker with its cost, where vocabularies are trained and kept, the training sample."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bof.options import TrainOptions
from bof.types import F32, F64, U8, Ranking, Verdict
from bof.vocabulary.sampling import Sample, draw_sample
from scripts.common.arguments import n_cores
from scripts.common.features import Collection, engine_features

SAMPLES_PER_WORD = 40
"""Training descriptors a word: what faiss, which trains both COLMAP's and asmk's words, asks for at least."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What an index took: seconds without extraction, bytes without the vocabulary."""

    seconds: float
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Peer:
    """A ranker of a collection, made by a method named `rank`; trained_on: the photographs of its words."""

    name: str
    collection: Collection
    cost: Cost
    trained_on: str
    description: Mapping[str, object]

    def ranking(self, rows: Sequence[int], scores: F64, seconds: float, verdicts: Sequence[Verdict] = ()) -> Ranking:
        """A ranking from rows of the database, best first; without verdicts nothing counts as verified."""
        unverified: list[Verdict] = ["unverified"] * len(rows)
        paths = [self.collection.database[row] for row in rows]
        return Ranking(paths, scores, verdicts or unverified, {"query": seconds})


@dataclass(frozen=True, slots=True)
class Workshop:
    """How peers are set up: size of vocabularies, photographs to train on, where to keep what took long.

    scratch: for indexes, deleted at the end of the run.
    """

    words: int
    training: Path
    cache: Path
    scratch: Path

    def cached(self, name: str, suffix: str) -> Path:
        """Where something stays that depends on the words, the training folder and the features."""
        about = repr((str(self.training.absolute()), engine_features())).encode()
        return self.cache / f"{name}-{self.words}-{hashlib.sha256(about).hexdigest()[:8]}{suffix}"

    def sample(self) -> U8:
        """Descriptors u8 (n, 128) drawn evenly over the training photographs; drawn once and kept."""
        cached = self.cached("sample", ".npy")
        if not cached.exists():
            np.save(cached, self.draw(SAMPLES_PER_WORD * self.words).descriptors)
        return np.asarray(np.load(cached, allow_pickle=False), np.uint8)

    def draw(self, n: int) -> Sample:
        """At most n training descriptors, with what they were drawn from."""
        options, source = TrainOptions(words=self.words, max_descriptors=n, workers=n_cores()), self.training.name
        return draw_sample([self.training], source, engine_features(), options, lambda done, total: None)[0]


def unit_vectors(descriptors: U8) -> F32:
    """RootSIFT bytes (n, 128) as floats of length one."""
    floats = descriptors.astype(np.float32)
    floats /= np.maximum(np.linalg.norm(floats, axis=1, keepdims=True), 1.0)
    return floats
