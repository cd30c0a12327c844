"""Pictures that an index stores itself, because their originals lie on other machines: thumbnails, and copies.

INDEX/pictures/AB/CONTENT.THUMBNAIL.jpg is the thumbnail of the picture whose file has the SHA-256 CONTENT (AB are its
first two digits), THUMBNAIL being the SHA-256 of the thumbnail's own bytes; INDEX/pictures/AB/CONTENT is that file as
it was fetched. So every file says itself what it must hold, and a row of the catalogue finds its own by `sha256`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bof.errors import IndexStoreError, reason_of
from bof.images.address import is_remote
from bof.store.catalog import ImageRecord
from bof.system.directory import Directory
from bof.system.files import require_folder, write_file

FOLDER = "pictures"

_NAME = re.compile(r"(?P<content>[0-9a-f]{64})(?:\.(?P<thumbnail>[0-9a-f]{64})\.jpg)?")
_SHELF = re.compile(r"[0-9a-f]{2}")
_MOST_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that an index stores for a content. sha256: of its own bytes; is_copy: it is the picture as fetched."""

    path: Path
    content: str
    sha256: str
    n_bytes: int
    is_copy: bool

    def read(self) -> bytes | None:
        """Its bytes; None where they are not what was stored, or cannot be read."""
        try:
            with Directory.open_below(self.path.parent.parent.parent, FOLDER, self.content[:2]) as shelf:
                data = _read(shelf, self.path.name)
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == self.sha256 else None


@dataclass(frozen=True, slots=True)
class StoredPictures:
    """The pictures that the index in a folder stores. Nothing is read or written through a link."""

    folder: Path

    def put(self, content: str, thumbnail: bytes, copy: bytes | None = None) -> None:
        """Store the thumbnail of a content, and the file itself if it is given. Raises IndexStoreError."""
        files = {f"{content}.{hashlib.sha256(thumbnail).hexdigest()}.jpg": thumbnail}
        if copy is not None:
            files[content] = copy
        shelf = self.folder / FOLDER / content[:2]
        try:
            shelf.mkdir(parents=True, exist_ok=True)
            require_folder(shelf.parent)
            require_folder(shelf)
            for name, data in files.items():
                write_file(shelf / name, data)
        except OSError as error:
            raise IndexStoreError(reason_of(error), path=shelf, advice="the index is as it was") from error

    def find(self, content: str) -> StoredFile | None:
        """What is stored of a content: the copy, else a thumbnail."""
        found = [one for one in self._on_shelf(content[:2]) if one.content == content]
        return min(found, key=lambda one: (not one.is_copy, one.path.name), default=None)

    def contents(self, *, copies: bool = False) -> set[str]:
        """The contents of which there is a thumbnail; copies: of which there is a copy."""
        return {one.content for one in self.files() if one.is_copy is copies}

    def read(self, content: str) -> bytes | None:
        """The copy of a content, else its thumbnail, else None. What is not as it was stored is not read."""
        found = self.find(content)
        return found.read() if found else None

    def files(self) -> Iterator[StoredFile]:
        """All that is stored."""
        for shelf in self._shelves():
            yield from self._on_shelf(shelf)

    def strays(self, live: Collection[str]) -> Iterator[Path]:
        """Files that belong to none of the live contents, or are no files of this folder: a crash left them."""
        for shelf in self._shelves(all_names=True):
            place = self.folder / FOLDER / shelf
            if not _SHELF.fullmatch(shelf):
                yield place
                continue
            with suppress(OSError), Directory.open_below(self.folder, FOLDER, shelf) as here:
                for name in here.names():
                    found = _NAME.fullmatch(name)
                    if found is None or found["content"] not in live or name[:2] != shelf:
                        yield place / name

    def damaged(self) -> Iterator[str]:
        """What is wrong with files, in words. Each byte is read."""
        for one in self.files():
            if one.read() is None:
                yield f"{one.path}: its content has changed (checksum)"

    def sweep(self, live: Collection[str]) -> None:
        """Delete what belongs to none of the live contents. What cannot be deleted harms nobody."""
        for path in list(self.strays(live)):
            names = path.relative_to(self.folder).parts[:-1]
            with suppress(OSError), Directory.open_below(self.folder, *names) as here:
                here.remove_folder(path.name) if here.is_folder(path.name) else here.remove_file(path.name)

    def drop_damaged(self) -> None:
        """Delete files that are not what was stored: they are fetched again."""
        for one in list(self.files()):
            if one.read() is None:
                with suppress(OSError), Directory.open_below(self.folder, FOLDER, one.content[:2]) as here:
                    here.remove_file(one.path.name)

    def n_bytes(self) -> int:
        """Bytes of all that is stored."""
        return sum(one.n_bytes for one in self.files())

    def _shelves(self, *, all_names: bool = False) -> list[str]:
        try:
            with Directory.open_below(self.folder, FOLDER) as here:
                return [name for name in here.names() if all_names or _SHELF.fullmatch(name)]
        except OSError:
            return []

    def _on_shelf(self, shelf: str) -> list[StoredFile]:
        place, found = self.folder / FOLDER / shelf, []
        with suppress(OSError), Directory.open_below(self.folder, FOLDER, shelf) as here:
            for name in here.names():
                parts = _NAME.fullmatch(name)
                if parts and name[:2] == shelf:
                    with suppress(OSError):
                        content, thumbnail = parts["content"], parts["thumbnail"]
                        fact = content, thumbnail or content, here.size_of(name), thumbnail is None
                        found.append(StoredFile(place / name, *fact))
        return found


def contents_of(records: Collection[ImageRecord]) -> frozenset[str]:
    """The contents of which an index with these pictures stores files."""
    return frozenset(record.sha256 for record in records if is_remote(record.path))


def has_any(folder: Path) -> bool:
    """Does the index in a folder store pictures?"""
    return os.path.isdir(folder / FOLDER)


def _read(folder: Directory, name: str) -> bytes:
    if folder.size_of(name) > _MOST_BYTES:
        raise OSError(f"expected at most {_MOST_BYTES} bytes")
    with folder.open_file(name) as stream:
        return stream.read(_MOST_BYTES)
