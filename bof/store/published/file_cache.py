"""What was fetched of publications, on this machine: files by content, checked before they are used, at most so many
bytes.

    CACHE/files/AB/SHA256     a content; its time of change is a number made of its checksum, so that nobody can have
                              written to it since it was checked without that being seen; its time of access is when it
                              was used last
    CACHE/open/ID/            the index that one process has open: further names of such files
    CACHE/open/ID.lock        locked while the process lives

A content that a living process has open has a second name, and is not deleted. Whoever dies leaves a folder that the
next one deletes.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from bof.errors import IndexStoreError, reason_of
from bof.store.published.buckets import Bucket
from bof.store.published.manifest import Publication, PublishedFile
from bof.system.files import fsync_path, is_disk_full, link_or_copy, sha256_of
from bof.system.units import human_bytes

_FILES, _OPEN, _INCOMING = "files", "open", ".incoming"
_AT_ONCE = 8
_SECOND_NS = 1_000_000_000


class CachedFile(NamedTuple):
    """A content in the cache: when it was used last, in nanoseconds."""

    used_ns: int
    path: Path
    n_bytes: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class OpenFolder:
    """A folder of this process' own, until its lock is released."""

    path: Path
    lock: FileLock

    def release(self) -> None:
        """Delete it. What is mapped stays readable where the system allows that; elsewhere the next one deletes it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self.lock.release()
        with suppress(OSError):
            Path(self.lock.lock_file).unlink()


class FileCache:
    """The cache in a folder. Any number of processes and threads may use it. limit: bytes of all contents."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit

    def new_folder(self) -> OpenFolder:
        """A folder to open an index in. Raises IndexStoreError where the cache cannot be written."""
        with self._naming(), self._locked("folders.lock"):
            self._sweep_folders()
            place = self.folder / _OPEN / uuid.uuid4().hex
            place.parent.mkdir(exist_ok=True)
            lock = FileLock(f"{place}.lock", timeout=0, thread_local=False)
            lock.acquire()
            place.mkdir()
            return OpenFolder(place, lock)

    def fill(self, target: OpenFolder, manifest: Publication, bucket: Bucket) -> int:
        """Give a folder all files of a publication; returns how many bytes were fetched.

        What is not here is fetched, one process at a time. Raises IndexStoreError where the place cannot be reached, an
        object is not what the manifest says, or all does not fit the limit; MissingObjectError for a missing object.
        """
        if manifest.n_bytes > self.limit:
            raise IndexStoreError(
                f"the index published at {bucket.shown} does not fit", path=self.folder,
                expected=f"a {{cache_size}} of {-(-manifest.n_bytes // 1_000_000)} megabytes or more",
                found=f"{self.limit // 1_000_000}",
            )  # fmt: skip
        by_content: dict[str, list[PublishedFile]] = {}
        for file in manifest.files:
            by_content.setdefault(file.sha256, []).append(file)
        with self._naming():
            for parent in {(target.path / file.path).parent for file in manifest.files}:
                parent.mkdir(parents=True, exist_ok=True)
            n_fetched = self._claim_all(target, by_content, bucket)
            for first, *others in by_content.values():
                for other in others:
                    link_or_copy(target.path / first.path, target.path / other.path)
        return n_fetched

    def _claim_all(self, target: OpenFolder, by_content: Mapping[str, Sequence[PublishedFile]], bucket: Bucket) -> int:
        lacking = [files[0] for files in by_content.values() if not self._claim(files[0], target)]
        if not lacking:
            return 0
        with self._locked("fetching.lock"):
            lacking = [file for file in lacking if not self._claim(file, target)]  # somebody else may have fetched
            self._make_room(sum(file.n_bytes for file in lacking))
            incoming = target.path / _INCOMING
            incoming.mkdir()
            with ThreadPoolExecutor(_AT_ONCE) as threads:
                for _ in threads.map(lambda file: self._fetch(file, target, bucket), lacking):
                    pass
            incoming.rmdir()
        return sum(file.n_bytes for file in lacking)

    def _claim(self, file: PublishedFile, target: OpenFolder) -> bool:
        """Give a content that is here a second name, by which it stays, if it is what it must be."""
        place, claimed = self._place(file), target.path / file.path
        try:
            link_or_copy(place, claimed)
        except FileNotFoundError:
            return False
        if _is_sealed(claimed, file) or (claimed.stat().st_size == file.n_bytes and sha256_of(claimed) == file.sha256):
            _seal(claimed, file)
            return True
        for path in (claimed, place):
            path.unlink(missing_ok=True)
        return False

    def _fetch(self, file: PublishedFile, target: OpenFolder, bucket: Bucket) -> None:
        fresh = target.path / _INCOMING / file.sha256
        bucket.fetch(file.object_name, fresh, file.n_bytes)
        shown = f"{bucket.shown}/{file.object_name}"
        advice = "delete the object and publish the index again"
        if (found := fresh.stat().st_size) != file.n_bytes:
            raise IndexStoreError("truncated", path=shown, expected=f"{file.n_bytes} bytes", found=found, advice=advice)
        if sha256_of(fresh) != file.sha256:
            raise IndexStoreError("its content is another than its name says (checksum)", path=shown, advice=advice)
        fresh.chmod(0o444)
        fsync_path(fresh)
        _seal(fresh, file)
        place = self._place(file)
        place.parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(fresh, target.path / file.path)
        os.replace(fresh, place)

    def _place(self, file: PublishedFile) -> Path:
        return self.folder / _FILES / file.sha256[:2] / file.sha256

    # -- Room ----------------------------------------------------------------------------------------------------------

    def files(self) -> list[CachedFile]:
        """All contents, those first that were used least recently."""
        found = []
        for path in (self.folder / _FILES).glob("*/*"):
            with suppress(FileNotFoundError):
                facts = path.stat()
                found.append(CachedFile(facts.st_atime_ns, path, facts.st_size, facts.st_nlink > 1))
        return sorted(found)

    def _make_room(self, n_bytes: int) -> None:
        """Delete what was used least recently, until so much more fits. Raises IndexStoreError where it does not."""
        files = self.files()
        used = sum(file.n_bytes for file in files)
        for file in files:
            if used + n_bytes <= self.limit:
                return
            if not file.is_open:
                file.path.unlink(missing_ok=True)
                used -= file.n_bytes
        if used + n_bytes > self.limit:
            raise IndexStoreError(
                "the cache is full of what is in use", path=self.folder,
                expected=f"room for {human_bytes(n_bytes)} more",
                found=f"{human_bytes(used)} of {human_bytes(self.limit)} open in this or other processes",
                advice="raise {cache_size}, name another {cache}, or end the others",
            )  # fmt: skip

    def _sweep_folders(self) -> None:
        """Delete the folders of processes that have ended."""
        for path in sorted((self.folder / _OPEN).glob("*.lock")):
            lock = FileLock(path, timeout=0, thread_local=False)
            with suppress(Timeout, OSError):
                lock.acquire()
                OpenFolder(path.with_suffix(""), lock).release()

    # -- The folder itself ---------------------------------------------------------------------------------------------

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(self.folder / name, thread_local=False):
            yield

    @contextmanager
    def _naming(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            full = is_disk_full(error)
            advice = "free some space, or name another {cache}" if full else "name a {cache} that can be written"
            raise IndexStoreError(f"cannot be written: {reason_of(error)}", path=self.folder, advice=advice) from error


def _time_of_seal(file: PublishedFile) -> int:
    """In even seconds, which every file system stores."""
    return int(file.sha256[:8], 16) // 4 * 2


def _is_sealed(path: Path, file: PublishedFile) -> bool:
    facts = path.stat()
    return facts.st_size == file.n_bytes and facts.st_mtime_ns == _time_of_seal(file) * _SECOND_NS


def _seal(path: Path, file: PublishedFile) -> None:
    """Note that a content was checked, and is used now."""
    os.utime(path, ns=(time.time_ns(), _time_of_seal(file) * _SECOND_NS))
