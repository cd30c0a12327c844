"""The facade: an index, its vocabulary and the commit that searches see, wired together. No arithmetic here."""

from __future__ import annotations

import fnmatch
import logging
import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from bof.errors import MismatchError
from bof.global_descriptors.ann_index import AnnIndex, kind_of, open_ann_index
from bof.global_descriptors.describe import ColumnSpec, ModelChoice
from bof.images.decode import Picture
from bof.ingest.add import AddReport as AddReport
from bof.ingest.add import add_pictures, make_plan
from bof.ingest.sync import Plan
from bof.native.mapped_file import reading
from bof.options import PARTNERS, TOP, FeatureOptions, IndexOptions, SearchOptions
from bof.retrieval.all_pairs import Neighbours
from bof.retrieval.answer import Answer
from bof.retrieval.hits import hit_of
from bof.retrieval.indexed_pictures import Decoder, IndexedPictures, decode_here
from bof.retrieval.query import Query as Query
from bof.retrieval.query import prepare
from bof.retrieval.searcher import Match, Searcher
from bof.store import catalog
from bof.store.catalog import CatalogueColumns, Fields, ImageRecord, SegmentRecord, Selection
from bof.store.check import CheckReport
from bof.store.index import Index, Snapshot, SnapshotFacts
from bof.store.writer import Writer
from bof.system.memory import machine_memory
from bof.system.steps import Progress
from bof.types import F32, Box, Correspondences, Hit
from bof.vocabulary.vocabulary import default_vocabulary_path, load_vocabulary

log = logging.getLogger("bof")


class Engine:
    """An open index with its vocabulary: add, remove, search.

    memory: megabytes of the index's files that searches may leave in this process' memory, 0: half of the machine's;
    decoder: decodes the pictures of first hits, so that their pixels are compared.
    As a context manager it closes the files that it has mapped.
    """

    def __init__(self, index: Index, vocabulary_folder: Path, memory: int = 0) -> None:
        self._index = index
        self._mapped_limit = memory << 20 or machine_memory() // 2
        self.vocabulary_folder = vocabulary_folder = Path(os.path.abspath(vocabulary_folder))
        self.vocabulary = load_vocabulary(vocabulary_folder)
        index.require(self.vocabulary)
        self._opened: Snapshot | None = None
        self._warned: set[str] = set()
        self.decoder: Decoder = decode_here
        self._ann_index: tuple[int, AnnIndex] | None = None

    # -- What it is -----------------------------------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        """Where the index lies."""
        return self._index.folder

    @property
    def features(self) -> FeatureOptions:
        """How the index's features were extracted, and a query's are."""
        return self._index.features

    @property
    def images(self) -> CatalogueColumns:
        """What the catalogue says of each image, in columns; removed ones included."""
        return self._collection.rows

    @property
    def generation(self) -> int:
        """The number of the commit that searches see."""
        return self._collection.generation

    @property
    def n_features(self) -> int:
        """Features of all live images."""
        return self._collection.n_features

    def __len__(self) -> int:
        return self._collection.n_images

    @property
    def _collection(self) -> Snapshot:
        """The collection as searches see it: as of one commit, until `refresh`."""
        if self._opened is None:
            self._opened = self._index.snapshot()
        return self._opened

    def refresh(self) -> bool:
        """See what has been committed since, by any process; returns whether there was anything."""
        before = self._opened
        if before is not None and before.is_whole and self._index.generation() == before.generation:
            return False
        self._opened, self._ann_index = self._index.snapshot(before), None
        return before is None or before.generation != self._opened.generation

    def facts(self) -> SnapshotFacts:
        """The commit that searches see in figures."""
        with reading(self._collection):
            return self._collection.facts()

    def count_known(self, group: str) -> int:
        """Pictures that have rows in a group of optional columns."""
        return self._collection.count_known(group)

    # -- What the catalogue says, as of the newest commit ------------------------------------------------------------

    def records(self) -> list[ImageRecord]:
        """Every picture, in the order of their names."""
        return self._index.records()

    def count(self) -> int:
        """How many pictures there are."""
        return self._index.count()

    def select(self, where: str = "", text: str = "", **page: Any) -> Selection:
        """Some pictures and what they are annotated with: see `store.catalog.select`."""
        return self._index.select(where, text, **page)

    def select_ids(self, where: str = "", text: str = "", ids: Collection[int] | None = None) -> set[int]:
        """The ids of the pictures that `select` would select."""
        return self._index.select_ids(where, text, ids)

    def count_annotated(self) -> tuple[dict[str, int], dict[str, int]]:
        """How many pictures have each tag, and how many each other field."""
        return self._index.count_annotated()

    def segments(self) -> list[SegmentRecord]:
        """Every segment and what its files must be."""
        return self._index.segments()

    def check(self) -> CheckReport:
        """Is every byte of the index what was written?"""
        return self._index.check()

    def bytes_by_file(self) -> dict[str, int]:
        """Bytes on disk of the catalogue, and of the segments' files, summed by name."""
        return self._index.bytes_by_file()

    def n_bytes(self) -> int:
        """Size of the index on disk."""
        return self._index.n_bytes()

    def close(self) -> None:
        """Let go of the mapped files; what is asked next maps them again."""
        self._opened = self._ann_index = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- Opening --------------------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls, folder: Path, vocabulary_folder: Path | None = None, features: FeatureOptions | None = None
    ) -> Self:
        """A new index. The vocabulary that ships with bof and the features that it was trained on are the defaults."""
        vocabulary_folder = vocabulary_folder or default_vocabulary_path()
        vocabulary = load_vocabulary(vocabulary_folder)
        index = Index.create(folder, vocabulary, vocabulary_folder, features or vocabulary.features)
        return cls(index, vocabulary_folder)

    @classmethod
    def open(cls, folder: Path, vocabulary_folder: Path | None = None, *, memory: int = 0) -> Self:
        """An existing index, with the vocabulary that it was built with unless another place is named."""
        index = Index.open(folder)
        return cls(index, vocabulary_folder or _find_vocabulary(index), memory)

    @classmethod
    def open_or_create(cls, folder: Path, vocabulary_folder: Path | None = None, **feature_options: float) -> Self:
        """The index in a folder, made if there is none.

        feature_options: fields of FeatureOptions that must hold. Raises MismatchError where the index has others.
        """
        if not catalog.exists(folder):
            vocabulary_folder = vocabulary_folder or default_vocabulary_path()
            features = load_vocabulary(vocabulary_folder).features.replaced(**feature_options)
            return cls.create(folder, vocabulary_folder, features)
        index = Index.open(folder)
        found = index.features
        if found != found.replaced(**feature_options):
            raise MismatchError(
                path=folder,
                expected=found.replaced(**feature_options),
                found=f"an index with {found}",
                advice="drop the option, or name another {index}",
            )
        return cls(index, vocabulary_folder or _find_vocabulary(index))

    # -- Changing ------------------------------------------------------------------------------------------------

    def plan(self, sources: Sequence[Path], *, delete: bool = False) -> Plan:
        """What `add` would do. Raises ImageError for a missing source, and where a folder that `delete` would empty has
        no picture at all: its disk may not be there.
        """
        return make_plan(self._index, sources, delete=delete)

    def add(
        self,
        sources: Sequence[Path],
        options: IndexOptions | None = None,
        progress: Progress | None = None,
        *,
        delete: bool = False,
    ) -> AddReport:
        """Make the index show every picture under the sources as it is now.

        New and changed pictures are read; known ones that were renamed or moved are recognised by their content; those
        whose files are gone leave with `delete`. What is done is committed every options.commit_images pictures and
        options.commit_seconds. KeyboardInterrupt commits what is done and is raised again, saying how much that is.
        progress: receives the steps of each stage.
        """
        report = add_pictures(self._index, self.vocabulary_folder, sources, options, progress, delete=delete)
        if self._opened is not None:
            self.refresh()
        return report

    @property
    def column_spec(self) -> ColumnSpec:
        """The optional columns that this index describes of every picture. Raises IndexStoreError where it lies."""
        return self._index.column_spec

    def add_columns(self, groups: Sequence[str], model: ModelChoice | None = None) -> None:
        """From now on describe these groups of optional columns too; `add` computes them for the pictures it has.

        model: of the group embedding; another one than before takes its place, and its column is made again.
        """
        before = self.column_spec
        after = before.with_groups(groups, model)
        if after != before:
            is_other = before.model is not None and model is not None and before.model.facts != model.facts
            with self._index.writer() as writer:
                writer.set_facts(after.meta, ["embedding"] if is_other else [])

    @property
    def roots(self) -> list[Path]:
        """The folders that were added, which `add` can look into again."""
        return self._index.roots

    @contextmanager
    def writer(self) -> Iterator[Writer]:
        """The right to change the index, for one at a time. Raises IndexStoreError where another has it."""
        with self._index.writer() as writer:
            yield writer

    def remove(self, names: Sequence[str]) -> int:
        """Take pictures out by name; returns how many there were."""
        with self.writer() as writer:
            n_removed = writer.remove(names)
        if self._opened is not None:
            self.refresh()
        return n_removed

    def merge(self) -> int:
        """Make one segment of all, without what was removed; returns how many there were. Changes no answer."""
        with self._index.writer() as writer:
            return writer.merge()

    def annotate(self, names: Sequence[str], add: Fields, remove: Fields | None = None) -> int:
        """Add values to fields of pictures, and take others away; tags are values of the field `tag`.

        names: as the index has them, or shell patterns (trips/*). Returns how many pictures are meant.
        """
        with self._index.writer() as writer:
            found = self.find(names)
            writer.annotate([entry.path for entry in found], add, remove or {})
        return len(found)

    def find(self, names: Sequence[str]) -> list[ImageRecord]:
        """The pictures of these names, or whose names match these shell patterns, in the order of their paths."""
        known = sorted(self.records(), key=lambda entry: entry.path)
        exact = set(names) & {entry.name for entry in known}
        patterns = [re.compile(fnmatch.translate(name)) for name in set(names) - exact if set(name) & set("*?[")]
        return [e for e in known if e.name in exact or any(pattern.match(e.name) for pattern in patterns)]

    # -- Searching -----------------------------------------------------------------------------------------------

    def searcher(self, options: SearchOptions | None = None) -> Searcher:
        """What searches the collection as of now with these options; later commits do not change what it answers.

        Raises MismatchError where the index has no column that a ranker needs, OptionError for a faulty condition.
        """
        options = options or SearchOptions()
        collection = self._collection
        self._warn_of_missing(collection, options.groups)
        ann_index = self._open_ann_index(collection) if "embedding" in options.whole else None
        if options.where or options.text:
            collection = collection.restricted(self.select_ids(options.where, options.text))
        pictures = IndexedPictures(self.folder, collection.rows, self.decoder) if options.verify.pixels else None
        limits = self._mapped_limit, str(self.folder)
        return Searcher(collection, self.vocabulary, options, ann_index, *limits, pictures)

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
        return self.searcher(options).search(query)

    def match(self, query: Query, image: int, options: SearchOptions | None = None) -> tuple[Hit, Match]:
        """How a query lies in one live image, by its number in `images`."""
        found = self.searcher(options).match(query, image)
        return self.hits(query, found.answer, options, 1)[0], found

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

    def neighbours(self, partners: int, progress: Callable[[int, int], None] | None = None) -> Iterator[Neighbours]:
        """Of every picture, by its number, so many others most like it. Raises OptionError for no such number.

        The votes and the geometry that the index holds decide; no picture is read.
        """
        PARTNERS.check(partners)
        return self.searcher().neighbours(partners, progress)

    def hits(self, query: Query, answer: Answer, options: SearchOptions | None = None, top: int = 20) -> list[Hit]:
        """The first `top` images of an answer, each with its proof."""
        pairs = zip(answer.images[:top].tolist(), answer.scores[:top].tolist(), strict=True)
        return [self._hit(query, answer, image, score, options or SearchOptions()) for image, score in pairs]

    def search(
        self, picture: Picture, options: SearchOptions | None = None, *, top: int = 20, box: Box | None = None
    ) -> list[Hit]:
        """The pictures that show the same thing, best first.

        picture: grey, as `read_image(path, grey=True, max_side=engine.features.max_side)` returns it; in colour for
        rankers of global descriptors. Raises OptionError where `top` is no number of hits.
        """
        TOP.check(top)
        query = self.prepare(picture, box, options)
        return self.hits(query, self.answer(query, options), options, top)

    def titles(self, hits: Sequence[Hit]) -> dict[int, str]:
        """The names that uploaded pictures were given, by image; only of hits that are uploads."""
        image_of = {int(self.images.id[hit.image]): hit.image for hit in hits if catalog.is_named_by_content(hit.name)}
        fields = self.select(ids=list(image_of)).fields if image_of else {}
        titles = {image_of[number]: found.get(catalog.TITLE, []) for number, found in fields.items()}
        return {image: given[0] for image, given in titles.items() if given}

    def matched_points(self, query: Query, hit: Hit) -> tuple[F32, F32]:
        """The inliers of a hit: where they lie f32 (m, 2) in the query and f32 (m, 2) in the hit, in pixels."""
        if hit.verification is None:
            return np.empty((0, 2), np.float32), np.empty((0, 2), np.float32)
        return self.points(query, hit.image, hit.verification.inliers)

    def points(self, query: Query, image: int, matches: Correspondences) -> tuple[F32, F32]:
        """Where matches lie f32 (m, 2) in the query and f32 (m, 2) in an image, in pixels."""
        with reading(self._collection):
            candidate = self._collection.geometry(image, matches.database)
        return query.features.geometry.xy_px[matches.query], candidate.xy_px

    def _hit(self, query: Query, answer: Answer, image: int, score: float, options: SearchOptions) -> Hit:
        return hit_of(self.images[image], query, answer, image, score, options.verify)


def _find_vocabulary(index: Index) -> Path:
    """Where the vocabulary was when the index was built; else the default, which the fingerprint then checks."""
    if index.vocabulary_folder.is_dir():
        return index.vocabulary_folder
    return default_vocabulary_path()
