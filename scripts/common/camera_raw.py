"""RAW files of cameras, made by program: a DNG with the numbers of a sensor, and a JPEG preview or none."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Entry = tuple[int, int, Sequence[int] | bytes]
"""Tag, type of TIFF (1 byte, 2 text, 3 short, 4 long, 5 ratio, 10 signed ratio, 7 undefined), values."""

_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 10: 8}
_FORMS = {1: "B", 3: "H", 4: "I", 5: "I", 10: "i"}
_SRGB_FROM_XYZ = (32406, -15372, -4986, -9689, 18758, 415, 557, -2040, 10570)
"""The matrix of IEC 61966-2-1, in ten thousandths: this camera sees what a screen shows."""


def make_dng(rgb: NDArray[np.uint8], preview: bytes = b"", orientation: int = 1) -> bytes:
    """A DNG of RGB u8 (h, w, 3) with even sides, as stored. preview: a JPEG file; orientation: as EXIF has it."""
    sensor = _mosaic(rgb).tobytes()
    raw = [
        *_common(rgb.shape[1], rgb.shape[0], 0, 32803, 1, (16,)),
        (33421, 3, (2, 2)), (33422, 1, (0, 1, 1, 2)), (50714, 3, (0,)), (50717, 4, (65535,)),
    ]  # fmt: skip
    camera: list[Entry] = [
        (271, 2, b"bof\0"), (272, 2, b"drawn\0"), (274, 3, (orientation,)), (50706, 1, (1, 4, 0, 0)),
        (50707, 1, (1, 1, 0, 0)), (50708, 2, b"bof drawn\0"),
        (50721, 10, [part for value in _SRGB_FROM_XYZ for part in (value, 10000)]), (50728, 5, (1, 1) * 3),
        (50778, 3, (21,)),
    ]  # fmt: skip
    if not preview:
        return _tiff([([*raw, *camera], sensor)])
    with Image.open(io.BytesIO(preview)) as image:
        width, height = image.size
    shown = _common(width, height, 1, 6, 3, (8, 8, 8), compression=7)
    return _tiff([([*shown, *camera], preview), (raw, sensor)])


def _mosaic(rgb: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """What a sensor behind red, green, green and blue filters counts: light, not the levels of a screen."""
    linear = (65535 * (rgb / 255.0) ** 2.2).round().astype(np.uint16)
    counted = linear[..., 1].copy()
    counted[::2, ::2], counted[1::2, 1::2] = linear[::2, ::2, 0], linear[1::2, 1::2, 2]
    return counted


def _common(
    width: int, height: int, subfile: int, photometric: int, n_samples: int, bits: Sequence[int], compression: int = 1
) -> list[Entry]:
    return [
        (254, 4, (subfile,)), (256, 4, (width,)), (257, 4, (height,)), (258, 3, bits), (259, 3, (compression,)),
        (262, 3, (photometric,)), (277, 3, (n_samples,)), (278, 4, (height,)), (284, 3, (1,)),
    ]  # fmt: skip


def _tiff(directories: Sequence[tuple[list[Entry], bytes]]) -> bytes:
    """Little-endian; the second directory is below the first."""
    (main, data), *below = directories
    body = bytearray(b"II*\0\0\0\0\0")
    if below:
        place = _append(body, *below[0])
        main = [*main, (330, 4, (place,))]
    struct.pack_into("<I", body, 4, _append(body, main, data))
    return bytes(body)


def _append(body: bytearray, entries: Sequence[Entry], data: bytes) -> int:
    """Write pixels, values and the directory; returns where the directory lies."""
    at_data = len(body)
    body += data + bytes(len(data) % 2)
    packed = []
    for tag, kind, values in sorted([*entries, (273, 4, (at_data,)), (279, 4, (len(data),))]):
        raw = values if isinstance(values, bytes) else struct.pack(f"<{len(values)}{_FORMS[kind]}", *values)
        count = len(raw) // _BYTES[kind]
        if len(raw) > 4:
            place = len(body)
            body += raw + bytes(len(raw) % 2)
            raw = struct.pack("<I", place)
        packed.append(struct.pack("<HHI", tag, kind, count) + raw.ljust(4, b"\0"))
    place = len(body)
    body += struct.pack("<H", len(packed)) + b"".join(packed) + bytes(4)
    return place
