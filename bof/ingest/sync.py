"""What has changed between an index and the folders it follows: new, changed, moved and missing pictures."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

from bof.images.address import Address, Stamp, file_of
from bof.images.cloud import is_cloud, place_of
from bof.images.listing import Skipped
from bof.images.opening import sha256_of_part
from bof.store.catalog import ImageRecord, Move, has_file
from bof.system.files import sha256_of
from bof.system.steps import Progress, Stage

Found = tuple[str, str]
"""Path and name of a picture file, or of a part of one."""

UNFINISHED_NS = -1
"""The time of a file whose parts are not all in the index yet, as their rows have it: no file is of that time."""

_Status = Stamp | None
"""None: it cannot be told."""


@dataclass(frozen=True, slots=True)
class KnownContent:
    """A file to index whose content, by SHA-256, the index has of another file, or will have once that is read.

    name: what it will be called; n_bytes, mtime_ns: as they were before its content was read.
    """

    path: str
    name: str
    sha256: str
    n_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file of which the index has pictures: itself, or its parts, in order."""

    path: str
    records: Sequence[ImageRecord]

    @property
    def name(self) -> str:
        """What the file is called."""
        return Address.file_name(self.records[0].path, self.records[0].name)

    @property
    def names(self) -> set[str]:
        """Its own, and those of its parts."""
        return {self.name, *(record.name for record in self.records)}

    @property
    def stamp(self) -> _Status:
        """Its size and time, as they were; that of no file where its parts were not all read."""
        stamps = {(record.n_bytes, record.mtime_ns) for record in self.records}
        return stamps.pop() if len(stamps) == 1 else None

    @property
    def is_finished(self) -> bool:
        """Is all that it holds in the index?"""
        return self.stamp is not None and self.records[0].mtime_ns != UNFINISHED_NS

    def has_content(self, sha256: str | None) -> bool:
        """Is a file of this SHA-256 what was indexed, and all of it?"""
        record = self.records[0]
        part = Address.parse(record.path).part
        return sha256 is not None and self.is_finished and record.sha256 == content_of_part(sha256, part)

    def moves_to(self, path: str, name: str, stamp: Stamp) -> list[Move]:
        """Each of its pictures under another path of the file, or another time."""
        moves = []
        for record in self.records:
            address = replace(Address.parse(record.path), file=path)
            moves.append(Move(record.id, address.name(name), str(address), *stamp))
        return moves


def content_of_part(file_sha256: str, part: str) -> str:
    """The content of a file, or of a part of it, by the SHA-256 of the file."""
    return sha256_of_part(file_sha256, part) if part else file_sha256


def by_file(records: Iterable[ImageRecord]) -> dict[str, KnownFile]:
    """The known pictures by the path of the file that each is or lies in."""
    found: dict[str, list[ImageRecord]] = {}
    for record in records:
        found.setdefault(file_of(record.path), []).append(record)
    return {path: KnownFile(path, rows) for path, rows in found.items()}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do so that an index shows its folders as they are.

    new and changed: files to index; known_contents: those of them that need not be read again; moves: known pictures
    found elsewhere, nothing to read; touched: known pictures whose files have another time alone; gone: known pictures
    whose files are no more, which leave only with delete; replaced: known pictures whose place another has taken;
    stamps: of the files in the cloud.
    """

    new: Sequence[Found]
    changed: Sequence[Found]
    known_contents: Sequence[KnownContent]
    moves: Sequence[Move]
    touched: Sequence[Move]
    gone: Sequence[ImageRecord]
    replaced: Sequence[ImageRecord]
    n_unchanged: int
    delete: bool
    passed_over: Mapping[str, int] = field(default_factory=dict)
    passed_over_files: Sequence[Skipped] = ()
    linked_folders: Sequence[str] = ()
    stamps: Mapping[str, Stamp] = field(default_factory=dict)

    @property
    def leaving(self) -> list[int]:
        """The ids of the pictures that leave the index."""
        return [entry.id for entry in (*self.replaced, *(self.gone if self.delete else ()))]

    @property
    def to_read(self) -> list[Found]:
        """The files to extract features from, in order of their paths."""
        known = {one.path for one in self.known_contents}
        return sorted(found for found in (*self.new, *self.changed) if found[0] not in known)


def plan_sync(
    files: Mapping[str, str],
    records: Iterable[ImageRecord],
    sources: Sequence[Path],
    *,
    delete: bool,
    stamps: Mapping[str, Stamp] | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Compare picture files, path -> name, with what the index knows.

    A file of known size and time is unchanged. For all others content decides, by SHA-256: known pictures whose own
    file is gone, or holds something else now, are looked for among the files that are new or changed; what is left of
    these and has the content of a known picture, or of each other, is indexed without being decoded. New files of a
    size that nothing else has are not read here. A file of which the index has parts is treated as one; one whose parts
    are not all in the index counts as changed. delete: pictures that are gone leave the index, and their names are
    free. stamps: of the files in the cloud, whose content is not compared. progress: receives the bytes of the files
    whose content is compared, done and in all.
    """
    known = by_file(records)
    cloud = stamps or {}
    stats = {path: cloud[path] if path in cloud else _stat(path) for path in files}
    altered = [p for p in files if p in known and (stats[p] is None or stats[p] != known[p].stamp)]
    unknown = [path for path in files if path not in known]
    content = _contents([*altered, *_of_known_size(unknown, altered, known, stats)], stats, progress)
    touched = [path for path in altered if known[path].has_content(content[path])]
    changed = [path for path in altered if not known[path].has_content(content[path])]
    missing = [path for path in known if path not in files and _is_gone(path, sources)]
    lost = [*missing, *(path for path in changed if content[path])]  # what cannot be read may be as it was
    homes = _find_homes([*unknown, *changed], {path: known[path] for path in lost}, content)

    moved = set(homes.values())
    gone = [path for path in missing if path not in moved and is_below(path, sources)]
    free = (*(gone if delete else ()), *(path for path in missing if path in moved))
    freed = {name for path in free for name in known[path].names}
    names = _names(files, known, {name for one in known.values() for name in one.names} - freed)
    to_index = [path for path in (*unknown, *changed) if path not in homes]
    leaving = {*changed, *(gone if delete else ())} - moved
    staying = {r.sha256 for path in known.keys() - leaving for r in known[path].records if has_file(r.path)}
    return Plan(
        [(path, names[path]) for path in unknown if path not in homes],
        [(path, names[path]) for path in changed if path not in homes],
        [
            KnownContent(path, names[path], sha256, *_at(stats, path))
            for path, sha256 in _known_contents(to_index, staying, content)
        ],
        [move for new, old in homes.items() for move in known[old].moves_to(new, names[new], _at(stats, new))],
        [move for path in touched for move in known[path].moves_to(path, known[path].name, _at(stats, path))],
        [record for path in gone for record in known[path].records],
        [record for path in changed if path in homes and path not in moved for record in known[path].records],
        sum(len(known[path].records) for path in (known.keys() & files.keys()) - set(altered)),
        delete,
    )


def _of_known_size(
    unknown: Sequence[str], altered: Sequence[str], known: Mapping[str, KnownFile], stats: Mapping[str, _Status]
) -> list[str]:
    """The new files that may hold what a known picture, or another file, holds: they have its size."""
    sizes = Counter(status[0] for path in (*unknown, *altered) if (status := stats[path]))
    of_known = {one.records[0].n_bytes for one in known.values()}
    return [p for p in unknown if (status := stats[p]) and (status[0] in of_known or sizes[status[0]] > 1)]


def _contents(paths: Sequence[str], stats: Mapping[str, _Status], progress: Progress | None) -> dict[str, str | None]:
    """The SHA-256 of each file, None where it cannot be read."""
    stage = Stage(progress, "comparing files", len(paths), sum(_at(stats, path)[0] for path in paths))
    found = {}
    for path in paths:
        found[path] = _content(path)
        stage.advance(1, _at(stats, path)[0])
    return found


def _known_contents(
    paths: Sequence[str], staying: Set[str], content: Mapping[str, str | None]
) -> Iterator[tuple[str, str]]:
    """Path and SHA-256 of the files whose content stays in the index, or is that of an earlier path."""
    seen = set(staying)
    for path in sorted(paths):
        if sha256 := content.get(path):
            if sha256 in seen:
                yield path, sha256
            seen.add(sha256)


def _find_homes(
    candidates: Sequence[str], orphans: Mapping[str, KnownFile], content: Mapping[str, str | None]
) -> dict[str, str]:
    """New path -> old path of the known files that are found elsewhere by their content."""
    whole: dict[str, list[str]] = {}
    in_parts = []
    for path, one in sorted(orphans.items(), reverse=True):
        if Address.parse(one.records[0].path).part:
            in_parts.append(path)
        else:
            whole.setdefault(one.records[0].sha256, []).append(path)
    homes = {}
    for path in candidates:
        if paths := whole.get(content.get(path) or ""):
            homes[path] = paths.pop()
        elif found := next((old for old in in_parts if orphans[old].has_content(content.get(path))), None):
            homes[path] = found
            in_parts.remove(found)
    return homes


def _names(files: Mapping[str, str], known: Mapping[str, KnownFile], taken: set[str]) -> dict[str, str]:
    """What each file is called: as it was, else as it wishes, else, where that name is taken, by its path."""
    names = {}
    for path, wished in files.items():
        names[path] = known[path].name if path in known else wished if wished not in taken else path
        taken.add(names[path])
    return names


def is_below(path: str, sources: Sequence[Path]) -> bool:
    """Is this one of the sources, or in one of the folders?"""
    roots = [place_of(source) for source in sources]
    return any(path == root or path.startswith(os.path.join(root, "")) for root in roots)


def _stat(path: str) -> _Status:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _at(stats: Mapping[str, _Status], path: str) -> tuple[int, int]:
    return stats[path] or (0, 0)


def _content(path: str) -> str | None:
    if is_cloud(path):  # it would be fetched twice
        return None
    try:
        return sha256_of(Path(path))
    except OSError:
        return None


def _is_gone(path: str, sources: Sequence[Path]) -> bool:
    """Is there surely no such file any more? What cannot be looked at may be there; some have no file.

    In the cloud, what was not listed is gone: a listing is whole, or fails.
    """
    if not has_file(path):
        return False
    if is_cloud(path):
        return is_below(path, sources)
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
