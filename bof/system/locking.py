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

from filelock import FileLock, Timeout

from bof.errors import IndexStoreError, reason_of

LOCK_NAME = "writer.lock"
NOTE_NAME = "writer.json"


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Hold an index's lock. Raises IndexStoreError at once where another holds it, or where nothing can be written."""
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


def _leave_note(folder: Path) -> None:
    """A note is for people: a disk too full to hold it stops nobody."""
    note = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "command": " ".join(sys.argv)[:200],
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
    }
    with contextlib.suppress(OSError):
        (folder / NOTE_NAME).write_text(json.dumps(note), encoding="utf-8", errors="backslashreplace")


def _holder(folder: Path) -> str:
    try:
        note = json.loads((folder / NOTE_NAME).read_text(encoding="utf-8"))
        return f"process {note['pid']} on {note['host']} ({note['command']}, since {note['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
