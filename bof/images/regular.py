"""Regular files are opened; pipes, devices and folders are refused, and nothing waits for them."""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path

MAGIC_BYTES = 1024
"""More than telling kinds of files apart needs; MPEG-TS is told by the beginnings of four packets of at most 204."""


@contextlib.contextmanager
def open_regular(path: Path) -> Iterator[io.BufferedReader]:
    """A regular file to read. Raises OSError for anything else, ValueError for a NUL in the path."""
    # Opening a FIFO waits for its writer unless O_NONBLOCK; Windows has no such flag, and needs O_BINARY.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("expected a regular file, found a pipe, a device or a folder")
        yield file
