"""How much work pictures are, by their sizes, so that the time left can be told before they are read."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.errors import ImageError
from bof.images.address import is_part
from bof.images.decode import read_size
from bof.images.listing import Skipped
from bof.ingest.extract import Deferred, ExtractSpec, in_processes
from bof.ingest.sync import Found
from bof.options import IndexOptions, PixelLimit, long_side_of

_MEASURED = 256
"""Pictures whose headers are read; the sizes of others are judged by their bytes."""

_FIXED = 60_000
_DECODED_JPEG, _DECODED = 1 / 100, 1 / 20
"""Work, in pixels that SIFT is given: of any picture, and of each pixel of the original. Measured on one core: a pixel
takes SIFT 0.7 us, the JPEG decoder 5 to 14 ns, those of PNG and WebP 30 to 40 ns, and any picture 43 ms more.
"""

_JPEG = (".jpg", ".jpeg", ".jpe", ".jfif")
_BYTES_A_PIXEL = 0.3
_PART_BYTES = 1_000_000

MeasuredSize = tuple[str, int, int]
"""The path of a picture file, its width and its height."""


def extraction_work(path: str, width: int, height: int, limit: PixelLimit) -> float:
    """The work of extracting a picture of this size, in pixels that SIFT is given."""
    n_pixels = width * height
    scale = long_side_of(limit, width, height) / max(width, height, 1)
    return _FIXED + n_pixels * scale**2 + reading_work(path, n_pixels)


def description_work(path: str, width: int, height: int) -> float:
    """The work of describing a picture as a whole, in the same unit."""
    return _FIXED + reading_work(path, width * height)


def reading_work(path: str, n_pixels: int) -> float:
    """The work of decoding a picture, in the same unit."""
    return n_pixels * (_DECODED_JPEG if path.lower().endswith(_JPEG) else _DECODED)


def estimate_work(files: Sequence[Found], spec: ExtractSpec, options: IndexOptions) -> dict[str, float]:
    """The work of extracting each file, by path: what its header says, of many files what their bytes say."""
    extent, n_bytes = spec.features.extent, {path: _n_bytes(path) for path, _ in files}
    measured = measure(draw_files([file for file in files if not is_part(file[0])], _MEASURED), spec, options)
    sizes = _Sizes.of(measured, n_bytes)
    return {path: extraction_work(path, *sizes.of_file(path, n_bytes[path]), extent) for path, _ in files}


def draw_files(files: Sequence[Found], n: int) -> list[Found]:
    """At most so many of the files, in an order that has nothing to do with theirs; always the same ones."""
    return random.Random(0).sample(list(files), min(n, len(files)))


def measure(files: Sequence[Found], spec: ExtractSpec, options: IndexOptions) -> dict[str, tuple[int, int]]:
    """Width and height of the pictures whose headers can be read, by path; read in processes, as pictures are."""
    found = in_processes("bof.ingest.work:measure_in_worker", files, spec, options)
    return {one[0]: (one[1], one[2]) for one in found if not isinstance(one, Skipped | Deferred)}


def measure_in_worker(shared: tuple[ExtractSpec, int], file: Found) -> MeasuredSize | Skipped:
    """The size of one picture, in a process of its own."""
    try:
        return file[0], *read_size(Path(file[0]))
    except ImageError as error:
        return Skipped(file[0], error.reason())


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Sizes that were measured, by path, and bytes a pixel, by suffix; "" stands for all."""

    measured: Mapping[str, tuple[int, int]]
    bytes_a_pixel: Mapping[str, float]

    @classmethod
    def of(cls, measured: Mapping[str, tuple[int, int]], n_bytes: Mapping[str, int]) -> _Sizes:
        sums: dict[str, tuple[int, int]] = {}
        for path, (width, height) in measured.items():
            for suffix in ("", _suffix(path)):
                n, n_pixels = sums.get(suffix, (0, 0))
                sums[suffix] = n + n_bytes[path], n_pixels + width * height
        return cls(measured, {suffix: n / n_pixels for suffix, (n, n_pixels) in sums.items() if n and n_pixels})

    def of_file(self, path: str, n_bytes: int) -> tuple[int, int]:
        """The size of a file; where it was not measured, that of a picture of 4 to 3 with so many bytes."""
        if path in self.measured:
            return self.measured[path]
        known = self.bytes_a_pixel
        n_pixels = n_bytes / known.get(_suffix(path), known.get("", _BYTES_A_PIXEL))
        return round((n_pixels * 4 / 3) ** 0.5), round((n_pixels * 3 / 4) ** 0.5)


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _n_bytes(path: str) -> int:
    """Of a part, whose size nobody knows, those of an ordinary picture."""
    if is_part(path):
        return _PART_BYTES
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
