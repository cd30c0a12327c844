"""Publishing an index: new contents first, the manifest last, and then, if asked for, what nothing names is deleted."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bof.errors import IndexStoreError, reason_of
from bof.store.index import Index
from bof.store.published.buckets import Bucket, MissingObjectError
from bof.store.published.contents import IndexContents, SourceFile, contents_of_index
from bof.store.published.manifest import (
    FILE_NAME,
    OBJECTS,
    Publication,
    object_name,
    parse_manifest,
    read_manifest,
)
from bof.system.files import fact_of

_MOST_TRIES = 5
"""So often publishing begins anew because a merge has taken files away."""

_AT_ONCE = 8
_OBJECT = re.compile(rf"{OBJECTS}/[0-9a-f]{{2}}/(?:[0-9a-f]{{64}}|\.bof-[0-9a-f]{{32}}\.partial)")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What publishing did: what there is now, what of it was stored now, what was deleted; in objects and bytes."""

    manifest: Publication
    n_stored: int
    n_bytes_stored: int
    n_swept: int = 0
    n_bytes_swept: int = 0


def publish(index: Index, bucket: Bucket, progress: Progress | None = None) -> PublishReport:
    """Make a place have the index as of now. progress: bytes stored, bytes to store.

    Nothing that is there already is stored again. Until the manifest is exchanged, in the end and at one moment,
    readers see what was published before; so they do for ever where this is cut short. Raises IndexStoreError where
    the place cannot be written, or a file of the index is damaged. Two that publish at one place at a time: the last
    one's index is there in the end, whole.
    """
    for _ in range(_MOST_TRIES):
        with tempfile.TemporaryDirectory(prefix="bof-") as scratch:
            try:
                contents = contents_of_index(index, Path(scratch))
                return _publish(index, bucket, contents, progress)
            except FileNotFoundError:  # a merge has ended
                continue
            except OSError as error:
                raise IndexStoreError(reason_of(error), path=index.folder, advice="nothing was published") from error
    raise IndexStoreError(
        "its files are taken away while it is published", path=index.folder, advice="{check} it, or publish it later"
    )


def _publish(index: Index, bucket: Bucket, contents: IndexContents, progress: Progress | None) -> PublishReport:
    files = tuple(file.published for file in contents.files)
    manifest = Publication(contents.generation, contents.n_images, index.fingerprint, files)
    _require_readable(index, manifest)
    by_content = {file.published.sha256: file for file in contents.files}
    lacking = _lacking(bucket, by_content)
    _store_all(bucket, lacking, progress)
    n_bytes = sum(file.published.n_bytes for file in lacking)
    while missing := _lacking(bucket, by_content):  # somebody else may have swept
        _store_all(bucket, missing, None)
    bucket.write(FILE_NAME, manifest.as_json())
    if missing := _lacking(bucket, by_content):  # and has read the manifest of before
        _store_all(bucket, missing, None)
    return PublishReport(manifest, len(lacking), n_bytes)


def _require_readable(index: Index, manifest: Publication) -> None:
    """Raises IndexStoreError where readers would refuse it: the publication that they have must stay."""
    try:
        parse_manifest(manifest.as_json())
    except ValueError as error:
        problem = f"readers would refuse it: {error}"
        raise IndexStoreError(problem, path=index.folder, advice="nothing was published") from error


def _lacking(bucket: Bucket, by_content: Mapping[str, SourceFile]) -> list[SourceFile]:
    there = bucket.sizes(OBJECTS)
    files = [(file.published.object_name, file) for file in by_content.values()]
    return [file for name, file in files if there.get(name) != file.published.n_bytes]


def _store_all(bucket: Bucket, files: Iterable[SourceFile], progress: Progress | None) -> None:
    files, done = list(files), 0
    total = sum(file.published.n_bytes for file in files)
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        stored = threads.map(lambda file: _store(bucket, file), files)
        for n_bytes in stored:
            done += n_bytes
            if progress:
                progress(done, total)


def _store(bucket: Bucket, file: SourceFile) -> int:
    expected = file.published
    found = fact_of(file.source)
    if (found.n_bytes, found.sha256) != (expected.n_bytes, expected.sha256):
        advice = "nothing was published; {bof index} --check says what can be saved"
        raise IndexStoreError("its content has changed (checksum)", path=file.source, advice=advice)
    bucket.store(expected.object_name, file.source)
    return expected.n_bytes


def sweep(bucket: Bucket, manifest: Publication) -> tuple[int, int]:
    """Delete the objects that a publication does not have; returns how many, and their bytes.

    Nothing but objects of publications is deleted, and nothing at all where another one is there by now. Who has opened
    an older publication goes on with what it has fetched. Raises IndexStoreError.
    """
    named = {object_name(sha256) for sha256 in manifest.contents}
    there = bucket.sizes(OBJECTS)
    try:
        is_current = read_manifest(bucket) == manifest
    except MissingObjectError:
        is_current = False
    if not is_current:
        raise IndexStoreError(
            "another index was published here meanwhile", path=bucket.shown, advice="nothing is swept"
        )
    strays = [name for name in there if _OBJECT.fullmatch(name) and name not in named]
    bucket.remove(strays)
    return len(strays), sum(there[name] for name in strays)
