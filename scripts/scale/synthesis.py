"""Synthetic pictures: their words, bursts, signatures and geometry follow those of the pool.

A picture is a bag of bursts, each one word of one real photograph with all its features there, no word twice. A
feature's residuals are those of two real features of its word, a and b, as cos t * a + sin t * b with a random t: of
what is distributed like a Gaussian that leaves the covariance as it was, so distances to other features of the word
keep their distribution, and yet no two features are copies. Positions, and scales with angles, are drawn apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bof.options import VoteOptions
from bof.store.segments import ImageColumns
from bof.types import I32, I64, U64, Features
from bof.vocabulary.vocabulary import Vocabulary
from scripts.scale.pool import Pool, signatures

BLOCK = 1000  # pictures that are made together, from the seed and the number of the block alone
_UNIT = 100.0  # cosines and sines are integers of this unit, so that sums of bytes stay inside 16 bits
_SURPLUS = 1.03
"""Features are drawn beyond what is needed, since bursts of a word that the picture has already are dropped."""

TFS = 4  # words that a picture has 1, 2, 3 and this many times or more are told apart
_N_PICTURES = 500
_N_PAIRS = 400_000

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
    drawn = np.ceil(sizes * (_SURPLUS + sizes * bursts.repeats)).astype(np.int64)
    chosen = rng.integers(len(bursts.start), size=int(drawn.sum()))
    start = np.cumsum(bursts.length[chosen]) - bursts.length[chosen]
    image = np.searchsorted(np.cumsum(drawn), start, side="right")
    _, first = np.unique(image * n_words + bursts.word[chosen], return_index=True)
    retained = np.sort(first[image[first] < len(sizes)])
    chosen, image = chosen[retained], image[retained]
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


# -- Is it like a real collection? What decides the cost of a query, side by side -------------------------------------


@dataclass(frozen=True, slots=True)
class Likeness:
    """Of pictures: mean features, their spread (standard deviation of the logarithm), shares of words by how often a
    picture has them. Of pairs of a query's feature and a picture's of one word: mean bits between signatures, the share
    that may vote and the share within 16 bits; and how many pairs a query feature has in a million features.
    """

    features: float
    spread: float
    tf_shares: Sequence[float]
    bits: float
    near: float
    very_near: float
    postings: float


def compare(synthesis: Synthesis, queries: Sequence[Features], vocabulary: Vocabulary) -> tuple[Likeness, Likeness]:
    """The pool's photographs as they are, and as many synthetic pictures as say enough."""
    pool = synthesis.pool
    words = vocabulary.quantize(np.concatenate([query.descriptors for query in queries]))
    query = words.word[:, 0], words.signature[:, 0]
    real = likeness_of(pool.word, pool.signature, pool.sizes, *query)
    pictures = synthesis.pictures(0, _N_PICTURES)
    return real, likeness_of(*flatten(pictures), *query)


def flatten(pictures: Sequence[ImageColumns]) -> tuple[I32, U64, I64]:
    """Words and signatures of all features of some pictures, and the pictures' sizes."""
    word = np.concatenate([picture.word for picture in pictures])
    return word, np.concatenate([p.signature for p in pictures]), np.array([len(p) for p in pictures], np.int64)


def likeness_of(word: I32, signature: U64, sizes: I64, query_word: I32, query_signature: U64) -> Likeness:
    """Of pictures with features word i32 (n,) and signature u64 (n,), one after another, and a query's features."""
    bits, n_pairs = _distances(word, signature, query_word, query_signature)
    near, image = VoteOptions().max_hamming, np.repeat(np.arange(len(sizes)), sizes)
    _, tf = np.unique(image * (int(word.max()) + 1) + word, return_counts=True)
    shares = np.bincount(np.minimum(tf, TFS), minlength=TFS + 1)[1:] / len(tf)
    return Likeness(
        float(sizes.mean()),
        float(np.log(sizes).std()),
        [float(share) for share in shares],
        float(bits.mean()),
        float((bits <= near).mean()),
        float((bits <= 16).mean()),
        n_pairs / len(query_word) / len(word) * 1e6,
    )


def _distances(word: I32, signature: U64, query_word: I32, query_signature: U64) -> tuple[I64, int]:
    """Bits between signatures of many random pairs of one word, i64 (m,), and how many pairs there are."""
    order = np.argsort(word, kind="stable")
    indptr = np.searchsorted(word[order], np.arange(max(int(word.max()), int(query_word.max())) + 2))
    n_partners = np.diff(indptr)[query_word]
    until = np.cumsum(n_partners)
    drawn = np.random.default_rng(0).integers(int(until[-1]), size=_N_PAIRS)
    query = np.searchsorted(until, drawn, side="right")
    partner = order[indptr[query_word[query]] + drawn - (until[query] - n_partners[query])]
    return np.bitwise_count(query_signature[query] ^ signature[partner]).astype(np.int64), int(until[-1])
