"""How the memory that indexing may take is shared between its processes."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from bof.errors import OptionError
from bof.options import FeatureOptions

WRITER_BYTES = 400 << 20
"""The process that writes: libraries, features that wait for a commit, a merge."""

WORKER_BYTES = 220 << 20
"""A process that reads, before it holds a picture: libraries and the vocabulary."""

DECODE_BYTES = 22
"""Of a pixel while a picture is decoded, in the dearest cases: WebP with transparency laid on white 20, 16 bits 19."""

_PYRAMID_BYTES = 64
"""Of a pixel of the doubled picture while SIFT holds its scales and their differences."""


@dataclass(frozen=True, slots=True)
class Share:
    """What each of some processes may take: bytes beyond its libraries, and the pixels that these can decode."""

    n_workers: int
    bytes: int

    @property
    def max_pixels(self) -> int:
        """A picture with more is too large for this share."""
        return self.bytes // DECODE_BYTES

    @property
    def in_one(self) -> Share:
        """All shares for one process, while the others hold no picture."""
        return Share(1, self.bytes * self.n_workers)

    def memory_for(self, n_pixels: int) -> int:
        """The megabytes that such a picture needs, all processes together."""
        needed = WRITER_BYTES + self.n_workers * WORKER_BYTES + n_pixels * DECODE_BYTES
        return -(-needed >> 20)


def share_memory(memory_mb: int, n_workers: int, features: FeatureOptions) -> Share:
    """The largest number of processes up to n_workers that fit, and the share of each.

    memory_mb 0: half the machine's, or what one process needs. Raises OptionError where not even one fits.
    """
    least = _PYRAMID_BYTES * (2 * features.max_side) ** 2
    needed = WRITER_BYTES + WORKER_BYTES + least
    total = memory_mb << 20 if memory_mb else max(machine_memory() // 2, needed)
    if total < needed:
        raise OptionError(f"--memory: expected at least {-(-needed >> 20)} MB to index with, found {memory_mb}")
    n_fit = min(n_workers, (total - WRITER_BYTES) // (WORKER_BYTES + least))
    return Share(n_fit, (total - WRITER_BYTES) // n_fit - WORKER_BYTES)


def machine_memory() -> int:
    """Bytes of memory that this machine, or the container around us, has; 8 GB where that cannot be told."""
    found = 8 << 30
    with contextlib.suppress(AttributeError, ValueError, OSError):
        found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(ValueError, OSError):
        found = min(found, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return found
