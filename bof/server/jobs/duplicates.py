"""Groups of duplicates as the last search found them, by kind, ready to be reported page by page and decided on."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from bof.engine import Engine
from bof.grouping.choosing import choose
from bof.grouping.detail import look_at_all
from bof.grouping.finding import find_groups
from bof.grouping.memory import allow, no_duplicates, reject, rejected
from bof.grouping.records import Judged
from bof.grouping.types import Kind
from bof.options import DuplicateOptions
from bof.server.collection import ServedCollection
from bof.server.http.problems import ProblemError, not_found
from bof.server.jobs.found import ORDERS, FoundGroup, group_json, left_of, picked, totals
from bof.server.jobs.queue import Job, Work

_MOST_REJECTED = 500
"""Rejected pairs that are listed."""


class Duplicates:
    """What was found, in memory; what takes long is kept in the index folder, so that a second search is fast."""

    def __init__(self, collection: ServedCollection, vocabulary_folder: Path) -> None:
        self._collection, self._vocabulary_folder = collection, vocabulary_folder
        self._found: dict[Kind, list[Judged]] = {}

    def look(self, kind: Kind) -> Work:
        """Find all groups up to a kind, and which of each to keep."""

        def work(job: Job) -> None:
            engine = Engine.open(self._collection.folder, self._vocabulary_folder)
            options = DuplicateOptions(workers=max(1, (os.cpu_count() or 1) - 1))
            groups = find_groups(engine, kind, options, job.show)
            looks = look_at_all(groups, job.show)
            pairs = zip(groups, looks, strict=True)
            self._found[kind] = [
                Judged(number, group, choose(group, look)) for number, (group, look) in enumerate(pairs, 1)
            ]

        return work

    def groups(self, kind: Kind) -> list[FoundGroup]:
        """What is left of the groups of the last search."""
        found = self._found.get(kind, [])
        numbers = [member.id for judged in found for member in judged.group.members]
        live = self._collection.select_ids(ids=numbers)
        return left_of(found, live, no_duplicates(self._collection.folder))

    def page(
        self, kind: Kind, offset: int, limit: int, sort: str = "frees", only: Collection[str] = (), folder: str = ""
    ) -> dict[str, Any]:
        """Some groups, in order, and figures of all."""
        groups = sorted(picked(self.groups(kind), only, folder), key=ORDERS[sort])
        return {
            "kind": kind, "found": kind in self._found, "total": len(groups), "offset": offset,
            "totals": totals(groups, self._collection.is_uploaded),
            "groups": self._shown(groups[offset : offset + limit]),
        }  # fmt: skip

    def group(self, kind: Kind, name: str) -> dict[str, Any]:
        """One group by its address, or that of another of its members. Raises ProblemError, not-found."""
        groups = self.groups(kind)
        exact = [group for group in groups if group.id == name]
        for group in exact or [group for group in groups if name in group.contents]:
            return self._shown([group])[0]
        raise not_found(f"group {name[:50]!r}")

    def _shown(self, groups: list[FoundGroup]) -> list[dict[str, Any]]:
        numbers = [member.id for group in groups for member, _ in group.entries]
        shown = {one["id"]: one for one in self._collection.show_all(self._collection.select(ids=numbers))}
        return [group_json(group, shown) for group in groups]

    def to_act_on(self, wish: dict[str, Any]) -> list[FoundGroup]:
        """The groups that a request means, whose duplicates are to go.

        wish: as docs/api.md has it, checked. Raises ProblemError: not-found for a group that is none, conflict where
        there is nothing to do or not as many pictures as the request expects.
        """
        ids = wish.get("groups", [])
        groups = picked(self.groups(wish["kind"]), wish.get("only", ()), wish.get("folder", ""), ids)
        for name in sorted(set(ids) - {group.id for group in groups}):
            raise not_found(f"group {name!r}")
        if "keep" in wish:
            groups = [group.keeping(wish["keep"]) for group in groups]
        n = sum(len(group.duplicates) for group in groups)
        if n == 0 or n != wish.get("pictures", n):
            expected = wish.get("pictures", "one or more")
            raise ProblemError("conflict", f"expected {expected} duplicates, found {n}; look at the groups again")
        return groups

    # -- Pairs that are no duplicates ---------------------------------------------------------------------------------

    def reject(self, a: int, b: int) -> None:
        """Remember that two pictures are no duplicates. Raises ProblemError, not-found."""
        reject(self._collection.folder, [self._contents(a, b)])

    def forget(self, a: int, b: int) -> None:
        """They may be duplicates again. Raises ProblemError, not-found, where they were not rejected."""
        pair = self._contents(a, b)
        if frozenset(pair) not in rejected(self._collection.folder):
            raise not_found(f"rejected pair {a}, {b}")
        allow(self._collection.folder, [pair])

    def _contents(self, a: int, b: int) -> tuple[str, str]:
        return self._collection.record(a).sha256, self._collection.record(b).sha256

    def rejected_pairs(self) -> dict[str, Any]:
        """The pairs that were rejected and are both in the index, by name."""
        pairs = [sorted(pair) for pair in rejected(self._collection.folder)][:_MOST_REJECTED]
        shown = self._collection.show_contents({content for pair in pairs for content in pair})
        both = [(shown.get(pair[0], [])[:1] + shown.get(pair[-1], [])[-1:]) for pair in pairs]
        known = [(pair[0], pair[1]) for pair in both if len(pair) == 2 and pair[0]["id"] != pair[1]["id"]]
        known.sort(key=lambda pair: (pair[0]["name"], pair[1]["name"]))
        return {"pairs": [{"one": one, "other": other} for one, other in known]}
