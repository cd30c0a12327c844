"""bof itself among the peers: the engine over features that were extracted before."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from peer_common import Clock, Collection, Cost, Workshop

from bof.engine import Engine, Query
from bof.options import TrainOptions
from bof.retrieval.searcher import SearchOptions
from bof.store.catalog import ImageRecord
from bof.store.index import Index
from bof.store.segments import ImageColumns, store_geometry
from bof.types import Box, Features, Ranking
from bof.vocabulary.training import train_vocabulary
from bof.vocabulary.vocabulary import Vocabulary, default_vocabulary_path, load_vocabulary

_SEGMENT_IMAGES = 1024


@dataclass(frozen=True, slots=True)
class BofPeer:
    """An engine's collection, ranked with fixed options."""

    name: str
    collection: Collection
    engine: Engine
    options: SearchOptions
    cost: Cost
    trained_on: str

    @classmethod
    def index(cls, workshop: Workshop, collection: Collection) -> list[BofPeer]:
        """One index; bof with its defaults, without verification, and plain TF-IDF over it."""
        vocabulary_folder = train(workshop)
        folder = Path(tempfile.mkdtemp(prefix="bof-", dir=workshop.scratch))
        engine, seconds = _fill(folder, vocabulary_folder, collection)
        cost = Cost(seconds, engine.n_bytes())
        trained_on = str(engine.vocabulary.trained_on["source"])
        return [cls(name, collection, engine, options, cost, trained_on) for name, options in _variants().items()]

    @property
    def description(self) -> Mapping[str, object]:
        """The options of votes and verification."""
        return dataclasses.asdict(self.options)

    def rank(self, path: Path, box: Box | None = None) -> Ranking:
        """Every picture with a positive score."""
        answer = self.engine.answer(query_of(self.collection.of(path, box)), self.options)
        images = answer.images.tolist()
        return Ranking(
            [Path(self.engine.images[image].path) for image in images],
            answer.scores,
            [answer.verdict(image, self.options.verify) for image in images],
            answer.seconds,
        )


def _variants() -> dict[str, SearchOptions]:
    return {"bof": SearchOptions(), "bof, votes alone": SearchOptions("votes"), "tfidf": SearchOptions("tfidf")}


def query_of(features: Features) -> Query:
    """Features as the engine asks with; the outline only matters to proofs."""
    return Query(features, np.empty((0, 2)))


def train(workshop: Workshop) -> Path:
    """The folder of a vocabulary of the size asked for: the one that comes with bof, if it has it."""
    if load_vocabulary(default_vocabulary_path()).n_words == workshop.words:
        return default_vocabulary_path()
    kept = workshop.kept("bof", "")
    if not kept.exists():
        options = TrainOptions(words=workshop.words, workers=workshop.workers)
        train_vocabulary(workshop.draw(options.max_descriptors), options).save(kept)
    return kept


def _fill(folder: Path, vocabulary_folder: Path, collection: Collection) -> tuple[Engine, float]:
    """An engine with the collection's pictures in the collection's order, and the seconds without extraction."""
    vocabulary = load_vocabulary(vocabulary_folder)
    index = Index.create(folder, vocabulary, vocabulary_folder, vocabulary.features)
    clock = Clock()
    for first in range(0, len(collection.database), _SEGMENT_IMAGES):
        paths = collection.database[first : first + _SEGMENT_IMAGES]
        facts = [_facts(path, collection.features[path]) for path in paths]
        with clock.running():
            described = list(zip(facts, _describe(paths, collection, vocabulary), strict=True))
            with index.writer() as writer:
                writer.append(described)
    with clock.running():
        engine = Engine(index, vocabulary_folder)
        engine.refresh()
    return engine, clock.seconds


def _describe(paths: Sequence[Path], collection: Collection, vocabulary: Vocabulary) -> Iterator[ImageColumns]:
    for path in paths:
        features = collection.features[path]
        words = vocabulary.describe(features.descriptors)
        yield ImageColumns(words.word[:, 0], words.signature[:, 0], *store_geometry(features.geometry))


def _facts(path: Path, features: Features) -> ImageRecord:
    status, geometry = path.stat(), features.geometry
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return ImageRecord(
        str(path), str(path), status.st_size, status.st_mtime_ns, digest, geometry.width, geometry.height, len(features)
    )
