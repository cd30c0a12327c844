"""Asking an index: searchers of a commit, their answers, and the hits that are shown of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bof.engine.opened import OpenedIndex
from bof.errors import MismatchError, OptionError
from bof.global_descriptors.ann_index import AnnIndex, kind_of, open_ann_index
from bof.global_descriptors.describe import ColumnSpec
from bof.images.decode import Picture
from bof.images.sources import Channels, Source, check_channels
from bof.native.mapped_file import reading
from bof.options import PARTNERS, TOP, PixelLimit, SearchOptions, VerifyOptions, VoteOptions
from bof.retrieval.all_pairs import Neighbours
from bof.retrieval.answer import Answer
from bof.retrieval.best_frames import with_best_frames
from bof.retrieval.expansion import NeighbourMemory
from bof.retrieval.hits import Hits, hit_of
from bof.retrieval.indexed_pictures import Decoder, IndexedJudgments, IndexedPictures, LentPictures, decode_here
from bof.retrieval.pages import HitPage, HitRange, count_shots, page_of
from bof.retrieval.pair_tasks import all_pairs_on_workers, pair_spec
from bof.retrieval.query import Query, prepare
from bof.retrieval.remote.parts import RemoteParts
from bof.retrieval.remote.searching import SearchWorkers
from bof.retrieval.searcher import Match, Searcher
from bof.scheduling.connection import Cluster
from bof.store import catalog
from bof.store.catalog import Selection
from bof.store.index import EpochGoneError, Index
from bof.store.snapshot import Snapshot
from bof.system.memory import machine_memory
from bof.types import F32, Box, Correspondences, Hit

log = logging.getLogger("bof")

_MOST_COMMITS_MISSED = 4
"""So often a search begins anew because the index has changed before all workers had opened a commit."""


class AskingIndex(OpenedIndex):
    """An open index that answers prepared queries; see `Engine`.

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

    def lend(self, pictures: Mapping[str, Source], *, channels: Channels = "RGB") -> None:
        """Look into these pictures, by id, wherever pixels of a picture that was added in memory are needed.

        They are not copied, and count only as long as they are what was indexed.
        """
        check_channels(channels)
        if not isinstance(pictures, Mapping):
            raise OptionError("pictures", expected="pictures by id", found=type(pictures).__name__)
        self._lent = LentPictures(pictures, channels)

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

    def hits(self, query: Query, answer: Answer, options: SearchOptions | None = None, top: int = TOP.default) -> Hits:
        """The first `top` images of an answer, or the best of its groups where options.group_by names a field, each
        with its proof.
        """
        return self.page(query, answer, options, top).hits

    def page(
        self,
        query: Query,
        answer: Answer,
        options: SearchOptions | None = None,
        top: int = TOP.default,
        offset: int = 0,
        verdicts: Collection[str] = (),
    ) -> HitPage:
        """At most `top` hits of an answer from `offset` on. verdicts: only hits with one of these, empty: any.

        Where options.group_by names a field a hit is the best picture of a group, and verdicts are those of the best.
        """
        return self._page(self._collection, query, answer, options or SearchOptions(), HitRange(top, offset, verdicts))

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
