"""A commit of several catalogues at once: written down whole first, then done in each, by whoever comes first.

What is to be done is one file beside the catalogue. Once it is there, the commit is made: a process that dies leaves
the file, and the next that opens the index goes on where it stopped. A catalogue says by the number of its commit
whether its share is done, so nothing is done twice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Protocol

from bof.errors import IndexStoreError, reason_of
from bof.store import catalog
from bof.store.catalog import Fields, ImageRecord, Move, additions, changes, metadata
from bof.store.parts.layout import FOLDER
from bof.system.directory import Directory
from bof.system.files import FileFact, fsync_path, open_for_writing

FILE_NAME = "commit.json"
_FORMAT = 1
_ADVICE = "restore the index folder from a copy, or index again"


class Change(Protocol):
    """What is done in one catalogue, inside its transaction; a dataclass of what JSON can hold."""

    def apply(self, database: Connection) -> None:
        """Do it."""


@dataclass(frozen=True, slots=True)
class AddSegment:
    """A written segment comes in. name: of its folder; last_id: the highest id that any part has given; annotated: see
    `Writer.append`.
    """

    name: str
    files: Mapping[str, FileFact]
    records: Sequence[ImageRecord]
    annotated: Mapping[str, Fields]
    last_id: int

    def apply(self, database: Connection) -> None:
        """Older images of the same paths give way."""
        additions.raise_last(database, self.last_id)
        metadata.set_fields(database, self.annotated)
        changes.add_segment(database, self.name, self.files, self.records)


@dataclass(frozen=True, slots=True)
class Rearrange:
    """Images are found under other paths, and images (ids) leave."""

    moves: Sequence[Move]
    gone: Sequence[int]

    def apply(self, database: Connection) -> None:
        """What leaves makes room."""
        changes.delete_images(database, self.gone)
        changes.move_images(database, self.moves)


@dataclass(frozen=True, slots=True)
class Annotate:
    """Fields of images, by path, gain values and lose others."""

    paths: Sequence[str]
    add: Fields
    remove: Fields

    def apply(self, database: Connection) -> None:
        """All of them."""
        metadata.annotate(database, self.paths, self.add, self.remove)


@dataclass(frozen=True, slots=True)
class SetFields:
    """Fields of images, by path, get new values."""

    annotated: Mapping[str, Fields]

    def apply(self, database: Connection) -> None:
        """All of them."""
        metadata.set_fields(database, self.annotated)


@dataclass(frozen=True, slots=True)
class SetFacts:
    """Facts of the catalogue; groups of optional columns that no longer fit them are dropped."""

    facts: Mapping[str, Any]
    dropped: Sequence[str] = ()

    def apply(self, database: Connection) -> None:
        """All of them."""
        for group in self.dropped:
            changes.drop_files(database, group)
        for key, value in self.facts.items():
            changes.set_meta(database, key, value)


_KINDS: Mapping[str, type[Any]] = {
    kind.__name__: kind for kind in (AddSegment, Rearrange, Annotate, SetFields, SetFacts)
}

Plan = Mapping[str, Sequence[Change]]
"""By the name of a part, "" for the whole's own catalogue: what is done there."""


def commit(folder: Path, plan: Plan) -> None:
    """Do all of a plan, or nothing. Only the holder of the writer's lock calls it.

    Raises IndexStoreError: before the plan is on disk the index is as it was, afterwards the next change ends it.
    """
    if len(plan) == 1:
        ((name, steps),) = plan.items()
        _apply(_folder(folder, name), steps)
    elif plan:
        numbers = {name: catalog.read_generation(_folder(folder, name)) for name in plan}
        _write_down(folder, [_step(name, numbers[name], steps) for name, steps in plan.items()])
        finish(folder)


def is_pending(folder: Path) -> bool:
    """Was a commit cut short, or is one being made?"""
    return os.path.lexists(folder / FILE_NAME)


def finish(folder: Path) -> None:
    """Do what a commit that was written down has left to do. Only the holder of the writer's lock calls it."""
    if not is_pending(folder):
        return
    for name, number, steps in _read(folder):
        place = _folder(folder, name)
        if catalog.read_generation(place) == number:
            _apply(place, steps)
    try:
        (folder / FILE_NAME).unlink()
        fsync_path(folder)
    except OSError as error:
        raise IndexStoreError(reason_of(error), path=folder / FILE_NAME, advice="the next change ends it") from error


def _apply(folder: Path, steps: Sequence[Change]) -> None:
    with catalog.transaction(folder) as database:
        for step in steps:
            step.apply(database)


def _folder(folder: Path, name: str) -> Path:
    return folder / FOLDER / name if name else folder


def _step(name: str, number: int, steps: Sequence[Change]) -> dict[str, Any]:
    done = [{"kind": type(step).__name__, **asdict(step)} for step in steps]  # type: ignore[call-overload]
    return {"part": name, "commit": number, "changes": done}


def _write_down(folder: Path, steps: Sequence[dict[str, Any]]) -> None:
    fresh = folder / f".{FILE_NAME}.partial"
    try:
        fresh.unlink(missing_ok=True)
        with open_for_writing(fresh) as stream:
            stream.write(json.dumps({"format": _FORMAT, "steps": steps}).encode())
        fsync_path(fresh)
        os.replace(fresh, folder / FILE_NAME)
        fsync_path(folder)
    except OSError as error:
        raise IndexStoreError(reason_of(error), path=folder / FILE_NAME, advice="the index is as it was") from error


def _read(folder: Path) -> list[tuple[str, int, list[Change]]]:
    """The plan that is written down. Raises IndexStoreError where it is damaged."""
    path = folder / FILE_NAME
    try:
        with Directory.open(folder) as here, here.open_file(FILE_NAME) as stream:
            written = json.loads(stream.read())
        if written["format"] != _FORMAT:
            raise ValueError(f"format {written['format']!r:.40}")
        return [_checked(step) for step in written["steps"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise IndexStoreError(f"a commit that cannot be read: {error}", path=path, advice=_ADVICE) from error


def _checked(step: Mapping[str, Any]) -> tuple[str, int, list[Change]]:
    name, number = step["part"], step["commit"]
    if not isinstance(name, str) or not isinstance(number, int) or (name and not name.isalnum()):
        raise ValueError("no name of a part")
    return name, number, [_change(dict(one)) for one in step["changes"]]


def _change(values: dict[str, Any]) -> Change:
    kind = _KINDS[values.pop("kind")]
    if kind is AddSegment:
        values["files"] = {name: FileFact(**fact) for name, fact in values["files"].items()}
        values["records"] = [ImageRecord(**record) for record in values["records"]]
    if kind is Rearrange:
        values["moves"] = [Move(**move) for move in values["moves"]]
    change: Change = kind(**values)
    return change
