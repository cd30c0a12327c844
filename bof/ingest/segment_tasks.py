"""A share of picture files becomes a segment beside the index, written by a Dask worker; the coordinator commits it.

The worker reads pictures in a child process, as everywhere: one that kills its decoder is lost alone. What it returns
is names and facts, which the coordinator compares with the files that it finds.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bof.errors import ClusterError, VocabularyError
from bof.images.address import file_of
from bof.images.listing import Skipped
from bof.ingest.documents import Parts
from bof.ingest.extract import Deferred, Extracted, ExtractSpec, Noted, extract_once
from bof.ingest.film_files import OpenedFilm
from bof.ingest.sync import Found
from bof.options import IndexOptions
from bof.scheduling.connection import Cluster, unseen_error
from bof.scheduling.shares import Work, spread
from bof.scheduling.worker import worker_address, worker_memory
from bof.store.catalog import ImageRecord
from bof.store.incoming import IncomingSegment, write_incoming
from bof.store.writer import Writer
from bof.system.memory import least_memory
from bof.system.workers import LostItem
from bof.vocabulary.stored import read_header

MOST_IN_A_SHARE = 256
"""Pictures whose columns a worker holds until it writes them."""

_SHARES_A_THREAD = 8
"""So that nobody works long after the others are done."""

_LEAST_IN_A_SHARE = 8


@dataclass(frozen=True, slots=True)
class SegmentSpec:
    """What every worker needs to know. homes: folders that segments lie in; vocabulary_sha256: of its header."""

    homes: tuple[Path, ...]
    n_words: int
    extract: ExtractSpec
    options: IndexOptions
    vocabulary_sha256: str


@dataclass(frozen=True, slots=True)
class WrittenSegment:
    """A segment beside one of the homes, and the pictures in it, in order."""

    home: int
    segment: IncomingSegment
    records: Sequence[ImageRecord]


@dataclass(frozen=True, slots=True)
class WrittenShare:
    """What became of a share of files: the segments of its pictures, one a home, and everything else.

    others: files with several pictures, films, and what was skipped; deferred: those that need more memory than a
    worker gives to one.
    """

    segments: Sequence[WrittenSegment]
    others: Sequence[Parts | OpenedFilm | Skipped] = ()
    notes: Sequence[Skipped] = ()
    deferred: Sequence[Found] = ()
    files: Sequence[Found] = field(default=())


def write_segments(
    cluster: Cluster, files: Sequence[Found], spec: SegmentSpec, home_of: Mapping[str, int]
) -> Iterator[WrittenShare]:
    """What became of shares of files, as workers are done with them. Raises ClusterError: see `spread`.

    home_of: by path, which home of the spec's a picture goes to.
    """
    items = sorted((home_of[path], path, name) for path, name in files)
    size = -(-len(files) // (_SHARES_A_THREAD * cluster.n_threads))
    size = min(max(size, _LEAST_IN_A_SHARE), MOST_IN_A_SHARE)
    shares = (items[first : first + size] for first in range(0, len(items), size))
    for _, share, found in spread(cluster, Work("bof.ingest.segment_tasks:write_share", spec), shares):
        if isinstance(found, LostItem):
            lost = [Skipped(path, found.reason) for _, path, _ in share]
            yield WrittenShare((), lost, files=[(path, name) for _, path, name in share])
        else:
            yield _checked(found, share)


def segment_spec(writer: Writer, extract: ExtractSpec, options: IndexOptions) -> SegmentSpec:
    """Of an index that is written to, whose vocabulary lies in the folder that `extract` names."""
    homes = tuple(Path(os.path.abspath(folder)) for folder in writer.homes)
    return SegmentSpec(homes, writer.n_words, extract, options, vocabulary_fact(extract.vocabulary_folder))


def vocabulary_fact(folder: Path) -> str:
    """What says which vocabulary lies in a folder: its header names the content of all its files by their checksums.

    Raises OSError where there is none.
    """
    return hashlib.sha256(read_header(folder)).hexdigest()


def write_share(spec: SegmentSpec, items: Sequence[tuple[int, str, str]]) -> WrittenShare:
    """Extract files, by one child process, and write what they hold as a segment a home; on a worker.

    items: home, path and name of each file.

    Raises ClusterError where the folder of the index, its vocabulary or a file is not here as it is elsewhere.
    """
    _require_same_vocabulary(spec)
    files, home_of = [(path, name) for _, path, name in items], {path: home for home, path, _ in items}
    unseen = [path for path, _ in files if not os.path.lexists(file_of(path))]
    if unseen:
        raise unseen_error(unseen[0], worker_address())
    by_home: dict[int, list[Extracted]] = {}
    others: list[Parts | OpenedFilm | Skipped] = []
    notes: list[Skipped] = []
    deferred: list[Found] = []
    for item in extract_once(files, spec.extract, spec.options, _memory(spec)):
        if isinstance(item, Noted):
            notes.append(Skipped(item.extracted[0].path, item.note))
        found = item.extracted if isinstance(item, Noted) else item
        if isinstance(found, Deferred):
            deferred.append((found.path, found.name))
        elif isinstance(found, tuple):
            by_home.setdefault(home_of[found[0].path], []).append(found)
        else:
            others.append(found)
    segments = [_write(spec, home, found) for home, found in by_home.items()]
    return WrittenShare(segments, others, notes, deferred)


def _write(spec: SegmentSpec, home: int, found: Sequence[Extracted]) -> WrittenSegment:
    segment = write_incoming(spec.homes[home], [columns for _, columns in found], spec.n_words)
    return WrittenSegment(home, segment, [record for record, _ in found])


def _memory(spec: SegmentSpec) -> int:
    """Bytes that one child may take, with everything."""
    return max(spec.options.memory << 20 or worker_memory(), least_memory(spec.extract.features))


def _require_same_vocabulary(spec: SegmentSpec) -> None:
    folder = spec.extract.vocabulary_folder
    try:
        found = vocabulary_fact(folder)
    except OSError:
        raise unseen_error(str(folder), worker_address()) from None
    if found != spec.vocabulary_sha256:
        problem = f"the worker {worker_address()} finds another vocabulary here than the index has"
        raise VocabularyError(problem, path=folder, advice="mount the same shared folder on every machine")


def _checked(found: WrittenShare, share: Sequence[tuple[int, str, str]]) -> WrittenShare:
    """What a worker says, if every file is in it once, at its home and under its own name."""
    pictures = [(record.path, record.name) for one in found.segments for record in one.records]
    home_of = {path: home for home, path, _ in share}
    are_home = all(home_of.get(r.path) == one.home for one in found.segments for r in one.records)
    others = [one.path for one in found.others]
    named = [*(path for path, _ in pictures), *others, *(path for path, _ in found.deferred)]
    expected: Mapping[str, str] = {path: name for _, path, name in share}
    are_own = all(expected.get(path) == name for path, name in (*pictures, *found.deferred))
    if sorted(named) != sorted(expected) or not are_own or not are_home:
        raise ClusterError(path=share[0][1], expected="a worker's report on each file of its share", found="another")
    return replace(found, files=list(expected.items()))
