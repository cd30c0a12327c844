"""Groups of duplicates as the last look found them, by kind, ready to be reported page by page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bof.engine import Engine
from bof.grouping.choosing import choose
from bof.grouping.detail import look_at_all
from bof.grouping.finding import find_groups
from bof.grouping.memory import no_duplicates, reject
from bof.grouping.types import Group, Kind, Link
from bof.options import KINDS, DuplicateOptions
from bof.server.collection import ServedCollection
from bof.server.jobs.queue import Job, Work
from bof.store.catalog import ImageRecord

Entries = list[tuple[ImageRecord, Link | None]]
"""The members of a group, each with how it is like the representative (None: the representative)."""


class Duplicates:
    """What was found, in memory; what takes long is kept in the index folder, so that a second look is fast."""

    def __init__(self, collection: ServedCollection, vocabulary_folder: Path) -> None:
        self._collection, self._vocabulary_folder = collection, vocabulary_folder
        self._found: dict[Kind, list[tuple[Group, int]]] = {}
        """Groups, and the id of the picture to keep in each."""

    def look(self, kind: Kind) -> Work:
        """Find all groups up to a kind, and which of each to keep."""

        def work(job: Job) -> None:
            engine = Engine.open(self._collection.folder, self._vocabulary_folder)
            options = DuplicateOptions(workers=max(1, (os.cpu_count() or 1) - 1))
            groups = find_groups(engine, kind, options, job.show)
            looks = look_at_all(groups, job.show)
            chosen = [choose(group, look) for group, look in zip(groups, looks, strict=True)]
            keepers = [choice.keeper.id if choice.keeper else -1 for choice in chosen]
            self._found[kind] = list(zip(groups, keepers, strict=True))

        return work

    def page(self, kind: Kind, offset: int, limit: int) -> dict[str, Any]:
        """Some groups: without pictures that have left since, and pairs that were rejected since."""
        refused = no_duplicates(self._collection.folder)
        groups = [(_allowed(group, refused), keeper) for group, keeper in self._found.get(kind, [])]
        numbers = [image.id for entries, _ in groups for image, _ in entries]
        live = self._collection.select_ids(ids=numbers)
        left = [([entry for entry in entries if entry[0].id in live], keeper) for entries, keeper in groups]
        left = [(entries, keeper) for entries, keeper in left if len(entries) > 1]
        shown = left[offset : offset + limit]
        return {
            "kind": kind,
            "found": kind in self._found,
            "total": len(left),
            "offset": offset,
            "groups": [self._group(*group) for group in shown],
        }

    def _group(self, entries: Entries, keeper: int) -> dict[str, Any]:
        link_of = {image.id: link for image, link in entries}
        shown = {one["id"]: one for one in self._collection.show_all(self._collection.select(ids=link_of))}
        members = [
            {**shown[number], "keep": number == keeper, "link": _link(link)}
            for number, link in link_of.items()
            if number in shown
        ]
        kinds = [link.kind for link in link_of.values() if link]
        return {"kind": max(kinds, key=KINDS.index), "members": members}

    def reject(self, a: int, b: int) -> None:
        """Remember that two pictures are no duplicates. Raises ProblemError, not-found."""
        one, other = self._collection.record(a), self._collection.record(b)
        reject(self._collection.folder, [(one.sha256, other.sha256)])


def _allowed(group: Group, refused: set[frozenset[str]]) -> Entries:
    """The representative and those that were not rejected beside it."""
    others = [pair for pair in group.others if frozenset((group.representative.sha256, pair[0].sha256)) not in refused]
    return [(group.representative, None), *others]


def _link(link: Link | None) -> dict[str, Any] | None:
    if link is None:
        return None
    return {
        "kind": link.kind, "n_inliers": link.n_inliers, "agreement": link.agreement, "changes": list(link.changes),
    }  # fmt: skip
