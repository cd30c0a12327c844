"""A commit of several catalogues as it is written down: JSON under a checksum, every value of which is checked."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bof.errors import IndexStoreError, reason_of
from bof.options import GROUPS
from bof.store.catalog import ImageRecord, Move, additions
from bof.store.catalog.commits import is_fact
from bof.store.catalog.records import require_cells
from bof.store.parts.changes import AddSegment, Annotate, Change, Rearrange, SetFacts, SetFields
from bof.system.database import DamagedDatabaseError
from bof.system.directory import Directory
from bof.system.files import FileFact, fsync_path, open_for_writing, sha256_of_json

FILE_NAME = "commit.json"
_FORMAT = 2
_MOST_BYTES = 1 << 30
ADVICE = "{bof index} --repair drops it; the next {bof index} adds what it was to add"

_PART = re.compile("[0-9a-f]{32}")
_CHANGEABLE = ("columns", "model", "roots", "vocabulary_files")
"""Facts that a commit may set."""

_KINDS: Mapping[str, type[Any]] = MappingProxyType(
    {kind.__name__: kind for kind in (AddSegment, Rearrange, Annotate, SetFields, SetFacts)}
)

Step = tuple[str, int, Sequence[Change]]
"""Of one catalogue: the part's name, "" for the whole's own; the number of the commit before; what is done."""


class DamagedCommitError(IndexStoreError):
    """A commit that was written down is not what bof writes."""


def write_plan(folder: Path, steps: Sequence[Step]) -> None:
    """Write a commit down, forced onto the disk: from then on it is made. Raises IndexStoreError."""
    fresh = folder / f".{FILE_NAME}.partial"
    try:
        fresh.unlink(missing_ok=True)
        with open_for_writing(fresh) as stream:
            stream.write(as_json(steps))
        fsync_path(fresh)
        os.replace(fresh, folder / FILE_NAME)
        fsync_path(folder)
    except OSError as error:
        raise IndexStoreError(reason_of(error), path=folder / FILE_NAME, advice="the index is as it was") from error


def as_json(steps: Sequence[Step]) -> bytes:
    """As it is written."""
    written = [{"part": part, "commit": number, "changes": list(map(_as_json, done))} for part, number, done in steps]
    return json.dumps({"format": _FORMAT, "seal": sha256_of_json(written), "steps": written}).encode()


def _as_json(change: Change) -> dict[str, Any]:
    return {"kind": type(change).__name__, **asdict(change)}  # type: ignore[call-overload]


def read_plan(folder: Path, parts: Collection[str]) -> list[Step]:
    """The commit that is written down. parts: the names that there are. Raises DamagedCommitError."""
    try:
        with Directory.open(folder) as here:
            if (n_bytes := here.size_of(FILE_NAME)) > _MOST_BYTES:
                raise ValueError(f"{n_bytes} bytes")
            with here.open_file(FILE_NAME) as stream:
                return parse_plan(stream.read(_MOST_BYTES), parts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, DamagedDatabaseError) as error:
        problem = f"a commit that cannot be read: {reason_of(error):.200}"
        raise DamagedCommitError(problem, path=folder / FILE_NAME, advice=ADVICE) from error


def parse_plan(data: bytes, parts: Collection[str]) -> list[Step]:
    """A plan as it was written. Raises ValueError, KeyError, TypeError, AttributeError, RecursionError, or
    DamagedDatabaseError for a cell that no catalogue may have.
    """
    written = json.loads(data)
    if written["format"] != _FORMAT:
        raise ValueError(f"format {written['format']!r:.40}")
    if written["seal"] != sha256_of_json(written["steps"]):
        raise ValueError("its content has changed (checksum)")
    steps = [_step(step, parts) for step in written["steps"]]
    if len({part for part, _, _ in steps}) != len(steps):
        raise ValueError("a part twice")
    return steps


def _step(step: Mapping[str, Any], parts: Collection[str]) -> Step:
    part, number, changes = step["part"], step["commit"], step["changes"]
    if not isinstance(part, str) or (part and (not _PART.fullmatch(part) or part not in parts)):
        raise ValueError(f"{part!r:.60} is no part")
    if type(number) is not int or not 0 <= number < 1 << 31:
        raise ValueError(f"{number!r:.40} is no number of a commit")
    return part, number, [_change(dict(one)) for one in changes]


def _change(values: dict[str, Any]) -> Change:
    kind = _KINDS[values.pop("kind")]
    if values.keys() != {field.name for field in fields(kind)}:
        raise ValueError(f"other fields than those of {kind.__name__}")
    return _READERS[kind](values)


def _add_segment(values: dict[str, Any]) -> AddSegment:
    files = {name: FileFact(**fact) for name, fact in values["files"].items()}
    records = [ImageRecord(**record) for record in values["records"]]
    require_cells("segments.name", [values["name"]])
    require_cells("files.name", list(files))
    for column in ("n_bytes", "sha256"):
        require_cells(f"files.{column}", [getattr(fact, column) for fact in files.values()])
    for column in ("n_bytes", "mtime_ns", "sha256", "width", "height", "n_features"):
        require_cells(f"images.{column}", [getattr(record, column) for record in records])
    _require_texts([text for record in records for text in (record.name, record.path)])
    last = values["last_id"]
    if type(last) is not int or not 0 <= last < additions.MAX_ID:
        raise ValueError(f"{last!r:.40} is no id")
    return AddSegment(values["name"], files, records, _annotated(values["annotated"]), last)


def _rearrange(values: dict[str, Any]) -> Rearrange:
    moves = [Move(**move) for move in values["moves"]]
    require_cells("images.id", [*(move.id for move in moves), *values["gone"]])
    for column in ("n_bytes", "mtime_ns"):
        require_cells(f"images.{column}", [getattr(move, column) for move in moves])
    _require_texts([text for move in moves for text in (move.name, move.path)])
    return Rearrange(moves, list(values["gone"]))


def _annotate(values: dict[str, Any]) -> Annotate:
    _require_texts(values["paths"])
    return Annotate(list(values["paths"]), _fields(values["add"]), _fields(values["remove"]))


def _set_facts(values: dict[str, Any]) -> SetFacts:
    facts, dropped = dict(values["facts"]), list(values["dropped"])
    for key, value in facts.items():
        if key not in _CHANGEABLE or not is_fact(key, value):
            raise ValueError(f"another kind of fact {key!r:.40}")
    if any(group not in GROUPS for group in dropped):
        raise ValueError("groups of columns that do not exist")
    return SetFacts(facts, dropped)


_READERS: Mapping[type[Any], Callable[[dict[str, Any]], Change]] = MappingProxyType(
    {
        AddSegment: _add_segment,
        Rearrange: _rearrange,
        Annotate: _annotate,
        SetFields: lambda values: SetFields(_annotated(values["annotated"])),
        SetFacts: _set_facts,
    }
)


def _annotated(given: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    _require_texts(list(given))
    return {path: _fields(found) for path, found in given.items()}


def _fields(given: Mapping[str, Any]) -> dict[str, list[str]]:
    for key, values in given.items():
        if not isinstance(values, list) or not all(isinstance(text, str) for text in (key, *values)):
            raise ValueError("fields that are no texts")
    return {key: list(values) for key, values in given.items()}


def _require_texts(texts: Sequence[Any]) -> None:
    for text in texts:
        if not isinstance(text, str) or "\0" in text:
            raise ValueError("a name or a path that no file can have")
        os.fsencode(text)
