"""Which pairs of photographs match, which do not, and which cannot say: they share something in spite of the truth."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compare_peers import even_subset

from bof.errors import BenchmarkError
from bof.evaluation.benchmarks import load_benchmark

UKBENCH, DVD, TRAIN = "ukbench1000", "dvd_covers", "train"
FOLDERS = (DVD, UKBENCH, TRAIN)
"""What is indexed, all of it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a photograph shows: the folder it comes from, and its object, cover or category there."""

    folder: str
    thing: str


@dataclass(frozen=True, slots=True)
class Alike:
    """Different subjects that share something to be found, and what it is."""

    subjects: frozenset[Subject]
    reason: str


def _objects(*numbers: int) -> frozenset[Subject]:
    return frozenset(Subject(UKBENCH, str(number)) for number in numbers)


ALIKE = (
    Alike(_objects(191, 192, 193, 194), "one shop front: price sign and drink machine stand behind the mailbox"),
    Alike(_objects(99, 100), "both lie on one play mat"),
    Alike(_objects(151) | {Subject(TRAIN, "stop_sign")}, "stop signs, all of one print"),
)
"""Found by looking at the wrong pairs with the most inliers. They count neither for nor against."""


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
    if query.folder == picture.folder == DVD:
        return None
    if any({query, picture} <= alike.subjects for alike in ALIKE):
        return None
    return False


def choose_queries(data: Path, n: int = 0) -> list[Path]:
    """All UKBench pictures and all photographs of covers, absolute paths; or an even subset of n of each."""
    kinds = (("ukbench", UKBENCH), ("dvd", DVD))
    return [q.image for kind, folder in kinds for q in even_subset(load_benchmark(kind, data / folder).queries, n)]


def count_matches(queries: Sequence[Subject], pictures: Sequence[Subject]) -> int:
    """How many matching pairs there are; each query is itself among the pictures."""
    shown: dict[Subject, int] = {}
    for picture in pictures:
        shown[picture] = shown.get(picture, 0) + 1
    return sum(shown[query] - 1 for query in queries)
