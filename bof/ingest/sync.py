"""What has changed between an index and the folders it follows: new, changed, moved and missing pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.store.catalog import ImageRecord, Move, is_in_memory
from bof.system.files import sha256_of

Found = tuple[str, str]
"""Path and name of a picture file."""


_Status = tuple[int, int] | None
"""Size in bytes and time of modification in nanoseconds; None: it cannot be told."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do so that an index shows its folders as they are.

    new and changed: files to read; moves: known pictures found elsewhere, or with another time, nothing to read; gone:
    known pictures whose files are no more, which leave only with delete; replaced: known pictures whose place another
    has taken.
    """

    new: Sequence[Found]
    changed: Sequence[Found]
    moves: Sequence[Move]
    gone: Sequence[ImageRecord]
    replaced: Sequence[ImageRecord]
    n_unchanged: int
    delete: bool

    @property
    def leaving(self) -> list[int]:
        """The ids of the pictures that leave the index."""
        return [entry.id for entry in (*self.replaced, *(self.gone if self.delete else ()))]

    @property
    def to_read(self) -> list[Found]:
        """The files to extract features from, in order of their paths."""
        return sorted([*self.new, *self.changed])


def plan_sync(
    files: Mapping[str, str], known: Mapping[str, ImageRecord], sources: Sequence[Path], *, delete: bool
) -> Plan:
    """Compare picture files, path -> name, with what the index knows.

    A file of known size and time is unchanged. For all others content decides, by SHA-256: known pictures whose own
    file is gone, or holds something else now, are looked for among the files that are new or changed. New files of a
    size that no such picture has are not read here. delete: pictures that are gone leave the index, and their names
    are free.
    """
    stats = {path: _stat(path) for path in files}
    altered = [path for path in files if path in known and stats[path] != _recorded(known[path])]
    content = {path: _content(path) for path in altered}
    touched = [path for path in altered if content[path] == known[path].sha256]
    changed = [path for path in altered if content[path] != known[path].sha256]
    missing = [path for path in known if path not in files and _is_gone(path)]
    unknown = [path for path in files if path not in known]
    lost = [*missing, *(path for path in changed if content[path])]  # what cannot be read may be as it was
    orphans = {path: known[path] for path in lost}
    homes = _find_homes([*unknown, *changed], orphans, stats, content)

    moved = set(homes.values())
    gone = [path for path in missing if path not in moved and is_below(path, sources)]
    freed = {known[path].name for path in (*(gone if delete else ()), *(p for p in missing if p in moved))}
    names = _names(files, known, {entry.name for entry in known.values()} - freed)
    pairs = [(path, path) for path in touched] + list(homes.items())
    return Plan(
        [(path, names[path]) for path in unknown if path not in homes],
        [(path, names[path]) for path in changed if path not in homes],
        [Move(known[old].id, names[new], new, *_at(stats, new)) for new, old in pairs],
        [known[path] for path in gone],
        [known[path] for path in changed if path in homes and path not in moved],
        len(files) - len(altered) - len(unknown),
        delete,
    )


def _find_homes(
    candidates: Sequence[str],
    orphans: Mapping[str, ImageRecord],
    stats: Mapping[str, _Status],
    content: Mapping[str, str | None],
) -> dict[str, str]:
    """New path -> old path of the known pictures that are found elsewhere by their content."""
    by_content: dict[str, list[str]] = {}
    for path, entry in sorted(orphans.items(), reverse=True):
        by_content.setdefault(entry.sha256, []).append(path)
    sizes = {entry.n_bytes for entry in orphans.values()}
    homes = {}
    for path in candidates:
        status = stats[path]
        if status is None or status[0] not in sizes:
            continue
        sha256 = content[path] if path in content else _content(path)
        if by_content.get(sha256 or ""):
            homes[path] = by_content[sha256 or ""].pop()
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
