"""What has changed between an index and the folders it follows: new, changed, moved and missing pictures."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from bof.images.listing import Skipped
from bof.store.catalog import ImageRecord, Move, is_in_memory
from bof.system.files import sha256_of
from bof.system.steps import Progress, Stage

Found = tuple[str, str]
"""Path and name of a picture file."""


_Status = tuple[int, int] | None
"""Size in bytes and time of modification in nanoseconds; None: it cannot be told."""


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
class Plan:
    """What to do so that an index shows its folders as they are.

    new and changed: files to index; known_contents: those of them that need not be read again; moves: known pictures
    found elsewhere, nothing to read; touched: known pictures whose files have another time alone; gone: known pictures
    whose files are no more, which leave only with delete; replaced: known pictures whose place another has taken.
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
    known: Mapping[str, ImageRecord],
    sources: Sequence[Path],
    *,
    delete: bool,
    progress: Progress | None = None,
) -> Plan:
    """Compare picture files, path -> name, with what the index knows.

    A file of known size and time is unchanged. For all others content decides, by SHA-256: known pictures whose own
    file is gone, or holds something else now, are looked for among the files that are new or changed; what is left of
    these and has the content of a known picture, or of each other, is indexed without being decoded. New files of a
    size that nothing else has are not read here. delete: pictures that are gone leave the index, and their names are
    free. progress: receives the bytes of the files whose content is compared, done and in all.
    """
    stats = {path: _stat(path) for path in files}
    altered = [path for path in files if path in known and stats[path] != _recorded(known[path])]
    unknown = [path for path in files if path not in known]
    content = _contents([*altered, *_of_known_size(unknown, altered, known, stats)], stats, progress)
    touched = [path for path in altered if content[path] == known[path].sha256]
    changed = [path for path in altered if content[path] != known[path].sha256]
    missing = [path for path in known if path not in files and _is_gone(path)]
    lost = [*missing, *(path for path in changed if content[path])]  # what cannot be read may be as it was
    homes = _find_homes([*unknown, *changed], {path: known[path] for path in lost}, content)

    moved = set(homes.values())
    gone = [path for path in missing if path not in moved and is_below(path, sources)]
    freed = {known[path].name for path in (*(gone if delete else ()), *(p for p in missing if p in moved))}
    names = _names(files, known, {entry.name for entry in known.values()} - freed)
    to_index = [path for path in (*unknown, *changed) if path not in homes]
    staying = {known[path].sha256 for path in known.keys() - {*changed, *(gone if delete else ())} | moved}
    return Plan(
        [(path, names[path]) for path in unknown if path not in homes],
        [(path, names[path]) for path in changed if path not in homes],
        [
            KnownContent(path, names[path], sha256, *_at(stats, path))
            for path, sha256 in _known_contents(to_index, staying, content)
        ],
        [Move(known[old].id, names[new], new, *_at(stats, new)) for new, old in homes.items()],
        [Move(known[path].id, names[path], path, *_at(stats, path)) for path in touched],
        [known[path] for path in gone],
        [known[path] for path in changed if path in homes and path not in moved],
        len(files) - len(altered) - len(unknown),
        delete,
    )


def _of_known_size(
    unknown: Sequence[str], altered: Sequence[str], known: Mapping[str, ImageRecord], stats: Mapping[str, _Status]
) -> list[str]:
    """The new files that may hold what a known picture, or another file, holds: they have its size."""
    sizes = Counter(status[0] for path in (*unknown, *altered) if (status := stats[path]))
    of_known = {entry.n_bytes for entry in known.values()}
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
    candidates: Sequence[str], orphans: Mapping[str, ImageRecord], content: Mapping[str, str | None]
) -> dict[str, str]:
    """New path -> old path of the known pictures that are found elsewhere by their content."""
    by_content: dict[str, list[str]] = {}
    for path, entry in sorted(orphans.items(), reverse=True):
        by_content.setdefault(entry.sha256, []).append(path)
    homes = {}
    for path in candidates:
        if paths := by_content.get(content.get(path) or ""):
            homes[path] = paths.pop()
    return homes


def _names(files: Mapping[str, str], known: Mapping[str, ImageRecord], taken: set[str]) -> dict[str, str]:
    """What each file is called: as it was, else as it wishes, else, where that name is taken, by its path."""
    names = {}
    for path, wished in files.items():
        names[path] = known[path].name if path in known else wished if wished not in taken else path
        taken.add(names[path])
    return names


def is_below(path: str, sources: Sequence[Path]) -> bool:
    """Is this one of the sources, or in one of the folders?"""
    roots = [os.path.abspath(source) for source in sources]
    return any(path == root or path.startswith(os.path.join(root, "")) for root in roots)


def _stat(path: str) -> _Status:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _recorded(entry: ImageRecord) -> _Status:
    return entry.n_bytes, entry.mtime_ns


def _at(stats: Mapping[str, _Status], path: str) -> tuple[int, int]:
    return stats[path] or (0, 0)


def _content(path: str) -> str | None:
    try:
        return sha256_of(Path(path))
    except OSError:
        return None


def _is_gone(path: str) -> bool:
    """Is there surely no such file any more? What cannot be looked at may be there; in memory there never was one."""
    if is_in_memory(path):
        return False
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
