"""Groups of duplicates as the last look found them, by kind, ready to be told page by page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bof.engine import Engine
from bof.grouping.choosing import choose
from bof.grouping.detail import look_at_all
from bof.grouping.finding import find_groups
from bof.grouping.memory import reject, rejected
from bof.grouping.types import Group, Kind, Link
from bof.options import KINDS, DuplicateOptions
from bof.server.collection import Collection
from bof.server.jobs.queue import Job, Work


@dataclass(frozen=True, slots=True)
class Entry:
    """A member of a group: its id and content, is it the one to keep, and how it is like the head (None: the head)."""

    id: int
    sha256: str
    keep: bool
    link: Link | None


Entries = list[Entry]


class Duplicates:
    """What was found, in memory; what takes long is kept in the index folder, so that a second look is fast."""

    def __init__(self, collection: Collection, vocabulary_folder: Path) -> None:
        self._collection, self._vocabulary_folder = collection, vocabulary_folder
        self._found: dict[Kind, list[Entries]] = {}

    def look(self, kind: Kind) -> Work:
        """Find all groups up to a kind, and which of each to keep."""

        def work(job: Job) -> None:
            engine = Engine.open(self._collection.folder, self._vocabulary_folder)
            options = DuplicateOptions(workers=max(1, (os.cpu_count() or 1) - 1))
            groups = find_groups(engine, kind, options, job.show)
            looks = look_at_all(groups, job.show)
            chosen = [choose(group, look) for group, look in zip(groups, looks, strict=True)]
            keepers = [choice.keeper.id if choice.keeper else -1 for choice in chosen]
            self._found[kind] = [_entries(*pair) for pair in zip(groups, keepers, strict=True)]

        return work

    def page(self, kind: Kind, offset: int, limit: int) -> dict[str, Any]:
        """Some groups: without pictures that have left since, and pairs that were rejected since."""
        refused = rejected(self._collection.folder)
        groups = [_kept(entries, refused) for entries in self._found.get(kind, [])]
        live = self._live([entry.id for entries in groups for entry in entries])
        left = [[entry for entry in entries if entry.id in live] for entries in groups]
        left = [entries for entries in left if len(entries) > 1]
        shown = left[offset : offset + limit]
        return {
            "kind": kind,
            "found": kind in self._found,
            "total": len(left),
            "offset": offset,
            "groups": [self._group(entries) for entries in shown],
        }

    def _live(self, numbers: Sequence[int]) -> set[int]:
        step = 500  # of parameters that SQLite takes at once
        return {
            number
            for first in range(0, len(numbers), step)
            for number in self._collection.facts(numbers[first : first + step])
        }

    def _group(self, entries: Entries) -> dict[str, Any]:
        facts = self._collection.facts([entry.id for entry in entries])
        members = [
            {**self._collection.describe(facts[entry.id]), "keep": entry.keep, "link": _link(entry.link)}
            for entry in entries
            if entry.id in facts
        ]
        kinds = [entry.link.kind for entry in entries if entry.link]
        return {"kind": max(kinds, key=KINDS.index), "members": members}

    def reject(self, a: int, b: int) -> None:
        """Remember that two pictures are no duplicates. Raises ProblemError, not-found."""
        one, other = self._collection.fact(a), self._collection.fact(b)
        reject(self._collection.folder, [(one.sha256, other.sha256)])


def _entries(group: Group, keeper: int) -> Entries:
    head = Entry(group.head.id, group.head.sha256, group.head.id == keeper, None)
    return [head, *(Entry(member.id, member.sha256, member.id == keeper, link) for member, link in group.others)]


def _kept(entries: Entries, refused: set[frozenset[str]]) -> Entries:
    """The head and those that were not rejected beside it."""
    head, *others = entries
    return [head, *(other for other in others if frozenset((head.sha256, other.sha256)) not in refused)]


def _link(link: Link | None) -> dict[str, Any] | None:
    if link is None:
        return None
    return {
        "kind": link.kind, "n_inliers": link.n_inliers, "agreement": link.agreement, "changes": list(link.changes),
    }  # fmt: skip
