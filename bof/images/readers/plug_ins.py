"""Readers of others: packages register them under the entry point group `bof.readers`.

    [project.entry-points."bof.readers"]
    exr = "my_package:ExrReader"

names a `PictureReader`, or a class or function that makes one without arguments. They are asked after bof's own
readers, about files that those do not know, and are imported then. One that cannot be imported, or fails, is named once
and left out.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points

from bof.errors import reason_of
from bof.images.readers.formats import Format
from bof.images.readers.probe import Probe
from bof.images.readers.reader import PictureReader

log = logging.getLogger("bof")

GROUP = "bof.readers"


@functools.cache
def load_plug_ins() -> Sequence[PictureReader]:
    """The readers that other packages have registered and that can be imported, by name."""
    found = [_loaded(each) for each in sorted(entry_points(group=GROUP), key=lambda each: each.name)]
    return [reader for reader in found if reader is not None]


def _loaded(entry_point: EntryPoint) -> PictureReader | None:
    try:
        loaded = entry_point.load()
        reader = loaded() if callable(loaded) else loaded
        if not isinstance(reader.format, Format):
            raise TypeError(f"expected a Format as its format, found {type(reader.format).__name__}")
        return _Guarded(reader)
    except Exception as error:  # whatever another package does
        log.warning("the plug-in %s = %s is left out: %s", entry_point.name, entry_point.value, reason_of(error))
        return None


class _Guarded:
    """A reader of others: what it raises when it is asked costs nothing else; it decodes in a process of its own."""

    def __init__(self, reader: PictureReader) -> None:
        self.format = replace(reader.format, is_isolated=True)
        self.open = reader.open
        self._reader = reader
        self._has_failed = False

    def matches(self, probe: Probe) -> bool:
        """As PictureReader.matches; no, from its first failure on."""
        if self._has_failed:
            return False
        try:
            return bool(self._reader.matches(probe))
        except Exception as error:
            self._has_failed = True
            log.warning("the plug-in for %s is left out: %s", self.format.kind, reason_of(error))
            return False
