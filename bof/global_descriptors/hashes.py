"""Perceptual hashes: a picture in a few bytes that stay near when it is re-encoded or resized.

`ahash` is the average hash with the thresholds that its users know; the others are those of OpenCV's img_hash and the
gradient hash of imagehash and many more. Every picture is first shrunk by averaging areas to the very size that a hash
works on: img_hash itself picks single pixels, so that its hashes hang on the size in which a picture comes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bof import native
from bof.errors import OptionError
from bof.options import HASHES
from bof.system.threads import even_shares, in_threads
from bof.types import F32, F64, U8, U16, U64, Verdict

ARRAYS: Mapping[str, tuple[str, tuple[int, ...]]] = MappingProxyType(
    {
        "ahash": ("<u8", (1,)),
        "dhash": ("<u8", (1,)),
        "phash": ("<u8", (1,)),
        "blockmean": ("<u8", (4,)),
        "radial": ("|u1", (40,)),
        "moments": ("<f4", (42,)),
    }
)
"""What is stored of a picture: dtype and shape of a row by name."""

SIMILAR_BITS = 5
DIFFERENT_BITS = 10
"""ahash: at most SIMILAR_BITS that differ mean similar pictures, more than DIFFERENT_BITS different ones."""

_SIDE = 8
_GREY_STEP = 4
"""256 levels of grey become 64."""

_PHASH_SIDE = 32
_BLOCKS_SIDE = 256
_RADIAL_SIDE = 256
_MOMENTS_SCALE = 10_000.0
"""img_hash multiplies distances of colour moments by it."""

_LARGEST = float(np.finfo(np.float32).max)
_WORTH_A_THREAD = 1 << 15
"""Hashes that are worth sharing out."""

_BLOCK_ROWS = 1 << 12
_BLOCK_HASHES = 1 << 16
"""Rows of numbers and of bits that are taken at once, so that what is made of them stays in the cache."""


def describe(pixels: U8) -> dict[str, NDArray[Any]]:
    """Every hash of a picture, rows as in ARRAYS.

    pixels u8 (h, w, 3), RGB, of any size; no pixels at all count as one black pixel.
    """
    pixels = pixels if pixels.size else np.zeros((1, 1, 3), np.uint8)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)
    return {
        "ahash": average_hash(grey),
        "dhash": gradient_hash(grey),
        "phash": _bits(cv2.img_hash.pHash(shrink(grey, _PHASH_SIDE, _PHASH_SIDE))),
        "blockmean": _bits(cv2.img_hash.blockMeanHash(shrink(grey, _BLOCKS_SIDE, _BLOCKS_SIDE))),
        "radial": np.ravel(cv2.img_hash.radialVarianceHash(_fit(grey, _RADIAL_SIDE))).astype(np.uint8),
        "moments": _moments(pixels),
    }


def average_hash(grey: U8) -> U64:
    """ahash u64 (1,) of grey u8 (h, w): 8 x 8 pixels in 64 grey levels; a bit is set where one reaches their mean."""
    level = shrink(grey, _SIDE, _SIDE).astype(np.int64) // _GREY_STEP
    return _bits(np.packbits(level * level.size >= level.sum()))


def gradient_hash(grey: U8) -> U64:
    """dhash u64 (1,) of grey u8 (h, w): 8 rows of 9 pixels; a bit is set where the next to the right is brighter."""
    small = shrink(grey, _SIDE + 1, _SIDE)
    return _bits(np.packbits(small[:, 1:] > small[:, :-1]))


def shrink(pixels: U8, width: int, height: int) -> U8:
    """The picture in just this size; areas are averaged along each side that gets shorter, whatever the other does."""
    h, w = pixels.shape[:2]
    within = cv2.resize(pixels, (min(w, width), min(h, height)), interpolation=cv2.INTER_AREA)
    return cv2.resize(within, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _fit(grey: U8, long_side: int) -> U8:
    h, w = grey.shape
    scale = long_side / max(h, w)
    return shrink(grey, max(round(w * scale), 1), max(round(h * scale), 1))


def _bits(hashed: NDArray[Any]) -> U64:
    return np.ascontiguousarray(hashed, np.uint8).ravel().view("<u8")


def _moments(pixels: U8) -> F32:
    """Hu's seven moments of hue, saturation, value, and of luma and both chromas; img_hash wants BGR."""
    moments = np.ravel(cv2.img_hash.colorMomentHash(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)))
    return np.clip(moments, -_LARGEST, _LARGEST).astype(np.float32)


# -- Comparing --------------------------------------------------------------------------------------------------------


def distances(query: U64, rows: U64) -> U16:
    """How many bits differ, u16 (n,), between a hash u64 (w,) and each of the rows u64 (n, w)."""
    distance = np.empty(len(rows), np.uint16)
    shares = even_shares(len(rows), _WORTH_A_THREAD)
    in_threads(lambda some: native.differing_bits(query, rows, some, distance), shares)
    return distance


def similarity(query: NDArray[Any], rows: NDArray[Any], name: str) -> F32:
    """How alike a picture is to each of n others, f32 (n,) in [0, 1], by the hash `name` of HASHES.

    query: one row, rows (n, *row), as in ARRAYS. Bits: the share that is equal. radial: the peak of the correlation
    over all shifts; moments: 1 / (1 + d), d their Euclidean distance times 10,000. Both are as in img_hash. Raises
    OptionError for another name.
    """
    if name not in ARRAYS:
        raise OptionError("a hash by name", expected=f"one of {', '.join(HASHES)}", found=repr(name))
    if ARRAYS[name][0] == "<u8":
        return _equal_bits(query, rows)
    compare = _radial if name == "radial" else _near_moments
    return _by_blocks(compare, query, rows)


def verdict(name: str, similarity: float) -> Verdict:
    """What a similarity means: known for ahash alone, by the bits that differ."""
    if name != "ahash":
        return "unverified"
    differing = round((1.0 - similarity) * _SIDE * _SIDE)
    return "same" if differing <= SIMILAR_BITS else "maybe" if differing <= DIFFERENT_BITS else "no"


def bits_of(name: str, similarity: float) -> tuple[int | None, int | None]:
    """How many bits differ at a similarity, and of how many; None for the hashes that are no bits."""
    kind, (n_words,) = ARRAYS[name]
    if kind != "<u8":
        return None, None
    n_bits = 64 * n_words
    return round((1.0 - similarity) * n_bits), n_bits


def _equal_bits(query: U64, rows: U64) -> F32:
    per_bit = np.float32(-1 / (64 * len(query)))
    distance, alike = np.empty(len(rows), np.uint16), np.empty(len(rows), np.float32)

    def compare(some: range) -> None:
        for first in range(some.start, some.stop, _BLOCK_HASHES):
            part = range(first, min(first + _BLOCK_HASHES, some.stop))
            native.differing_bits(query, rows, part, distance)
            here = slice(part.start, part.stop)
            np.add(np.multiply(distance[here], per_bit, out=alike[here]), 1.0, out=alike[here])

    in_threads(compare, even_shares(len(rows), _WORTH_A_THREAD))
    return alike


def _by_blocks(compare: Callable[[NDArray[Any], NDArray[Any]], F64], query: NDArray[Any], rows: NDArray[Any]) -> F32:
    """compare(query, some rows) for all rows, a block at a time."""
    alike = np.empty(len(rows), np.float32)

    def some(part: range) -> None:
        alike[part.start : part.stop] = compare(query, rows[part.start : part.stop])

    in_threads(some, [range(i, min(i + _BLOCK_ROWS, len(rows))) for i in range(0, len(rows), _BLOCK_ROWS)])
    return alike


def _radial(query: U8, rows: U8) -> F64:
    """Peak of the circular cross-correlation; two hashes without any variance are alike, one and another are not.

    Sums of products of 40 bytes are whole numbers below 2**24: exact in float32, whoever multiplies.
    """
    n = len(query)
    shifted = np.stack([np.roll(query, shift) for shift in range(n)], axis=1).astype(np.float32)
    values = rows.astype(np.float32)
    peak = (values @ shifted).max(axis=1).astype(np.float64)
    total, square = values.sum(axis=1, dtype=np.float64), np.einsum("ij,ij->i", values, values, dtype=np.float64)
    own_total, own_square = float(shifted[:, 0].sum()), float(np.square(shifted[:, 0], dtype=np.float64).sum())
    spread, own_spread = n * square - total * total, n * own_square - own_total * own_total
    if not own_spread:
        return np.where(spread == 0, 1.0, 0.0)
    together = n * peak - total * own_total
    correlation: F64 = together / np.sqrt(np.maximum(spread * own_spread, 1.0))
    return correlation.clip(0.0, 1.0)


def _near_moments(query: F32, rows: F32) -> F64:
    apart = rows.astype(np.float64) - query.astype(np.float64)
    distance: F64 = _MOMENTS_SCALE * np.sqrt(np.square(apart).sum(axis=1))
    return 1.0 / (1.0 + distance)
