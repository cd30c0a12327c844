"""Where the data sets lie, and even subsets of their queries."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from bof.errors import OptionError
from bof.evaluation.benchmarks import Benchmark, BenchmarkQuery, load_benchmark
from bof.images.listing import walk_images

UKBENCH, DVD, TRAIN = "ukbench1000", "dvd_covers", "train"

SETS = {"ukbench": (UKBENCH, ()), "dvd": (DVD, (UKBENCH, TRAIN))}
"""By name: the folder of the photographs in the data folder, and the folders of the distractors."""


def load_set(name: str, data: Path) -> Benchmark:
    """A benchmark of SETS with its distractors in the database."""
    folder, others = SETS[name]
    return with_distractors(load_benchmark(name, data / folder), [data / other for other in others])


def with_distractors(benchmark: Benchmark, folders: Iterable[Path]) -> Benchmark:
    """The benchmark with every picture of some folders in its database, by their paths without detours."""
    distractors = [path for folder in folders for path in walk_images(Path(os.path.abspath(folder)))]
    return dataclasses.replace(benchmark, database=list(dict.fromkeys([*benchmark.database, *distractors])))


def with_queries(benchmark: Benchmark, n: int) -> Benchmark:
    """The benchmark with an even subset of its queries; n = 0: all."""
    return dataclasses.replace(benchmark, queries=even_subset(benchmark.queries, n))


def even_subset(queries: Sequence[BenchmarkQuery], n: int) -> Sequence[BenchmarkQuery]:
    """About n queries spread over all; the place inside each stretch moves on, so that no view of four is left out.

    n = 0 or more than there are: all of them.
    """
    if n < 0:
        raise OptionError(f"queries: expected 0 (all) or more, found {n}")
    if not 0 < n < len(queries):
        return queries
    stretch = len(queries) / n
    return [queries[int(i * stretch) + i % int(stretch)] for i in range(n)]
