"""What the groups of the benchmark share: pictures with their features, an index of them, one made by command."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bof.images.listing import walk_images
from bof.options import SearchOptions
from bof.types import Features
from scripts.common.data import UKBENCH, even_subset, load_set
from scripts.common.features import Collection
from scripts.common.process import Measured, python_command, run_measured
from scripts.common.timing import Asker
from scripts.peers import engine
from scripts.peers.peer import Workshop

DEPTHS = (0, 50, 100)  # pictures verified; 0: votes alone


@dataclass(frozen=True, slots=True)
class CommandIndex:
    """An index made by command: where it is, what making it took, and a command that searches it."""

    folder: Path
    measured: Measured
    search: Sequence[str]


@dataclass(frozen=True)
class Bench:
    """One run of the benchmark. data: holds ukbench1000/, dvd_covers/ and train/; vocabularies: others to assign with;
    n_queries: an even subset of the pictures, 0: all; runs: of each timing. What is made is made when it is first used.
    """

    data: Path
    workshop: Workshop
    n_queries: int
    runs: int
    vocabularies: Sequence[Path] = ()

    @cached_property
    def collection(self) -> Collection:
        """UKBench's pictures, the queries and the features of all."""
        benchmark = load_set("ukbench", self.data)
        features = Collection.extract(benchmark, self.workshop.cache)
        return dataclasses.replace(features, queries=even_subset(benchmark.queries, self.n_queries))

    @cached_property
    def questions(self) -> Sequence[Features]:
        """The features of each query."""
        return [self.collection.of(query.image, query.box) for query in self.collection.queries]

    @cached_property
    def peer(self) -> engine.EnginePeer:
        """bof's index of the features."""
        return engine.index(self.workshop, self.collection)[0]

    @cached_property
    def by_command(self) -> CommandIndex:
        """The index that `python -m bof.index` makes of the pictures."""
        photographs, index = self.data / UKBENCH, self.workshop.scratch / "by-command"
        measured = run_measured(python_command("bof.index", photographs, "--index", index))
        picture = next(iter(walk_images(photographs)))
        return CommandIndex(index, measured, python_command("bof.search", picture, "--index", index))

    def ask(self, options: SearchOptions) -> Asker[Features]:
        """Asks bof's index with features."""
        return lambda features: self.peer.ask(features, options)


def verifying(depth: int) -> SearchOptions:
    """The defaults, with `depth` pictures verified; 0: votes alone."""
    options = SearchOptions()
    if not depth:
        return dataclasses.replace(options, ranker="votes")
    return dataclasses.replace(options, verify=dataclasses.replace(options.verify, depth=depth))


def name_of(depth: int) -> str:
    """How a row calls such a query."""
    return f"query, verifying {depth}" if depth else "query, votes alone"
