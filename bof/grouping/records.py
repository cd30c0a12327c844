"""Groups as records for other programs: JSON with everything, CSV with a row a member."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bof.errors import DuplicateError, reason_of
from bof.grouping.choosing import Choice
from bof.grouping.types import Group, Link, Member
from bof.system.csv_cells import text_cell
from bof.system.files import write_file

FORMAT = 1
COLUMNS = (
    "group", "role", "name", "path", "kind", "changes", "agreement", "inliers", "width", "height", "bytes", "modified",
    "why",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """A group, its number from 1, and what was chosen."""

    number: int
    group: Group
    choice: Choice

    @property
    def bytes_to_free(self) -> int:
        """What the duplicates take that nothing speaks against taking away."""
        keeper, held = self.choice.keeper, self.choice.held
        rest = [m for m in self.group.members if keeper and m.id != keeper.id and m.id not in held]
        return sum(member.n_bytes for member in rest)

    def members(self) -> Iterator[tuple[Member, Link | None]]:
        """The one to keep first, then the others, each with its link to the representative; this has none."""
        pairs: list[tuple[Member, Link | None]] = [(self.group.representative, None), *self.group.others]
        keeper = self.choice.keeper
        return iter(sorted(pairs, key=lambda pair: keeper is None or pair[0].id != keeper.id))

    def is_keeper(self, member: Member) -> bool:
        """Is it the one to keep?"""
        return self.choice.keeper is not None and member.id == self.choice.keeper.id

    def why(self, member: Member) -> str:
        """Why a member is to be kept, or what the kept one has that it has not, and what speaks against touching it."""
        if self.is_keeper(member):
            return self.choice.why
        held = self.choice.held.get(member.id)
        reasons = [f"the kept one: {self.choice.against[member.id]}"] if member.id in self.choice.against else []
        return "; ".join([*reasons, *([f"left alone: {held}"] if held else [])])


def modified(member: Member) -> str:
    """When its file was changed last, local time, ISO 8601."""
    return datetime.fromtimestamp(member.mtime_ns // 1_000_000_000).isoformat()


def as_json(judged: Sequence[Judged], facts: dict[str, Any]) -> str:
    """All groups as JSON text (docs/duplicates.md); names that are no UTF-8 as Python's os.fsdecode has them."""
    groups = [_group_record(one) for one in judged]
    return json.dumps({"format": FORMAT, **facts, "groups": groups}, indent=2) + "\n"


def _group_record(one: Judged) -> dict[str, Any]:
    keeper = one.choice.keeper
    return {
        "number": one.number,
        "kind": one.group.kind,
        "keep": keeper and keeper.name,
        "why": one.choice.why,
        "bytes_to_free": one.bytes_to_free,
        "members": [_member_record(one, member, link) for member, link in one.members()],
    }


def _member_record(one: Judged, member: Member, link: Link | None) -> dict[str, Any]:
    look = one.choice.looks[member.id]
    return {
        "role": "keep" if one.is_keeper(member) else "duplicate",
        "is_head": link is None,
        "name": member.name,
        "path": member.path,
        "sha256": member.sha256,
        "width": member.width,
        "height": member.height,
        "bytes": member.n_bytes,
        "modified": modified(member),
        "kind": link and link.kind,
        "changes": list(link.changes) if link else [],
        "agreement": link and link.agreement,
        "inliers": link and link.n_inliers,
        "head_from_member": link.representative_from_member.tolist() if link else None,
        "detail": look.detail,
        "why": one.choice.why if one.is_keeper(member) else one.choice.against.get(member.id, ""),
        "left_alone": one.choice.held.get(member.id, ""),
    }


def as_csv(judged: Sequence[Judged]) -> str:
    """A row a member; names as any terminal and any spreadsheet can read them."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in judged:
        for member, link in one.members():
            writer.writerow(_row(one, member, link))
    return text.getvalue()


def _row(one: Judged, member: Member, link: Link | None) -> list[object]:
    role = "keep" if one.is_keeper(member) else "duplicate"
    agreement = "" if link is None or link.agreement is None else f"{link.agreement:.3f}"
    how = (link.kind, " ".join(link.changes), agreement, link.n_inliers) if link else ("", "", "", "")
    size = (member.width, member.height, member.n_bytes, modified(member))
    names = (text_cell(member.name), text_cell(member.path))
    return [one.number, role, *names, *how, *size, text_cell(one.why(member))]


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all, and through no link. Raises DuplicateError."""
    try:
        write_file(path, text.encode())
    except OSError as error:
        raise DuplicateError(f"cannot be written: {reason_of(error)}", path=path) from error
