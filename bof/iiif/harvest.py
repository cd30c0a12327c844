"""The pictures of manifests come into an index, and the index follows the manifests."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bof.iiif.archive import CanvasToFetch, Fetched, Unchanged
from bof.iiif.hosts import Hosts
from bof.iiif.plan import HarvestPlan, compare
from bof.iiif.reading import ReadPicture, read_pictures
from bof.iiif.request import HarvestRequest
from bof.iiif.session import Session, talking
from bof.images.listing import Skipped
from bof.ingest.add import AddReport
from bof.ingest.backfill import backfill, find_missing
from bof.ingest.batches import Batches
from bof.ingest.extract import ExtractSpec
from bof.options import IndexOptions
from bof.store.index import Index
from bof.store.pictures import StoredPictures
from bof.store.writer import Writer
from bof.system.steps import Progress, Stage


def plan_harvest(index: Index | None, request: HarvestRequest) -> HarvestPlan:
    """What `harvest` would fetch. Manifests are read; nothing is written. index: None for one that is yet to be made.

    Raises ImageError where no manifest at all can be read.
    """
    with talking(Hosts(request.hosts, request.patience), None) as session:
        return compare(session.walk(request.sources), index)


def harvest(
    index: Index,
    vocabulary_folder: Path,
    request: HarvestRequest,
    options: IndexOptions | None = None,
    progress: Progress | None = None,
) -> AddReport:
    """Make the index show every canvas of the manifests as it is now: see `Engine.harvest`."""
    options = options or IndexOptions()
    with index.writer() as writer, talking(Hosts(request.hosts, request.patience), index.folder) as session:
        writer.require_whole()
        if not index.carries_vocabulary:
            writer.carry_vocabulary([vocabulary_folder])
        run = _Harvest(index, writer, session, request, options, progress)
        return run.run(vocabulary_folder)


class _Harvest:
    """One run."""

    def __init__(
        self, index: Index, writer: Writer, session: Session, request: HarvestRequest, options: IndexOptions,
        progress: Progress | None,
    ) -> None:  # fmt: skip
        self._index, self._writer, self._session = index, writer, session
        self._request, self._options, self._progress = request, options, progress
        self._stored, self._batches = StoredPictures(index.folder), Batches(writer, options)
        self._n_changed = self._n_unchanged = 0
        self._skipped: list[Skipped] = []

    def run(self, vocabulary_folder: Path) -> AddReport:
        """All of it."""
        start = time.perf_counter()
        Stage(self._progress, "reading manifests", 1)
        plan = compare(self._session.walk(self._request.sources), self._index)
        spec = _extract_spec(self._index, vocabulary_folder, self._options)
        self._remove(plan)
        self._read(plan, spec)
        self._annotate(plan)
        missing = find_missing(self._index, spec.column_spec.groups)
        n_backfilled, failed = backfill(self._writer, missing, spec, self._options, self._progress)
        done, n_gone = self._batches, len(plan.gone)
        return AddReport(
            n_added=done.n_added - self._n_changed, n_changed=self._n_changed, n_moved=0, n_touched=0,
            n_removed=n_gone if self._request.delete else 0, n_gone=0 if self._request.delete else n_gone,
            n_unchanged=self._n_unchanged, skipped=[*plan.problems, *done.skipped, *self._skipped, *failed],
            n_features=done.n_features, seconds=time.perf_counter() - start, n_backfilled=n_backfilled,
            passed_over=plan.others,
        )  # fmt: skip

    def _remove(self, plan: HarvestPlan) -> None:
        if plan.gone and self._request.delete:
            self._writer.rearrange([], [record.id for record in plan.gone], list(map(str, self._index.roots)))

    def _read(self, plan: HarvestPlan, spec: ExtractSpec) -> None:
        """Fetch what may be new, and index what is. Ctrl-C commits what is done."""
        canvases = list(self._with_content(plan, spec))
        stage = Stage(self._progress, "fetching", len(canvases))
        try:
            for found in read_pictures(self._fetched(canvases, spec.features.max_side, stage), spec, self._options):
                self._take(found, plan)
                stage.advance()
        except KeyboardInterrupt:
            self._batches.commit()
            done = f"{self._batches.n_added} pictures are committed; the same command goes on from here"
            raise KeyboardInterrupt(done) from None
        self._batches.commit()

    def _with_content(self, plan: HarvestPlan, spec: ExtractSpec) -> Iterator[CanvasToFetch]:
        """The canvases, each with the content that the index has of it, if that is all that it should have."""
        missing = {i.path for one in find_missing(self._index, spec.column_spec.groups) for i in one.images}
        copies, thumbnails = self._stored.contents(copies=True), self._stored.contents()
        for canvas in plan.canvases:
            content = canvas.sha256
            is_stored = content in (copies if self._request.store_pictures else thumbnails | copies)
            lacks = canvas.path in missing and content not in copies
            yield canvas if is_stored and not lacks else replaced(canvas)

    def _fetched(self, canvases: Sequence[CanvasToFetch], side: int, stage: Stage) -> Iterator[Fetched]:
        """What must be read."""
        for found in self._session.fetch(canvases, side):
            if isinstance(found, Fetched):
                yield found
                continue
            stage.advance()
            if isinstance(found, Unchanged):
                self._n_unchanged += 1
            else:
                self._skipped.append(found)

    def _take(self, found: ReadPicture | Skipped, plan: HarvestPlan) -> None:
        if isinstance(found, Skipped):
            self._skipped.append(found)
            return
        fetched, record = found.fetched, found.extracted[0]
        self._stored.put(fetched.sha256, found.thumbnail, fetched.data if self._request.store_pictures else None)
        self._batches.take(found.extracted, plan.fields[record.path])
        self._n_changed += record.path in plan.known

    def _annotate(self, plan: HarvestPlan) -> None:
        """Say of known pictures what their manifests say now."""
        now = self._index.metadata()
        changed = {
            path: fields
            for path, fields in plan.fields.items()
            if path in plan.known and any(sorted(now.get(path, {}).get(k, [])) != sorted(v) for k, v in fields.items())
        }
        if changed:
            self._writer.set_fields(changed)
        if self._request.fields:
            there = {record.path for record in self._index.records()}
            self._writer.annotate([path for path in plan.fields if path in there], self._request.fields, {})


def replaced(canvas: CanvasToFetch) -> CanvasToFetch:
    """A canvas whose picture is fetched in any case."""
    return CanvasToFetch(canvas.path, canvas.name, canvas.picture)


def _extract_spec(index: Index, vocabulary_folder: Path, options: IndexOptions) -> ExtractSpec:
    """Raises ModelError where the model of an embedding is gone: no picture could be described."""
    column_spec = index.column_spec
    if column_spec.model and "embedding" in column_spec.groups:
        column_spec.model.load()
    return ExtractSpec(vocabulary_folder, index.features, options.max_pixels, column_spec)
