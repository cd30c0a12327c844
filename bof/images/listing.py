"""Which files under some folders are pictures, and what each is called."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bof.errors import ImageError, display_name, reason_of

log = logging.getLogger("bof")

IMAGE_SUFFIXES: frozenset[str] = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".tif", ".tiff", ".bmp", ".dib", ".gif"}
    | {".ppm", ".pgm", ".pbm", ".pnm", ".avif"}
)

PICTURES = "pictures (JPEG, PNG, WebP, TIFF, BMP, GIF)"
"""What a folder should hold, in words."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that could not be used, and why."""

    path: str
    reason: str


def list_files(sources: Iterable[Path]) -> dict[str, str]:
    """Absolute path -> name of every picture under the sources, in order.

    A picture found in a folder is named by its path below that folder, a file given alone by its file name; where
    that name is taken by another path, the absolute path is the name. Raises ImageError where a source is missing.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for source in sources:
        root = Path(os.path.abspath(source))
        files = walk_images(root) if not root.is_file() else [root]
        for path in files:
            name = path.relative_to(root).as_posix() if path != root else path.name
            names.setdefault(str(path), name if name not in taken else str(path))
            taken.add(name)
    return names


def walk_images(folder: Path) -> Iterator[Path]:
    """The pictures in a folder and below, in the order of sorted paths, by suffix (IMAGE_SUFFIXES).

    Passed over: hidden names, other suffixes, anything but regular files, links to folders (so there are no loops;
    links to files are followed), and, with a logged warning, folders below that cannot be read.
    Raises ImageError, before the first picture, when the folder itself is missing, no folder or unreadable.
    """
    try:
        children = _children(folder)
    except (OSError, ValueError) as error:
        raise ImageError(path=folder, expected=f"a folder of pictures: {reason_of(error)}") from error
    return _walk(children)


def _walk(children: list[os.DirEntry[str]]) -> Iterator[Path]:
    """Depth first from a stack of our own: Python's recursion limit is lower than the deepest folders."""
    stack = children[::-1]
    while stack:
        entry = stack.pop()
        if entry.is_dir(follow_symlinks=False):
            stack.extend(_children_or_warn(entry.path)[::-1])
        elif _is_image_file(entry):
            yield Path(entry.path)


def _children(folder: str | Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)


def _children_or_warn(folder: str) -> list[os.DirEntry[str]]:
    try:
        return _children(folder)
    except OSError as error:
        log.warning("%s: folder passed over: %s", display_name(folder), reason_of(error))
        return []


def _is_image_file(entry: os.DirEntry[str]) -> bool:
    if os.path.splitext(entry.name)[1].lower() not in IMAGE_SUFFIXES:
        return False
    with contextlib.suppress(OSError):  # a link to itself
        return entry.is_file()
    return False
