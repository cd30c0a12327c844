"""Make an index show its folders as they are: rearrange what is known, read what is new, fill what columns lack."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.errors import ImageError
from bof.images.listing import Skipped, list_files
from bof.ingest.backfill import backfill, find_missing
from bof.ingest.batches import Batches
from bof.ingest.extract import ExtractSpec, extract_files
from bof.ingest.sync import Plan, is_below, plan_sync
from bof.options import IndexOptions
from bof.store.index import Index
from bof.store.writer import Writer

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class AddReport:
    """What `Engine.add` did: pictures added (new or changed), moved without being read again, removed, those whose
    files are gone but which were left, those that are unchanged, those skipped and why, features, seconds.
    """

    n_added: int
    n_moved: int
    n_removed: int
    n_gone: int
    n_unchanged: int
    skipped: Sequence[Skipped]
    n_features: int
    seconds: float
    n_backfilled: int = 0

    def __repr__(self) -> str:
        counts = {
            "added": self.n_added, "moved": self.n_moved, "removed": self.n_removed, "gone": self.n_gone,
            "unchanged": self.n_unchanged, "described again": self.n_backfilled, "skipped": len(self.skipped),
        }  # fmt: skip
        first = f"; {self.skipped[0].path}: {self.skipped[0].reason}" if self.skipped else ""
        counted = ", ".join(f"{n} {what}" for what, n in counts.items() if n or what == "added")
        return f"AddReport({counted}{first})"


def make_plan(index: Index, sources: Sequence[Path], *, delete: bool) -> Plan:
    """What `add_pictures` would do: see `Engine.plan`."""
    files = list_files(sources)
    known = {record.path: record for record in index.records()}
    plan = plan_sync(files, known, sources, delete=delete)
    if delete:
        _refuse_empty(sources, files, plan)
    return plan


def add_pictures(
    index: Index,
    vocabulary_folder: Path,
    sources: Sequence[Path],
    options: IndexOptions | None = None,
    progress: Progress | None = None,
    *,
    delete: bool = False,
) -> AddReport:
    """Make the index show every picture under the sources as it is now: see `Engine.add`."""
    options = options or IndexOptions()
    start = time.perf_counter()
    with index.writer() as writer:
        writer.require_whole()
        if not index.carries_vocabulary:
            writer.carry_vocabulary([vocabulary_folder])
        plan = make_plan(index, sources, delete=delete)
        _rearrange(index, writer, plan, sources)
        spec = _extract_spec(index, vocabulary_folder, options)
        done = _read(writer, plan, spec, options, progress)
        n_backfilled, failed = backfill(writer, find_missing(index, spec.column_spec.groups), spec, options, progress)
    leaving = (len(plan.moves), len(plan.leaving), 0 if delete else len(plan.gone), plan.n_unchanged)
    skipped = [*done.skipped, *failed]
    return AddReport(done.n_added, *leaving, skipped, done.n_features, time.perf_counter() - start, n_backfilled)


def _rearrange(index: Index, writer: Writer, plan: Plan, sources: Sequence[Path]) -> None:
    """What needs no picture read: moves, removals, and the folders to follow."""
    known = list(map(str, index.roots))
    roots = sorted({*known, *(os.path.abspath(source) for source in sources if source.is_dir())})
    if plan.moves or plan.leaving or roots != known:
        writer.rearrange(plan.moves, plan.leaving, roots)


def _extract_spec(index: Index, vocabulary_folder: Path, options: IndexOptions) -> ExtractSpec:
    """Raises ModelError where the model of an embedding is gone: no picture could be described."""
    column_spec = index.column_spec
    if column_spec.model and "embedding" in column_spec.groups:
        column_spec.model.load()
    return ExtractSpec(vocabulary_folder, index.features, options.max_pixels, column_spec)


def _read(writer: Writer, plan: Plan, spec: ExtractSpec, options: IndexOptions, progress: Progress | None) -> Batches:
    """Read and commit what is new or changed."""
    batches, n_files = Batches(writer, options), len(plan.to_read)
    try:
        for done, item in enumerate(extract_files(plan.to_read, spec, options), 1):
            batches.take(item)
            if progress:
                progress(done, n_files)
        batches.commit()
    except KeyboardInterrupt:
        batches.commit()
        n_left = n_files - batches.n_added - len(batches.skipped)
        raise KeyboardInterrupt(
            f"{batches.n_added} pictures are committed, {n_left} are left; the same command goes on from here"
        ) from None
    return batches


def _refuse_empty(sources: Sequence[Path], files: Mapping[str, str], plan: Plan) -> None:
    for source in sources:
        gone = [entry for entry in plan.gone if is_below(entry.path, [source])]
        if gone and not any(is_below(path, [source]) for path in files):
            found = f"none, though the index has {len(gone)} from here: is a disk missing? Nothing was changed"
            advice = "to take them out all the same, name them with {remove}"
            raise ImageError(path=source, expected="pictures", found=found, advice=advice)
