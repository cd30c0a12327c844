"""Where publications lie: below a URL of an object store (fsspec reaches it), or in a folder.

An object appears whole or not at all: so do stores promise, and in a folder it is renamed into place. A store is
reached only because the user names its URL.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from bof.errors import BofError, IndexStoreError, OptionError, reason_of
from bof.images.cloud import is_cloud, source_of, url_of
from bof.system.files import fsync_path, is_disk_full, writing_file

_READ_ONLY = ("http", "https")
_EXTRA = 'pip install "bof-search[cloud]"'
_CHUNK = 1 << 20

AtMost = Callable[[int], None]


class MissingObjectError(IndexStoreError):
    """An object of a publication is not there."""


def publication_place(text: str) -> Path:
    """A place as a user names it: a folder, `file://` too, or a URL, as a path that `open_bucket` takes."""
    parts = urlsplit(text)
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost") or not parts.path:
            raise OptionError(path=text, expected="file:///FOLDER")
        return Path(url2pathname(parts.path))
    return source_of(text)


def shown_place(place: Path) -> str:
    """A place as a user would name it."""
    return url_of(place) if is_cloud(place) else os.path.abspath(place)


class Bucket(Protocol):
    """Objects by name, below one place. A name is a relative path with `/`.

    Every method raises IndexStoreError that names the object, MissingObjectError where it is not there.
    """

    shown: str

    def read(self, name: str, most: int) -> bytes:
        """The bytes of a small object; more than `most` are refused."""

    def fetch(self, name: str, target: Path, n_bytes: int) -> None:
        """Write an object into a new file; what is longer than n_bytes is refused. OSError where this disk is full."""

    def sizes(self, folder: str) -> dict[str, int]:
        """Name and size of each object below a name."""

    def store(self, name: str, source: Path) -> None:
        """Make a file an object. FileNotFoundError where the file is gone."""

    def write(self, name: str, data: bytes) -> None:
        """Put a small object in the place of the one that is there, at one moment."""

    def remove(self, names: Iterable[str]) -> None:
        """Delete objects; one that is gone already is none that fails."""


def open_bucket(place: str | os.PathLike[str], *, write: bool = False) -> Bucket:
    """What lies at a place, see `publication_place`. Raises IndexStoreError where it cannot be reached or written."""
    return _CloudBucket(url_of(place), write=write) if is_cloud(place) else _FolderBucket(Path(place))


class _FolderBucket:
    """Objects as files below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.shown = folder, str(folder)

    def read(self, name: str, most: int) -> bytes:
        with _naming(self.folder / name), (self.folder / name).open("rb") as stream:
            data = stream.read(most + 1)
        _require_at_most(self.folder / name, len(data), most)
        return data

    def fetch(self, name: str, target: Path, n_bytes: int) -> None:
        with _naming(self.folder / name), (self.folder / name).open("rb") as stream, target.open("xb") as copy:
            while piece := stream.read(_CHUNK):
                copy.write(piece)
                _require_at_most(self.folder / name, copy.tell(), n_bytes)

    def sizes(self, folder: str) -> dict[str, int]:
        with _naming(self.folder / folder):
            files = [path for path in (self.folder / folder).rglob("*") if path.is_file() and not path.is_symlink()]
            return {path.relative_to(self.folder).as_posix(): path.stat().st_size for path in files}

    def store(self, name: str, source: Path) -> None:
        with source.open("rb") as stream:
            self._put(name, lambda target: shutil.copyfileobj(stream, target, _CHUNK))

    def write(self, name: str, data: bytes) -> None:
        self._put(name, lambda target: target.write(data))

    def _put(self, name: str, write: Callable[[Any], object]) -> None:
        path = self.folder / name
        with _naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with writing_file(path) as stream:
                write(stream)
                stream.flush()
                os.fsync(stream.fileno())
            fsync_path(path.parent)

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            with _naming(self.folder / name), suppress(FileNotFoundError):
                (self.folder / name).unlink()


class _CloudBucket:
    """Objects of a store that fsspec reaches."""

    def __init__(self, url: str, *, write: bool) -> None:
        self.shown = url
        if write and url.split(":", 1)[0] in _READ_ONLY:
            expected = "an object store (s3://, gs://, az://) or a folder"
            raise OptionError(option="publish", expected=expected, found=url, advice="web servers are read from alone")
        try:
            import fsspec

            self._system, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise IndexStoreError(f"cannot be reached: {reason_of(error)}", path=url, advice=_EXTRA) from error
        self._system.invalidate_cache()

    def _url(self, name: str) -> str:
        return f"{self.shown}/{name}"

    def _key(self, name: str) -> str:
        return f"{self._root}/{name}"

    def read(self, name: str, most: int) -> bytes:
        with _naming(self._url(name)), self._system.open(self._key(name), "rb") as stream:
            data = bytes(stream.read(most + 1))
        _require_at_most(self._url(name), len(data), most)
        return data

    def fetch(self, name: str, target: Path, n_bytes: int) -> None:
        from fsspec.callbacks import Callback

        url = self._url(name)

        class CountedBytes(Callback):  # type: ignore[misc]
            def relative_update(self, inc: int = 1) -> None:
                super().relative_update(inc)
                _require_at_most(url, self.value, n_bytes)

        with _naming(url):
            self._system.get_file(self._key(name), str(target), callback=CountedBytes())

    def sizes(self, folder: str) -> dict[str, int]:
        with _naming(self._url(folder)):
            self._system.invalidate_cache()
            found = self._system.find(self._key(folder), detail=True)
        start = len(self._root.lstrip("/")) + 1
        return {name.lstrip("/")[start:]: int(info.get("size") or 0) for name, info in found.items()}

    def store(self, name: str, source: Path) -> None:
        if not source.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(source))
        with _naming(self._url(name)):
            self._system.put_file(str(source), self._key(name))

    def write(self, name: str, data: bytes) -> None:
        with _naming(self._url(name)):
            self._system.pipe_file(self._key(name), data)

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            with _naming(self._url(name)), suppress(FileNotFoundError):
                self._system.rm_file(self._key(name))


@contextmanager
def _naming(place: str | os.PathLike[str]) -> Iterator[None]:
    """Every store has exceptions of its own. That this disk is full is no matter of the store."""
    try:
        yield
    except BofError:
        raise
    except FileNotFoundError as error:
        raise MissingObjectError(f"is not there ({reason_of(error)})", path=place) from error
    except Exception as error:
        if isinstance(error, OSError) and is_disk_full(error):
            raise
        problem = f"cannot be reached: {type(error).__name__}: {reason_of(error)}"
        advice = "are the address, the network and the credentials right?"
        raise IndexStoreError(problem, path=place, advice=advice) from error


def _require_at_most(place: str | os.PathLike[str], found: int, most: int) -> None:
    if found > most:
        raise IndexStoreError(path=place, expected=f"at most {most} bytes", found="more")
