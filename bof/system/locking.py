"""One writer at a time: a lock that the system takes back when its holder dies, and a note that names the holder.

The lock is the filelock library's, which knows the locks of Linux, macOS and Windows.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from bof.errors import IndexStoreError, display_name, reason_of
from bof.system.directory import Directory
from bof.system.files import open_for_writing, require_no_link

LOCK_NAME = "writer.lock"
NOTE_NAME = "writer.json"
READ_ONLY_NAME = "read-only.json"
"""In a folder that is a copy of a published index: where it was published."""

_MOST_NOTE = 1 << 12


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Hold an index's lock. Raises IndexStoreError at once where another holds it, or where nothing can be written."""
    require_changeable(folder)
    _require_lock_file(folder)
    lock = FileLock(folder / LOCK_NAME, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        problem = f"{_holder(folder)} is writing this index"
        raise IndexStoreError(problem, path=folder, advice="wait for it to end, or stop it") from error
    except OSError as error:
        advice = "the folder must be writable to change the index, searching needs no more than reading"
        raise IndexStoreError(f"cannot be written: {reason_of(error)}", path=folder, advice=advice) from error
    try:
        _leave_note(folder)
        yield
    finally:
        with contextlib.suppress(OSError):
            (folder / NOTE_NAME).unlink()
        lock.release()


def is_read_only(folder: Path) -> bool:
    """Is a folder a copy of a published index?"""
    return os.path.lexists(folder / READ_ONLY_NAME)


def require_changeable(folder: Path) -> None:
    """Raises IndexStoreError where a folder is a copy of a published index."""
    if is_read_only(folder):
        note = _read_note(folder, READ_ONLY_NAME)
        place = str(note.get("published_at", folder)) if isinstance(note, dict) else folder
        advice = "change the index that it was published from, and publish that again"
        raise IndexStoreError("a published index is read-only", path=place, advice=advice)


def _leave_note(folder: Path) -> None:
    """A note is for people: a disk too full to hold it stops nobody."""
    note = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "command": " ".join(sys.argv)[:200],
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    with contextlib.suppress(OSError):
        (folder / NOTE_NAME).unlink(missing_ok=True)  # whatever a crash or somebody else left: a link itself goes
        with open_for_writing(folder / NOTE_NAME) as stream:
            stream.write(json.dumps(note).encode("utf-8", "backslashreplace"))


def _require_lock_file(folder: Path) -> None:
    """The lock's file is emptied when it is opened. Raises IndexStoreError where it is a link or no regular file."""
    try:
        require_no_link(folder / LOCK_NAME)
    except OSError as error:
        advice = "delete it; nothing below an index may be a link"
        raise IndexStoreError(reason_of(error), path=folder / LOCK_NAME, advice=advice) from error


def _holder(folder: Path) -> str:
    """Who holds the lock, as far as the note says so, in one line."""
    try:
        note = _read_note(folder, NOTE_NAME)
        return display_name(f"process {note['pid']} on {note['host']} ({note['command']}, since {note['since']})"[:400])
    except (KeyError, TypeError):
        return "another process"


def _read_note(folder: Path, name: str) -> Any:
    """What a small file says; None where it cannot be read."""
    try:
        with Directory.open(folder) as here, here.open_file(name) as stream:
            return json.loads(stream.read(_MOST_NOTE))
    except (OSError, ValueError, RecursionError):
        return None
