"""Files in the ISO base media format (ISO 14496-12): HEIC, AVIF, CR3, and films. Their brands tell which."""

from __future__ import annotations

from bof.images.readers.probe import Probe

_MOST_BYTES = 512


def brands_of(probe: Probe) -> list[bytes]:
    """The major brand, then the compatible ones, of the box that such a file begins with; none of any other file."""
    head = probe.head
    if head[4:8] != b"ftyp":
        return []
    end = min(int.from_bytes(head[:4], "big"), _MOST_BYTES, len(head))
    return [head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))]
