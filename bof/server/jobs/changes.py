"""What jobs do: add, update, remove, tag, look into the folders again. Runs in the thread of `jobs`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from bof.engine import AddReport, Engine
from bof.errors import display_name
from bof.images.address import Address, file_of, is_part
from bof.images.readers.others import advice_for
from bof.options import IndexOptions
from bof.server import uploads
from bof.server.collection import ServedCollection
from bof.server.http.problems import ProblemError
from bof.server.jobs.queue import Ended, Job, State, Work
from bof.store.catalog import TAG, TITLE, Fields, ImageRecord

_MAX_KINDS = 100
"""Kinds of files that were passed over, in a job's answer; the most frequent."""


class Changes:
    """Makes the work of jobs. Every change has the writer's lock for itself; another writer makes it fail."""

    def __init__(self, collection: ServedCollection, vocabulary_folder: Path, max_pixels: int) -> None:
        self._collection, self._vocabulary_folder = collection, vocabulary_folder
        self._options = IndexOptions(workers=max(1, (os.cpu_count() or 1) - 1), max_pixels=max_pixels)
        self._arriving = Counter[str]()
        """Stored uploads by path: how many jobs, which are not over, add them."""

    def engine(self) -> Engine:
        """Without a snapshot of its own, so that it does not open each commit."""
        return Engine.open(self._collection.folder, self._vocabulary_folder)

    def add(self, given: Mapping[str, str], skipped: Sequence[tuple[str, str]]) -> Work:
        """Add stored uploads. given: path -> the name that it was given; skipped: names and why."""
        self._arriving.update(list(given))

        def work(job: Job) -> None:
            for name, reason in skipped:
                job.skip(name, reason)
            there = self._still_there(job, given)
            engine = self.engine()
            with engine.writer() as writer:
                writer.set_fields({path: {TITLE: [name]} for path, name in there.items()})
            if there:
                self._take(job, engine.add(list(map(Path, there)), self._options, job.show), given)
            self._forget_unusable(given)
            self._name_parts(given)
            job.images = list(self._collection.ids_at(given).values())

        return work

    def _still_there(self, job: Job, given: Mapping[str, str]) -> dict[str, str]:
        """The uploads that no other job has deleted: the same content may have been removed or cancelled meanwhile."""
        gone = {path for path in given if not Path(path).exists()}
        for path in sorted(gone):
            job.skip(given[path], "the same picture was removed while this one waited; send it again")
        return {path: name for path, name in given.items() if path not in gone}

    def add_ended(self, given: Mapping[str, str]) -> Ended:
        """What follows an add. If it was cancelled: the uploads go that it has not added, and no other job will."""

        def ended(state: State) -> None:
            self._arriving.subtract(list(given))
            if state == "cancelled":
                self._forget_unusable({path: name for path, name in given.items() if self._arriving[path] <= 0})

        return ended

    def _forget_unusable(self, paths: Mapping[str, str]) -> None:
        """Uploads that are not in the index now can never be."""
        used = {file_of(path) for path in self._collection.ids_at(paths)}
        for path in set(paths) - used:
            Path(path).unlink(missing_ok=True)

    def _name_parts(self, given: Mapping[str, str]) -> None:
        """The parts of a file are called after the name that it was given."""
        parts = [Address.parse(path) for path in self._collection.ids_at(given) if path not in given]
        if parts:
            with self.engine().writer() as writer:
                writer.set_fields({str(part): {TITLE: [part.name(given[part.file])]} for part in parts})

    def update(self, number: int, data: bytes) -> Work:
        """Give an uploaded picture new content; name, tags and fields stay."""

        def work(job: Job) -> None:
            image = self._collection.record(number)
            self.require_uploaded(image)
            name = self._collection.show(number)["name"]
            uploads.replace(Path(image.path), data)
            self._take(job, self.engine().add([Path(image.path)], self._options, job.show), {image.path: name})
            job.images = list(self._collection.ids_at([image.path]).values())

        return work

    def require_uploaded(self, image: ImageRecord) -> None:
        """Raises ProblemError unless the server put the file there itself."""
        if not self._collection.is_uploaded(image.path):
            detail = "expected an uploaded picture, found one in a folder of the index; change it there, then sync"
            raise ProblemError("conflict", detail)
        if is_part(image.path):
            detail = (
                "expected a picture of its own, found one in a file with others; remove them, then send the new file"
            )
            raise ProblemError("conflict", detail)

    def remove(self, numbers: Sequence[int]) -> Work:
        """Take pictures out, all at once; uploaded files are deleted."""

        def work(job: Job) -> None:
            job.removed = self.take_out(self._collection.records(numbers))

        return work

    def take_out(self, images: Sequence[ImageRecord]) -> int:
        """Take pictures out now, in one commit; uploaded files are deleted. Returns how many there were."""
        n_removed = self.engine().remove([image.name for image in images]) if images else 0
        for file in {file_of(image.path) for image in images if self._collection.is_uploaded(image.path)}:
            if not self._collection.parts_of(file) and self._arriving[file] <= 0:
                Path(file).unlink(missing_ok=True)
        return n_removed

    def take_in(self, job: Job, paths: Sequence[str], fields: Mapping[str, Fields]) -> None:
        """Add files of the index's folders again, now, also for a job that was cancelled. fields: by path."""
        if paths:
            with self.engine().writer() as writer:
                writer.set_fields({path: fields[path] for path in paths if path in fields})
            progress = None if job.is_cancelled.is_set() else job.show
            self._take(job, self.engine().add(list(map(Path, paths)), self._options, progress), {})
            job.images = list(self._collection.ids_at(paths).values())

    def tag(self, number: int, tags: Sequence[str]) -> Work:
        """Give a picture these tags instead of those that it has."""

        def work(job: Job) -> None:
            image = self._collection.record(number)
            with self.engine().writer() as writer:
                writer.set_fields({image.path: {TAG: tags}})
            job.images = [number]

        return work

    def set_fields(self, number: int, fields: Fields) -> Work:
        """Give a picture these fields instead of those that it has; its tags stay."""

        def work(job: Job) -> None:
            (image,) = self._collection.records([number])
            before = self._collection.select(ids=[number]).fields[number]
            leaving: dict[str, list[str]] = {key: [] for key in before if key != TAG}
            with self.engine().writer() as writer:
                writer.set_fields({image.path: {**leaving, **fields}})
            job.images = [number]

        return work

    def annotate(self, numbers: Sequence[int], add: Fields, remove: Fields) -> Work:
        """Take values from fields of pictures and add others, all at once."""

        def work(job: Job) -> None:
            paths = [image.path for image in self._collection.records(numbers)]
            with self.engine().writer() as writer:
                writer.annotate(paths, add, remove)
            job.images = list(numbers)

        return work

    def sync(self, *, delete: bool) -> Work:
        """Make the index show its folders, and what was uploaded, as they are; delete: what is gone leaves."""

        def work(job: Job) -> None:
            engine = self.engine()
            sources = [root for root in engine.roots if root.is_dir()]
            for root in engine.roots:
                if root not in sources:
                    job.skip(display_name(root.name), "the folder is not there; its pictures stay in the index")
            if self._collection.uploads.is_dir():
                uploads.sweep(self._collection.uploads)
                sources.append(self._collection.uploads)
            if not sources:
                return
            self._take(job, engine.add(sources, self._options, job.show, delete=delete), {})

        return work

    def _take(self, job: Job, report: AddReport, names: Mapping[str, str]) -> None:
        """What an add has done. names: path -> what people call it."""
        job.added, job.removed = report.n_added + report.n_changed, report.n_removed
        job.moved, job.unchanged = report.n_moved, report.n_unchanged + report.n_touched
        job.passed_over = [
            {"kind": display_name(kind), "count": n, "advice": advice_for(kind)}
            for kind, n in report.passed_over.items()
        ][:_MAX_KINDS]
        for skipped in (*report.skipped, *report.notes):
            job.skip(names.get(skipped.path) or display_name(os.path.basename(skipped.path)), skipped.reason)
