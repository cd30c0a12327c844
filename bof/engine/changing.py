"""Changing an index: adding, harvesting, removing, annotating its pictures."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bof.engine.opened import OpenedIndex
from bof.global_descriptors.describe import ModelChoice
from bof.images.address import Address, is_part
from bof.images.sources import Channels, Paths, as_names, as_paths
from bof.ingest.add import AddReport, add_pictures, make_plan
from bof.ingest.memory import Images, add_images
from bof.ingest.own_features import OwnFeatures, add_features, require_own
from bof.ingest.sync import Plan
from bof.options import IndexOptions
from bof.scheduling.connection import Cluster
from bof.store.catalog import Fields, ImageRecord
from bof.store.writer import Writer
from bof.system.steps import Progress

if TYPE_CHECKING:
    from bof.iiif.plan import HarvestPlan


class ChangingIndex(OpenedIndex):
    """An open index whose pictures can be added, removed and annotated; see `Engine`."""

    def plan(self, sources: Paths, *, delete: bool = False) -> Plan:
        """What `add` would do. Raises ImageError for a missing source, and where a folder that `delete` would empty has
        no picture at all: its disk may not be there.
        """
        return make_plan(self._index, as_paths(sources), delete=delete)

    def add(
        self,
        sources: Paths,
        options: IndexOptions | None = None,
        progress: Progress | None = None,
        *,
        delete: bool = False,
        cluster: Cluster | None = None,
    ) -> AddReport:
        """Make the index show every picture under the sources (folders and files, one or many) as it is now.

        New and changed pictures are read; known ones that were renamed or moved are recognised by their content; those
        whose files are gone leave with `delete`. What is done is committed every options.commit_images pictures and
        options.commit_seconds. KeyboardInterrupt commits what is done and is raised again, saying how much that is.
        progress: receives the steps of each stage; cluster: whose workers read the pictures (`open_cluster`), None:
        processes of this machine.
        """
        require_own(self.features, own=False, place=self.folder)
        paths = as_paths(sources)
        report = add_pictures(
            self._index, self.vocabulary_folder, paths, options, progress, delete=delete, cluster=cluster
        )
        self._refresh_if_opened()
        return report

    def harvest(
        self,
        sources: str | Iterable[str],
        hosts: str | Iterable[str],
        options: IndexOptions | None = None,
        progress: Progress | None = None,
        *,
        delete: bool = False,
        store_pictures: bool = False,
        fields: Fields | None = None,
    ) -> AddReport:
        """Make the index show every canvas of IIIF manifests and collections (URLs or files) as it is now.

        hosts: the hosts that may be asked, NAME, *.NAME or ADDRESS, with :PORT or without; no other is. A picture is
        fetched in about the size that features are extracted at, unless the index has it and its host says that it is
        the same. A thumbnail is stored, and with store_pictures what was fetched. What fails is named in the report.
        delete: canvases that have left all their manifests leave the index; fields: values that each canvas is given.
        """
        from bof.iiif.request import HarvestRequest, require_h11

        require_own(self.features, own=False, place=self.folder)
        require_h11()
        from bof.iiif.harvest import harvest

        request = HarvestRequest.of(
            as_names(sources), as_names(hosts), delete=delete, store_pictures=store_pictures, fields=fields or {}
        )
        report = harvest(self._index, self.vocabulary_folder, request, options, progress)
        self._refresh_if_opened()
        return report

    def plan_harvest(self, sources: str | Iterable[str], hosts: str | Iterable[str]) -> HarvestPlan:
        """What `harvest` would do: the manifests are read, and no picture."""
        from bof.iiif.request import HarvestRequest, require_h11

        require_h11()
        from bof.iiif.harvest import plan_harvest

        return plan_harvest(self._index, HarvestRequest.of(as_names(sources), as_names(hosts)))

    def add_images(
        self,
        images: Images,
        options: IndexOptions | None = None,
        progress: Progress | None = None,
        *,
        channels: Channels = "RGB",
    ) -> AddReport:
        """Make the index have these pictures as they are now: {"id": picture}, or pairs of an id and a picture.

        A picture is an array u8 (h, w) or (h, w, 3), a PIL image, a Picture, or the bytes of a file; its id is its
        name. One that is in the index and the same is left; one that cannot be used is named in the report and in a
        warning. Pixels are not stored: verdicts rest on points, unless `lend` gives them back.
        channels: the order of the colours of arrays.
        """
        require_own(self.features, own=False, place=self.folder)
        report = add_images(
            self._index, self.vocabulary, self.vocabulary_folder, images, options, progress, channels=channels
        )
        self._refresh_if_opened()
        return report

    def add_features(self, features: OwnFeatures, options: IndexOptions | None = None) -> AddReport:
        """Make the index have pictures by features that the caller extracted: {"id": Features}, or pairs of both.

        The index was made with FeatureOptions(extractor="own") and a vocabulary of such features: descriptors are bytes
        u8 (n, 128) of any kind whose Euclidean distance says how alike they are (`descriptor_bytes` makes them of
        floats of any length). What is no such thing is named in the report. Raises MismatchError for an index of
        pictures.
        """
        report = add_features(self._index, self.vocabulary, features, options)
        self._refresh_if_opened()
        return report

    def _refresh_if_opened(self) -> None:
        if self._opened is not None:
            self.refresh()

    def add_columns(self, groups: str | Iterable[str], model: ModelChoice | None = None) -> None:
        """From now on describe these groups of optional columns too; `add` computes them for the pictures it has.

        model: of the group embedding; another one than before takes its place, and its column is made again.
        """
        before = self.column_spec
        after = before.with_groups(as_names(groups), model)
        if after != before:
            is_other = before.model is not None and model is not None and before.model.facts != model.facts
            with self._index.writer(self._opened) as writer:
                writer.set_facts(after.meta, ["embedding"] if is_other else [])

    @contextmanager
    def writer(self) -> Iterator[Writer]:
        """The right to change the index, for one at a time. Raises IndexStoreError where another has it."""
        with self._index.writer(self._opened) as writer:
            yield writer

    def remove(self, names: str | Iterable[str]) -> int:
        """Take pictures out by name, or all that a file holds by the file's; returns how many there were."""
        with self.writer() as writer:
            n_removed = writer.remove(self._with_parts(as_names(names)))
        self._refresh_if_opened()
        return n_removed

    def merge(self) -> int:
        """Make one segment of all, without what was removed; returns how many there were. Changes no answer."""
        with self._index.writer(self._opened) as writer:
            return writer.merge()

    def annotate(self, names: str | Iterable[str], add: Fields, remove: Fields | None = None) -> int:
        """Add values to fields of pictures, and take others away; tags are values of the field `tag`.

        names: as the index has them, or shell patterns (trips/*). Returns how many pictures are meant.
        """
        with self._index.writer(self._opened) as writer:
            found = self.find(names)
            writer.annotate([entry.path for entry in found], add, remove or {})
        return len(found)

    def find(self, names: str | Iterable[str]) -> list[ImageRecord]:
        """The pictures of these names or of the files of these names, or whose names match these shell patterns.

        In the order of their paths.
        """
        names = as_names(names)
        known = sorted(self.records(), key=lambda entry: entry.path)
        exact = set(names) & {entry.name for entry in known}
        patterns = [re.compile(fnmatch.translate(name)) for name in set(names) - exact if set(name) & set("*?[")]
        exact.update(self._with_parts(names))
        return [e for e in known if e.name in exact or any(pattern.match(e.name) for pattern in patterns)]

    def _with_parts(self, names: Sequence[str]) -> list[str]:
        """And the names of the parts of the files of these names."""
        files, parts = set(names), (record for record in self.records() if is_part(record.path))
        return [*names, *(part.name for part in parts if Address.file_name(part.path, part.name) in files)]


def plan_harvest_without_index(sources: str | Iterable[str], hosts: str | Iterable[str]) -> HarvestPlan:
    """What `Engine.harvest` would do with a new index; none is made."""
    from bof.iiif.request import HarvestRequest, require_h11

    require_h11()
    from bof.iiif.harvest import plan_harvest

    return plan_harvest(None, HarvestRequest.of(as_names(sources), as_names(hosts)))
