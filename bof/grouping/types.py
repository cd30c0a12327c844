"""What duplicates are made of: members, how each is proved to be like its group's representative, groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bof.options import KINDS as KINDS
from bof.options import Kind as Kind
from bof.store.catalog import ImageRecord
from bof.types import F64

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


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures that belong together: a representative, and the others, each proved against it."""

    representative: Member
    others: Sequence[tuple[Member, Link]]

    @property
    def members(self) -> list[Member]:
        """All of them, the representative first."""
        return [self.representative, *(member for member, _ in self.others)]

    @property
    def kind(self) -> Kind:
        """The loosest kind among its links."""
        return max((link.kind for _, link in self.others), key=KINDS.index)
