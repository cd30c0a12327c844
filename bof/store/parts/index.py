"""An index in parts: what an `Index` answers, of ordinary indexes below one small catalogue."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from bof.errors import IndexStoreError, MismatchError
from bof.options import FeatureOptions
from bof.store import catalog
from bof.store.catalog import ImageRecord, Order, SegmentRecord, Selection
from bof.store.check import CheckReport
from bof.store.counts_cache import save_counts
from bof.store.document_counts import DocumentCounts
from bof.store.index import Cut, Index, OpenPart
from bof.store.parts import checking, redo
from bof.store.parts.layout import FACT, FOLDER, Layout
from bof.store.parts.writer import PartedWriter, open_parted_writer
from bof.store.snapshot import PartCommit
from bof.system.locking import one_writer

PATIENCE_S = 60.0
_PAUSE_S = 0.02

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PartedIndex(Index):
    """An index whose pictures lie in parts: its own catalogue has the facts alone, and names the parts.

    What is read of several parts belongs to one moment of all: see `redo`.
    """

    @property
    def layout(self) -> Layout:
        """Which parts there are now, and what goes where."""
        return Layout.of(catalog.read_meta(self.folder)[FACT])

    @property
    def parts(self) -> Sequence[Index]:
        """The ordinary index of each part."""
        return [self._part(name) for name in self.layout.names]

    def _part(self, name: str) -> Index:
        facts = self.fingerprint, self.n_words, self.features, self.vocabulary_folder, self.carries_vocabulary
        return Index(self.folder / FOLDER / name, *facts)

    # -- Opening it ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[Cut]:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with ExitStack() as stack:
                cut = self._cut(stack)
                if not redo.is_pending(self.folder):  # asked while no commit can end
                    yield cut
                    return
            self._end_commit(deadline)

    def _cut(self, stack: ExitStack) -> Cut:
        database = stack.enter_context(catalog.reading(self.folder))
        number = catalog.generation_in(database)
        layout = Layout.of(catalog.facts_in(self.folder, database)[FACT])
        parts = []
        for place, name in enumerate(layout.names, 1):
            part = self._part(name)
            checking.require_part(part.folder, place, len(layout.names))
            opened = OpenPart(name, part, stack.enter_context(catalog.reading(part.folder)))
            number += catalog.generation_in(opened.database)
            self._require_same(opened)
            parts.append(opened)
        return Cut(number + layout.base, parts)

    def _require_same(self, part: OpenPart) -> None:
        """Raises MismatchError where a part was made with another vocabulary, or other features."""
        facts = catalog.facts_in(part.index.folder, part.database)
        found = facts.get("fingerprint"), facts.get("n_words"), FeatureOptions.from_fact(facts["features"])
        expected = self.fingerprint, self.n_words, self.features
        if found != expected:
            differs = next(pair for pair in zip(expected, found, strict=True) if pair[0] != pair[1])
            raise MismatchError(
                "a part of another index", path=part.index.folder, expected=differs[0], found=differs[1],
                advice="restore the part that belongs here from a copy",
            )  # fmt: skip

    def _end_commit(self, deadline: float) -> None:
        """End a commit that was cut short, or wait for who makes it."""
        try:
            with self._opened_writer():
                pass
        except redo.DamagedCommitError:
            raise
        except IndexStoreError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_S)

    @contextmanager
    def _opened_writer(self) -> Iterator[PartedWriter]:
        with open_parted_writer(self.folder, self.n_words) as writer:
            yield writer

    def _keep_counts(
        self, parts: Sequence[Index], commits: Sequence[PartCommit], counts: Sequence[DocumentCounts]
    ) -> None:
        for part, commit, counted in zip(parts, commits, counts, strict=True):
            if part.known_counts(commit.generation) is None:
                save_counts(part.folder, commit.generation, counted)

    # -- What the catalogues say ---------------------------------------------------------------------------------------

    def _each(self, read: Callable[[Path], T]) -> list[T]:
        """What is read of the folder of each part, at one moment."""
        with self._reading() as cut:
            return [read(part.index.folder) for part in cut.parts]

    def generation(self) -> int:
        """A number that every commit of any part changes."""
        with self._reading() as cut:
            return cut.number

    def segments(self) -> list[SegmentRecord]:
        """Every segment of each part; their numbers are those of the part."""
        with self._reading() as cut:
            return [row for part in cut.parts for row in catalog.read_segments(part.database)]

    def count(self) -> int:
        """How many images there are."""
        return sum(self._each(catalog.count_images))

    def records(self) -> list[ImageRecord]:
        """Every image, in the order of their names."""
        return _by_name(record for records in self._each(catalog.read_records) for record in records)

    def select(
        self,
        where: str = "",
        text: str = "",
        *,
        order: Order = "name",
        offset: int = 0,
        limit: int = -1,
        ids: Collection[int] | None = None,
        paths: Collection[str] | None = None,
    ) -> Selection:
        """Some images and what they are annotated with: see `catalog.select`."""
        keys, stop = self._keys(where), offset + limit if limit >= 0 else -1

        def read(folder: Path) -> Selection:
            return catalog.select(folder, where, text, order=order, limit=stop, ids=ids, paths=paths, elsewhere=keys)

        found = self._each(read)
        records = [record for selection in found for record in selection.records]
        ordered = _by_name(records) if order == "name" else sorted(records, key=lambda record: -record.id)
        page = ordered[offset : stop if limit >= 0 else None]
        fields = {number: value for selection in found for number, value in selection.fields.items()}
        total = sum(selection.total for selection in found)
        return Selection(total, page, {record.id: fields[record.id] for record in page})

    def select_ids(self, where: str = "", text: str = "", ids: Collection[int] | None = None) -> set[int]:
        """The ids of the images that `select` would select."""
        keys = self._keys(where)
        return set().union(*self._each(lambda folder: catalog.select_ids(folder, where, text, ids, elsewhere=keys)))

    def _keys(self, where: str) -> frozenset[str]:
        """The fields that any part has, if any is asked for."""
        return frozenset().union(*self._each(catalog.read_keys)) if where else frozenset()

    def ids_of_contents(self, contents: Collection[str]) -> list[tuple[int, str]]:
        """The id and the content of each image whose file has one of these, by id."""
        return sorted(pair for pairs in self._each(lambda f: catalog.ids_of_contents(f, contents)) for pair in pairs)

    def values_of(self, key: str) -> list[tuple[int, str]]:
        """The id of each image and each of its values of a field. Raises OptionError for an unknown one."""
        keys = self._keys(key)
        return sorted(pair for pairs in self._each(lambda f: catalog.values_of(f, key, keys)) for pair in pairs)

    def count_values(self, key: str, ids: Collection[int]) -> dict[str, int]:
        """How many of some images have each value of a field, or lie in each first folder of a name."""
        return dict(sum((Counter(one) for one in self._each(lambda f: catalog.count_values(f, key, ids))), Counter()))

    def metadata(self) -> dict[str, dict[str, list[str]]]:
        """What pictures are annotated with, also those that are not in the index now: path -> key -> values."""
        return {path: fields for found in self._each(catalog.read_metadata) for path, fields in found.items()}

    def count_annotated(self) -> tuple[dict[str, int], dict[str, int]]:
        """How many images have each tag, and how many each other field."""
        found = self._each(catalog.count_annotated)
        tags, fields = (sum((Counter(one[place]) for one in found), Counter[str]()) for place in (0, 1))
        return dict(tags), dict(fields)

    # -- On disk -------------------------------------------------------------------------------------------------------

    def wrong_sizes(self) -> Iterator[str]:
        """What is wrong with files by name and size alone, in words."""
        for part in self.parts:
            yield from part.wrong_sizes()

    def check(self) -> CheckReport:
        """Is every byte what was written, in every part?"""
        return checking.check(self.folder, self.n_words, self.layout)

    def repair(self, vocabularies: Sequence[Path] = (), *, replace_parts: bool = False) -> CheckReport:
        """Drop what is damaged in every part, and a commit that cannot be read; see `Index.repair`."""
        from bof.store.parts.mending import drop_unreadable_commit, missing_parts, replace_missing

        wrong_commit, lost = "", list[str]()
        with one_writer(self.folder):
            if replace_parts or not missing_parts(self.folder):
                wrong_commit, lost = drop_unreadable_commit(self.folder), missing_parts(self.folder)
                replace_missing(self.folder)
        with self._opened_writer() as writer:
            report = writer.repair(self._vocabulary_places(vocabularies))
        return replace(report, wrong_commit=wrong_commit, lost_parts=lost)

    def bytes_by_file(self) -> dict[str, int]:
        """The same, of all parts: what they have of the vocabulary are the whole's own files under other names."""
        total = Counter(super(PartedIndex, self).bytes_by_file())
        total[catalog.FILE_NAME] += sum(os.stat(part.folder / catalog.FILE_NAME).st_size for part in self.parts)
        return dict(total)


def _by_name(records: Iterator[ImageRecord] | Sequence[ImageRecord]) -> list[ImageRecord]:
    """As a catalogue sorts: by the bytes of the names."""
    return sorted(records, key=lambda record: os.fsencode(record.name))
