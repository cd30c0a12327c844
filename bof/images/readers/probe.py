"""What a reader may look at to recognise a file: its first bytes, its suffix, and any other few bytes of it."""

from __future__ import annotations

import contextlib
import io
import os
from dataclasses import dataclass
from typing import BinaryIO

HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Probe:
    """A file to be recognised. head: its first bytes, at most HEAD_BYTES; suffix: in lower case, or empty."""

    head: bytes
    suffix: str
    _stream: BinaryIO

    @classmethod
    def of_bytes(cls, data: bytes, name: str = "") -> Probe:
        """Of a file's bytes. name: of the file, if it has one."""
        return cls(data[:HEAD_BYTES], suffix_of(name), io.BytesIO(data))

    @classmethod
    def of_stream(cls, stream: BinaryIO, name: str = "") -> Probe:
        """Of an open file; it stands at its beginning afterwards. Raises OSError where it cannot be read."""
        head = stream.read(HEAD_BYTES)
        stream.seek(0)
        return cls(head, suffix_of(name), stream)

    def at(self, offset: int, n_bytes: int) -> bytes:
        """Some bytes from an offset on, fewer at the end of the file; a negative offset counts from there."""
        if offset >= 0 and offset + n_bytes <= len(self.head):
            return self.head[offset : offset + n_bytes]
        found = b""
        with contextlib.suppress(OSError, ValueError):  # there is no such place
            self._stream.seek(offset, os.SEEK_END if offset < 0 else os.SEEK_SET)
            found = self._stream.read(n_bytes)
        self._stream.seek(0)
        return found


def suffix_of(name: str) -> str:
    """The suffix of a file's name, in lower case."""
    return os.path.splitext(name)[1].lower()
