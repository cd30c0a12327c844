"""Which files under some folders are pictures, what each is called, and what else is there."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bof.errors import ImageError, display_name, reason_of
from bof.images.address import Stamp, is_part
from bof.images.cloud import is_cloud, list_cloud, place_of, url_of
from bof.images.decode import kind_of_file
from bof.images.documents import find_kind
from bof.images.documents.base import DOCUMENT_SUFFIXES, SHARED_SUFFIX, missing_extra
from bof.images.documents.films import FILMS
from bof.images.readers import format_named, is_picture_suffix
from bof.images.readers.formats import FORMATS, describe_formats
from bof.images.readers.others import advice_for, is_known_other
from bof.images.readers.probe import suffix_of

log = logging.getLogger("bof")

IMAGE_SUFFIXES: frozenset[str] = frozenset(suffix for each in FORMATS for suffix in each.suffixes)
"""Of every format that bof knows how to read, whether or not what reads it is installed."""

PICTURES = f"pictures ({describe_formats(FORMATS)})"
"""What a folder should hold, in words."""

LINKED_FOLDER = "link to a folder"
HIDDEN = "hidden"
_NO_SUFFIX = "without a suffix"
_LIKE_A_PART = "name that means a part of a file"
_DEAD_LINK = "link that leads nowhere"
_SPECIAL = "no regular file"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that could not be used, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class PassedOver:
    """What a folder holds that is not read: kind is a suffix (`.mp4`; `.heic` where its reader is not installed),
    LINKED_FOLDER, HIDDEN or other words.
    """

    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies under some sources: absolute path -> name of each picture; absolute path -> kind of what was passed
    over (see PassedOver), each once, but for sources and roots; the stamps of those in the cloud.
    """

    names: Mapping[str, str]
    passed_over: Mapping[str, str] = field(default_factory=dict)
    stamps: Mapping[str, Stamp] = field(default_factory=dict)

    def count_passed_over(self) -> dict[str, int]:
        """How many of each kind were passed over, the most frequent kind first."""
        counts = Counter(self.passed_over.values())
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def reasons(self) -> list[Skipped]:
        """Each that was passed over, and why, by path."""
        return [Skipped(path, reason_for(kind)) for path, kind in sorted(self.passed_over.items())]

    def linked_folders(self) -> list[str]:
        """The links to folders that were not followed."""
        return sorted(path for path, kind in self.passed_over.items() if kind == LINKED_FOLDER)


def reason_for(kind: str) -> str:
    """Why files of a kind are passed over, and what to do about it, where there is something: see PassedOver."""
    return ": ".join(part for part in (f"passed over, {kind}", advice_for(kind)) if part)


def list_files(sources: Iterable[Path], roots: Iterable[Path] = ()) -> dict[str, str]:
    """Absolute path -> name of every picture under the sources, in order: see `list_everything`."""
    return dict(list_everything(sources, roots).names)


def list_everything(sources: Iterable[Path], roots: Iterable[Path] = ()) -> Listing:
    """Every picture under the sources, in order, and what was passed over. roots: folders that an index follows.

    A picture is named by its path below the outermost folder, of the sources and the roots, that it lies in; one that
    lies in none by its file name. Where that name is taken by another path, the absolute path is the name. Raises
    ImageError where a source is missing.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    passed_over: dict[str, str] = {}
    stamps: dict[str, Stamp] = {}
    places = [place_of(source) for source in sources]
    folders = [*(place_of(root) for root in roots), *(place for place in places if not os.path.isfile(place))]
    for place in places:
        base = _base(place, folders)
        for found in _found_at(place, stamps):
            if isinstance(found, PassedOver):
                passed_over.setdefault(found.path, found.kind)
                continue
            name = _name(str(found), base)
            names.setdefault(str(found), name if name not in taken else str(found))
            taken.add(name)
    return Listing(names, {path: kind for path, kind in passed_over.items() if path not in folders}, stamps)


def _found_at(place: str, stamps: dict[str, Stamp]) -> Iterable[str | Path | PassedOver]:
    if is_cloud(place):
        return _scan_cloud(place, stamps)
    return [place] if os.path.isfile(place) else scan(Path(place))


def _name(path: str, base: str) -> str:
    """The path below the folder that it lies in; of the cloud, as its URL has it."""
    if is_cloud(path):
        url, folder = url_of(path), url_of(base) if is_cloud(base) else ""
        return url.removeprefix(folder).lstrip("/") or url.rpartition("/")[2]
    return os.path.relpath(path, base).replace(os.sep, "/")


def _scan_cloud(folder: str, stamps: dict[str, Stamp]) -> Iterator[Path | PassedOver]:
    """The pictures in a folder of the cloud and below, by suffix, and what else; their stamps are noted."""
    for file in list_cloud(folder):
        below = url_of(file.path).removeprefix(url_of(folder)).split("/")
        suffix = os.path.splitext(below[-1])[1].lower()
        if any(part.startswith(".") for part in below):
            yield PassedOver(file.path, HIDDEN)
        elif suffix not in IMAGE_SUFFIXES | DOCUMENT_SUFFIXES:
            yield PassedOver(file.path, suffix or _NO_SUFFIX)
        else:
            stamps[file.path] = file.stamp
            yield Path(file.path)


def _base(place: str, folders: Sequence[str]) -> str:
    """The outermost of the folders that a place is, or lies in; else the folder that a file lies in."""
    around = [folder for folder in folders if place == folder or place.startswith(os.path.join(folder, ""))]
    return min(around, key=len, default=os.path.dirname(place))


def walk_images(folder: Path) -> Iterator[Path]:
    """The pictures that `scan` finds."""
    found = scan(folder)
    return (path for path in found if isinstance(path, Path))


def scan(folder: Path) -> Iterator[Path | PassedOver]:
    """The pictures in a folder and below, in the order of sorted paths; and what else.

    A picture has a suffix of pictures; without a suffix, or with one that nobody knows, its first bytes decide. Passed
    over: hidden names, other suffixes, formats whose reader is not installed, anything but regular files, links to
    folders (so there are no loops; links to files are followed). Folders below that cannot be read are passed over with
    a logged warning.
    Raises ImageError, before the first picture, when the folder itself is missing, no folder or unreadable.
    """
    try:
        children = _children(folder)
    except (OSError, ValueError) as error:
        raise ImageError(path=folder, expected=f"a folder of pictures: {reason_of(error)}") from error
    return _scan(children)


def _scan(children: list[os.DirEntry[str]]) -> Iterator[Path | PassedOver]:
    """Depth first from a stack of our own: Python's recursion limit is lower than the deepest folders."""
    stack = children[::-1]
    while stack:
        entry = stack.pop()
        if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
            stack.extend(_children_or_warn(entry.path)[::-1])
        elif kind := _kind_of_other(entry):
            yield PassedOver(entry.path, kind)
        else:
            yield Path(entry.path)


def _children(folder: str | Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda e: e.name)


def _children_or_warn(folder: str) -> list[os.DirEntry[str]]:
    try:
        return _children(folder)
    except OSError as error:
        log.warning("%s: folder passed over: %s", display_name(folder), reason_of(error))
        return []


def _kind_of_other(entry: os.DirEntry[str]) -> str:
    """What a file or a link is, if it is no picture; else nothing."""
    if entry.name.startswith("."):
        return HIDDEN
    if entry.is_symlink() and os.path.isdir(entry.path):
        return LINKED_FOLDER
    if is_part(entry.path):
        return _LIKE_A_PART
    suffix = suffix_of(entry.name)
    is_document = suffix in DOCUMENT_SUFFIXES or (suffix == SHARED_SUFFIX and _is_film(entry))
    if is_known_other(suffix) and not is_document:
        return suffix
    if not _is_file(entry):
        return _DEAD_LINK if entry.is_symlink() else _SPECIAL
    if is_document:
        return ""
    if suffix in IMAGE_SUFFIXES:
        return "" if is_picture_suffix(suffix) else suffix
    return _kind_by_content(entry) if _has_bytes(entry) else suffix or _NO_SUFFIX


def _kind_by_content(entry: os.DirEntry[str]) -> str:
    """The same of a file whose name says nothing: where what reads it is missing, the suffix of its format."""
    kind = kind_of_file(Path(entry.path))
    known = format_named(kind) if kind else None
    if known is None:
        return suffix_of(entry.name) or _NO_SUFFIX
    return "" if known.is_readable else known.suffixes[0]


def _is_film(entry: os.DirEntry[str]) -> bool:
    """Is it a film that can be read here, by its content?"""
    if missing_extra(SHARED_SUFFIX) or not _is_file(entry):
        return False
    try:
        return find_kind(entry.path) is FILMS
    except ImageError:
        return False


def _has_bytes(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.stat().st_size > 0
    except OSError:
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link to itself
        return False
