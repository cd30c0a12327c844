"""Groups held against the truth: wrong groups, precision, recall by attack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from duplicates_truth import Truth

Link = tuple[str, str]
"""Two pictures that a method calls duplicates of each other, by path: of a group its head and another."""


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
