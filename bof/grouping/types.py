"""What duplicates are made of: members, how each is proved to be like its group's representative, groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from bof.options import KIND
from bof.options import KINDS as KINDS
from bof.options import Kind as Kind
from bof.store.catalog import ImageRecord
from bof.types import F64

GROUP_KIND = replace(KIND, choices=KINDS, meaning=KIND.meaning.partition("; clip:")[0])
"""The option, without what makes no groups."""

Change = Literal["encoded", "resized", "cropped", "turned", "mirrored", "overlaid", "recoloured"]


Member = ImageRecord
"""One picture of the collection, as it was when it was indexed."""


@dataclass(frozen=True, slots=True)
class Link:
    """How a member is like its group's representative.

    n_inliers: points that agree, 0 for exact copies; agreement: share of the common part whose pixels agree, 0 to 1, 1
    for exact copies, None where pixels do not decide (scene); head_from_member f64 (3, 3) in pixels of the two upright
    originals, the identity for exact copies; changes: what was done to one to become the other. Of a copy of a copy
    both proofs are reported as one: the transforms one after the other, the fewer inliers, the lower agreement.
    """

    kind: Kind
    n_inliers: int
    agreement: float | None
    representative_from_member: F64
    changes: tuple[Change, ...]


_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures that belong together: a representative, and the others, each proved against it."""

    representative: Member
    others: Sequence[tuple[Member, Link]]

    def __repr__(self) -> str:
        names = ", ".join(repr(member.name) for member in self.members[:_SHOWN])
        more = ", ..." if len(self.members) > _SHOWN else ""
        return f"Group({self.kind}, {len(self.members)}: {names}{more})"

    @property
    def members(self) -> list[Member]:
        """All of them, the representative first."""
        return [self.representative, *(member for member, _ in self.others)]

    @property
    def kind(self) -> Kind:
        """The loosest kind among its links."""
        return max((link.kind for _, link in self.others), key=KINDS.index)


class Groups(list[Group]):
    """Groups of duplicates."""

    def __repr__(self) -> str:
        first = ", ".join(map(repr, self[:_SHOWN]))
        return f"Groups({len(self)}{': ' if self else ''}{first}{', ...' if len(self) > _SHOWN else ''})"

    def to_records(self) -> list[dict[str, Any]]:
        """A row of plain values a picture: the group's number from 1, its representative first, kind None for it."""
        return [
            {"group": number, **_record(member, link)}
            for number, group in enumerate(self, 1)
            for member, link in [(group.representative, None), *group.others]
        ]


def _record(member: Member, link: Link | None) -> dict[str, Any]:
    return {
        "name": member.name,
        "path": member.path,
        "kind": link.kind if link else None,
        "inliers": link.n_inliers if link else None,
        "agreement": link.agreement if link else None,
        "changes": ", ".join(link.changes) if link else None,
        "width": member.width,
        "height": member.height,
        "bytes": member.n_bytes,
    }
