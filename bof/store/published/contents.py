"""The files of an index as of one commit: what is published."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from bof.global_descriptors import ann_index
from bof.store import catalog, counts_cache, judgments, pictures, vocabulary_copy, weights_cache
from bof.store.check import SEGMENTS
from bof.store.index import Index, OpenPart
from bof.store.parts.layout import FOLDER
from bof.store.published.manifest import PublishedFile
from bof.system.database import open_database
from bof.system.files import FileFact, fact_of

_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to publish, and where its bytes lie."""

    published: PublishedFile
    source: Path

    @classmethod
    def of(cls, path: str, source: Path, fact: FileFact | None = None) -> SourceFile:
        """path: in the index; fact: what it must be, None: what it is. Raises OSError."""
        fact = fact or fact_of(source)
        return cls(PublishedFile(path, fact.n_bytes, fact.sha256), source)


@dataclass(frozen=True, slots=True)
class IndexContents:
    """The files of one commit of an index. generation: its number; n_images: live ones."""

    generation: int
    n_images: int
    files: tuple[SourceFile, ...]


def contents_of_index(index: Index, scratch: Path) -> IndexContents:
    """All that answers of one commit rest on. Databases are copied into the folder `scratch`, at one moment.

    Left out is what only changes of the index need: watched pictures, rejected duplicates, journals. Raises
    IndexStoreError, and FileNotFoundError where a merge took files away meanwhile.
    """
    with index._reading() as cut:
        in_parts = [one for part in cut.parts for one in _files_of_part(part, scratch)]
        own = [_copied(catalog.FILE_NAME, index.folder / catalog.FILE_NAME, scratch)] if cut.parts[0].name else []
        n_images = sum(catalog.count_live(part.database) for part in cut.parts)
        names = [row.name for part in cut.parts for row in catalog.read_segments(part.database)]
    whole = [*_vocabulary_of(index.folder, "")] if own else []
    files = [*own, *whole, *in_parts, *_files_beside(index.folder, names, scratch)]
    return IndexContents(cut.number, n_images, tuple(files))


def _files_of_part(part: OpenPart, scratch: Path) -> Iterator[SourceFile]:
    """Of an ordinary index: what lies in its folder."""
    folder, prefix = part.index.folder, f"{FOLDER}/{part.name}/" if part.name else ""
    yield _copied(f"{prefix}{catalog.FILE_NAME}", folder / catalog.FILE_NAME, scratch)
    for row in catalog.read_segments(part.database):
        for name, fact in row.files.items():
            path = f"{SEGMENTS}/{row.name}/{name}"
            yield SourceFile.of(prefix + path, folder / path, fact)
    yield from _vocabulary_of(folder, prefix)
    if part.name:
        with suppress(FileNotFoundError):
            yield SourceFile.of(f"{prefix}{counts_cache.FILE_NAME}", folder / counts_cache.FILE_NAME)


def _vocabulary_of(folder: Path, prefix: str) -> Iterator[SourceFile]:
    for name, fact in vocabulary_copy.files_of(catalog.read_meta(folder)).items():
        path = f"{vocabulary_copy.FOLDER}/{name}"
        yield SourceFile.of(prefix + path, folder / path, fact)


def _files_beside(folder: Path, segments: list[str], scratch: Path) -> Iterator[SourceFile]:
    """What is derived, what was judged, and the stored pictures: they may be missing."""
    derived = [weights_cache.FILE_NAME]
    derived += [f"{ann_index.FOLDER}/{name}.{suffix}" for name in segments for suffix in ("faiss", "json")]
    for path in derived:
        with suppress(FileNotFoundError):
            yield SourceFile.of(path, folder / path)
    if (folder / judgments.FILE_NAME).exists():
        yield _copied(judgments.FILE_NAME, folder / judgments.FILE_NAME, scratch)
    for stored in pictures.StoredPictures(folder).files():
        path = stored.path.relative_to(folder).as_posix()
        yield SourceFile.of(path, stored.path, FileFact(stored.n_bytes, stored.sha256))


def _copied(path: str, source: Path, scratch: Path) -> SourceFile:
    """A database as of this moment, in a file that nobody writes."""
    target = scratch / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with closing(open_database(source, "ro", _PATIENCE_S)) as database, closing(sqlite3.connect(target)) as copy:
        database.backup(copy)
    return SourceFile.of(path, target)
