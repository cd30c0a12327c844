"""Files that hold several pictures come into the index part by part, and count as read when all parts are there.

Until then the rows of the parts have a time that no file has (UNFINISHED_NS), so that a run that was killed goes on
where it was: what is there of the file's content is not read again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bof.images.address import Address, Stamp, file_of
from bof.images.listing import Skipped
from bof.images.opening import sha256_of_part
from bof.ingest.sync import UNFINISHED_NS, Found, KnownContent, KnownFile, by_file
from bof.store.catalog import ImageRecord, Move
from bof.store.index import Index
from bof.store.writer import Writer


@dataclass(frozen=True, slots=True)
class Parts:
    """A file with several pictures, as it was opened.

    parts: those that are pictures; others: what else it holds, how many by kind.
    """

    path: str
    name: str
    sha256: str
    stamp: Stamp
    parts: Sequence[str]
    others: Mapping[str, int] = field(default_factory=dict)

    def pictures(self) -> list[tuple[str, str, str]]:
        """Path, name and content of each part."""
        addresses = [Address(self.path, part) for part in self.parts]
        return [(str(one), one.name(self.name), sha256_of_part(self.sha256, one.part)) for one in addresses]


class Documents:
    """The files with several pictures of one run."""

    def __init__(self, index: Index, writer: Writer, records: Sequence[ImageRecord]) -> None:
        """records: what the index has before anything is read; none where nothing will be."""
        self._index, self._writer = index, writer
        self._known = by_file(records)
        self._path_of = {record.name: record.path for record in records}
        self._paths = {record.path for record in records}
        self._contents = {record.sha256 for record in records}
        self._opened: dict[str, Parts] = {}
        self._pending: dict[str, set[str]] = {}
        self._single: list[str] = []
        self.n_unchanged = self.n_removed = 0
        self.others: Counter[str] = Counter()

    def had(self, path: str) -> bool:
        """Did the index have a picture of this path before anything was read?"""
        return path in self._paths

    def take_opened(self, found: Parts) -> None:
        """A file was opened: its parts are to be read."""
        self._opened[found.path] = found
        self.others.update(found.others)

    def take_single(self, path: str) -> None:
        """A file holds one picture, which was read; it may have held more."""
        if any(record.path != path for record in self._records(path)):
            self._single.append(path)

    def to_read(self) -> tuple[list[Found], list[KnownContent]]:
        """The parts that the index lacks: those to extract, and those whose content it has of another file."""
        files: list[Found] = []
        contents: list[KnownContent] = []
        for document in self._opened.values():
            there = {record.path: record.sha256 for record in self._records(document.path)}
            pending = self._pending.setdefault(document.path, set())
            for path, name, sha256 in document.pictures():
                if there.get(path) == sha256:
                    self.n_unchanged += 1
                    continue
                name = self.free_name(path, name)
                pending.add(path)
                if sha256 in self._contents:
                    contents.append(KnownContent(path, name, sha256, document.stamp[0], UNFINISHED_NS))
                else:
                    files.append((path, name))
        return files, contents

    def stamped(self, record: ImageRecord) -> ImageRecord | Skipped:
        """The record of a picture as it is committed: of a part, without the time of its file."""
        document = self._opened.get(file_of(record.path))
        if document is None or record.path == document.path or record.mtime_ns == UNFINISHED_NS:
            return record
        if (record.n_bytes, record.mtime_ns) != document.stamp:
            return Skipped(record.path, "its file changed while it was read; the same command reads it again")
        return replace(record, mtime_ns=UNFINISHED_NS)

    def free_name(self, path: str, name: str) -> str:
        """The name that a part wishes, unless another picture has it."""
        chosen = name if self._path_of.get(name, path) == path else path
        self._path_of[chosen] = path
        return chosen

    def done(self, path: str) -> None:
        """A part was committed, or cannot be read."""
        self._pending.get(file_of(path), set()).discard(path)

    def finish(self) -> None:
        """Give the parts of all files that were read to their ends their files' times; what is no part any more leaves.

        Everything was committed before.
        """
        ended = [one for path, one in self._opened.items() if path in self._pending and not self._pending[path]]
        if not ended and not self._single:
            return
        rows = by_file(self._index.records())
        moves: list[Move] = []
        gone = [row for path in self._single for row in _rows(rows, path) if row.path != path]
        for document in ended:
            parts = {path for path, _, _ in document.pictures()}
            of_file = _rows(rows, document.path)
            gone += [row for row in of_file if row.path not in parts]
            moves += [Move(row.id, row.name, row.path, *document.stamp) for row in of_file if row.path in parts]
        if moves or gone:
            self._writer.rearrange(moves, [row.id for row in gone], list(map(str, self._index.roots)))
        self.n_removed += len(gone)
        self._pending, self._single = {}, []

    def _records(self, path: str) -> Sequence[ImageRecord]:
        return _rows(self._known, path)


def _rows(rows: Mapping[str, KnownFile], path: str) -> Sequence[ImageRecord]:
    return rows[path].records if path in rows else ()
