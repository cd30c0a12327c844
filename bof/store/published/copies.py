"""An index that was published, opened: an ordinary index folder of this process' own, of files in the cache.

Segments are mapped and searches touch all of their pages, so whole files are fetched, all of them when the publication
is opened: from then on the network is not needed, and no query waits for it.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from pathlib import Path

from bof.errors import BofError, IndexStoreError
from bof.images.cloud import is_cloud
from bof.options.published import CacheOptions
from bof.store import catalog
from bof.store.published.buckets import Bucket, MissingObjectError, open_bucket, publication_place
from bof.store.published.file_cache import FileCache, OpenFolder
from bof.store.published.manifest import FILE_NAME, Publication, read_manifest
from bof.system.files import write_json
from bof.system.locking import READ_ONLY_NAME

log = logging.getLogger("bof")

VARIABLE = "BOF_CACHE"
LOOK_S = 30.0
"""So often a copy that is in use asks whether something newer is published."""

_MOST_TRIES = 3


class PublishedCopy:
    """A publication on this machine, for as long as anybody refers to it. Threads may share it.

    folder: the index; n_bytes_fetched: when it was opened.
    """

    def __init__(self, bucket: Bucket, cache: FileCache, manifest: Publication) -> None:
        self.bucket, self.cache, self.manifest = bucket, cache, manifest
        opened = cache.new_folder()
        weakref.finalize(self, _release, opened, os.getpid())
        self.folder = opened.path
        self.n_bytes_fetched = cache.fill(opened, manifest, bucket)
        write_json(self.folder / READ_ONLY_NAME, {"published_at": bucket.shown})
        self._lock, self._looked = threading.Lock(), time.monotonic()
        self._newer: PublishedCopy | None = None
        self._is_looking = False
        self._trouble = ""

    def newer(self) -> PublishedCopy | None:
        """What was published since, once a thread of its own has fetched it; None where there is nothing.

        Whoever asks never waits. Where the place cannot be reached, the copy goes on as it is, with a warning.
        """
        with self._lock:
            if self._newer is None and not self._is_looking and time.monotonic() - self._looked >= LOOK_S:
                self._is_looking = True
                threading.Thread(target=self._look, name="bof-publication", daemon=True).start()
            return self._newer

    def _look(self) -> None:
        found, trouble = None, ""
        try:
            found = self._fetched_newer()
        except (BofError, OSError) as error:
            trouble = str(error)
        if trouble and trouble != self._trouble:
            log.warning("a newer publication cannot be seen: %s", trouble)
        with self._lock:
            self._newer, self._trouble = found, trouble
            self._looked, self._is_looking = time.monotonic(), False

    def _fetched_newer(self) -> PublishedCopy | None:
        manifest = read_manifest(self.bucket)
        if manifest.generation > self.manifest.generation and manifest.fingerprint == self.manifest.fingerprint:
            return _fetch(self.bucket, self.cache, manifest)
        if manifest != self.manifest:
            advice = "open it again to see it"
            raise IndexStoreError("an older or another index was published here", path=self.bucket.shown, advice=advice)
        return None


def _release(opened: OpenFolder, pid: int) -> None:
    if os.getpid() == pid:  # not in a child process
        opened.release()


_untaken: dict[Path, PublishedCopy] = {}
_copies: weakref.WeakValueDictionary[Path, PublishedCopy] = weakref.WeakValueDictionary()


def is_published(place: str | os.PathLike[str]) -> bool:
    """Is this the place of a publication: in the cloud, or a folder that has one instead of an index?"""
    return is_cloud(place) or (os.path.isfile(Path(place) / FILE_NAME) and not catalog.exists(Path(place)))


def local_folder(place: str | os.PathLike[str], options: CacheOptions | None = None) -> Path:
    """The folder of an index: of a publication, by URL or folder, that of a copy, which `copy_at` then gives.

    Raises IndexStoreError where it cannot be fetched.
    """
    place = publication_place(place) if isinstance(place, str) else Path(place)
    if not is_published(place):
        return place
    copy = open_publication(place, options)
    _untaken[copy.folder] = _copies[copy.folder] = copy
    return copy.folder


def copy_at(folder: Path) -> PublishedCopy | None:
    """The copy that lies in a folder; whoever has it keeps it."""
    found = _copies.get(folder)
    _untaken.pop(folder, None)
    return found


def open_publication(place: Path, options: CacheOptions | None = None) -> PublishedCopy:
    """Fetch what is published at a place now, as far as it is not in the cache. Raises IndexStoreError."""
    options = options or CacheOptions()
    bucket = open_bucket(place)
    cache = FileCache(cache_folder(options), options.cache_size * 1_000_000)
    return _fetch(bucket, cache, read_manifest(bucket))


def _fetch(bucket: Bucket, cache: FileCache, manifest: Publication) -> PublishedCopy:
    """An object that is not there was perhaps swept when another index was published."""
    for _ in range(_MOST_TRIES):
        try:
            return PublishedCopy(bucket, cache, manifest)
        except MissingObjectError as error:
            before, manifest = manifest, read_manifest(bucket)
            if manifest == before:
                advice = "publish the index again"
                raise MissingObjectError(error.problem, path=error.path, advice=advice) from error
    raise IndexStoreError("is published anew all the time", path=bucket.shown, advice="try it again later")


def cache_folder(options: CacheOptions) -> Path:
    """Where the cache lies."""
    chosen = options.cache or os.environ.get(VARIABLE)
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(os.path.abspath(chosen or os.path.join(home, "bof")))
