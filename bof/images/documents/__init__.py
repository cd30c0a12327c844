"""Files that hold several pictures: pages of a document, frames of an animation, pictures in an archive.

`base` says what such a file is, one module a kind how it is read. `open_document` finds the kind by content; `reading`
keeps the last one open, because its pictures are read one after another.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bof.errors import ImageError, reason_of
from bof.images.decode import kind_of_file
from bof.images.documents.archives import ARCHIVES
from bof.images.documents.base import Document, DocumentKind
from bof.images.documents.films import FILMS
from bof.images.documents.frames import FRAMES
from bof.images.documents.pdf import PDF
from bof.images.regular import MAGIC_BYTES, open_regular

KINDS: tuple[DocumentKind, ...] = (*FRAMES, ARCHIVES, PDF, FILMS)


def kind_of_document(head: bytes) -> DocumentKind | None:
    """The kind of files that may hold several pictures which a file's first bytes announce; None for no such kind."""
    return next((kind for kind in KINDS if kind.matches(head)), None)


def find_kind(file: str) -> DocumentKind | None:
    """The same of a file. Raises ImageError where it cannot be read."""
    try:
        with open_regular(Path(file)) as stream:
            kind = kind_of_document(stream.read(MAGIC_BYTES))
    except (OSError, ValueError) as error:
        raise ImageError(f"cannot read: {reason_of(error)}", path=file) from error
    is_other = kind is not None and kind.is_picture and kind_of_file(Path(file)) != kind.name
    return None if is_other else kind  # many a RAW begins as a TIFF does


def open_document(file: str) -> Document | None:
    """The document in a file, to be closed; None where the file is a picture, or neither. Raises ImageError."""
    kind = find_kind(file)
    if kind is None:
        return None
    document = kind.open(file)
    if not kind.is_picture or document.parts:
        return document
    document.close()
    return None


@dataclass(slots=True)
class _LastOpened:
    """The document that was read last, by its path, size and time."""

    key: tuple[object, ...] = ()
    document: Document | None = None


_last = _LastOpened()
_lock = threading.RLock()  # PDFium and an archive's place in its file are one for all threads


@contextlib.contextmanager
def reading(file: str) -> Iterator[Document]:
    """The document in a file, open; one thread at a time. Raises ImageError where there is none."""
    with _lock:
        key = _key(file)
        if _last.key != key or _last.document is None:
            _forget()
            _last.document = open_document(file)
            _last.key = key
        if _last.document is None:
            raise ImageError(path=file, expected="a file with several pictures", found="one picture")
        yield _last.document


def _forget() -> None:
    if _last.document is not None:
        _last.document.close()
    _last.document, _last.key = None, ()


def _key(file: str) -> tuple[object, ...]:
    try:
        found = os.stat(file)
    except (OSError, ValueError) as error:
        raise ImageError(f"cannot read: {reason_of(error)}", path=file) from error
    return file, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
