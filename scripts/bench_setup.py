"""What the groups of the benchmark share: the pictures and their features, one index of them, one made by command."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench_process import Measured, bof_command, run_measured
from compare_peers import BENCHMARKS, even_subset
from peer_bof import BofPeer
from peer_common import Collection, Workshop, engine_features, extract_all

from bof.cli.progress import progress_bar
from bof.evaluation.benchmarks import load_benchmark
from bof.images.listing import walk_images
from bof.types import Features


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
        benchmark = load_benchmark("ukbench", Path(os.path.abspath(self.data / BENCHMARKS["ukbench"][0])))
        paths = list(dict.fromkeys([*benchmark.database, *(query.image for query in benchmark.queries)]))
        with progress_bar(" images", "features") as show:
            features = extract_all(paths, engine_features(), self.workshop, show)
        return Collection(benchmark.database, even_subset(benchmark.queries, self.n_queries), features)

    @cached_property
    def questions(self) -> Sequence[Features]:
        """The features of each query."""
        return [self.collection.of(query.image, query.box) for query in self.collection.queries]

    @cached_property
    def peer(self) -> BofPeer:
        """bof's index of the features."""
        return BofPeer.index(self.workshop, self.collection)[0]

    @property
    def n_features(self) -> int:
        """Of the indexed pictures."""
        return sum(len(self.collection.features[path]) for path in self.collection.database)

    @cached_property
    def by_command(self) -> CommandIndex:
        """The index that `python -m bof.index` makes of the pictures."""
        photographs, index = self.data / BENCHMARKS["ukbench"][0], self.workshop.scratch / "by-command"
        measured = run_measured(bof_command("index", photographs, "--index", index))
        picture = next(iter(walk_images(photographs)))
        return CommandIndex(index, measured, bof_command("search", picture, "--index", index))
