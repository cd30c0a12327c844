"""Numbers for people: counts with their noun, bytes with their unit, times."""

from __future__ import annotations

import time


def counted(n: int, what: str) -> str:
    """A number and what it counts, in the plural where it is not one."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def human_bytes(n: float) -> str:
    """Bytes for people."""
    for unit in ("B", "KB", "MB", "GB"):
        if n < 1000:
            return f"{n:.3g} {unit}"
        n /= 1000
    return f"{n:.3g} TB"


def when(seconds: float) -> str:
    """A time, in seconds since 1970, as ISO 8601 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(min(max(seconds, 0.0), 253402300799.0)))
