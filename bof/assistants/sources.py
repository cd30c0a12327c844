"""Which pictures an assistant may name: those of the index, and files in the folders that the user has named."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.engine import Engine
from bof.errors import ImageError, OptionError, display_name
from bof.images.address import is_part
from bof.images.sources import OpenedSource, open_source
from bof.retrieval.indexed_pictures import read_as_indexed
from bof.store.catalog import ImageRecord, is_in_memory

DECODE_MEGABYTES = 1536
"""Memory that decoding one picture may take."""
MAX_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Sources:
    """Opens what an assistant names. folders: those that the user has named, with every link resolved."""

    engine: Engine
    folders: Sequence[Path] = ()

    @classmethod
    def of(cls, engine: Engine, folders: Sequence[Path]) -> Sources:
        """Raises OptionError where a folder that the user has named is none."""
        for folder in folders:
            if not folder.is_dir():
                raise OptionError(option="allow", expected="a folder", found=repr(display_name(folder)))
        return cls(engine, [folder.resolve() for folder in folders])

    def open(self, name: str) -> OpenedSource:
        """A picture of the index by its name, or a file below the folders. Raises ImageError for any other."""
        record = self.find(name)
        if record is None:
            return open_source(self.file(name), memory=DECODE_MEGABYTES)
        content = None if is_in_memory(record.path) else read_as_indexed(record, self.engine.folder, MAX_BYTES)
        if content is None:
            advice = "search with a file, or index it again"
            raise ImageError("is not what was indexed any more, or is too large", path=name, advice=advice)
        return open_source(content, name=name, memory=DECODE_MEGABYTES)

    def find(self, name: str) -> ImageRecord | None:
        """The picture of the index with this name, or this path; a name is never a pattern."""
        named = [record for record in self.engine.records() if name in (record.name, record.path)]
        return next((record for record in named if record.name == name), named[0] if named else None)

    def known(self, name: str) -> ImageRecord:
        """The same. Raises ImageError where there is none."""
        found = self.find(name)
        if found is None:
            raise ImageError(path=name, expected="the name of a picture of the index, as search gives it", found="none")
        return found

    def file(self, name: str) -> Path:
        """A file or folder below the folders, where links lead to none outside. Raises ImageError for any other.

        What lies elsewhere and what does not exist have one message: an assistant does not learn what files there are.
        """
        if "\0" not in name and not is_part(name):
            path = Path(os.path.realpath(os.path.expanduser(name)))
            if any(path.is_relative_to(folder) for folder in self.folders) and path.exists():
                return path
        expected = "the name of a picture of the index, or a file in a folder that the user allows"
        allowed = ", ".join(display_name(folder) for folder in self.folders) or "none"
        raise ImageError(path=name, expected=expected, found=f"neither (allowed: {allowed})")
