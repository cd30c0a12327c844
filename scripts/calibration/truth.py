"""Which pairs of photographs match, which do not, and which cannot say: they share something in spite of the truth."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.errors import BenchmarkError
from bof.evaluation.benchmarks import load_benchmark
from scripts.common.data import DVD, SETS, TRAIN, UKBENCH, even_subset

INDEXED = (DVD, UKBENCH, TRAIN)  # all of it


@dataclass(frozen=True, slots=True)
class Subject:
    """What a photograph shows: the folder it comes from, and its object, cover or category there."""

    folder: str
    thing: str


def _objects(*numbers: int) -> set[Subject]:
    return {Subject(UKBENCH, str(number)) for number in numbers}


ALIKE = {
    "one shop front: price sign and drink machine stand behind the mailbox": _objects(191, 192, 193, 194),
    "both lie on one play mat": _objects(99, 100),
    "stop signs, all of one print": _objects(151) | {Subject(TRAIN, "stop_sign")},
}
"""By what they share: different subjects, found by looking at the wrong pairs with the most inliers. They count neither
for nor against.
"""


def subject_of(path: Path, data: Path) -> Subject:
    """What a photograph in a data folder shows. Raises BenchmarkError for one of another place."""
    try:
        folder = path.relative_to(os.path.abspath(data)).parts[0]
    except ValueError as error:
        raise BenchmarkError(
            f"{path}: expected a photograph in {data}, found it in the index; name a new folder with --index"
        ) from error
    if folder == UKBENCH:
        return Subject(folder, str(int(re.sub(r"\D", "", path.stem)) // 4))
    return Subject(folder, path.stem if folder == DVD else re.sub(r"_?\d+$", "", path.stem))


def matches(query: Subject, picture: Subject) -> bool | None:
    """Do two different photographs show the same thing? None: leave the pair out.

    A phone's photograph of a cover shows the same table as others, and neighbouring covers: of two such only the same
    cover says something.
    """
    if query == picture and query.folder != TRAIN:
        return True
    cannot_say = query.folder == picture.folder == DVD or any({query, picture} <= alike for alike in ALIKE.values())
    return None if cannot_say else False


def choose_queries(data: Path, n: int = 0) -> list[Path]:
    """All UKBench pictures and all photographs of covers, absolute paths; or an even subset of n of each."""
    benchmarks = (load_benchmark(name, data / folder) for name, (folder, _) in SETS.items())
    return [query.image for benchmark in benchmarks for query in even_subset(benchmark.queries, n)]


def count_matches(queries: Sequence[Subject], pictures: Sequence[Subject]) -> int:
    """How many matching pairs there are; each query is itself among the pictures."""
    shown = Counter(pictures)
    return sum(shown[query] - 1 for query in queries)
