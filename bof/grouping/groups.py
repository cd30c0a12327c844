"""Proofs become groups: each has a representative that every other of its pictures is proved against.

Copies of a copy are copies, so their proofs chain. Nothing else does: a collage holds two photographs, and these are no
copies of each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np

from bof.grouping.kinds import Proof
from bof.grouping.memory import Pair
from bof.grouping.types import KINDS, Change, Group, Link, Member
from bof.types import F64

_CHANGES: tuple[Change, ...] = ("encoded", "resized", "cropped", "turned", "mirrored", "overlaid", "recoloured")

_ITSELF = np.eye(3)

_Links = Mapping[str, Mapping[str, Proof]]
"""near -> far -> the proof of near against far."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """Contents that are copies of each other: a representative, and the proof of each against it, its own included."""

    representative: str
    proofs: Mapping[str, Proof]


class Grouping:
    """The members of a collection by content, and which pairs of contents were rejected."""

    def __init__(self, members: Iterable[Member], refused: Set[Pair]) -> None:
        self.by_content: dict[str, list[Member]] = {}
        for member in sorted(members, key=lambda member: member.name):
            self.by_content.setdefault(member.sha256, []).append(member)
        self._refused = refused

    def groups(self, proofs: Iterable[Proof]) -> list[Group]:
        """All groups by the names of their representatives. proofs: of pairs of contents, at most one a pair."""
        allowed = [proof for proof in proofs if frozenset({proof.one, proof.other}) not in self._refused]
        units = self._units([proof for proof in allowed if proof.kind == "copy"])
        stars = self._stars(units, [proof for proof in allowed if proof.kind != "copy"])
        found = [group for representative, proved in stars for group in self._group(representative, proved)]
        return sorted(found, key=lambda group: group.representative.name)

    def _worth(self, content: str) -> tuple[int, int, str]:
        """The order of representatives: most pixels, most bytes, first name."""
        first = self.by_content[content][0]
        return -first.width * first.height, -first.n_bytes, first.name

    # -- Copies ---------------------------------------------------------------------------------------------------

    def _units(self, copies: Sequence[Proof]) -> list[_Unit]:
        """Every content, with its copies."""
        links = _both_ways(copies)
        left = set(self.by_content)
        units = []
        for start in sorted(left, key=self._worth):
            while start in left:
                unit = self._unit(min(_reachable(start, links, left), key=self._worth), links, left)
                left -= unit.proofs.keys()
                units.append(unit)
        return units

    def _unit(self, representative: str, links: _Links, left: Set[str]) -> _Unit:
        """A representative and all that reach it over copies, but those that were rejected as copies of it."""
        proofs = {representative: Proof(representative, representative, "exact", 0, 1.0, _ITSELF, frozenset())}
        front = [representative]
        while front:
            following = []
            for near in front:
                for far in sorted(links.get(near, {}), key=self._worth):
                    if far in left and far not in proofs and frozenset({far, representative}) not in self._refused:
                        proofs[far] = _chained(links[far][near], proofs[near])
                        following.append(far)
            front = following
        return _Unit(representative, proofs)

    # -- Representatives and what is proved against them ----------------------------------------------------------

    def _stars(self, units: Sequence[_Unit], proofs: Sequence[Proof]) -> Iterator[tuple[str, dict[str, Proof]]]:
        """Representatives, each with the proofs of contents against it. No unit with a link is left alone."""
        unit_of = {content: unit for unit in units for content in unit.proofs}
        links = _between_units(unit_of, proofs)
        representative_of = {unit.representative: unit.representative for unit in units}
        for island in _islands(links):
            representative_of |= self._representatives(island, links, unit_of)
        others_of: dict[str, list[str]] = {}
        for unit, representative in sorted(representative_of.items()):
            others_of.setdefault(representative, []).extend([unit] if unit != representative else [])
        for representative, others in others_of.items():
            proved = {c: p for other in others for c, p in _through(unit_of[other], links[other][representative])}
            yield representative, {**unit_of[representative].proofs, **proved}

    def _representatives(self, island: Set[str], links: _Links, unit_of: Mapping[str, _Unit]) -> dict[str, str]:
        """The representative of each unit of an island: greedily, that with most links first.

        Whoever is left over takes the neighbour that it is closest to from a group that can spare it; where that is the
        group's only other, it becomes the representative of both.
        """
        remaining, representative_of = set(island), {}
        while representative := self._best_representative(remaining, links, unit_of):
            star = {representative, *(links[representative].keys() & remaining)}
            representative_of.update(dict.fromkeys(star, representative))
            remaining -= star
        for lone in sorted(remaining, key=self._worth):
            near = min(links[lone], key=lambda other: _strength(links[lone][other]))
            representative = representative_of[near]
            if representative == near or sum(other == representative for other in representative_of.values()) == 2:
                followers = [unit for unit in representative_of if representative_of[unit] == representative]
                representative_of.update(dict.fromkeys(followers, near))
                representative_of[lone] = near
            else:
                representative_of[near] = representative_of[lone] = min(lone, near, key=self._worth)
        return representative_of

    def _best_representative(self, remaining: Set[str], links: _Links, unit_of: Mapping[str, _Unit]) -> str | None:
        """Most links, then most copies: a turned picture has more pixels than its original, but no copies."""

        def order(unit: str) -> tuple[int, int, tuple[int, int, str]]:
            n_copies = sum(len(self.by_content[content]) for content in unit_of[unit].proofs)
            return -_n_links(unit, remaining, links), -n_copies, self._worth(unit)

        return min((unit for unit in remaining if links[unit].keys() & remaining), key=order, default=None)

    def _group(self, representative: str, proved: Mapping[str, Proof]) -> Iterator[Group]:
        """The group of a representative, if there is another in it."""
        first, *same = self.by_content[representative]
        others = [
            (member, Link("exact", 0, 1.0, _ITSELF.copy(), ()))
            for member in same
            if self._may(representative, representative)
        ]
        for content, proof in proved.items():
            if content != representative and self._may(representative, content):
                link = _link(proof)
                copies = self.by_content[content] if self._may(content, content) else self.by_content[content][:1]
                others += [(member, link) for member in copies]
        if others:
            yield Group(first, tuple(sorted(others, key=lambda o: (KINDS.index(o[1].kind), o[0].name))))

    def _may(self, one: str, other: str) -> bool:
        return frozenset({one, other}) not in self._refused


def _link(proof: Proof) -> Link:
    changes = tuple(change for change in _CHANGES if change in proof.changes)
    return Link(proof.kind, proof.n_inliers, proof.agreement, proof.other_from_one, changes)


# -- Proofs ------------------------------------------------------------------------------------------------------------


def _turned(proof: Proof) -> Proof:
    """The same proof from the other's side."""
    back = np.linalg.inv(proof.other_from_one)
    return replace(proof, one=proof.other, other=proof.one, other_from_one=back / back[2, 2])


def _chained(first: Proof, second: Proof) -> Proof:
    """From where the first starts to where the second ends. An exact one says nothing of inliers."""
    known = [proof for proof in (first, second) if proof.kind != "exact"]
    agreements = [proof.agreement for proof in known]
    agreement = None if None in agreements else min((a for a in agreements if a is not None), default=1.0)
    kind = max(first.kind, second.kind, key=KINDS.index)
    n_inliers = min((proof.n_inliers for proof in known), default=0)
    transform: F64 = second.other_from_one @ first.other_from_one
    return Proof(
        first.one, second.other, kind, n_inliers, agreement, transform / transform[2, 2], first.changes | second.changes
    )


def _both_ways(proofs: Iterable[Proof]) -> dict[str, dict[str, Proof]]:
    """Each proof from both its sides."""
    links: dict[str, dict[str, Proof]] = {}
    for proof in proofs:
        links.setdefault(proof.one, {})[proof.other] = proof
        links.setdefault(proof.other, {})[proof.one] = _turned(proof)
    return links


def _strength(proof: Proof) -> tuple[int, int, float, str, str]:
    """The order of proofs between the same two units: strictest, then most inliers."""
    return KINDS.index(proof.kind), -proof.n_inliers, -(proof.agreement or 0.0), proof.one, proof.other


def _between_units(unit_of: Mapping[str, _Unit], proofs: Iterable[Proof]) -> dict[str, dict[str, Proof]]:
    """unit -> other unit -> the proof of one representative against the other, by their strongest pair.

    One that is proved against the other itself comes before what is proved by way of their copies.
    """
    best: dict[frozenset[str], tuple[bool, tuple[int, int, float, str, str], Proof]] = {}
    for proof in proofs:
        one, other = unit_of[proof.one], unit_of[proof.other]
        if one.representative == other.representative:
            continue
        pair = frozenset({one.representative, other.representative})
        order = ({proof.one, proof.other} != pair, _strength(proof))
        if pair not in best or order < best[pair][:2]:
            best[pair] = *order, proof
    links: dict[str, dict[str, Proof]] = {}
    for *_, proof in best.values():
        one, other = unit_of[proof.one], unit_of[proof.other]
        whole = _chained(_chained(_turned(one.proofs[proof.one]), proof), other.proofs[proof.other])
        links.setdefault(one.representative, {})[other.representative] = whole
        links.setdefault(other.representative, {})[one.representative] = _turned(whole)
    return links


def _through(unit: _Unit, proof: Proof) -> Iterator[tuple[str, Proof]]:
    """All contents of a unit against what its representative is proved against."""
    for content, own in unit.proofs.items():
        yield content, _chained(own, proof)


# -- Graphs ------------------------------------------------------------------------------------------------------------


def _reachable(start: str, links: _Links, among: Collection[str]) -> set[str]:
    found, front = {start}, [start]
    while front:
        near = front.pop()
        new = {far for far in links.get(near, {}) if far in among and far not in found}
        found |= new
        front += new
    return found


def _islands(links: _Links) -> Iterator[set[str]]:
    """Units that hang together."""
    left = set(links)
    for unit in sorted(links):
        if unit in left:
            island = _reachable(unit, links, left)
            left -= island
            yield island


def _n_links(unit: str, remaining: Set[str], links: _Links) -> int:
    """How many remaining units would be proved against this one.

    Where these fall into families that know nothing of each other the unit is a collage of theirs: the largest counts,
    with those that stand alone, which may be parts of one picture.
    """
    near = set(links[unit].keys() & remaining)
    sizes = []
    left = set(near)
    while left:
        family = _reachable(min(left), links, left)
        sizes.append(len(family))
        left -= family
    return sizes.count(1) + max((size for size in sizes if size > 1), default=0)
