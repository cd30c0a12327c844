"""New parts: an empty index in parts, one whose pictures go to other parts, and one made of indexes made apart.

Parts are written whole beside those that stand; one commit of the catalogue then names them. Until then everything is
as it was, and what was written belongs to nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, pairwise
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import numpy as np

from bof.errors import IndexStoreError, MismatchError, OptionError, reason_of
from bof.native.mapped_file import reading
from bof.options import FeatureOptions
from bof.store import catalog, vocabulary_copy
from bof.store.catalog import Fields, ImageRecord, additions, changes, commits, metadata
from bof.store.check import SEGMENTS
from bof.store.index import Index
from bof.store.merge import MAX_FEATURES, MergePart, write_merged
from bof.store.new_index import make_folder, new_facts
from bof.store.parts.layout import FACT, FOLDER, MAX_PARTS, SHARE, By, Layout, PartShare, Split
from bof.store.segments import Files, Segment, write_new_segment
from bof.store.writer import Writer
from bof.system.files import fsync_path, link_or_copy, write_folder
from bof.system.locking import one_writer
from bof.types import I32
from bof.vocabulary.vocabulary import Vocabulary

Progress = Callable[[int, int], None]

_OWN = (FACT, SHARE, additions.KEY, additions.LAST, "roots", "format")
"""Facts of a catalogue that are not those of all parts."""


def create_index(
    folder: Path, vocabulary: Vocabulary, vocabulary_folder: Path, features: FeatureOptions,
    split: Split | PartShare | None = None,
) -> Index:  # fmt: skip
    """A new, empty index: an ordinary one, one in parts, or one for a share of a collection."""
    facts = folder, vocabulary, vocabulary_folder, features
    if isinstance(split, Split):
        return create_in_parts(*facts, split.n_parts, split.by)
    return Index.create(*facts, split)


def require_split(index: Index, split: Split | PartShare | None) -> None:
    """Raises MismatchError where an index is split in another way than was asked for."""
    if isinstance(split, PartShare) and index.share != split:
        found = "another index" if index.share is None else f"part {index.share.number} of {index.share.of}"
        expected = f"part {split.number} of {split.of}, by {split.by}"
        raise MismatchError(path=index.folder, expected=expected, found=found, advice="name another {index}")
    fact = catalog.read_meta(index.folder).get(FACT)
    if isinstance(split, Split) and (fact is None or (len(fact["names"]), fact["by"]) != (split.n_parts, split.by)):
        found = "an index without parts" if fact is None else f"{len(fact['names'])} parts, by {fact['by']}"
        expected = f"{split.n_parts} parts, by {split.by}"
        advice = f"{{reparts}} {split.n_parts} {{part_by}} {split.by} gives it these"
        raise MismatchError(path=index.folder, expected=expected, found=found, advice=advice)


def create_in_parts(
    folder: Path, vocabulary: Vocabulary, vocabulary_folder: Path, features: FeatureOptions, n_parts: int,
    by: By = "hash",
) -> Index:  # fmt: skip
    """A new, empty index of so many parts. Raises IndexStoreError where there is one or the folder cannot be written.

    Raises OptionError for a number of parts that cannot be.
    """
    require_number(n_parts)
    make_folder(folder / FOLDER)
    with one_writer(folder):
        catalog.require_none(folder)
        files = vocabulary_copy.write_copy(folder, vocabulary_folder, vocabulary.fingerprint)
        facts = new_facts(vocabulary, vocabulary_folder, features)
        facts |= {vocabulary_copy.FACT: vocabulary_copy.as_fact(files)}
        names = [make_part(folder, facts) for _ in range(n_parts)]
        catalog.create(folder, facts_of_whole(facts, Layout(tuple(names), by)))
    return Index.open(folder)


def require_number(n_parts: int, option: str = "parts") -> None:
    """Raises OptionError for a number of parts that cannot be."""
    if not 1 <= n_parts <= MAX_PARTS:
        raise OptionError(option, expected=f"1 to {MAX_PARTS}", found=n_parts)


def facts_of_whole(facts: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    """The facts of the catalogue of an index in parts, by those of another catalogue with the same folders."""
    roots = {"roots": facts["roots"]} if "roots" in facts else {}
    return {**_shared(facts), **roots, "format": catalog.FORMAT_IN_PARTS, FACT: layout.fact}


def _shared(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a catalogue's facts that an index in parts shares with its parts."""
    return {key: value for key, value in facts.items() if key not in _OWN}


def make_part(folder: Path, facts: Mapping[str, Any]) -> str:
    """Write an empty part, which nothing names yet; returns its name. Its vocabulary is the whole's under other names.

    Raises IndexStoreError.
    """
    name = uuid.uuid4().hex
    place = folder / FOLDER / name
    with naming_failure(place):
        (place / SEGMENTS).mkdir(parents=True)
        link_vocabulary(folder, place)
        fsync_path(place.parent)
        catalog.create(place, _shared(facts))
    return name


def link_vocabulary(source: Path, target: Path) -> None:
    """Give the index in `target` the copy of the vocabulary that the one in `source` has, if it has one."""
    if (source / vocabulary_copy.FOLDER).is_dir():
        write_folder(target / vocabulary_copy.FOLDER, lambda fresh: _link_files(source / vocabulary_copy.FOLDER, fresh))


def _link_files(source: Path, target: Path) -> None:
    for path in source.iterdir():
        link_or_copy(path, target / path.name)


# -- Other parts ------------------------------------------------------------------------------------------------------


def repart(index: Index, n_parts: int, by: By | None = None, progress: Progress | None = None) -> Index:
    """The same pictures in so many parts, with the ids that they have; an ordinary index becomes one in parts.

    by: what decides where a picture goes, None: what has decided so far, the hash where nothing has.

    Each byte is compared before it is copied. The disk holds old and new parts until the new ones are committed. Raises
    IndexStoreError where a segment is damaged, or the disk is full: the index is as it was.
    """
    require_number(n_parts, "reparts")
    with index._opened_writer() as writer, naming_failure(index.folder):
        before = index.generation()
        facts = catalog.read_meta(index.folder)
        by = by or (Layout.of(facts[FACT]).by if FACT in facts else "hash")
        make_folder(index.folder / FOLDER)
        sources = [OldPart.of(one, n_parts, by) for one in writer.parts]
        names = []
        for number in range(n_parts):
            name = make_part(index.folder, facts)
            names.append(name)
            _fill(index.folder / FOLDER / name, sources, number, index.n_words)
            if progress:
                progress(number + 1, n_parts)
        _name_parts(index.folder, facts, Layout(tuple(names), by), before)
    found = Index.open(index.folder)
    with found.writer() as writer:  # what is left of the old parts is swept
        found.keep_derived()
    return found


@dataclass(frozen=True, slots=True)
class OldPart:
    """A part whose pictures go elsewhere: its sound segments, and of each the new part of every image, -1 of a removed
    one.

    annotated: of each new part, what paths of it are annotated with, also paths that no image has now.
    """

    folder: Path
    numbers: Sequence[int]
    segments: Sequence[Segment]
    homes: Sequence[I32]
    annotated: Sequence[Mapping[str, Fields]]

    @classmethod
    def of(cls, writer: Writer, n_parts: int, by: By) -> OldPart:
        """Raises IndexStoreError where a segment is damaged."""
        layout = Layout(tuple(map(str, range(n_parts))), by)
        with catalog.reading(writer.folder) as database:
            rows = catalog.read_segments(database)
            images = [commits.read_segment_images(database, row) for row in rows]
        homes = []
        for found in images:
            placed = (-1 if gone else layout.place(found.paths[i]) for i, gone in enumerate(found.deleted.tolist()))
            homes.append(np.fromiter(placed, np.int32, len(found)))
        annotated: list[dict[str, Fields]] = [{} for _ in layout.names]
        for path, fields in catalog.read_metadata(writer.folder).items():
            annotated[layout.place(path)][path] = fields
        segments = [writer.open_sound(row) for row in rows]
        return cls(writer.folder, [row.number for row in rows], segments, homes, annotated)


def _fill(place: Path, sources: Sequence[OldPart], number: int, n_words: int) -> None:
    """Write the pictures of one new part into its folder, which has none yet."""
    chosen = [
        (source, segment, home == number)
        for source in sources
        for segment, home in zip(range(len(source.segments)), source.homes, strict=True)
        if (home == number).any()
    ]
    written: list[tuple[str, Files, list[ImageRecord]]] = []
    for group in _groups(chosen):
        parts = [MergePart(source.segments[segment], keep) for source, segment, keep in group]
        records = [record for one in group for record in _records(*one)]
        with reading(*(part.segment for part in parts)):
            name, files = write_new_segment(place / SEGMENTS, partial(write_merged, parts=parts, n_words=n_words))
        written.append((name, files, records))
    with catalog.transaction(place) as database:
        for source in sources:
            metadata.set_fields(database, source.annotated[number])
        for name, files, records in written:
            segment = changes.insert_segment(database, name, files, len(records), sum(r.n_features for r in records))
            changes.insert_known(database, segment, records)
        _take_over_times(database, sources)


def _groups(chosen: Sequence[tuple[OldPart, int, Any]]) -> Iterator[list[tuple[OldPart, int, Any]]]:
    """What becomes one segment: as much as one holds."""
    group: list[tuple[OldPart, int, Any]] = []
    total = 0
    for source, segment, keep in chosen:
        n_features = int(np.diff(source.segments[segment].feature_indptr)[keep].sum())
        if group and total + n_features > MAX_FEATURES:
            yield group
            group, total = [], 0
        group.append((source, segment, keep))
        total += n_features
    if group:
        yield group


def _records(source: OldPart, segment: int, keep: Any) -> list[ImageRecord]:
    with catalog.reading(source.folder) as database:
        records = commits.read_segment_records(database, source.numbers[segment])
    return [records[position] for position in np.flatnonzero(keep).tolist()]


def _take_over_times(database: Connection, sources: Sequence[OldPart]) -> None:
    """When images came: an entry wherever the next id came at another time; and the highest id that was given."""
    numbers = changes.read_ids(database)
    last, time_of = 0, dict[int, int | None]()
    for source in sources:
        with catalog.reading(source.folder) as old:
            last = max(last, additions.last_id(old))
            added, there = additions.times_of(old), changes.find_ids(old, numbers)
        time_of |= {number: added(number) for number in there}
    entries: list[list[int]] = []
    for number in numbers:
        seconds = time_of[number]
        if seconds is not None and (not entries or entries[-1][1] != seconds):
            entries.append([number, seconds])
    changes.set_meta(database, additions.KEY, entries)
    changes.set_meta(database, additions.LAST, last)


@contextmanager
def naming_failure(folder: Path) -> Iterator[None]:
    """A full or broken disk is an IndexStoreError that names the index."""
    try:
        yield
    except OSError as error:
        raise IndexStoreError(reason_of(error), path=folder, advice="the index is as it was") from error


def _name_parts(folder: Path, facts: Mapping[str, Any], layout: Layout, before: int) -> None:
    """The commit: from here on the index has these parts. before: the number of the commit that they follow."""
    of_parts = sum(catalog.read_generation(folder / FOLDER / name) for name in layout.names)
    if FACT in facts:
        own = catalog.read_generation(folder) + 1
        with catalog.transaction(folder) as database:
            changes.set_meta(database, FACT, Layout(layout.names, layout.by, before + 1 - own - of_parts).fact)
        return
    whole = facts_of_whole(facts, Layout(layout.names, layout.by, -of_parts))
    catalog.replace(folder, whole, before + 1)


def offsets(last_ids: Sequence[int], first_ids: Sequence[int]) -> list[int]:
    """What is added to the ids of each of several indexes so that no two have the same; nothing where none have."""
    spans = sorted(zip(first_ids, last_ids, strict=True))
    if all(last < first for (_, last), (first, _) in pairwise(spans)):
        return [0] * len(last_ids)
    return list(accumulate(last_ids, initial=0))[:-1]
