"""Groups of bof and of perceptual hashes, held against the truth: wrong groups, precision, recall by attack.

Two pictures belong together if they share a source photograph. Other photographs of the same thing (of one UKBench
object, or siblings as scripts.copies.build has it) count neither way. Everything else is unrelated.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from bof.cli.progress import stage_bars
from bof.engine import Engine
from bof.grouping.finding import find_groups
from bof.grouping.types import Kind
from bof.options import DuplicateOptions
from bof.types import U64
from scripts.common.pictures import rgb
from scripts.copies.build import PER_OBJECT, build, find_photographs, plan_queries, sibling_key
from scripts.peers.hashes import DISTANCE
from scripts.peers.hashes import KINDS as HASHES

KINDS: tuple[Kind, ...] = ("copy", "crop")
SAME_NAME = ("phash", "dhash", "PHash", "DHash")
"""Of the hashes of imagehash and imagededup those that are used to find duplicates."""

Judgement = Literal["right", "neither", "wrong"]

Link = tuple[str, str]
"""Two pictures that a method calls duplicates of each other, by path: of a group its head and another."""


@dataclass(frozen=True, slots=True)
class Truth:
    """The pictures, and of each by its path: its source photographs, what these show, its attack.

    source_of: of each copy of a picture of the collection, that picture.
    """

    pictures: Sequence[str]
    sources: Mapping[str, frozenset[str]]
    things: Mapping[str, frozenset[str]]
    attack: Mapping[str, str]
    source_of: Mapping[str, str]

    def judge(self, one: str, other: str) -> Judgement:
        """What a link between two pictures is."""
        if self.sources[one] & self.sources[other]:
            return "right"
        return "neither" if self.things[one] & self.things[other] else "wrong"


def build_truth(data: Path, out: Path, per_attack: int, seed: int) -> Truth:
    """Make the copies under OUT and say what is known of them and of the references."""
    build(data, out, per_attack, seed)
    photographs = find_photographs(data)
    plans = plan_queries(photographs, out.absolute(), per_attack, seed)
    made = {str(plan.target): [str(path.absolute()) for path in (plan.picture, *plan.others)] for plan, _ in plans}
    references = {str(path.absolute()): [str(path.absolute())] for path in photographs.references}
    sources = {**references, **made}
    source_of = {str(plan.target): str(plan.picture.absolute()) for plan, query in plans if query.positives}
    attack = {**dict.fromkeys(references, "reference"), **{str(p.target): p.attack.name for p, _ in plans}}
    return Truth(
        list(sources),
        {picture: frozenset(paths) for picture, paths in sources.items()},
        {picture: frozenset(map(_thing, paths)) for picture, paths in sources.items()},
        attack,
        source_of,
    )


def _thing(path: str) -> str:
    """What a photograph shows."""
    number = Path(path).stem.removeprefix("ukbench")
    return f"ukbench {int(number) // PER_OBJECT}" if number.isdigit() else sibling_key(Path(path))


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one method: groups, those with a wrong link; its links by judgement; copies found with their source, by attack
    (found, in all); the links that are wrong and the copies that were missed.
    """

    name: str
    n_groups: int
    n_wrong_groups: int
    links: Mapping[str, int]
    found: Mapping[str, tuple[int, int]]
    wrong: Sequence[Link]
    missed: Sequence[str]
    seconds: float

    @property
    def precision(self) -> float:
        """Right links among those that are right or wrong."""
        return self.links["right"] / max(1, self.links["right"] + self.links["wrong"])

    @property
    def recall(self) -> float:
        """Copies that are in one group with their source."""
        found, total = map(sum, zip(*self.found.values(), strict=True))
        return found / max(1, total)

    def recall_of(self, attack: str) -> float:
        """The same of the copies by one attack."""
        found, total = self.found[attack]
        return found / max(1, total)

    def as_json(self) -> dict[str, object]:
        """All fields, precision and recall."""
        return {**asdict(self), "precision": self.precision, "recall": self.recall}


def judge_groups(name: str, truth: Truth, groups: Sequence[Sequence[Link]], seconds: float) -> Figures:
    """groups: of each its links."""
    judged = [[(link, truth.judge(*link)) for link in group] for group in groups]
    links = Counter({"right": 0, "neither": 0, "wrong": 0})
    links.update(verdict for group in judged for _, verdict in group)
    wrong = [link for group in judged for link, verdict in group if verdict == "wrong"]
    group_of = {picture: number for number, group in enumerate(groups) for link in group for picture in link}
    is_found = {copy: group_of.get(copy, -1) == group_of.get(source, -2) for copy, source in truth.source_of.items()}
    by_attack: dict[str, tuple[int, int]] = {}
    for copy, found in is_found.items():
        n_found, n = by_attack.get(truth.attack[copy], (0, 0))
        by_attack[truth.attack[copy]] = n_found + found, n + 1
    n_wrong_groups = sum(any(verdict == "wrong" for _, verdict in group) for group in judged)
    missed = [copy for copy, found in is_found.items() if not found]
    return Figures(name, len(groups), n_wrong_groups, dict(links), by_attack, wrong, missed, seconds)


def components(links: Sequence[Link]) -> list[list[Link]]:
    """Links that hang together, as finders that compare hashes group them."""
    parent: dict[str, str] = {}

    def root(picture: str) -> str:
        while parent.setdefault(picture, picture) != picture:
            parent[picture] = parent[parent[picture]]
            picture = parent[picture]
        return picture

    for one, other in links:
        parent[root(one)] = root(other)
    groups: dict[str, list[Link]] = {}
    for link in links:
        groups.setdefault(root(link[0]), []).append(link)
    return list(groups.values())


def run_bof(truth: Truth, folder: Path, options: DuplicateOptions) -> Iterator[Figures]:
    """bof's groups of each kind. The first kind's seconds hold all that is asked and compared; the next ask nothing."""
    start = time.perf_counter()
    with Engine.open_or_create(folder) as engine, stage_bars() as show:
        engine.add([Path(picture) for picture in truth.pictures])
        print(f"indexed in {time.perf_counter() - start:.0f} s", flush=True)
        for kind in KINDS:
            start = time.perf_counter()
            groups = find_groups(engine, kind, options, show)
            links = [
                [(str(member.path), str(group.representative.path)) for member, _ in group.others] for group in groups
            ]
            yield judge_groups(f"bof {kind}", truth, links, time.perf_counter() - start)


def run_hashes(family: str, truth: Truth) -> Iterator[Figures]:
    """Of each hash: the largest threshold at which no group is wrong, and what its users take. Raises ImportError."""
    for name, function in HASHES[family]().items():
        if name in SAME_NAME:
            start = time.perf_counter()
            hashes = np.array([function(rgb(Path(path))) for path in truth.pictures], np.uint64)
            near = near_pairs(hashes, DISTANCE)
            yield from _at_thresholds(f"{family} {name}", truth, near, time.perf_counter() - start)


def _at_thresholds(
    name: str, truth: Truth, near: Sequence[tuple[int, int, int]], seconds: float
) -> tuple[Figures, Figures]:
    found = []
    for limit in range(DISTANCE + 1):
        links = [(truth.pictures[i], truth.pictures[j]) for i, j, distance in near if distance <= limit]
        found.append(judge_groups(f"{name}, {limit} bits", truth, components(links), seconds))
    flawless = [figures for figures in found if not figures.n_wrong_groups]
    return flawless[-1] if flawless else found[0], found[-1]


def near_pairs(hashes: U64, limit: int) -> list[tuple[int, int, int]]:
    """Rows i < j of hashes u64 (n,) that differ in at most `limit` bits, and in how many."""
    pairs = []
    for i in range(len(hashes) - 1):
        distance = np.bitwise_count(hashes[i + 1 :] ^ hashes[i])
        near = np.flatnonzero(distance <= limit)
        pairs += [(i, i + 1 + int(j), int(distance[j])) for j in near.tolist()]
    return pairs
