"""The index on disk: a catalogue and write-once segments. One writer changes it; readers hold a snapshot."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from pathlib import Path
from sqlite3 import Connection

from bof.errors import IndexStoreError, MismatchError, OptionError, VocabularyError
from bof.global_descriptors.ann_index import save_ann_index
from bof.global_descriptors.describe import ColumnSpec
from bof.native.mapped_file import reading
from bof.options import FeatureOptions
from bof.store import catalog, pictures, vocabulary_copy
from bof.store.catalog import SegmentRecord
from bof.store.catalogued import CataloguedFolder
from bof.store.check import SEGMENTS, CheckReport, check, open_recorded, wrong_files
from bof.store.counts_cache import load_counts
from bof.store.document_counts import DocumentCounts, count_documents, join_counts
from bof.store.epoch import Epoch
from bof.store.film_frames import find_film_frames
from bof.store.inverted_file import weigh
from bof.store.new_index import make_folder, new_facts
from bof.store.parts import layout
from bof.store.parts.layout import PartShare
from bof.store.segments import ADVICE, Segment
from bof.store.snapshot import Joined, PartCommit
from bof.store.snapshot import Snapshot as Snapshot
from bof.store.snapshot import SnapshotFacts as SnapshotFacts
from bof.store.weights_cache import WORTH_CACHING, load_weights, save_weights
from bof.store.writer import Writer, open_writer
from bof.system.locking import one_writer
from bof.types import F64
from bof.vocabulary.stored import with_model
from bof.vocabulary.vocabulary import Vocabulary, default_vocabulary_path


class EpochGoneError(IndexStoreError):
    """A part is at another commit than an epoch says: whoever wants it asks for the epoch of now."""


@dataclass(frozen=True, slots=True)
class OpenPart:
    """A part of an index whose catalogue is being read. name: "" of an ordinary index."""

    name: str
    index: Index
    database: Connection

    def open(self, before: Snapshot | None = None) -> PartCommit:
        """The part; what is open of an older snapshot is used again."""
        known = before.commit_of(self.name) if before else None
        generation = catalog.generation_in(self.database)
        if known and known.generation == generation and all(one.is_whole for one in known.segments):
            return known
        commit = catalog.read_commit(self.database, known.known_images if known else None)
        opened = {record.name: one for record, one in zip(known.records, known.segments, strict=True)} if known else {}
        firsts = accumulate((row.n_images for row in commit.segments), initial=0)
        segments = [self._open(row, first, opened) for row, first in zip(commit.segments, firsts, strict=False)]
        return PartCommit(self.name, generation, commit.segments, commit.seals, commit.images, segments)

    def _open(self, row: SegmentRecord, first_image: int, known: Mapping[str, Segment]) -> Segment:
        opened = known.get(row.name)
        if opened and opened.is_whole and opened.has_columns_of(row.files):
            return opened.moved(first_image)
        return self.index.open_segment(row, first_image)


@dataclass(frozen=True, slots=True)
class Cut:
    """The catalogues of all parts at one moment: no commit ends while it is held. number: of all commits together."""

    number: int
    parts: Sequence[OpenPart]


@dataclass(frozen=True, slots=True)
class Index(CataloguedFolder):
    """An index folder and the facts that never change in it.

    vocabulary_folder: where the vocabulary lay when the index was made; carries_vocabulary: has it a copy of its own?
    """

    fingerprint: str
    n_words: int
    features: FeatureOptions
    vocabulary_folder: Path
    carries_vocabulary: bool

    @classmethod
    def create(
        cls,
        folder: Path,
        vocabulary: Vocabulary,
        vocabulary_folder: Path,
        features: FeatureOptions,
        share: PartShare | None = None,
    ) -> Index:
        """A new, empty index with a copy of the vocabulary that lies in vocabulary_folder.

        share: it is to have this share of a collection alone. Raises IndexStoreError where there is one or the folder
        cannot be written.
        """
        meta = new_facts(vocabulary, vocabulary_folder, features)
        if share is not None:
            meta |= {layout.SHARE: share.fact, catalog.LAST_ID: share.last_id}
        make_folder(folder / SEGMENTS)
        with one_writer(folder):
            catalog.require_none(folder)
            files = vocabulary_copy.write_copy(folder, vocabulary_folder, vocabulary.fingerprint)
            catalog.create(folder, {**meta, vocabulary_copy.FACT: vocabulary_copy.as_fact(files)})
        return Index.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Index:
        """An existing index, of its own kind: one in parts is a `PartedIndex`.

        Raises IndexStoreError where there is none or it is damaged.
        """
        from bof.store.parts.index import PartedIndex

        meta = catalog.read_meta(folder)
        kind = PartedIndex if layout.FACT in meta else Index
        try:
            features = with_model(FeatureOptions.from_fact(meta["features"]), folder / vocabulary_copy.FOLDER)
            facts = meta["fingerprint"], meta["n_words"], features, Path(meta["vocabulary_folder"])
            return kind(folder, *facts, bool(vocabulary_copy.files_of(meta)))
        except (KeyError, TypeError, ValueError, OptionError) as error:
            advice = "delete the folder and index again"
            raise IndexStoreError(f"the catalogue lacks {error}", path=folder, advice=advice) from error

    @property
    def parts(self) -> Sequence[Index]:
        """The index of each part: of an ordinary index itself."""
        return (self,)

    @property
    def share(self) -> PartShare | None:
        """Which share of a collection it is to have alone, None: whatever it is given."""
        fact = catalog.read_meta(self.folder).get(layout.SHARE)
        return None if fact is None else PartShare(**fact)

    @property
    def column_spec(self) -> ColumnSpec:
        """The optional columns that it describes of every picture. Raises IndexStoreError where it lies."""
        meta = catalog.read_meta(self.folder)
        try:
            return ColumnSpec.from_meta(meta)
        except (KeyError, TypeError, ValueError, OptionError) as error:
            raise IndexStoreError(f"the catalogue's columns are damaged: {error}", path=self.folder) from error

    @property
    def vocabulary_copy(self) -> Path:
        """Where its copy of the vocabulary lies, if it carries one."""
        return self.folder / vocabulary_copy.FOLDER

    def require(self, vocabulary: Vocabulary) -> None:
        """Raises MismatchError unless the index was built with this vocabulary."""
        if (vocabulary.fingerprint, vocabulary.n_words) != (self.fingerprint, self.n_words):
            raise MismatchError(
                f"built with vocabulary {self.fingerprint[:12]} ({self.vocabulary_folder})",
                path=self.folder,
                found=f"{vocabulary.fingerprint[:12]}, {vocabulary.n_words} words",
                advice="name the right one with {vocabulary}, or index again",
            )

    # -- Changing it ---------------------------------------------------------------------------------------------------

    @contextmanager
    def writer(self, before: Snapshot | None = None) -> Iterator[Writer]:
        """The right to change the index, for one at a time. Raises IndexStoreError where another has it.

        In the end the weights of a large collection are derived and kept, for the next to open it, and what finds
        embeddings in it. before: an older snapshot, of which nothing is read again.
        """
        with self._opened_writer() as writer:
            number = self.generation()
            yield writer
            if self.generation() != number:
                self.keep_derived(before)

    def keep_derived(self, before: Snapshot | None = None) -> None:
        """Keep what is derived from a large collection. Only the holder of the writer's lock calls it."""
        is_large = sum(segment.n_features for segment in self.segments()) >= WORTH_CACHING
        if is_large or catalog.read_meta(self.folder).get("model"):
            made = self._opened(before, keeps=True)
            save_ann_index(self.folder, made.embeddings())
        if is_large:
            save_weights(self.folder, made.generation, made.names, made.weights, counts_films=bool(made.films))

    @contextmanager
    def _opened_writer(self) -> Iterator[Writer]:
        refuse_part(self.folder)
        with open_writer(self.folder, self.n_words) as writer:
            yield writer

    # -- Opening it ----------------------------------------------------------------------------------------------------

    @contextmanager
    def _reading(self) -> Iterator[Cut]:
        with catalog.reading(self.folder) as database:
            if catalog.has_parts(database):
                raise IndexStoreError("was made an index in parts", path=self.folder, advice="open it again")
            yield Cut(catalog.generation_in(database), [OpenPart("", self, database)])

    def snapshot(self, before: Snapshot | None = None) -> Snapshot:
        """The collection as of now. Raises IndexStoreError where a segment is damaged.

        before: an older snapshot, whose open segments are used again. No commit ends while the files are opened, and
        what is open stays readable whatever the writer deletes later.
        """
        return self._opened(before, keeps=False)

    def _opened(self, before: Snapshot | None, *, keeps: bool) -> Snapshot:
        """keeps: what the parts are counted to have is kept."""
        with self._reading() as cut:
            commits = [part.open(before) for part in cut.parts]
            parts = [part.index for part in cut.parts]
        whole = Joined.of(commits)
        films = find_film_frames(whole.rows.paths)
        facts = self.folder, cut.number, whole.names, whole.live, self.n_words
        weights = load_weights(*facts, counts_films=bool(films))
        if weights is None:
            with self._naming_damage():
                counts = [part.counts(commit) for part, commit in zip(parts, commits, strict=True)]
                if keeps:
                    self._keep_counts(parts, commits, counts)
                epoch = _joined(cut.number, commits, counts)
                with reading(*whole.segments):
                    weights = weigh([segment.postings for segment in whole.segments], whole.live, epoch.idf)
        with reading(*whole.segments):
            return whole.snapshot(cut.number, weights, films)

    def _keep_counts(
        self, parts: Sequence[Index], commits: Sequence[PartCommit], counts: Sequence[DocumentCounts]
    ) -> None:
        """An ordinary index keeps its weights alone."""

    def epoch(self) -> Epoch:
        """What every part weighs by as of now; no pictures are read where the counts of each part are known."""
        with self._reading() as cut, self._naming_damage():
            open_all = cache(lambda: [part.open() for part in cut.parts])
            found = []
            for number, part in enumerate(cut.parts):
                generation = catalog.generation_in(part.database)
                counts = part.index.known_counts(generation) or part.index.counts(open_all()[number])
                found.append((part.name, generation, counts))
            return join_counts(cut.number, found, open_all)

    def open_part(self, epoch: Epoch, number: int, before: Snapshot | None = None) -> Snapshot:
        """One part alone, weighed as the whole; n_images and n_features are those of the whole, images count from 0.

        number: of the part in the epoch; before: an older snapshot of it. Raises EpochGoneError where the part is at
        another commit than the epoch's.
        """
        facts = epoch.parts[number]
        opened = self.open_weighed(facts.name, facts.generation, epoch.idf, epoch.number, before)
        return replace(opened, n_images=epoch.n_images, n_features=epoch.n_features)

    def open_weighed(
        self, name: str, generation: int, idf: F64, number: int, before: Snapshot | None = None
    ) -> Snapshot:
        """One part alone, by name, as of a commit of its own, weighed by idf f64 (n_words,); number: of the whole's
        commit. Raises EpochGoneError where the part is at another commit.
        """
        part = self._part(name)
        with catalog.reading(part.folder) as database:
            found = catalog.generation_in(database)
            if found != generation:
                expected = f"commit {generation}, of epoch {number}"
                raise EpochGoneError(path=part.folder, expected=expected, found=found, advice="open the epoch of now")
            commit = OpenPart(name, part, database).open(before)
        whole = Joined.of([commit])
        with self._naming_damage(), reading(*whole.segments):
            weights = weigh([segment.postings for segment in whole.segments], whole.live, idf)
            return whole.snapshot(number, weights, find_film_frames(whole.rows.paths))

    def _part(self, name: str) -> Index:
        return self

    def counts(self, commit: PartCommit) -> DocumentCounts:
        """In how many of its documents each word is. Raises ValueError where a segment contradicts itself."""
        return self.known_counts(commit.generation) or count_documents(commit, self.n_words)

    def known_counts(self, generation: int) -> DocumentCounts | None:
        """The same as of a commit, if they are kept."""
        return load_counts(self.folder, generation, self.n_words)

    @contextmanager
    def _naming_damage(self) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            raise IndexStoreError(str(error), path=self.folder, advice=ADVICE) from error

    def open_segment(self, row: SegmentRecord, first_image: int = 0) -> Segment:
        """One segment of the index. Raises IndexStoreError where it is damaged."""
        return open_recorded(self.folder, row, self.n_words, first_image)

    # -- Files ---------------------------------------------------------------------------------------------------------

    def wrong_sizes(self) -> Iterator[str]:
        """What is wrong with files by name and size alone, in words."""
        for row in self.segments():
            yield from wrong_files(self.folder, row, self.n_words, contents=False)

    def check(self) -> CheckReport:
        """Is every byte what was written? See `check.check`."""
        return check(self.folder, self.n_words)

    def repair(self, vocabularies: Sequence[Path] = (), *, replace_parts: bool = False) -> CheckReport:
        """Drop what is damaged, see `Writer.repair`; vocabularies: where to look for its vocabulary first.

        replace_parts: of an index in parts, put empty ones in the places of those whose folders are gone.
        """
        with self._opened_writer() as writer:
            return writer.repair(self._vocabulary_places(vocabularies))

    def _vocabulary_places(self, first: Sequence[Path]) -> list[Path]:
        places = [*first, self.vocabulary_folder]
        with suppress(VocabularyError):
            places.append(default_vocabulary_path())
        return places

    def bytes_by_file(self) -> dict[str, int]:
        """Bytes on disk of the catalogue, the copy of the vocabulary, stored pictures, and segments' files, by name."""
        found = {catalog.FILE_NAME: (self.folder / catalog.FILE_NAME).stat().st_size}
        copied = vocabulary_copy.files_of(catalog.read_meta(self.folder))
        found[vocabulary_copy.FOLDER] = sum(fact.n_bytes for fact in copied.values())
        if pictures.has_any(self.folder):
            found[pictures.FOLDER] = pictures.StoredPictures(self.folder).n_bytes()
        for segment in self.segments():
            for name, fact in segment.files.items():
                found[name] = found.get(name, 0) + fact.n_bytes
        return found

    def n_bytes(self) -> int:
        """Size on disk of the catalogue and of the segments that it names."""
        return sum(self.bytes_by_file().values())


def refuse_part(folder: Path) -> None:
    """Raises IndexStoreError where an index is a part of one in parts: it is changed with the others."""
    place = Path(os.path.abspath(folder))
    whole = place.parent.parent
    if place.parent.name != layout.FOLDER or not catalog.exists(whole):
        return
    fact = catalog.read_meta(whole).get(layout.FACT)
    if fact and place.name in fact["names"]:
        raise IndexStoreError("a part of an index in parts", path=folder, advice=f"change the whole: {{index}} {whole}")


def _joined(number: int, commits: Sequence[PartCommit], counts: Sequence[DocumentCounts]) -> Epoch:
    parts = [(one.name, one.generation, counted) for one, counted in zip(commits, counts, strict=True)]
    return join_counts(number, parts, lambda: commits)
