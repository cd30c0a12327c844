"""Picture files become columns of an index, in parallel: read, decode, extract, assign, sign, quantise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import cv2

from bof.alignment.agreement import DECODED
from bof.errors import ImageError, ModelError, reason_of
from bof.features.sift import extract_features
from bof.global_descriptors.describe import ColumnSpec
from bof.images.address import Stamp, is_part
from bof.images.decode import Picture, PictureTooLargeError, decode
from bof.images.documents import find_kind, open_document
from bof.images.documents.films import FILMS
from bof.images.listing import Skipped
from bof.images.opening import read_content, sha256_of_file, sha256_of_picture, stamp_of
from bof.ingest.documents import Parts
from bof.ingest.film_files import OpenedFilm, open_film
from bof.ingest.sync import Found
from bof.options import FeatureOptions, IndexOptions
from bof.scheduling.connection import Cluster
from bof.scheduling.shares import run_on_workers
from bof.store.catalog import ImageRecord
from bof.store.columns import Rows
from bof.store.segments import ImageColumns, columns_of
from bof.system.memory import (
    MemoryLimit,
    give_back_memory,
    keep_freed_memory,
    least_memory,
    limit_memory,
    machine_memory,
    pixels_beside_freed,
)
from bof.system.threads import set_threads
from bof.system.workers import Limits, LostItem, run_in_workers
from bof.vocabulary.vocabulary import Vocabulary, load_vocabulary


@dataclass(frozen=True, slots=True)
class ExtractSpec:
    """What every worker needs to know."""

    vocabulary_folder: Path
    features: FeatureOptions
    max_pixels: int
    column_spec: ColumnSpec = field(default_factory=ColumnSpec)


@dataclass(frozen=True, slots=True)
class Deferred:
    """A picture too large to be decoded while others are: its turn comes last, alone."""

    path: str
    name: str
    n_pixels: int


_LEAST_SHORT_PX, _MUCH_SMALLER = 200, 1.5
"""A picture whose short side was made smaller than this, by as much as this, has lost what its parts are found by."""

Extracted = tuple[ImageRecord, ImageColumns]


@dataclass(frozen=True, slots=True)
class Noted:
    """A picture that was read, and what a person should know of how: see `Picture.note`."""

    extracted: Extracted
    note: str


ExtractedColumns = tuple[str, str, Rows]
"""The path of a file, its SHA-256, and the optional columns of the picture in it."""


def extract_files(
    files: Sequence[Found], spec: ExtractSpec, options: IndexOptions, on_note: Callable[[Skipped], None] | None = None
) -> Iterator[Extracted | Parts | OpenedFilm | Skipped]:
    """The facts and columns of (path, name) pairs, in the order of `in_processes`; of a file with several pictures, its
    parts, to be extracted in their turn; and of a film what it says of itself.

    on_note: is told of pictures that were read though something is wrong with their files.
    """
    for item in in_processes("bof.ingest.extract:extract_in_worker", files, spec, options):
        if isinstance(item, Noted) and on_note:
            on_note(Skipped(item.extracted[0].path, item.note))
        yield item.extracted if isinstance(item, Noted) else item


def in_processes(
    function: str, files: Sequence[Found], spec: ExtractSpec, options: IndexOptions, cluster: Cluster | None = None
) -> Iterator[Any]:
    """What "module:function" says of (path, name) pairs, or Skipped; what happens to one picture happens to it alone.

    It is called as function((spec, most pixels), pair) in a process of its own and may answer Deferred. Pictures come
    in order, but for those too large for a process's limit of memory: they come last, one at a time, here.
    cluster: whose workers' processes they are, None: this machine's. Raises OptionError where --memory is too small for
    anything.
    """
    n_workers = options.n_workers
    memory_limit = limit_memory(options.memory, min(n_workers, max(1, len(files))), spec.features)
    deferred: list[Deferred] = []
    for item in _run(function, files, spec, memory_limit, options, cluster):
        if isinstance(item, Deferred):
            deferred.append(item)
        else:
            yield item
    alone = memory_limit.in_one
    for item in deferred:
        if item.n_pixels > alone.max_pixels:
            needed = memory_limit.memory_for(item.n_pixels)
            yield Skipped(item.path, f"its {item.n_pixels} pixels need --memory {needed} or more")
    fitting = [item for item in deferred if item.n_pixels <= alone.max_pixels]
    for last in _run(function, [(item.path, item.name) for item in fitting], spec, alone, options):
        if not isinstance(last, Deferred):
            yield last


def extract_once(
    files: Sequence[Found], spec: ExtractSpec, options: IndexOptions, n_bytes: int
) -> Iterator[Extracted | Noted | Parts | OpenedFilm | Skipped | Deferred]:
    """As `extract_files`, by one process that may take n_bytes with everything; what needs more is Deferred."""
    alone = limit_memory(-(-n_bytes >> 20), 1, spec.features)
    yield from _run("bof.ingest.extract:extract_in_worker", files, spec, alone, options)


def _run(
    function: str,
    files: Sequence[Found],
    spec: ExtractSpec,
    memory_limit: MemoryLimit,
    options: IndexOptions,
    cluster: Cluster | None = None,
) -> Iterator[Any]:
    if cluster is not None:
        memory_limit = limit_memory(thread_megabytes(cluster, options, spec.features), 1, spec.features)
    limits = Limits(options.picture_seconds, memory_limit.bytes + spec.column_spec.model_bytes)
    shared = spec, memory_limit.max_pixels
    if cluster is not None:
        results = run_on_workers(cluster, function, shared, files, limits, _IN_A_SHARE)
    else:
        results = run_in_workers(function, shared, files, memory_limit.n_workers, limits)
    for (path, _), result in zip(files, results, strict=True):
        yield Skipped(path, result.reason) if isinstance(result, LostItem) else result


def thread_megabytes(cluster: Cluster, options: IndexOptions, features: FeatureOptions) -> int:
    """The memory that one thread of a Dask worker may take with its child process: what the options or Dask say."""
    n_bytes = options.memory << 20 or cluster.thread_memory or machine_memory() // 2
    return -(-max(n_bytes, least_memory(features)) >> 20)


def extract_in_worker(
    shared: tuple[ExtractSpec, int], file: Found
) -> Extracted | Noted | Parts | OpenedFilm | Skipped | Deferred:
    """One picture, in a process of its own."""
    be_one_of_many()
    spec, max_pixels = shared
    if not is_part(file[0]) and (opened := _open(file)):
        return opened
    vocabulary = load_vocabulary(spec.vocabulary_folder)
    found = extract_file(file, vocabulary, spec, pixels_beside_freed(max_pixels, spec.features))
    if isinstance(found, Deferred) and found.n_pixels <= max_pixels:
        give_back_memory()
        found = extract_file(file, vocabulary, spec, max_pixels)
    return found


def extract_columns_in_worker(shared: tuple[ExtractSpec, int], file: Found) -> ExtractedColumns | Skipped | Deferred:
    """The optional columns alone of one picture."""
    be_one_of_many()
    spec, max_pixels = shared
    path = file[0]
    return _guarded(
        file, spec, max_pixels, lambda _, data, n: (path, sha256_of_picture(path, data), _rows(data, path, spec, n))
    )


def _open(file: Found) -> Parts | OpenedFilm | Skipped | None:
    """The parts of a file with several pictures, or a film; None of a file with a single picture."""
    path, name = file
    try:
        if find_kind(path) is FILMS:
            return open_film(path, name)
        stamp = stamp_of(path)
        document = open_document(path)
        if document is None:
            return None
        parts, others = list(document.parts), dict(document.others)
        document.close()
        if not parts:
            return Skipped(path, f"expected pictures in it, found {', '.join(others) or 'nothing'}")
        return Parts(path, name, sha256_of_file(path), stamp, parts, others)
    except (ImageError, OSError, ValueError) as error:
        return Skipped(path, reason_of(error))


def be_one_of_many() -> None:
    """Make this process one of several that read pictures: one thread is right, the others have the other cores."""
    cv2.setNumThreads(1)
    set_threads(1)
    keep_freed_memory()


def extract_file(
    file: Found, vocabulary: Vocabulary, spec: ExtractSpec, max_pixels: int
) -> Extracted | Noted | Skipped | Deferred:
    """The facts and features of the picture (path, name); one of more than max_pixels may come later."""
    path, name = file

    def extracted(stamp: Stamp, data: bytes, limit: int) -> Extracted | Noted:
        picture = decode(data, max_side=spec.features.extent, max_pixels=limit, grey=True, name=path)
        features = extract_features(picture, spec.features, lambda: _in_colours(data, limit, path))
        columns = columns_of(features, vocabulary, _rows(data, path, spec, limit, picture))
        size = picture.width, picture.height, len(columns)
        found = ImageRecord(name, path, *stamp, sha256_of_picture(path, data), *size), columns
        note = picture.note or shrinking_note(picture)
        return Noted(found, note) if note else found

    return _guarded(file, spec, max_pixels, extracted)


def shrinking_note(picture: Picture) -> str:
    """What to say of a picture so long that it was made too small to be found by its parts; else nothing."""
    height, width = picture.pixels.shape[:2]
    smaller = max(picture.width, picture.height) / max(width, height)
    if min(width, height) >= _LEAST_SHORT_PX or smaller < _MUCH_SMALLER:
        return ""
    found = f"{picture.width} x {picture.height} pixels were read as {width} x {height}"
    return f"{found}: parts of it may not be found; cut it into shorter pictures"


def _in_colours(data: bytes, max_pixels: int, name: str) -> Picture:
    return decode(data, max_side=DECODED, max_pixels=max_pixels, name=name)


_IN_A_SHARE = 16
"""Pictures that a Dask worker describes at a time."""

T = TypeVar("T")


def _guarded(
    file: Found, spec: ExtractSpec, max_pixels: int, use: Callable[[Stamp, bytes, int], T]
) -> T | Skipped | Deferred:
    """What `use` makes of a picture's stamp and bytes, and the pixels that it may have; else why it could not.

    The stamp is older than the bytes: a file that changes meanwhile is read again the next time.
    """
    path, name = file
    limit = min(max_pixels, spec.max_pixels)
    try:
        return use(stamp_of(path), read_content(path, max_pixels=limit), limit)
    except PictureTooLargeError as error:
        if error.n_pixels <= spec.max_pixels:
            return Deferred(path, name, error.n_pixels)
        return Skipped(path, error.reason())
    except (ImageError, ModelError, OSError) as error:
        return Skipped(path, reason_of(error))


def _rows(data: bytes, path: str, spec: ExtractSpec, max_pixels: int, grey: Picture | None = None) -> Rows:
    """What the picture in a file looks like as a whole; decoded as a query is, so that a file is most like itself.

    grey: the picture, where it was decoded in grey already.
    """
    if not spec.column_spec.groups:
        return {}
    if grey is None or spec.column_spec.needs_colour:
        in_grey = not spec.column_spec.needs_colour
        picture = decode(data, max_side=spec.features.extent, max_pixels=max_pixels, grey=in_grey, name=path)
        return spec.column_spec.describe(picture.pixels, path)
    return spec.column_spec.describe(grey.pixels, path)
