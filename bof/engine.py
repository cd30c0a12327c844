"""The facade: an index, its vocabulary and the commit that searches see, wired together. No arithmetic here."""

from __future__ import annotations

import fnmatch
import logging
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np

from bof.errors import MismatchError, OptionError
from bof.geometry.transforms import corners
from bof.global_descriptors.ann_index import AnnIndex, kind_of, open_ann_index
from bof.global_descriptors.describe import ColumnSpec, ModelChoice
from bof.images.address import Address, is_part
from bof.images.decode import Picture
from bof.images.sources import Channels, Paths, Source, as_names, as_paths, check_channels, is_one, open_source
from bof.ingest.add import AddReport as AddReport
from bof.ingest.add import add_pictures, make_plan
from bof.ingest.memory import Images, add_images
from bof.ingest.own_features import OwnFeatures, add_features, check_features, content_of_features, require_own
from bof.ingest.sync import Plan
from bof.native.mapped_file import reading
from bof.opened import OpenedIndex
from bof.options import (
    PARTNERS,
    TOP,
    FeatureOptions,
    IndexOptions,
    PixelLimit,
    SearchOptions,
    VerifyOptions,
    VoteOptions,
)
from bof.retrieval.all_pairs import Neighbours
from bof.retrieval.answer import Answer
from bof.retrieval.best_frames import with_best_frames
from bof.retrieval.expansion import NeighbourMemory
from bof.retrieval.hits import Hits, hit_of
from bof.retrieval.indexed_pictures import Decoder, IndexedJudgments, IndexedPictures, LentPictures, decode_here
from bof.retrieval.pages import HitPage, HitRange, count_shots, page_of
from bof.retrieval.pair_tasks import all_pairs_on_workers, pair_spec
from bof.retrieval.query import PictureViews, PreparedQuery, QueryBox, QuerySpec, prepare, read_query, together
from bof.retrieval.query import Query as Query
from bof.retrieval.remote.parts import RemoteParts
from bof.retrieval.remote.searching import SearchWorkers
from bof.retrieval.searcher import Match, Searcher
from bof.scheduling.connection import Cluster
from bof.store import catalog
from bof.store.catalog import Fields, ImageRecord, Selection
from bof.store.index import EpochGoneError, Index
from bof.store.parts.layout import PartShare, Split
from bof.store.parts.making import create_index, require_split
from bof.store.snapshot import Snapshot
from bof.store.writer import Writer
from bof.system.ahead import run_ahead
from bof.system.memory import machine_memory
from bof.system.steps import Progress
from bof.types import F32, Box, Correspondences, Features, Hit
from bof.vocabulary.vocabulary import default_vocabulary_path, load_vocabulary

if TYPE_CHECKING:
    from bof.iiif.plan import HarvestPlan

log = logging.getLogger("bof")

_MOST_COMMITS_MISSED = 4
"""So often a search begins anew because the index has changed before all workers had opened a commit."""

PathText = str | os.PathLike[str]

Many = list[Any] | tuple[Any, ...] | Iterator[Any]
"""Several pictures, each in any form."""


class Engine(OpenedIndex):
    """An open index with its vocabulary: add, remove, search. Threads may share it.

    memory: megabytes of the index's files that searches may leave in this process' memory, 0: half of the machine's;
    workers: who votes and verifies, None: this process; decoder: decodes the pictures of first hits, so that their
    pixels are compared.
    """

    def __init__(
        self,
        index: Index,
        vocabulary_folder: Path | None = None,
        memory: int = 0,
        workers: SearchWorkers | None = None,
    ) -> None:
        super().__init__(index, vocabulary_folder)
        self.workers = workers
        self._mapped_limit = memory << 20 or machine_memory() // 2
        self._warned: set[str] = set()
        self.decoder: Decoder = decode_here
        self._lent = LentPictures({})
        self._memory: tuple[tuple[int, VoteOptions, VerifyOptions], NeighbourMemory] | None = None

    # -- Opening --------------------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        folder: PathText,
        vocabulary_folder: PathText | None = None,
        features: FeatureOptions | None = None,
        split: Split | PartShare | None = None,
    ) -> Self:
        """A new index. The vocabulary that ships with bof, and features as it was trained on, are the defaults.

        The index gets a copy of the vocabulary, so that it needs no other file. split: into parts, or which part of a
        collection it is to be.
        """
        source = Path(os.path.abspath(vocabulary_folder or default_vocabulary_path()))
        vocabulary = load_vocabulary(source)
        return cls(create_index(Path(folder), vocabulary, source, features or vocabulary.new_index_features, split))

    @classmethod
    def open(
        cls,
        folder: PathText,
        vocabulary_folder: PathText | None = None,
        *,
        memory: int = 0,
        workers: SearchWorkers | None = None,
    ) -> Self:
        """An existing index, with the vocabulary that it carries unless another place is named.

        workers: who votes and verifies, None: this process.
        """
        vocabulary = Path(vocabulary_folder) if vocabulary_folder else None
        return cls(Index.open(Path(folder)), vocabulary, memory, workers)

    @classmethod
    def open_or_create(
        cls,
        folder: PathText,
        vocabulary_folder: PathText | None = None,
        *,
        split: Split | PartShare | None = None,
        **feature_options: float | str,
    ) -> Self:
        """The index in a folder, made if there is none.

        feature_options: fields of FeatureOptions that must hold; split: how it must be split. Raises MismatchError
        where the index has others, or is split in another way.
        """
        folder = Path(folder)
        if not catalog.exists(folder):
            vocabulary_folder = Path(vocabulary_folder or default_vocabulary_path())
            features = load_vocabulary(vocabulary_folder).new_index_features.replaced(**feature_options)
            return cls.create(folder, vocabulary_folder, features, split)
        index = Index.open(folder)
        require_split(index, split)
        found = index.features
        if found != found.replaced(**feature_options):
            raise MismatchError(
                path=folder,
                expected=found.replaced(**feature_options),
                found=f"an index with {found}",
                advice="drop the option, or name another {index}",
            )
        return cls(index, Path(vocabulary_folder) if vocabulary_folder else None)

    # -- Changing ------------------------------------------------------------------------------------------------

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

    def query_of_features(self, features: Features) -> Query:
        """A query of features alone, extracted as those of the index were; there are no pixels to compare.

        Raises ImageError for arrays of other types or shapes, MismatchError for an index of pictures.
        """
        require_own(self.features, own=True, place=self.folder)
        geometry = check_features(features).geometry
        outline = corners((0, 0, geometry.width, geometry.height))
        return Query(features, outline, sha256=(content := content_of_features(features)), judged_as=content)

    def search_features(
        self, features: Features, options: SearchOptions | None = None, *, top: int = TOP.default
    ) -> Hits:
        """The pictures that show the same as these features: `search` without a picture."""
        TOP.check(top)
        query = self.query_of_features(features)
        return self.hits(query, self.answer(query, options), options, top)

    def lend(self, pictures: Mapping[str, Source], *, channels: Channels = "RGB") -> None:
        """Look into these pictures, by id, wherever pixels of a picture that was added in memory are needed.

        They are not copied, and count only as long as they are what was indexed.
        """
        check_channels(channels)
        if not isinstance(pictures, Mapping):
            raise OptionError("pictures", expected="pictures by id", found=type(pictures).__name__)
        self._lent = LentPictures(pictures, channels)

    def _refresh_if_opened(self) -> None:
        if self._opened is not None:
            self.refresh()

    @property
    def column_spec(self) -> ColumnSpec:
        """The optional columns that this index describes of every picture. Raises IndexStoreError where it lies."""
        return self._index.column_spec

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

    @property
    def roots(self) -> list[Path]:
        """The folders that were added, which `add` can look into again."""
        return self._index.roots

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

    # -- Searching -----------------------------------------------------------------------------------------------

    def searcher(self, options: SearchOptions | None = None) -> Searcher:
        """What searches the collection as of now with these options; later commits do not change what it answers.

        Raises MismatchError where the index has no column that a ranker needs, OptionError for a faulty condition.
        """
        return self._searcher(self._collection, options or SearchOptions())

    def _searcher(self, collection: Snapshot, options: SearchOptions) -> Searcher:
        self._warn_of_missing(collection, options.groups)
        ann_index = self._open_ann_index(collection) if "embedding" in options.whole else None
        if options.where or options.text:
            collection = collection.restricted(self.select_ids(options.where, options.text))
        pictures = self._pictures(collection) if options.verify.pixels else None
        parts = self._parts_of(collection)
        limits = self._mapped_limit, str(self.folder)
        by_content = self._judgments.by_content() if "bof" in options.local else None
        judged = IndexedJudgments(self._index, collection.rows, by_content) if by_content else None
        memory = None if options.where or options.text else self._memory_of(collection, options)
        found = *limits, pictures, judged, memory, self.features.extent
        searcher = Searcher(collection, self.vocabulary, options, ann_index, *found)
        return searcher if self.workers is None or parts is None else self.workers.searcher(searcher, parts, pictures)

    def _parts_of(self, collection: Snapshot) -> RemoteParts | None:
        if self.workers is None:
            return None
        return self.workers.parts_of(collection, self.folder, self.vocabulary_folder)

    def _prepare(self, collection: Snapshot) -> None:
        """Workers open a commit while they answer of the one before."""
        self._parts_of(collection)

    def _memory_of(self, collection: Snapshot, options: SearchOptions) -> NeighbourMemory:
        """What seeds have found in a commit with the options of votes and geometry; of one commit at a time."""
        key = collection.generation, options.vote, options.verify
        known = self._memory
        if known is None or known[0] != key:
            self._memory = known = key, NeighbourMemory()
        return known[1]

    def prepare(
        self,
        picture: Picture,
        box: Box | None = None,
        options: SearchOptions | None = None,
        *,
        colours: Picture | None = None,
        sha256: str = "",
    ) -> Query:
        """Make a query ready for the rankers of `options`; its features are extracted as the index's were.

        colours: the same picture in RGB, whose pixels are compared with those of hits, where `picture` is grey; sha256:
        of the file that it was read from, so that it is known where it is in the collection.

        Raises ImageError for a box outside the picture, and for a grey picture where columns are compared;
        MismatchError where the index lacks a column that a ranker needs.
        """
        options = options or SearchOptions()
        column_spec = self.require_columns(options.groups) if options.groups else None
        local = bool(options.local)
        return prepare(picture, box, self.features, column_spec, local=local, colours=colours, sha256=sha256)

    def require_columns(self, groups: Sequence[str]) -> ColumnSpec:
        """These groups of columns. Raises MismatchError where the index lacks one."""
        column_spec = self.column_spec
        for group in groups:
            if group not in column_spec.groups:
                model = " --model FILE.onnx" if group == "embedding" else ""
                raise MismatchError(
                    path=self.folder,
                    expected=f"the column {group}",
                    found=", ".join(column_spec.groups) or "none",
                    advice=f"add it with: {{bof index}} --index {self.folder} --columns {group}{model}",
                )
        return column_spec.only(groups)

    def answer(self, query: Query, options: SearchOptions | None = None) -> Answer:
        """Every image with a positive score, as columns, with the seconds that each stage took."""
        return self._answered(query, options or SearchOptions())[1]

    def _answered(self, query: Query, options: SearchOptions) -> tuple[Snapshot, Answer]:
        """An answer, and the commit that it is of: of the next one, where workers have let go of it."""
        for _ in range(_MOST_COMMITS_MISSED):
            collection = self._collection  # one commit for all, whatever another thread adds meanwhile
            try:
                return collection, self._searcher(collection, options).search(query)
            except EpochGoneError:
                self.refresh()
        collection = self._collection
        return collection, self._searcher(collection, options).search(query)

    def match(self, query: Query, image: int, options: SearchOptions | None = None) -> tuple[Hit, Match]:
        """How a query lies in one live image, by its number in `images`."""
        options = options or SearchOptions()
        in_keyframe = replace(options, verify=replace(options.verify, frames=0))  # as `points` has them
        found = self.searcher(in_keyframe).match(query, image)
        return self.hits(query, found.answer, in_keyframe, 1)[0], found

    def _open_ann_index(self, collection: Snapshot) -> AnnIndex | None:
        """What finds embeddings where not all are compared."""
        parts = collection.embeddings()
        if all(kind_of(*part.rows.shape) == "all" for part in parts):
            return None
        if self._ann_index is None or self._ann_index[0] != collection.generation:
            self._ann_index = collection.generation, open_ann_index(self.folder, parts)
        return self._ann_index[1]

    def _warn_of_missing(self, collection: Snapshot, groups: Sequence[str]) -> None:
        """Say once of each group how many pictures lack it. Raises MismatchError where all do."""
        for group in groups:
            live = collection.weights.live
            with reading(collection):
                n_lacking = int((live & ~collection.columns_known(group)).sum())
            advice = f"--index {self.folder} describes them"
            if n_lacking and n_lacking == int(live.sum()):
                problem = f"no picture has the column {group} yet"
                raise MismatchError(problem, path=self.folder, advice=f"{{bof index}} {advice}")
            if n_lacking and group not in self._warned:
                self._warned.add(group)
                problem = "pictures have no column %s and are not found by it"
                log.warning(f"%d {problem}; bof index %s", n_lacking, group, advice)

    def neighbours(
        self,
        partners: int,
        progress: Callable[[int, int], None] | None = None,
        *,
        cluster: Cluster | None = None,
    ) -> Iterator[Neighbours]:
        """Of every picture, by its number, so many others most like it. Raises OptionError for no such number.

        The votes and the geometry that the index holds decide; no picture is read. cluster: whose workers search, None:
        this process.
        """
        PARTNERS.check(partners)
        if cluster is not None:
            spec = pair_spec(self.folder, self.vocabulary_folder, self.generation, partners)
            return all_pairs_on_workers(cluster, self._collection, spec, progress)
        return self.searcher().neighbours(partners, progress)

    def hits(self, query: Query, answer: Answer, options: SearchOptions | None = None, top: int = 20) -> Hits:
        """The first `top` images of an answer, or the best of its groups where options.group_by names a field, each
        with its proof.
        """
        return self.page(query, answer, options, top).hits

    def page(
        self,
        query: Query,
        answer: Answer,
        options: SearchOptions | None = None,
        top: int = 20,
        offset: int = 0,
        verdicts: Collection[str] = (),
    ) -> HitPage:
        """At most `top` hits of an answer from `offset` on. verdicts: only hits with one of these, empty: any.

        Where options.group_by names a field a hit is the best picture of a group, and verdicts are those of the best.
        """
        return self._page(self._collection, query, answer, options or SearchOptions(), HitRange(top, offset, verdicts))

    @overload
    def search(
        self,
        picture: Source,
        options: SearchOptions | None = None,
        *,
        top: int = 20,
        box: QueryBox = None,
        channels: Channels = "RGB",
    ) -> Hits: ...

    @overload
    def search(
        self,
        picture: Many,
        options: SearchOptions | None = None,
        *,
        top: int = 20,
        box: QueryBox = None,
        channels: Channels = "RGB",
    ) -> list[Hits]: ...

    def search(
        self,
        picture: Source | Many,
        options: SearchOptions | None = None,
        *,
        top: int = 20,
        box: QueryBox = None,
        channels: Channels = "RGB",
    ) -> Hits | list[Hits]:
        """The pictures that show the same thing, best first; of a list of queries, the hits of each.

        picture: a path, the bytes of a file, a PIL image, a Picture, or an array u8 (h, w) grey or (h, w, 3) in colour,
        channels being the order of its colours; top: at most so many hits; box: search with a part of the picture, x0,
        y0, x1, y1 in its pixels, or with what stands out, "auto". Raises OptionError where `top` is no number of hits,
        ImageError for what is no picture and for a box outside it.
        """
        TOP.check(top)
        if options is not None and not isinstance(options, SearchOptions):
            advice = "top= says how many hits, box= which part"
            raise OptionError("options", expected="SearchOptions(...)", found=type(options).__name__, advice=advice)
        several: Any = picture
        if not is_one(picture):
            self._collection  # noqa: B018 - opened before several threads ask for it
            return list(run_ahead(lambda one: self._search(one, options, top, box, channels), several))
        return self._search(several, options, top, box, channels)

    def _search(
        self, source: Source, options: SearchOptions | None, top: int, box: QueryBox, channels: Channels
    ) -> Hits:
        query = self.query(source, options, box=box, channels=channels)
        collection, answer = self._answered(query, options or SearchOptions())
        return self._page(collection, query, answer, options or SearchOptions(), HitRange(top)).hits

    def query(
        self,
        source: Source,
        options: SearchOptions | None = None,
        *,
        box: QueryBox = None,
        channels: Channels = "RGB",
    ) -> Query:
        """A picture in any form that `search` takes, made ready for the rankers of `options`."""
        return self.read_query(open_source(source, channels), box, options).query

    def search_together(
        self,
        pictures: Many,
        options: SearchOptions | None = None,
        *,
        top: int = 20,
        channels: Channels = "RGB",
    ) -> Hits:
        """The pictures that show the same thing as several pictures of it together, best first.

        pictures: each in any form that `search` takes; `query_number` of a hit says which of them proves it. Raises as
        `search` does, and OptionError where there is no picture.
        """
        TOP.check(top)
        parts = run_ahead(lambda one: self.query(one, options, channels=channels), pictures)
        query = together(list(parts))
        collection, answer = self._answered(query, options or SearchOptions())
        return self._page(collection, query, answer, options or SearchOptions(), HitRange(top)).hits

    def read_query(self, source: PictureViews, box: QueryBox, options: SearchOptions | None = None) -> PreparedQuery:
        """The same of a picture that is opened, with what its features were extracted from and the box."""
        options = options or SearchOptions()
        column_spec = self.require_columns(options.groups) if options.groups else None
        spec = QuerySpec(self.features, column_spec, bool(options.local), bool(options.verify.pixels))
        return read_query(source, box, spec)

    def _pictures(self, collection: Snapshot) -> IndexedPictures:
        return IndexedPictures(self._index, collection.rows, self.decoder, self._lent)

    def stored_picture(self, hit: Hit, max_side: PixelLimit) -> Picture | None:
        """What the index stores of a hit that lies on another machine, in the frame of what was indexed.

        None where it stores nothing that can be decoded.
        """
        return self._pictures(self._collection).read(hit.image, max_side)

    def titles(self, hits: Sequence[Hit]) -> dict[int, str]:
        """The names that uploaded pictures were given, by image; only of hits that are uploads."""
        uploads = (hit for hit in hits if catalog.is_named_by_content(hit.name) and hit.fields.get(catalog.TITLE))
        return {hit.image: hit.fields[catalog.TITLE][0] for hit in uploads}

    def matched_points(self, query: Query, hit: Hit) -> tuple[F32, F32]:
        """The inliers of a hit: where they lie f32 (m, 2) in the query and f32 (m, 2) in the hit, in pixels."""
        if hit.verification is None:
            return np.empty((0, 2), np.float32), np.empty((0, 2), np.float32)
        shown = query.part(hit.query_number)
        in_query = hit.verification.points_in(shown.features.geometry)
        if hit.frame_xy_px is not None:
            return in_query, hit.frame_xy_px
        return in_query, self.points_in(hit.image, hit.verification.inliers)

    def points_in(self, image: int, matches: Correspondences) -> F32:
        """Where matches lie in an image, f32 (m, 2) in pixels."""
        with reading(self._collection):
            return self._collection.geometry(image, matches.database).xy_px

    def _page(
        self, collection: Snapshot, query: Query, answer: Answer, options: SearchOptions, chosen: HitRange
    ) -> HitPage:
        found = self._field_values_of(collection, options.group_by) if options.group_by else None
        films, rows = collection.films, collection.rows
        placed, total = page_of(answer, found, films, options, chosen)
        if films is not None:
            n_shots = count_shots(answer, films, options.verify)
            placed = [replace(one, n_shots=n_shots.get(int(films.film[one.image]), 0)) for one in placed]
        number_of = {one.image: int(rows.id[one.image]) for one in placed}
        selection = self.select(ids=list(number_of.values())) if placed else Selection(0, (), {})
        hits = [
            hit_of(rows[one.image], query, answer, one, options.verify, selection.fields.get(number_of[one.image]))
            for one in placed
        ]
        if films is not None and options.verify.frames:
            unchanged = {record.id for record in selection.records if record.file.is_current()}
            current = {image for image, number in number_of.items() if number in unchanged}
            hits = with_best_frames(query, hits, current, options.verify, self.features)
        return HitPage(Hits(hits, query.picture, self._pictures(collection)), total, selection)


def plan_harvest_without_index(sources: str | Iterable[str], hosts: str | Iterable[str]) -> HarvestPlan:
    """What `Engine.harvest` would do with a new index; none is made."""
    from bof.iiif.request import HarvestRequest, require_h11

    require_h11()
    from bof.iiif.harvest import plan_harvest

    return plan_harvest(None, HarvestRequest.of(as_names(sources), as_names(hosts)))
