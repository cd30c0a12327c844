"""bof itself among the peers: the engine over features that were extracted before."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bof.engine import Engine
from bof.options import SearchOptions, TrainOptions, VerifyOptions
from bof.store.catalog import ImageRecord
from bof.store.index import Index
from bof.store.segments import ImageColumns, store_geometry
from bof.types import Box, Features, Ranking
from bof.vocabulary.training import train_vocabulary
from bof.vocabulary.vocabulary import default_vocabulary_path, load_vocabulary
from scripts.common.arguments import n_cores
from scripts.common.features import Collection, query_of
from scripts.common.timing import Call, Clock, one_blas_thread
from scripts.peers.peer import Cost, Peer, Workshop

_SEGMENT_IMAGES = 1024

VARIANTS = {
    "bof": SearchOptions(verify=VerifyOptions(pixels=0)),
    "bof, votes alone": SearchOptions("votes"),
    "tfidf": SearchOptions("tfidf"),
}
"""By name in the table: bof as it is but that no peer compares pixels, without verification, and plain TF-IDF."""


@dataclass(frozen=True, slots=True)
class EnginePeer(Peer):
    """An engine's collection, ranked with fixed options."""

    engine: Engine
    options: SearchOptions

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

    def ask(self, features: Features, options: SearchOptions) -> Call:
        """A call that answers a query of some features."""
        query = query_of(features)
        return lambda: self.engine.answer(query, options)


def index(workshop: Workshop, collection: Collection) -> list[EnginePeer]:
    """One index, asked in each of VARIANTS."""
    folder = Path(tempfile.mkdtemp(prefix="bof-", dir=workshop.scratch))
    engine, seconds = fill(folder, train(workshop), collection)
    return [peer_of(name, engine, collection, options, seconds) for name, options in VARIANTS.items()]


def peer_of(
    name: str, engine: Engine, collection: Collection, options: SearchOptions, seconds: float = 0.0
) -> EnginePeer:
    """An engine that holds the collection's pictures, as a peer. seconds: of indexing."""
    trained_on, description = str(engine.vocabulary.trained_on["source"]), dataclasses.asdict(options)
    return EnginePeer(name, collection, Cost(seconds, engine.n_bytes()), trained_on, description, engine, options)


def index_seconds(workshop: Workshop, collection: Collection) -> float:
    """Of bof's index without extraction. (bof's own indexing has a process a core, each with one thread.)"""
    with one_blas_thread():
        return index(workshop, collection)[0].cost.seconds


def train(workshop: Workshop) -> Path:
    """The folder of a vocabulary of the size asked for: the one that comes with bof, if it has it."""
    if load_vocabulary(default_vocabulary_path()).n_words == workshop.words:
        return default_vocabulary_path()
    cached = workshop.cached("bof", "")
    if not cached.exists():
        options = TrainOptions(words=workshop.words, workers=n_cores())
        train_vocabulary(workshop.draw(options.max_descriptors), options).save(cached)
    return cached


def fill(folder: Path, vocabulary_folder: Path, collection: Collection) -> tuple[Engine, float]:
    """An engine with the collection's pictures in the collection's order, and the seconds without extraction."""
    vocabulary = load_vocabulary(vocabulary_folder)
    made = Index.create(folder, vocabulary, vocabulary_folder, vocabulary.new_index_features)
    clock = Clock()
    for first in range(0, len(collection.database), _SEGMENT_IMAGES):
        paths = collection.database[first : first + _SEGMENT_IMAGES]
        facts = [_facts(path, collection.features[path]) for path in paths]
        with clock, made.writer() as writer:
            words = [vocabulary.quantize(collection.features[path].descriptors) for path in paths]
            geometry = [store_geometry(collection.features[path].geometry) for path in paths]
            columns = [ImageColumns(w.word[:, 0], w.signature[:, 0], *g) for w, g in zip(words, geometry, strict=True)]
            writer.append(list(zip(facts, columns, strict=True)))
    with clock:
        engine = Engine(made, vocabulary_folder)
        engine.refresh()
    return engine, clock.seconds


def _facts(path: Path, features: Features) -> ImageRecord:
    status, geometry = path.stat(), features.geometry
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return ImageRecord(
        str(path), str(path), status.st_size, status.st_mtime_ns, digest, geometry.width, geometry.height, len(features)
    )
