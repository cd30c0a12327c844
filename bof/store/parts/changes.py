"""What a commit changes in one catalogue: values that JSON can hold, each of which knows how it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Protocol

from bof.store.catalog import Fields, ImageRecord, Move, additions, changes, metadata
from bof.system.files import FileFact


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
