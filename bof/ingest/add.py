"""Make an index show its folders as they are: rearrange what is known, read what is new, fill what columns lack."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bof.errors import ImageError
from bof.images.cloud import is_cloud, place_of
from bof.images.listing import Skipped, list_everything
from bof.ingest.backfill import backfill, find_missing
from bof.ingest.batches import Batches
from bof.ingest.cloud import extract_cloud
from bof.ingest.documents import Documents, Parts
from bof.ingest.extract import Extracted, ExtractSpec, extract_files
from bof.ingest.film_chunks import FilmSpec
from bof.ingest.film_files import OpenedFilm
from bof.ingest.films import Films
from bof.ingest.reuse import reuse_features
from bof.ingest.segment_tasks import WrittenSegment, segment_spec, write_segments
from bof.ingest.sync import Found, KnownContent, Plan, is_below, plan_sync
from bof.ingest.work import estimate_work
from bof.options import IndexOptions
from bof.scheduling.connection import Cluster
from bof.store.catalog import ImageRecord
from bof.store.index import Index
from bof.store.writer import Writer
from bof.system.steps import Progress, Stage

_FEW = 8
"""Pictures that are read before anybody could use the time left."""


@dataclass(frozen=True, slots=True)
class AddReport:
    """What `Engine.add` did.

    Pictures: n_added new ones, n_changed whose files hold something else now, n_moved found elsewhere, n_touched whose
    files have another time alone, n_removed, n_gone whose files are gone but which were left, n_unchanged, skipped and
    why, n_backfilled that were given columns they lacked. n_reused of the new and changed ones were not decoded: the
    index has their content of another file. notes: pictures that were read though something is wrong with their files,
    and what. passed_over: what is no picture, by kind (`.mp4`, `hidden`), how many; passed_over_files: each, and why;
    linked_folders: links to folders, which are not followed.
    """

    n_added: int
    n_changed: int
    n_moved: int
    n_touched: int
    n_removed: int
    n_gone: int
    n_unchanged: int
    skipped: Sequence[Skipped]
    n_features: int
    seconds: float
    n_backfilled: int = 0
    n_reused: int = 0
    passed_over: Mapping[str, int] = field(default_factory=dict)
    linked_folders: Sequence[str] = ()
    notes: Sequence[Skipped] = ()
    passed_over_files: Sequence[Skipped] = ()

    def __repr__(self) -> str:
        counts = {
            "added": self.n_added, "changed": self.n_changed, "moved": self.n_moved, "touched": self.n_touched,
            "removed": self.n_removed, "gone": self.n_gone,
            "unchanged": self.n_unchanged, "described again": self.n_backfilled, "skipped": len(self.skipped),
        }  # fmt: skip
        first = f"; {self.skipped[0].path}: {self.skipped[0].reason}" if self.skipped else ""
        counted = ", ".join(f"{n} {what}" for what, n in counts.items() if n or what == "added")
        return f"AddReport({counted}{first})"


def make_plan(index: Index, sources: Sequence[Path], progress: Progress | None = None, *, delete: bool) -> Plan:
    """What `add_pictures` would do: see `Engine.plan`."""
    listing, share = list_everything(sources, index.roots), index.share
    names = {path: name for path, name in listing.names.items() if share is None or share.holds(path)}
    plan = plan_sync(names, index.records(), sources, delete=delete, stamps=listing.stamps, progress=progress)
    if delete:
        _refuse_empty(sources, names, plan)
    counts, files, folders = listing.count_passed_over(), listing.reasons(), listing.linked_folders()
    return replace(plan, passed_over=counts, passed_over_files=files, linked_folders=folders, stamps=listing.stamps)


def add_pictures(
    index: Index,
    vocabulary_folder: Path,
    sources: Sequence[Path],
    options: IndexOptions | None = None,
    progress: Progress | None = None,
    *,
    delete: bool = False,
    cluster: Cluster | None = None,
) -> AddReport:
    """Make the index show every picture under the sources as it is now: see `Engine.add`."""
    options = options or IndexOptions()
    start = time.perf_counter()
    with index.writer() as writer:
        writer.require_whole()
        if not index.carries_vocabulary:
            writer.carry_vocabulary([vocabulary_folder])
        plan = make_plan(index, sources, progress, delete=delete)
        _rearrange(index, writer, plan, sources)
        spec = _extract_spec(index, vocabulary_folder, options)
        reading = _Reading(index, writer, plan, spec, options, progress, cluster)
        reading.run()
        missing = find_missing(index, spec.column_spec.groups)
        n_backfilled, failed = backfill(writer, missing, spec, options, progress, cluster)
    done, films = reading.batches, reading.films
    return AddReport(
        n_added=done.n_added - reading.n_changed - films.n_changed,
        n_changed=reading.n_changed + films.n_changed,
        n_moved=len(plan.moves),
        n_touched=len(plan.touched),
        n_removed=len(plan.leaving) + reading.documents.n_removed + films.n_removed,
        n_gone=0 if delete else len(plan.gone),
        n_unchanged=plan.n_unchanged + reading.documents.n_unchanged + films.n_unchanged,
        skipped=[*done.skipped, *failed],
        n_features=done.n_features,
        seconds=time.perf_counter() - start,
        n_backfilled=n_backfilled,
        n_reused=reading.n_reused + films.n_reused,
        passed_over=dict(Counter(plan.passed_over) + reading.documents.others),
        linked_folders=plan.linked_folders,
        notes=reading.notes,
        passed_over_files=plan.passed_over_files,
    )


def _rearrange(index: Index, writer: Writer, plan: Plan, sources: Sequence[Path]) -> None:
    """What needs no picture read: moves, removals, and the folders to follow."""
    known = list(map(str, index.roots))
    roots = sorted({*known, *(place_of(source) for source in sources if is_cloud(source) or source.is_dir())})
    moves = [*plan.moves, *plan.touched]
    if moves or plan.leaving or roots != known:
        writer.rearrange(moves, plan.leaving, roots)


def _extract_spec(index: Index, vocabulary_folder: Path, options: IndexOptions) -> ExtractSpec:
    """Raises ModelError where the model of an embedding is gone: no picture could be described."""
    column_spec = index.column_spec
    if column_spec.model and "embedding" in column_spec.groups:
        column_spec.model.load()
    return ExtractSpec(vocabulary_folder, index.features, options.max_pixels, column_spec)


class _Reading:
    """Reads and commits what is new or changed."""

    def __init__(
        self, index: Index, writer: Writer, plan: Plan, spec: ExtractSpec, options: IndexOptions,
        progress: Progress | None, cluster: Cluster | None,
    ) -> None:  # fmt: skip
        self._index, self._writer, self._plan, self._cluster = index, writer, plan, cluster
        self._spec, self._options, self._progress = spec, options, progress
        self.batches = Batches(writer, options)
        self.documents = Documents(index, writer, index.records() if plan.new or plan.changed else [])
        film_spec = FilmSpec(spec, options.video)
        self.films = Films(index, writer, self.batches, self.documents, film_spec, options, progress, cluster)
        self.n_changed = self.n_reused = 0
        self.notes: list[Skipped] = []

    def run(self) -> None:
        """Extract what must be read, then take over what the index has by then. Ctrl-C commits what is done."""
        n_files = len(self._plan.new) + len(self._plan.changed)
        try:
            self._extract(self._plan.to_read, "reading")
            self.batches.commit()
            self._extract(list(self._reuse(self._plan.known_contents)), "reading")
            self._extract_parts()
            self.documents.finish()
            self.films.read()
        except KeyboardInterrupt:
            self._finish()
            n_left = n_files - self.batches.n_added - len(self.batches.skipped)
            left = f"{n_left} are left" if n_left > 0 else "some are left"
            raise KeyboardInterrupt(
                f"{self.batches.n_added} pictures are committed, {left}; the same command goes on from here"
            ) from None
        self._finish()

    def _extract_parts(self) -> None:
        """The pictures in the files that hold several."""
        files, contents = self.documents.to_read()
        self._extract(files, "reading parts")
        self.batches.commit()
        self._extract(list(self._reuse(contents)), "reading parts")

    def _finish(self) -> None:
        self.batches.commit()
        self.documents.finish()
        self.films.finish()

    def _extract(self, files: Sequence[Found], name: str) -> None:
        """One stage, with the time left by the sizes of the pictures, if anybody wants to know it."""
        if not files:
            return
        stage = Stage(self._progress, name, len(files), 1.0)
        is_worth_it = self._progress and len(files) > _FEW
        work = estimate_work(files, self._spec, self._options) if is_worth_it else {path: 1.0 for path, _ in files}
        total = sum(work.values())
        if self._cluster is not None:
            files = self._write_segments(self._cluster, files, lambda path: stage.advance(1, work[path] / total))
        for item in self._extracted(files):
            path = item[0].path if isinstance(item, tuple) else item.path
            self._take(item)
            stage.advance(1, work[path] / total)

    def _write_segments(self, cluster: Cluster, files: Sequence[Found], advance: Callable[[str], None]) -> list[Found]:
        """Let workers read the files that lie in folders and write segments; returns the files that are left."""
        here = [file for file in files if not is_cloud(file[0])]
        left = [file for file in files if is_cloud(file[0])]
        spec = segment_spec(self._writer, self._spec, self._options)
        home_of = self._writer.homes_of([path for path, _ in here])
        for written in write_segments(cluster, here, spec, home_of):
            left += written.deferred
            self.notes += written.notes
            for segment in written.segments:
                self._adopt(segment)
            for other in written.others:
                self._take(other)
            deferred = set(written.deferred)
            for file in written.files:
                if file not in deferred:
                    advance(file[0])
        return left

    def _adopt(self, written: WrittenSegment) -> None:
        """Commit what a worker wrote; picture by picture where some of it may not come in."""
        found = [self.documents.stamped(record) for record in written.records]
        records = [one for one in found if isinstance(one, ImageRecord)]
        if len(records) < len(found):
            for item in self._writer.read_incoming(written.segment, written.records, written.home):
                self._take(item)
            return
        self._writer.adopt(written.segment, records, written.home)
        self.batches.adopted(len(records), sum(record.n_features for record in records))
        for record in records:
            self._done(record)

    def _extracted(self, files: Sequence[Found]) -> Iterator[Extracted | Parts | OpenedFilm | Skipped]:
        here, note = [file for file in files if not is_cloud(file[0])], self.notes.append
        yield from extract_files(here, self._spec, self._options, note)
        in_cloud = [file for file in files if is_cloud(file[0])]
        yield from extract_cloud(in_cloud, self._plan.stamps, self._spec, self._options, note)

    def _reuse(self, files: Sequence[KnownContent]) -> Iterator[Found]:
        """The files of known content that must be read after all; the features of the others are taken over."""
        stage = Stage(self._progress, "known content", len(files))
        for found in reuse_features(self._index, self._writer, files):
            if isinstance(found, KnownContent):
                yield found.path, found.name
            else:
                self._take(found)
                self.n_reused += 1
            stage.advance()

    def _take(self, item: Extracted | Parts | OpenedFilm | Skipped) -> None:
        if isinstance(item, OpenedFilm):
            self.films.take_opened(item)
            return
        if isinstance(item, Parts):
            self.documents.take_opened(item)
            return
        if isinstance(item, Skipped):
            self.documents.done(item.path)
            self.batches.take(item)
            return
        record = self.documents.stamped(item[0])
        if isinstance(record, Skipped):
            self.batches.take(record)
            return
        self.batches.take((record, item[1]))
        self._done(record)

    def _done(self, record: ImageRecord) -> None:
        """A picture comes into the index."""
        self.documents.done(record.path)
        self.documents.take_single(record.path)
        self.n_changed += self.documents.had(record.path)


def _refuse_empty(sources: Sequence[Path], files: Mapping[str, str], plan: Plan) -> None:
    for source in sources:
        gone = [entry for entry in plan.gone if is_below(entry.path, [source])]
        if gone and not any(is_below(path, [source]) for path in files):
            found = f"none, though the index has {len(gone)} from here: is a disk missing? Nothing was changed"
            advice = "to take them out all the same, name them with {remove}"
            raise ImageError(path=source, expected="pictures", found=found, advice=advice)
