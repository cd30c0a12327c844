"""Changing an index in parts: each change goes to the parts it is for, and is one commit of all of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bof.errors import IndexStoreError
from bof.store import catalog, vocabulary_copy
from bof.store import check as check_module
from bof.store.catalog import Fields, ImageRecord, Move, changes
from bof.store.check import CheckReport
from bof.store.incoming import IncomingSegment
from bof.store.parts import checking, redo
from bof.store.parts.changes import AddSegment, Annotate, Change, Rearrange, SetFacts, SetFields
from bof.store.parts.layout import FACT, FOLDER, Layout
from bof.store.pictures import StoredPictures, contents_of, has_any
from bof.store.segments import ImageColumns
from bof.store.writer import Writer, open_writer
from bof.system.locking import one_writer

_WHOLE = ""
"""The name that the whole's own catalogue has in a plan."""


@contextmanager
def open_parted_writer(folder: Path, n_words: int) -> Iterator[PartedWriter]:
    """The only writer of an index in parts; what a crash left behind is done or swept first.

    Raises IndexStoreError where another writes, and where a part is missing.
    """
    with ExitStack() as stack:
        stack.enter_context(one_writer(folder))
        redo.finish(folder)
        layout = Layout.of(catalog.read_meta(folder)[FACT])
        for place, name in enumerate(layout.names, 1):
            checking.require_part(folder / FOLDER / name, place, len(layout.names))
        writers = [stack.enter_context(open_writer(folder / FOLDER / name, n_words)) for name in layout.names]
        writer = PartedWriter(folder, n_words, layout, tuple(writers))
        writer.sweep()
        yield writer


@dataclass(frozen=True, slots=True)
class PartedWriter(Writer):
    """Every method is one commit of all parts that it changes: see `redo`. writers: of each part of the layout."""

    layout: Layout
    writers: tuple[Writer, ...]

    @property
    def parts(self) -> Sequence[Writer]:
        """The writer of each part."""
        return self.writers

    def require_whole(self) -> None:
        """Raises IndexStoreError where a file of a part is missing or has another size than when it was written."""
        for writer in self.writers:
            writer.require_whole()

    def append(
        self,
        images: Sequence[tuple[ImageRecord, ImageColumns]],
        annotated: Mapping[str, Fields] | None = None,
        last_id: int = 0,
    ) -> None:
        """Add images, in one new segment of each part that gets some: see `Writer.append`."""
        home_of = self.homes_of([*(record.path for record, _ in images), *(annotated or {})])
        last_id, plan = max(last_id, self._last_id()), dict[int, list[Change]]()
        with self._sweeping_after_failure():
            for home in sorted({home_of[record.path] for record, _ in images}):
                chosen = [one for one in images if home_of[one[0].path] == home]
                fields = {path: given for path, given in (annotated or {}).items() if home_of[path] == home}
                name, files = self.writers[home].write_images(chosen)
                plan[home] = [AddSegment(name, files, [record for record, _ in chosen], fields, last_id)]
                last_id += len(chosen)
            self._commit(plan)
        self._maintain(plan)

    @property
    def homes(self) -> Sequence[Path]:
        """The folder of each part."""
        return [writer.folder for writer in self.writers]

    def homes_of(self, paths: Iterable[str]) -> dict[str, int]:
        """The part of each path: where it is now, or other pictures of its file are; else where the layout says."""
        home_of = dict.fromkeys(paths, -1)
        for number, writer in enumerate(self.writers):
            with catalog.reading(writer.folder) as database:
                home_of |= dict.fromkeys(changes.find_paths(database, [p for p, n in home_of.items() if n < 0]), number)
        return {path: self.layout.place(path) if number < 0 else number for path, number in home_of.items()}

    def adopt(self, segment: IncomingSegment, records: Sequence[ImageRecord], home: int = 0) -> None:
        """Add a segment that was written beside a part: see `Writer.adopt`."""
        with self._sweeping_after_failure():
            self.writers[home].take_in(segment, records)
            change = AddSegment(segment.name, segment.files, list(records), {}, self._last_id())
            self._commit({home: [change]})
        self._maintain({home: [change]})

    def read_incoming(
        self, segment: IncomingSegment, records: Sequence[ImageRecord], home: int = 0
    ) -> list[tuple[ImageRecord, ImageColumns]]:
        """The images of such a segment, in memory: see `Writer.read_incoming`."""
        return self.writers[home].read_incoming(segment, records)

    def set_facts(self, facts: Mapping[str, object], dropped: Sequence[str] = ()) -> None:
        """Set facts of the index and of each part; groups of optional columns that no longer fit them are dropped."""
        change = SetFacts(dict(facts), dropped)
        redo.commit(self.folder, {_WHOLE: [SetFacts(dict(facts))], **{name: [change] for name in self.layout.names}})
        self.sweep()

    def carry_vocabulary(self, sources: Sequence[Path]) -> None:
        """Give the index and each part a copy of the vocabulary, from the first of some places that holds it."""
        fingerprint = catalog.read_meta(self.folder)["fingerprint"]
        files = vocabulary_copy.restore(self.folder, sources, fingerprint)
        redo.commit(self.folder, {_WHOLE: [SetFacts({vocabulary_copy.FACT: vocabulary_copy.as_fact(files)})]})
        for writer in self.writers:
            writer.carry_vocabulary([self.folder / vocabulary_copy.FOLDER])

    def remove(self, names: Sequence[str]) -> int:
        """Take images out by name; returns how many of the names there were."""
        plan: dict[int, list[Change]] = {}
        n_found = 0
        for number, writer in enumerate(self.writers):
            with catalog.reading(writer.folder) as database:
                ids = changes.find_names(database, names).values()
            n_found += len(ids)
            plan |= {number: [Rearrange((), list(ids))]} if ids else {}
        self._commit(plan)
        self._maintain(plan)
        return n_found

    def rearrange(self, moves: Sequence[Move], gone: Sequence[int], roots: Sequence[str]) -> None:
        """Images found under other paths stay in their parts: see `Writer.rearrange`."""
        plan: dict[int, list[Change]] = {}
        for number, writer in enumerate(self.writers):
            with catalog.reading(writer.folder) as database:
                here = changes.find_ids(database, [*(move.id for move in moves), *gone])
            if here:
                its_gone = [one for one in gone if one in here]
                plan[number] = [Rearrange([move for move in moves if move.id in here], its_gone)]
        followed = catalog.read_meta(self.folder).get("roots", [])
        self._commit(plan, [SetFacts({"roots": list(roots)})] if list(roots) != followed else [])
        self._maintain(plan)

    def annotate(self, paths: Sequence[str], add: Fields, remove: Fields) -> None:
        """Add values to fields of some images, by path, and take others away."""
        self._commit({home: [Annotate(chosen, add, remove)] for home, chosen in self._by_home(paths).items()})

    def set_fields(self, annotated: Mapping[str, Fields]) -> None:
        """Give fields of images, by path, new values instead of those that they had."""
        by_home = self._by_home(annotated).items()
        self._commit({home: [SetFields({path: annotated[path] for path in chosen})] for home, chosen in by_home})

    def sweep(self) -> None:
        """Delete what the catalogues do not name: a crash left it behind. What cannot be deleted harms nobody."""
        for writer in self.writers:
            writer.sweep()
        check_module.sweep(self.folder, [])
        for place in (self.folder, *(writer.folder for writer in self.writers)):
            for name in checking.HALF_WRITTEN:
                with suppress(OSError):
                    (place / name).unlink()
        with suppress(OSError):  # what is left of an ordinary index
            (self.folder / check_module.SEGMENTS).rmdir()
        for path in checking.stray_parts(self.folder, self.layout):
            with suppress(OSError):
                path.unlink() if path.is_symlink() or not path.is_dir() else shutil.rmtree(path)
        if has_any(self.folder):
            with suppress(IndexStoreError):
                StoredPictures(self.folder).sweep(contents_of(self._records()))

    def maintain(self) -> None:
        """Merge what the policy asks for in each part."""
        for writer in self.writers:
            writer.maintain()

    def merge(self) -> int:
        """Make one segment of each part, without anything that was removed; returns how many segments there were."""
        return sum(writer.merge() for writer in self.writers)

    def repair(self, vocabularies: Sequence[Path] = ()) -> CheckReport:
        """Repair each part, and what lies beside them: see `Writer.repair`."""
        before = checking.check_beside(self.folder, self.layout, self._records())
        if before.wrong_vocabulary:
            self.carry_vocabulary([*vocabularies, *(w.folder / vocabulary_copy.FOLDER for w in self.writers)])
        places = [self.folder / vocabulary_copy.FOLDER, *vocabularies]
        reports = [writer.repair(places) for writer in self.writers]
        if before.wrong_pictures:
            StoredPictures(self.folder).drop_damaged()
        self.sweep()
        return checking.together([*reports, before])

    # -- Where things go -----------------------------------------------------------------------------------------------

    def _by_home(self, paths: Iterable[str]) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for path, home in self.homes_of(paths).items():
            found.setdefault(home, []).append(path)
        return found

    def _last_id(self) -> int:
        """The highest id that any part has given."""
        return max(catalog.read_last_id(writer.folder) for writer in self.writers)

    def _records(self) -> list[ImageRecord]:
        return [record for writer in self.writers for record in catalog.read_records(writer.folder)]

    def _commit(self, plan: Mapping[int, Sequence[Change]], of_whole: Sequence[Change] = ()) -> None:
        named = {self.layout.names[number]: steps for number, steps in plan.items()}
        redo.commit(self.folder, {**named, **({_WHOLE: of_whole} if of_whole else {})})

    def _maintain(self, plan: Mapping[int, Sequence[Change]]) -> None:
        for number in plan:
            self.writers[number].maintain()
