"""Synthetic pictures of `scale_bench`: their words, bursts, signatures and geometry follow those of the pool.

A picture is a bag of bursts, each one word of one real photograph with all its features there, no word twice. A
feature's residuals are those of two real features of its word, a and b, as cos t * a + sin t * b with a random t: of
what is distributed like a Gaussian that leaves the covariance as it was, so distances to other features of the word
keep their distribution, and yet no two features are copies. Positions, and scales with angles, are drawn apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scale_pool import Pool, signatures

from bof.store.segments import ImageColumns
from bof.types import I32, I64, U64

BLOCK = 1000
"""Pictures that are made together, from the seed and the number of the block alone."""

_UNIT = 100.0
"""Cosines and sines are integers of this unit, so that sums of bytes stay inside 16 bits."""

_SURPLUS = 1.03
"""Features are drawn beyond what is needed, since bursts of a word that the picture has already are dropped."""

Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Bursts:
    """Of a pool sorted by photograph and word: rows i64 (n,), burst after burst, and where each starts.

    start i64 (m,) and length i64 (m,) of the bursts in rows; word i32 (m,); repeats: the chance that two have one word.
    """

    rows: I64
    start: I64
    length: I64
    word: I32
    repeats: float

    @classmethod
    def of(cls, pool: Pool) -> Bursts:
        """Every word of every photograph."""
        photo = np.repeat(np.arange(len(pool.sizes)), pool.sizes)
        key = photo * pool.n_words + pool.word
        rows = np.argsort(key, kind="stable")
        start = np.flatnonzero(np.diff(key[rows], prepend=-1))
        word = pool.word[rows[start]]
        share = np.bincount(word) / max(len(word), 1)
        return cls(rows, start, np.diff(start, append=len(rows)), word, float((share**2).sum()))


@dataclass(frozen=True, slots=True)
class Synthesis:
    """A collection without end: picture i is always the same for the same pool, size and seed.

    pool and its bursts: what it is drawn from; zoom: a picture has so many times the features of one of the pool's;
    by_word i64 (n,) and word_indptr i64 (n_words + 1): the pool's rows of each word.
    """

    pool: Pool
    bursts: Bursts
    zoom: float
    by_word: I64
    word_indptr: I64
    seed: int

    @classmethod
    def of(cls, pool: Pool, n_features: int, seed: int) -> Synthesis:
        """Pictures of about n_features features: of the strongest of the pool's, if its pictures have more."""
        drawn = pool.strongest(n_features)
        by_word = np.argsort(drawn.word, kind="stable")
        word_indptr = np.searchsorted(drawn.word[by_word], np.arange(pool.n_words + 1))
        return cls(drawn, Bursts.of(drawn), n_features / float(drawn.sizes.mean()), by_word, word_indptr, seed)

    def pictures(self, first: int, stop: int) -> list[ImageColumns]:
        """Pictures first to stop - 1; which others are made beside them changes none."""
        before = first // BLOCK * BLOCK
        blocks = [_block(self, number) for number in range(first // BLOCK, -(-stop // BLOCK))]
        return [picture for block in blocks for picture in block][first - before : stop - before]


def _block(synthesis: Synthesis, number: int) -> list[ImageColumns]:
    rng = np.random.default_rng([synthesis.seed, number])
    pool = synthesis.pool
    sizes = np.maximum(np.rint(rng.choice(pool.sizes, BLOCK) * synthesis.zoom), 1).astype(np.int64)
    row, image = _draw(rng, synthesis.bursts, sizes, pool.n_words)
    bounds = np.cumsum(np.bincount(image, minlength=BLOCK))[:-1]
    columns = (
        pool.word[row],
        _signatures(rng, synthesis, row),
        pool.xy[rng.integers(len(pool), size=len(row))],
        pool.scale_angle[rng.integers(len(pool), size=len(row))],
    )
    pieces = [np.split(column, bounds) for column in columns]
    return [ImageColumns(*each) for each in zip(*pieces, strict=True)]


def _draw(rng: Rng, bursts: Bursts, sizes: I64, n_words: int) -> tuple[I64, I64]:
    """Rows of the pool i64 (n,) and the picture i64 (n,) each is drawn for, ascending; in a picture in random order."""
    asked = np.ceil(sizes * (_SURPLUS + sizes * bursts.repeats)).astype(np.int64)
    chosen = rng.integers(len(bursts.start), size=int(asked.sum()))
    start = np.cumsum(bursts.length[chosen]) - bursts.length[chosen]
    image = np.searchsorted(np.cumsum(asked), start, side="right")
    _, first = np.unique(image * n_words + bursts.word[chosen], return_index=True)
    kept = np.sort(first[image[first] < len(sizes)])
    chosen, image = chosen[kept], image[kept]
    length = bursts.length[chosen]
    place = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    row, image = bursts.rows[np.repeat(bursts.start[chosen], length) + place], np.repeat(image, length)
    rank = np.arange(len(image)) - np.searchsorted(image, np.arange(len(sizes)))[image]
    row, image = row[rank < sizes[image]], image[rank < sizes[image]]
    order = np.argsort(image + rng.random(len(image)))
    return row[order], image


def _signatures(rng: Rng, synthesis: Synthesis, row: I64) -> U64:
    """Of features between the pool's in these rows and others of their words."""
    word = synthesis.pool.word[row]
    n_others = np.diff(synthesis.word_indptr)[word]
    other = synthesis.by_word[synthesis.word_indptr[word] + (rng.random(len(row)) * n_others).astype(np.int64)]
    turn = rng.random(len(row)) * (np.pi / 2)
    near, far = (np.rint(f(turn) * _UNIT).astype(np.int16)[:, None] for f in (np.cos, np.sin))
    mixed = synthesis.pool.residual[row] * near
    mixed += synthesis.pool.residual[other] * far
    mixed += (near + far) // 2  # a byte of residual stands for itself and a half
    return signatures(mixed)
