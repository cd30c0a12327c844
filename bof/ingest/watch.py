"""Follow folders: say so whenever pictures came, changed or went, and it is quiet again (the watchdog library)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from bof.errors import OptionError
from bof.images.decode import kind_of_file
from bof.images.documents.base import DOCUMENT_SUFFIXES
from bof.images.listing import IMAGE_SUFFIXES
from bof.images.readers.others import is_known_other

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

QUIET_S = 1.0
MAX_WAIT_S = 30.0
"""A folder that never gets quiet is looked into this often."""


def require_watchdog() -> None:
    """Raises OptionError where watchdog is not installed."""
    if find_spec("watchdog") is None:
        raise OptionError(
            "{watch} needs the watchdog library", advice='install it with: pip install "bof-search[watch]"'
        )


def watch(folders: Sequence[Path], stop: threading.Event) -> Iterator[None]:
    """Yield as soon as the folders are followed, and after every change, until `stop` is set.

    Raises OptionError where watchdog is not installed, OSError where the system cannot follow that many folders.
    """
    require_watchdog()
    from watchdog.events import FileSystemEventHandler
    from watchdog.observers import Observer

    changed = threading.Event()

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            if _matters(event):
                changed.set()

    observer = Observer()
    for folder in folders:
        observer.schedule(Handler(), str(folder), recursive=True)
    observer.start()
    changed.set()  # what changed before the observer was there
    try:
        while not stop.is_set():
            if changed.wait(timeout=0.2):
                _wait_for_quiet(changed, stop)
                yield
    finally:
        observer.stop()
        observer.join()


def _matters(event: FileSystemEvent) -> bool:
    """Reading a picture is no change; folders move and go with all that is in them."""
    if event.event_type in ("opened", "closed_no_write"):
        return False
    names = [Path(str(name)) for name in (event.src_path, event.dest_path) if name]
    return event.is_directory or any(map(_may_be_picture, names))


def _may_be_picture(path: Path) -> bool:
    """By its suffix; where that says nothing, by its content, which a file that is gone has no more."""
    suffix = path.suffix.lower()
    is_known = suffix in IMAGE_SUFFIXES | DOCUMENT_SUFFIXES
    return is_known or (not is_known_other(suffix) and kind_of_file(path) is not None)


def _wait_for_quiet(changed: threading.Event, stop: threading.Event) -> None:
    waited = 0.0
    while changed.is_set() and waited < MAX_WAIT_S and not stop.is_set():
        changed.clear()
        stop.wait(QUIET_S)
        waited += QUIET_S
    changed.clear()
