"""Hamming embedding: 64 bits that say where in its word's cell a descriptor lies (Jegou, Douze, Schmid 2008)."""

from __future__ import annotations

import numpy as np

from bof import native
from bof.system.threads import even_shares, in_threads
from bof.types import F32, I32, U8, U64

N_BITS = 64
_WORTH_A_THREAD = 1 << 14
"""Signatures that are worth sharing out."""

_STEPS = 4096.0
"""Directions are multiples of 1/4096, so a projected byte descriptor is exact in float32 whoever multiplies."""

_PRIOR_STRENGTH = 8.0
"""A word's threshold is its median, drawn to its centre as if this many descriptors lay there."""


def make_projection(n_dimensions: int, seed: int) -> F32:
    """Random orthonormal directions f32 (n_dimensions, 64), the same for the same seed (section 3.2 of the paper)."""
    gaussian = np.random.default_rng(seed).standard_normal((n_dimensions, n_dimensions))
    q, r = np.linalg.qr(gaussian)
    # The sign of QR's columns is the linear algebra library's choice: fix it, so that the seed decides alone.
    directions = (q * np.sign(np.diag(r)))[:, :N_BITS]
    return (np.rint(directions * _STEPS) / _STEPS).astype(np.float32)


def learn_thresholds(descriptors: U8, word: I32, centroids: F32, projection: F32) -> F32:
    """The median projection of each word's descriptors, f32 (n_words, 64).

    descriptors u8 (n, d), word i32 (n,) their words, centroids f32 (n_words, d), projection f32 (d, 64).
    A word with few descriptors leans on the projection of its centre.
    """
    order = np.argsort(word, kind="stable")
    ends = np.searchsorted(word[order], np.arange(len(centroids) + 1))
    thresholds = centroids @ projection
    for i in np.flatnonzero(np.diff(ends)):
        members = descriptors[order[ends[i] : ends[i + 1]]].astype(np.float32) @ projection
        n = len(members)
        thresholds[i] = (np.median(members, axis=0) * n + thresholds[i] * _PRIOR_STRENGTH) / (n + _PRIOR_STRENGTH)
    return thresholds.astype(np.float32)


def sign(descriptors: U8, word: I32, projection: F32, thresholds: F32) -> U64:
    """Signatures u64 (n, k) of descriptors u8 (n, d) in each of their words i32 (n, k).

    Bit b is set where projection b of the descriptor exceeds the word's threshold b.
    """
    descriptors, word = np.ascontiguousarray(descriptors), np.ascontiguousarray(word)
    signature = np.empty(word.shape, np.uint64)

    def some(rows: range) -> None:
        part = slice(rows.start, rows.stop)
        native.sign(descriptors[part], projection, word[part], thresholds, signature[part])

    in_threads(some, even_shares(len(word), _WORTH_A_THREAD // word.shape[1]))
    return signature
