"""Is a TIFF file what a camera's sensor saw (RAW), or a picture? Its tags tell: DNG, NEF, ARW, PEF and others are TIFF.

A RAW file has the numbers of a colour filter array, or linear ones, in one of its directories (DNG 1.7, chapter 4;
TIFF/EP, ISO 12234-2: PhotometricInterpretation 32803 and 34892).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from bof.images.readers.probe import Probe

_SUB_IFDS, _PHOTOMETRIC = 330, 262
_OF_A_SENSOR = (32803, 34892)
_MOST_DIRECTORIES, _MOST_TAGS = 24, 400

Tags = dict[int, tuple[int, int, int]]
"""Tag -> type, count, and the value or where it lies."""


def is_of_a_sensor(probe: Probe) -> bool:
    """Has a classic TIFF file a directory with the numbers of a sensor?"""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(probe.head[:4])
    if order is None:
        return False
    return any(_first_value(tags.get(_PHOTOMETRIC), order) in _OF_A_SENSOR for tags in _directories(probe, order))


def _directories(probe: Probe, order: str) -> Iterator[Tags]:
    """The directories and those below them, at most so many; hostile offsets lead nowhere, or to one seen before."""
    waiting, seen = [_u32(probe.at(4, 4), order)], set[int]()
    while waiting and len(seen) < _MOST_DIRECTORIES:
        offset = waiting.pop(0)
        if offset < 8 or offset in seen:
            continue
        seen.add(offset)
        tags, following = _directory(probe, offset, order)
        yield tags
        waiting += [*_sub_directories(probe, tags, order), following]


def _directory(probe: Probe, offset: int, order: str) -> tuple[Tags, int]:
    n_tags = min(_u16(probe.at(offset, 2), order), _MOST_TAGS)
    body = probe.at(offset + 2, 12 * n_tags + 4)
    tags = {}
    for at in range(0, min(12 * n_tags, len(body) - 11), 12):
        tag, kind, count, value = struct.unpack_from(order + "HHII", body, at)
        tags[tag] = kind, count, value
    return tags, _u32(body[12 * n_tags :], order)


def _sub_directories(probe: Probe, tags: Tags, order: str) -> list[int]:
    _, count, value = tags.get(_SUB_IFDS, (0, 0, 0))
    if count == 1:
        return [value]
    places = probe.at(value, 4 * min(count, _MOST_DIRECTORIES))
    return [_u32(places[at:], order) for at in range(0, len(places) - 3, 4)]


def _first_value(tag: tuple[int, int, int] | None, order: str) -> int:
    """Of a short number, which stands in the first two of the four bytes."""
    if tag is None:
        return -1
    return tag[2] if tag[0] != 3 else _u16(struct.pack(order + "I", tag[2]), order)


def _u16(data: bytes, order: str) -> int:
    return int.from_bytes(data[:2], "little" if order == "<" else "big") if len(data) >= 2 else 0


def _u32(data: bytes, order: str) -> int:
    return int.from_bytes(data[:4], "little" if order == "<" else "big") if len(data) >= 4 else 0
