"""Is a synthetic collection of `scale_bench` like a real one? What decides the cost of a query, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scale_synthesis import Synthesis

from bof.options import VoteOptions
from bof.store.segments import ImageColumns
from bof.types import I32, I64, U64, Features
from bof.vocabulary.vocabulary import Vocabulary

TFS = 4
"""Words that a picture has 1, 2, 3 and this many times or more are told apart."""

_N_PICTURES = 500
_N_PAIRS = 400_000


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
    asked = vocabulary.describe(np.concatenate([query.descriptors for query in queries]))
    query = asked.word[:, 0], asked.signature[:, 0]
    real = measure(pool.word, pool.signature, pool.sizes, *query)
    pictures = synthesis.pictures(0, _N_PICTURES)
    return real, measure(*flatten(pictures), *query)


def flatten(pictures: Sequence[ImageColumns]) -> tuple[I32, U64, I64]:
    """Words and signatures of all features of some pictures, and the pictures' sizes."""
    word = np.concatenate([picture.word for picture in pictures])
    return word, np.concatenate([p.signature for p in pictures]), np.array([len(p) for p in pictures], np.int64)


def measure(word: I32, signature: U64, sizes: I64, query_word: I32, query_signature: U64) -> Likeness:
    """Of pictures with features word i32 (n,) and signature u64 (n,), one after another, and a query's features."""
    bits, n_pairs = _distances(word, signature, query_word, query_signature)
    near = VoteOptions().max_hamming
    return Likeness(
        float(sizes.mean()),
        float(np.log(sizes).std()),
        _tf_shares(word, sizes),
        float(bits.mean()),
        float((bits <= near).mean()),
        float((bits <= 16).mean()),
        n_pairs / len(query_word) / len(word) * 1e6,
    )


def _tf_shares(word: I32, sizes: I64) -> list[float]:
    image = np.repeat(np.arange(len(sizes)), sizes)
    _, tf = np.unique(image * (int(word.max()) + 1) + word, return_counts=True)
    shares = np.bincount(np.minimum(tf, TFS), minlength=TFS + 1)[1:] / len(tf)
    return [float(share) for share in shares]


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
