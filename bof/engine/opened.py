"""An index as of one commit: what it is, which pictures it has, what the catalogue says of them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bof.errors import BofError, OptionError
from bof.global_descriptors.ann_index import AnnIndex
from bof.global_descriptors.describe import ColumnSpec
from bof.native.mapped_file import reading
from bof.options import FeatureOptions
from bof.retrieval.field_values import field_values
from bof.retrieval.grouped import FieldValues
from bof.store.catalog import CatalogueColumns, ImageRecord, SegmentRecord, Selection
from bof.store.check import CheckReport
from bof.store.index import Index
from bof.store.judgments import Judgment, JudgmentReader, add_judgments, read_judgments, withdraw_judgments
from bof.store.published.copies import PublishedCopy, copy_at
from bof.store.snapshot import Snapshot, SnapshotFacts
from bof.store.vocabulary_copy import load_copy
from bof.system.units import counted
from bof.vocabulary.vocabulary import Vocabulary, default_vocabulary_path, load_vocabulary

_MAX_FIELDS = 4
"""Fields whose values are remembered."""


class OpenedIndex:
    """An open index with its vocabulary, as of one commit: its length is the number of its pictures, `in` and a loop
    see their names.

    vocabulary_folder: where the vocabulary lies; None: the index's own copy. As a context manager it closes the files
    that it has mapped. Raises IndexStoreError where the copy is damaged, MismatchError for another vocabulary.
    """

    def __init__(self, index: Index, vocabulary_folder: Path | None = None) -> None:
        self._index, self._copy = index, copy_at(index.folder)
        self.vocabulary_folder, self.vocabulary = _load_vocabulary(index, vocabulary_folder)
        index.require(self.vocabulary)
        self._opened: Snapshot | None = None
        self._ann_index: tuple[int, AnnIndex] | None = None
        self._judgments = JudgmentReader(index.folder)
        self._field_values: dict[str, tuple[int, FieldValues]] = {}

    # -- What it is ---------------------------------------------------------------------------------------------------

    @property
    def index(self) -> Index:
        """The index on disk, as of now."""
        return self._index

    @property
    def folder(self) -> Path:
        """Where the index lies."""
        return self._index.folder

    @property
    def features(self) -> FeatureOptions:
        """How the index's features were extracted, and a query's are."""
        return self._index.features

    @property
    def column_spec(self) -> ColumnSpec:
        """The optional columns that this index describes of every picture. Raises IndexStoreError where it lies."""
        return self._index.column_spec

    @property
    def roots(self) -> list[Path]:
        """The folders that were added, which `add` can look into again."""
        return self._index.roots

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

    def __bool__(self) -> bool:
        """An index is there, also where it has no picture yet."""
        return True

    def __contains__(self, name: object) -> bool:
        """Is there a picture of this name?"""
        rows = self.images
        return isinstance(name, str) and any(not rows.deleted[i] for i in rows.names.find(name))

    def __iter__(self) -> Iterator[str]:
        """The names of the pictures, sorted."""
        return iter(sorted(row.name for row in self.images if not row.deleted))

    def __repr__(self) -> str:
        try:
            holds = counted(len(self), "picture")
        except BofError as error:
            holds = f"cannot be read: {type(error).__name__}"
        return f"{type(self).__name__}({str(self.folder)!r}, {holds}, {self.vocabulary.n_words} words)"

    @property
    def _collection(self) -> Snapshot:
        """The collection as searches see it: as of one commit, until `refresh`."""
        opened = self._opened  # another thread may close or refresh
        if opened is None:
            opened = self._index.snapshot()
            self._prepare(opened)
            self._opened = opened
        return opened

    def _prepare(self, collection: Snapshot) -> None:
        """What is done before anybody searches a commit."""

    def refresh(self) -> bool:
        """See what has been committed since, by any process; returns whether there was anything.

        What was published since is seen once a thread, which looks for it every half minute, has fetched it.
        """
        before = self._opened
        newer = self._copy.newer() if self._copy else None
        is_current = before is not None and before.is_whole and self._index.generation() == before.generation
        if is_current and not newer:
            return False
        index = Index.open(newer.folder if newer else self.folder)  # it may be in parts by now
        index.require(self.vocabulary)
        if newer:
            self._go_over_to(newer, index)
        self._index = index
        opened = self._index.snapshot(before)
        self._prepare(opened)
        self._opened, self._ann_index = opened, None
        return before is None or before.generation != opened.generation

    def _go_over_to(self, copy: PublishedCopy, index: Index) -> None:
        """What lies in the folder of the copy before, which is deleted, is from now on that of this one."""
        if self.vocabulary_folder == self._index.vocabulary_copy:
            self.vocabulary_folder = index.vocabulary_copy
        self._copy, self._judgments = copy, JudgmentReader(copy.folder)

    def facts(self) -> SnapshotFacts:
        """The commit that searches see in figures."""
        collection = self._collection
        with reading(collection):
            return collection.facts()

    def count_known(self, group: str) -> int:
        """Pictures that have rows in a group of optional columns."""
        return self._collection.count_known(group)

    # -- What the catalogue says, as of the newest commit -------------------------------------------------------------

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

    def field_values(self, field: str) -> FieldValues:
        """Which pictures have which values of a field, or of folder or name. Raises OptionError for an unknown one."""
        return self._field_values_of(self._collection, field)

    def _field_values_of(self, collection: Snapshot, field: str) -> FieldValues:
        """As of the commit that an answer is of, whose numbers of images they have."""
        before = self._field_values.get(field)
        if before is None or before[0] != collection.generation:
            before = collection.generation, field_values(self._index, field, collection.rows, collection.films)
            if len(self._field_values) >= _MAX_FIELDS:
                self._field_values.clear()
            self._field_values[field] = before
        return before[1]

    # -- What a person has judged -------------------------------------------------------------------------------------

    def judge(self, one: str, other: str, *, is_same: bool) -> Judgment:
        """Note that two pictures show the same thing, or not; each by its name in the index or the SHA-256 of its file.

        Searches go by it from now on. Raises OptionError for a name that the index has not, and for one picture twice.
        """
        judged = Judgment.of(self.content_of(one), self.content_of(other), is_same)
        add_judgments(self.folder, [judged])
        return judged

    def withdraw_judgment(self, one: str, other: str) -> bool:
        """Forget what was judged of two pictures; returns whether anything was."""
        return bool(withdraw_judgments(self.folder, [(self.content_of(one), self.content_of(other))]))

    def judgments(self) -> list[Judgment]:
        """What was judged, the last first."""
        return read_judgments(self.folder)

    def judgments_of(self, sha256: str) -> Mapping[str, bool]:
        """By the SHA-256 of what a content was judged with: do both show the same?"""
        return self._judgments.by_content().get(sha256, {})

    def content_of(self, name: str) -> str:
        """The SHA-256 of a picture's file by its name in the index; one in 64 digits stands for itself."""
        if re.fullmatch("[0-9a-f]{64}", name):
            return name
        rows = self.images
        live = [int(rows.id[image]) for image in rows.names.find(name) if not rows.deleted[image]]
        found = self.select(ids=live).records if live else []
        if not found:
            raise OptionError(path=name, expected="the name of a picture in the index, or the SHA-256 of its file")
        return found[0].sha256

    # -- On disk ------------------------------------------------------------------------------------------------------

    def segments(self) -> list[SegmentRecord]:
        """Every segment and what its files must be."""
        return self._index.segments()

    def check(self) -> CheckReport:
        """Is every byte of the index what was written?"""
        return self._index.check()

    def bytes_by_file(self) -> dict[str, int]:
        """Bytes on disk of the catalogue, of the copy of the vocabulary, and of the segments' files, by name."""
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


def _load_vocabulary(index: Index, folder: Path | None) -> tuple[Path, Vocabulary]:
    """The vocabulary in a folder, else the index's own copy; of an index without one, where it lay when the index was
    built, else the default, which the fingerprint then checks.
    """
    if folder is None and index.carries_vocabulary:
        return Path(os.path.abspath(index.vocabulary_copy)), load_copy(index.folder)
    if folder is None:
        folder = index.vocabulary_folder if index.vocabulary_folder.is_dir() else default_vocabulary_path()
    place = Path(os.path.abspath(folder))
    return place, load_vocabulary(place)
