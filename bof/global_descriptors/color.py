"""Colour histograms of a picture: of five regions (`color`) and of the whole (`histogram`), and their distances.

A share is stored as the root of itself in a byte: small shares survive, and the sum of the products of two codes is the
Bhattacharyya coefficient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bof import native
from bof.options import DEFAULT_METRIC, METRICS, SearchOptions
from bof.options.option import option_of
from bof.system.threads import even_shares, in_threads
from bof.types import F32, F64, I32, U8

BINS = (8, 12, 3)
"""Of hue, saturation and value."""

N_BINS = BINS[0] * BINS[1] * BINS[2]
N_REGIONS = 5
"""The ellipse in the middle; then the corners without it, top left, top right, bottom left, bottom right."""

HALF_AXES = 0.375
"""Of the ellipse, as fractions of width and height."""

_MIDDLE = np.pi * HALF_AXES**2
_AREAS = np.array([_MIDDLE, *[(1 - _MIDDLE) / 4] * (N_REGIONS - 1)])
_WEIGHTS: F64 = _AREAS / (1 - _AREAS) / (_AREAS / (1 - _AREAS)).sum()
"""Of regions in a similarity: a / (1 - a) of their areas, so that the middle, where the thing is, has 0.55 and not 0.2.

Measured in docs/evaluation.md beside others: equal weights, areas, their roots and powers.
"""

ARRAYS: Mapping[str, tuple[str, tuple[int, ...]]] = MappingProxyType(
    {"color": ("|u1", (N_REGIONS * N_BINS,)), "histogram": ("|u1", (N_BINS,))}
)
"""What is stored of a picture: dtype and shape of a row by name."""

_FULL = 255
_BLOCK = 16
"""Bins that the compiled loop takes at once."""

_WORTH_A_THREAD = 1 << 20
"""Bins that are worth sharing out."""


def describe(pixels: U8) -> dict[str, NDArray[Any]]:
    """Both histograms of a picture, rows as in ARRAYS: codes, each 255 times the root of a bin's share of its region.

    pixels u8 (h, w, 3), RGB, of any size; no pixels at all count as one black pixel. A region without a pixel has no
    shares.
    """
    pixels = pixels if pixels.size else np.zeros((1, 1, 3), np.uint8)
    counts = count(pixels)
    return {"color": encode(counts), "histogram": encode(counts.sum(axis=0, keepdims=True))}


def count(pixels: U8) -> F64:
    """Pixels in every bin of every region, f64 (5, 288); bins in the order of hue, saturation, value."""
    hsv = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2HSV)
    ranges = [0, N_REGIONS, 0, 180, 0, 256, 0, 256]
    counts = cv2.calcHist([regions(*pixels.shape[:2]), hsv], [0, 1, 2, 3], None, [N_REGIONS, *BINS], ranges)
    return counts.reshape(N_REGIONS, N_BINS).astype(np.float64)


def regions(height: int, width: int) -> U8:
    """The region of every pixel, u8 (height, width), as the pixel's centre lies."""
    y = ((np.arange(height) + 0.5) / height - 0.5)[:, None]
    x = (np.arange(width) + 0.5) / width - 0.5
    corner = 1 + (x >= 0) + 2 * (y >= 0)
    return np.where(x * x + y * y <= HALF_AXES**2, 0, corner).astype(np.uint8)


def encode(counts: F64) -> U8:
    """Codes u8 (r * b,) of counts f64 (r, b)."""
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    return np.ravel(np.rint(_FULL * np.sqrt(share)).astype(np.uint8))


# -- Comparing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Query:
    """A row as the compiled loop wants it: see `native.compare_histograms`."""

    bin: F32
    block: I32
    n_met: I32
    facts: F64

    @classmethod
    def of(cls, row: U8, metric: str) -> _Query:
        """Of a row of codes of one region or five."""
        n_regions = N_REGIONS if len(row) == N_REGIONS * N_BINS else 1
        codes = row.reshape(n_regions, -1)
        share = np.square(codes, dtype=np.float64)
        is_met: NDArray[np.bool_] = np.any(codes.reshape(n_regions, -1, _BLOCK), axis=2)
        first = np.arange(n_regions)[:, None] * is_met.shape[1]
        block = np.argsort(~is_met, axis=1, kind="stable") + first
        areas = _WEIGHTS if n_regions > 1 else np.ones(1)
        weights = areas * is_met.any(axis=1)
        of_all = weights / max(float(weights.sum()), 1e-9)
        facts = np.stack([of_all, np.maximum(share.sum(axis=1), 1.0), (share * share).sum(axis=1)], axis=1)
        bins = codes if metric == "bhattacharyya" else share
        in_loop = np.ravel(bins.astype(np.float32)), np.ravel(block.astype(np.int32))
        return cls(*in_loop, is_met.sum(axis=1, dtype=np.int32), facts)


def similarity(query: U8, rows: U8, metric: str = DEFAULT_METRIC) -> F32:
    """How alike a picture's colours are to those of each of n others, f32 (n,) in [0, 1].

    query u8 (b,) and rows u8 (n, b): codes as of `describe`, of one region or five. metric: one of METRICS. With shares
    p and q of a region, chi-square is 1 - sum (p - q)^2 / (p + q) / 2, euclidean 1 - sqrt(sum (p - q)^2 / 2),
    correlation that of p and q, at least 0, intersection sum min(p, q), and bhattacharyya 1 - sqrt(1 - sum sqrt(p q)).
    Regions count by a / (1 - a) of their areas, as far as the query has them: in the sums under the roots of
    bhattacharyya and euclidean, else in the mean of their similarities. Raises OptionError for another metric.
    """
    option_of(SearchOptions, "metric").check(metric)
    number, found, alike = METRICS.index(metric), _Query.of(query, metric), np.empty(len(rows), np.float32)

    def compare(some: range) -> None:
        native.compare_histograms(number, found.bin, found.block, found.n_met, found.facts, rows, some, alike)

    in_threads(compare, even_shares(len(rows), _WORTH_A_THREAD // len(query)))
    return alike
