"""Groups of duplicates as a search found them and as much of them as is left: in figures, in order, for some kinds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from bof.errors import display_name
from bof.grouping.choosing import Choice
from bof.grouping.memory import Pair
from bof.grouping.records import Judged
from bof.grouping.rules import Reason
from bof.grouping.types import Group, Kind, Link, Member
from bof.options import KINDS
from bof.server.http.problems import ProblemError

_ID_DIGITS = 16

Entry = tuple[Member, Link | None]
"""A member, and how it is like the representative (None: the representative)."""


@dataclass(frozen=True)
class FoundGroup:
    """What is left of one group. entries: its members, the representative first, if it is left.

    id: of its representative's content, so that an address of the group holds after the pictures were renamed, indexed
    again, or searched again; contents: of all that were found, so that it holds after the representative has left, too.
    """

    judged: Judged
    entries: Sequence[Entry]

    @property
    def id(self) -> str:
        """Its address."""
        return self.judged.group.representative.sha256[:_ID_DIGITS]

    @property
    def contents(self) -> set[str]:
        """Every address that may mean it."""
        return {member.sha256[:_ID_DIGITS] for member in self.judged.group.members}

    @property
    def kind(self) -> Kind:
        """The loosest kind among its links."""
        return max((link.kind for _, link in self.entries if link), key=KINDS.index)

    @cached_property
    def keeper(self) -> Member | None:
        """The picture that the rules would keep, if it is left."""
        keeper = self.judged.choice.keeper
        return keeper if keeper and any(member.id == keeper.id for member, _ in self.entries) else None

    @cached_property
    def duplicates(self) -> list[Member]:
        """What would go: neither the one to keep, nor what must be left alone."""
        if self.keeper is None:
            return []
        stays = {self.keeper.id, *self.judged.choice.held}
        return [member for member, _ in self.entries if member.id not in stays]

    @property
    def bytes_to_free(self) -> int:
        """What the duplicates take."""
        return sum(member.n_bytes for member in self.duplicates)

    @property
    def name(self) -> str:
        """Of its first member."""
        return self.entries[0][0].name

    @property
    def to_act_on(self) -> tuple[Group, Choice]:
        """As the actions take it."""
        first, rest = self.entries[0][0], [(member, link) for member, link in self.entries[1:] if link]
        return Group(first, tuple(rest)), self.judged.choice

    @property
    def arguments(self) -> list[Reason]:
        """What speaks for the one to keep, against those that are left."""
        left = {member.id for member, _ in self.entries}
        reasons = {number: reason for number, reason in self.judged.choice.reasons.items() if number in left}
        return replace(self.judged.choice, reasons=reasons).arguments if self.keeper and reasons else []

    def keeping(self, number: int) -> FoundGroup:
        """With another picture to keep, as a person chose. Raises ProblemError, not-found, if it is no member."""
        chosen = next((member for member, _ in self.entries if member.id == number), None)
        if chosen is None:
            raise ProblemError("not-found", f"expected a picture of the group, found no image {number} in it")
        looks = self.judged.choice.looks
        gone = {one.id: looks[one.id].problem for one, _ in self.entries if looks[one.id].problem and one != chosen}
        return replace(self, judged=replace(self.judged, choice=Choice(chosen, {}, gone, looks)))


def left_of(found: Iterable[Judged], live: Collection[int], refused: Set[Pair]) -> list[FoundGroup]:
    """The groups without pictures that have left since, and pairs that were rejected since. live: ids that are left."""
    groups = []
    for judged in found:
        representative = judged.group.representative
        entries: list[Entry] = [(representative, None), *judged.group.others]
        left = [
            (member, link)
            for member, link in entries
            if member.id in live and (link is None or frozenset((representative.sha256, member.sha256)) not in refused)
        ]
        if len(left) > 1:
            groups.append(FoundGroup(judged, left))
    return groups


ORDERS: Mapping[str, Callable[[FoundGroup], Any]] = {
    "frees": lambda group: (-group.bytes_to_free, group.name),
    "pictures": lambda group: (-len(group.entries), -group.bytes_to_free, group.name),
    "kind": lambda group: (KINDS.index(group.kind), -group.bytes_to_free, group.name),
    "name": lambda group: group.name,
}
"""In which order groups can be listed."""


def picked(
    groups: Iterable[FoundGroup], only: Collection[str] = (), folder: str = "", ids: Collection[str] = ()
) -> list[FoundGroup]:
    """The groups of some kinds, with a picture in a folder, with some addresses; empty: of any."""
    inside = folder.rstrip("/") + "/"
    return [
        group
        for group in groups
        if (not only or group.kind in only)
        and (not folder or any(display_name(member.name).startswith(inside) for member, _ in group.entries))
        and (not ids or group.id in ids)
    ]


def totals(groups: Sequence[FoundGroup], is_uploaded: Callable[[str], bool]) -> dict[str, Any]:
    """The groups in figures, together and by kind. uploads: duplicates whose files go with them."""
    by_kind = {kind: [group for group in groups if group.kind == kind] for kind in KINDS}
    return {
        **_figures(groups, is_uploaded),
        "by_kind": {kind: _figures(some, is_uploaded) for kind, some in by_kind.items() if some},
    }


def _figures(groups: Sequence[FoundGroup], is_uploaded: Callable[[str], bool]) -> dict[str, int]:
    duplicates = [member for group in groups for member in group.duplicates]
    return {
        "groups": len(groups), "pictures": sum(len(group.entries) for group in groups), "duplicates": len(duplicates),
        "bytes_to_free": sum(member.n_bytes for member in duplicates),
        "uploads": sum(is_uploaded(member.path) for member in duplicates),
    }  # fmt: skip


def group_json(group: FoundGroup, shown: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    """A group as the API reports it. shown: its pictures as the API reports them, by id."""
    keeper, choice = group.keeper, group.judged.choice
    return {
        "id": group.id, "kind": group.kind, "bytes_to_free": group.bytes_to_free,
        "keep": keeper and keeper.id, "reasons": [_reason(one) for one in group.arguments],
        "members": [
            {
                **shown[member.id], "keep": keeper is not None and member.id == keeper.id, "link": _link(link),
                "reason": _reason(choice.reasons.get(member.id)) if keeper else None,
                "left_alone": choice.held.get(member.id, ""),
            }
            for member, link in group.entries
            if member.id in shown
        ],
    }  # fmt: skip


def _reason(reason: Reason | None) -> dict[str, Any] | None:
    if reason is None:
        return None
    return {"key": reason.key, "text": reason.text, "times": reason.times, "name": reason.name}


def _link(link: Link | None) -> dict[str, Any] | None:
    if link is None:
        return None
    return {
        "kind": link.kind, "n_inliers": link.n_inliers, "agreement": link.agreement, "changes": list(link.changes),
    }  # fmt: skip
