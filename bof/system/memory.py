"""How the memory that indexing may take is shared between its processes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from bof.errors import OptionError
from bof.options import LEARNED, NATIVE, OPENCV, FeatureOptions

WRITER_BYTES = 400 << 20
"""The process that writes: libraries, features that wait for a commit, a merge."""

WORKER_BYTES = 220 << 20
"""A process that reads, before it holds a picture: libraries and the vocabulary."""

DECODE_BYTES = 22
"""Of a pixel while a picture is decoded, in the dearest cases: WebP with transparency laid on white 20, 16 bits 19."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's mallopt: free bytes at which the heap shrinks; size from which blocks lie outside of it."""

_SET_DUMPABLE = 4
"""Of Linux' prctl: may the process be dumped, traced, and read through /proc?"""

_PYRAMID_BYTES: Mapping[str, int] = MappingProxyType({OPENCV: 64, NATIVE: 10, LEARNED: 560})
"""By extractor: of a pixel of the doubled picture while SIFT holds scales, OpenCV's all and their differences too; of
learned features what the dearest of published models hold, ALIKED and DISK."""


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """What each of some processes may take: bytes beyond its libraries, and the pixels that these can decode."""

    n_workers: int
    bytes: int

    @property
    def max_pixels(self) -> int:
        """A picture with more is too large for this limit."""
        return self.bytes // DECODE_BYTES

    @property
    def in_one(self) -> MemoryLimit:
        """The limits of all in one process, while the others hold no picture."""
        return MemoryLimit(1, self.bytes * self.n_workers)

    def memory_for(self, n_pixels: int) -> int:
        """The megabytes that such a picture needs, all processes together."""
        needed = WRITER_BYTES + self.n_workers * WORKER_BYTES + n_pixels * DECODE_BYTES
        return -(-needed >> 20)


def limit_memory(memory_mb: int, n_workers: int, features: FeatureOptions) -> MemoryLimit:
    """The largest number of processes up to n_workers that fit, and the limit of each.

    memory_mb 0: half the machine's, or what one process needs. Raises OptionError where not even one fits.
    """
    least, needed = pyramid_bytes(features), least_memory(features)
    total = memory_mb << 20 if memory_mb else max(machine_memory() // 2, needed)
    if total < needed:
        least_mb = -(-needed >> 20)
        raise OptionError(option="memory", expected=f"at least {least_mb} MB to index with", found=memory_mb)
    n_fit = min(n_workers, (total - WRITER_BYTES) // (WORKER_BYTES + least))
    return MemoryLimit(n_fit, (total - WRITER_BYTES) // n_fit - WORKER_BYTES)


def least_memory(features: FeatureOptions) -> int:
    """Bytes that indexing takes with one process that reads."""
    return WRITER_BYTES + WORKER_BYTES + pyramid_bytes(features)


def machine_memory() -> int:
    """Bytes of memory that this machine, or the container around us, has; 8 GB where that cannot be told."""
    found = 8 << 30
    with contextlib.suppress(AttributeError, ValueError, OSError):
        found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(ValueError, OSError):
        found = min(found, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return found


@lru_cache(maxsize=1)
def keep_freed_memory() -> None:
    """Let this process keep what it frees for its next allocation, where the C library is glibc; elsewhere do nothing.

    SIFT takes and frees some two hundred bytes a pixel for each picture. By default they go back to the system, which
    clears them page by page before the next picture: a quarter of the time of extraction.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, 32 << 20)
        mallopt(_TRIM_THRESHOLD, 1 << 30)


def give_back_memory() -> None:
    """Return to the system what `keep_freed_memory` has kept."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def hide_memory() -> None:
    """Let no other process of the same user read this one's memory and environment, where the system can (Linux).

    Whoever may read everything anyway still can; programs that are started from here are not hidden.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)


def pixels_beside_freed(max_pixels: int, features: FeatureOptions) -> int:
    """Of the pixels that fit a limit, how many while the process holds what SIFT has freed."""
    return max(0, max_pixels + -pyramid_bytes(features) // DECODE_BYTES)


def pyramid_bytes(features: FeatureOptions) -> int:
    """What SIFT takes for the largest picture that it is given."""
    return _PYRAMID_BYTES.get(features.extractor, 0) * (2 * features.max_side) ** 2


def resident_memory() -> int:
    """Bytes of memory that this process has in use, mapped files included; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def peak_memory() -> int:
    """Bytes: the largest resident memory so far of this process, and of its largest ended child."""
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return unit * max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
