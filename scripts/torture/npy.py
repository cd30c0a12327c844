"""Arrays as hostile `.npy` files: of another type, shape or order, with headers that lie, with bytes changed."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rng = np.random.Generator

TYPES = ("u1", "i1", "u2", ">u2", "i4", ">i4", "i8", ">i8", "u8", ">u8", "f2", "f4", ">f4", "f8", "?", "c8", "S3")


def lies(n: int) -> list[dict[str, object]]:
    """What a header may say that is not so. n: rows that there are."""
    return [
        {"shape": (1 << 40, 128)}, {"shape": (1 << 62,)}, {"shape": (-1, 128)}, {"shape": (n, 127)},
        {"shape": (0, 0)}, {"shape": "64"}, {"shape": [64, 128]}, {"shape": (True, 128)}, {"shape": (1e9, 2)},
        {"descr": "|O"}, {"descr": [("a", "u1")]}, {"descr": "|V8"}, {"descr": "<f16"}, {"descr": "u1" * 9},
        {"descr": 7},
        {"descr": "(64,)u1"}, {"descr": "<M8[s]"}, {"fortran_order": True}, {"fortran_order": 3}, {"more": 1},
        {"more": [[[[[[[[]]]]]]]]}, {"shape": (n,) * 70},
    ]  # fmt: skip


def npy(array: NDArray[Any], **header: object) -> bytes:
    """An array as a file; header: what its header says instead."""
    fields = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape, **header}
    text = ("{" + "".join(f"'{key}': {value!r}, " for key, value in fields.items()) + "}").encode("latin1")
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + np.ascontiguousarray(array).tobytes()


def shifted(data: bytes, by: int) -> bytes:
    """The same array after a header that is longer by some bytes: its numbers lie elsewhere."""
    n = struct.unpack("<H", data[8:10])[0]
    return data[:8] + struct.pack("<H", n + by) + data[10 : 9 + n] + b" " * by + data[9 + n :]


def of_other_type(rng: Rng, array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers, as far as they fit, of another type or byte order."""
    with np.errstate(all="ignore"):
        return array.astype(str(rng.choice(TYPES)))


def broken(rng: Rng, data: bytes) -> bytes:
    """A file of an array with other bytes in its header, cut, or grown."""
    changed = bytearray(data)
    how = int(rng.integers(6))
    if how == 5:
        return shifted(data, int(rng.integers(1, 64)))
    if how == 0:
        changed[6:8] = bytes(rng.integers(0, 4, 2).tolist())
    elif how == 1:
        changed[8:10] = b"\xff\xff"
    elif how == 2:
        changed = changed[: int(rng.integers(len(changed)))]
    elif how == 3:
        changed += bytes(int(rng.integers(1, 100)))
    else:
        for at in rng.integers(0, min(128, len(changed)), 5):
            changed[at] = int(rng.integers(256))
    return bytes(changed)


def with_flipped_bit(rng: Rng, data: bytes) -> bytes:
    """One bit anywhere."""
    changed = bytearray(data)
    changed[int(rng.integers(len(changed)))] ^= 1 << int(rng.integers(8))
    return bytes(changed)
