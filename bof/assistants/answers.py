"""What the tools answer: plain values, whose types become the schemas that an assistant is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bof.grouping.types import Group, Link, Member
from bof.ingest.add import AddReport
from bof.types import Hit, VariantName, Verdict

MEANINGS: Mapping[Verdict, str] = {
    "same": "the same thing, proved",
    "part": "something is shared for certain, other details differ",
    "maybe": "probably the same thing, not proved",
    "no": "not proved: looks alike in places",
    "unverified": "looks alike; geometry was not compared",
}
_MOST_SKIPPED = 20


@dataclass(frozen=True)
class HitAnswer:
    """A picture that was found. title: the name that an upload was given; outline: the corners of the query in its
    pixels, clockwise from the query's top left.
    """

    rank: int
    name: str
    title: str | None
    path: str
    verdict: Literal["same", "part", "maybe", "no", "unverified"]
    meaning: str
    basis: str | None
    probability: float | None
    score: float
    inliers: int | None
    mirrored: bool | None
    variant: VariantName | None
    outline: list[list[float]] | None
    width: int
    height: int


@dataclass(frozen=True)
class SearchAnswer:
    """The pictures of the index that show the same thing as a query, best first. total: pictures with any score."""

    query: str
    query_features: int
    total: int
    hits: list[HitAnswer]


@dataclass(frozen=True)
class ProofAnswer:
    """How two pictures match; the match picture comes beside it."""

    query: str
    hit: HitAnswer
    points: int


@dataclass(frozen=True)
class MemberAnswer:
    """A picture of a group; agreement, inliers and changes: how it is like the group's first, null for that one."""

    name: str
    path: str
    width: int
    height: int
    bytes: int
    kind: str | None
    inliers: int | None
    agreement: float | None
    changes: list[str]


@dataclass(frozen=True)
class GroupAnswer:
    """Pictures that belong together."""

    kind: str
    members: list[MemberAnswer]


@dataclass(frozen=True)
class DuplicatesAnswer:
    """A page of all groups, largest first. bytes_of_copies: of all members but the first of each, in all groups."""

    kind: str
    total: int
    pictures: int
    bytes_of_copies: int
    offset: int
    groups: list[GroupAnswer]


@dataclass(frozen=True)
class NamedCount:
    """How many pictures have this."""

    name: str
    pictures: int


@dataclass(frozen=True)
class StatsAnswer:
    """The index in figures. may_read: folders whose files may be searched with; may_write: may tools change it?"""

    index: str
    pictures: int
    features: int
    bytes: int
    words: int
    tags: list[NamedCount]
    fields: list[NamedCount]
    may_read: list[str]
    may_write: bool


@dataclass(frozen=True)
class SkippedAnswer:
    """A file that was not added, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class AddAnswer:
    """What adding did."""

    added: int
    changed: int
    unchanged: int
    n_skipped: int
    skipped: list[SkippedAnswer] = field(default_factory=list)


@dataclass(frozen=True)
class ChangeAnswer:
    """How many pictures were changed or removed."""

    pictures: int


def hit_answer(hit: Hit, rank: int, title: str | None = None) -> HitAnswer:
    """A hit in plain values. title: the name that an upload was given."""
    proof = hit.verification
    return HitAnswer(
        rank=rank,
        name=hit.name,
        title=title,
        path=str(hit.path),
        verdict=hit.verdict,
        meaning=MEANINGS[hit.verdict],
        basis=hit.basis,
        probability=None if hit.probability is None else round(hit.probability, 4),
        score=round(hit.score, 3),
        inliers=proof.n_inliers if proof else None,
        mirrored=proof.mirrored if proof else None,
        variant=proof.variant if proof else None,
        outline=None if hit.outline is None else [[round(x, 1), round(y, 1)] for x, y in hit.outline.tolist()],
        width=hit.width,
        height=hit.height,
    )


def duplicates_answer(groups: Sequence[Group], kind: str, offset: int, limit: int) -> DuplicatesAnswer:
    """A page of groups, those with the most bytes of copies first."""
    ordered = sorted(groups, key=lambda group: (-_bytes_of_copies(group), group.representative.name))
    shown = [
        GroupAnswer(each.kind, [_member(each.representative, None), *(_member(*pair) for pair in each.others)])
        for each in ordered[offset : offset + limit]
    ]
    n_pictures, n_bytes = sum(len(each.members) for each in groups), sum(map(_bytes_of_copies, groups))
    return DuplicatesAnswer(kind, len(groups), n_pictures, n_bytes, offset, shown)


def _bytes_of_copies(group: Group) -> int:
    return sum(member.n_bytes for member, _ in group.others)


def _member(member: Member, link: Link | None) -> MemberAnswer:
    facts = (member.name, member.path, member.width, member.height, member.n_bytes)
    if link is None:
        return MemberAnswer(*facts, None, None, None, [])
    return MemberAnswer(*facts, link.kind, link.n_inliers, link.agreement, list(link.changes))


def add_answer(report: AddReport) -> AddAnswer:
    """What `Engine.add` reports, with the first files that were skipped."""
    skipped = [SkippedAnswer(str(each.path), each.reason) for each in report.skipped[:_MOST_SKIPPED]]
    return AddAnswer(
        report.n_added, report.n_changed, report.n_unchanged + report.n_moved + report.n_touched,
        len(report.skipped), skipped,
    )  # fmt: skip


def counts(found: Mapping[str, int], most: int = 100) -> list[NamedCount]:
    """The most frequent first."""
    ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    return [NamedCount(name, n) for name, n in ranked[:most]]
