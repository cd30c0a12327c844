"""Segments that others have written beside an index, and that its writer may take over: see `Writer.adopt`.

They lie in a folder of their own, so that no sweep of the writer's takes away what waits for it. What a run leaves
there is swept when the next writer opens the index.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bof.errors import IndexStoreError
from bof.store.check import SEGMENTS, remove
from bof.store.segments import Files, ImageColumns, write_new_segment, write_segment
from bof.system.directory import Directory
from bof.system.files import fsync_path, require_folder

INCOMING = "incoming"

_NAME = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class IncomingSegment:
    """A segment that was written: the name of its folder, and what each of its files is."""

    name: str
    files: Files


def write_incoming(folder: Path, images: Sequence[ImageColumns], n_words: int) -> IncomingSegment:
    """Write images as a segment beside the index in a folder. Raises OSError, and leaves nothing behind then."""
    place = folder / INCOMING
    place.mkdir(exist_ok=True)
    require_folder(place)
    return IncomingSegment(*write_new_segment(place, lambda fresh: write_segment(fresh, images, n_words)))


def move_in(folder: Path, name: str) -> Path:
    """Move a segment among those of the index, where the next sweep takes it unless it is committed.

    Raises IndexStoreError where there is none of this name, or it is a link.
    """
    source, target = folder / INCOMING / name, folder / SEGMENTS / name
    try:
        if not _NAME.fullmatch(name):
            raise ValueError("that is no name of a segment")
        require_folder(source)
        os.rename(source, target)
        fsync_path(target.parent)
    except (OSError, ValueError) as error:
        advice = "do all machines see one shared folder? The index is as it was"
        raise IndexStoreError(f"what a worker wrote is not here: {error}", path=source, advice=advice) from error
    return target


def drop_incoming(folder: Path, name: str = "") -> None:
    """Delete a segment that nobody takes over, or all of them. What cannot be deleted harms nobody."""
    with suppress(OSError), Directory.open_below(folder, INCOMING) as here:
        for each in [name] if name else here.names():
            remove(here, each)
