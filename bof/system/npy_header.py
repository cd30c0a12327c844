"""What the head of a .npy file says, for all who map or read arrays of their own."""

from __future__ import annotations

import threading
from typing import IO, Any

import numpy as np

PARSING = threading.Lock()
"""Held by whoever lets numpy parse a header. It does so with `ast`, whose depth CPython counts for all threads together
(cpython#106905): two at once end in a SystemError now and then, which looks like a damaged file."""


def read_npy_header(stream: IO[bytes], most: int) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether it is stored column by column, and dtype; at most so many bytes; the stream is then at the data.

    Raises ValueError where it is no header of version 1.0.
    """
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("expected a .npy file of version 1.0")
    with PARSING:
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(stream, max_header_size=most)
    return shape, is_fortran, dtype
