"""Query words vote for images: idf, norms, Hamming votes with burstiness, and the plain TF-IDF product.

Every weight is rounded to a grid on which sums are exact in float64, so that no order of segments, postings or
features shows in a score.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_matrix

from bof.options import VoteOptions
from bof.types import F64, I32, I64, U8, U16, U64, Bool, Correspondences, QueryWords

SIGMA = 14.0
"""Votes fall off with Hamming distance h as exp(-(h / SIGMA)**2) (Jegou, Douze, Schmid 2009, section 4.2)."""

_IDF_GRID = 2.0**20
_HAMMING_GRID = 2.0**10
_BLOCK = 1 << 18
"""Postings read at once by a thread: bounds memory however common a word is."""


@dataclass(frozen=True, slots=True)
class Postings:
    """One entry a feature, word-major: indptr i32 (n_words + 1), image i32, feature u16, signature u64 (n,).

    image counts from 0 inside the segment; first_image is where the segment's images start in the collection.
    """

    indptr: I32
    image: I32
    feature: U16
    signature: U64
    first_image: int


@dataclass(frozen=True, slots=True)
class Counts:
    """The inverted index of one segment: csr u16 (n_words, n_images), the number of times a word is in an image."""

    matrix: csr_matrix
    first_image: int


@dataclass(frozen=True, slots=True)
class Weights:
    """Derived from a whole collection: idf f64 (n_words,), norm f64 (n_images,) and which images are live."""

    idf: F64
    norm: F64
    live: Bool


@dataclass(frozen=True, slots=True)
class Votes:
    """Scores f64 (n_images,), and every vote: query i32, image i32, feature u16, weight f64 (n_votes,).

    An image's score is the sum of its votes' weights, divided by its TF-IDF length.
    """

    score: F64
    query: I32
    image: I32
    feature: U16
    weight: F64

    def for_images(self, images: I64, n: int | None = None) -> list[Correspondences]:
        """The votes for each of some images, strongest first, ties by query and database feature; the n strongest."""
        wanted = np.zeros(len(self.score), np.bool_)
        wanted[images] = True
        asked = np.flatnonzero(wanted[self.image])
        query, image = self.query[asked], self.image[asked]
        feature, weight = self.feature[asked], self.weight[asked]
        order = np.lexsort((query.astype(np.int64) << 16 | feature, -weight, image))
        ends = np.searchsorted(image[order], np.stack([images, images + 1], axis=1))
        rows = [order[start:stop][:n] for start, stop in ends]
        return [Correspondences(query[r], feature[r], weight[r]) for r in rows]


def inverse_document_frequency(document_frequency: I64, n_images: int) -> F64:
    """idf = ln(1 + N / df), f64 (n_words,), 0 for a word that no image has.

    Positive even where every image has the word, so that a collection of one image answers.
    """
    present = document_frequency > 0
    ratio = n_images / np.maximum(document_frequency, 1)
    return np.where(present, np.log1p(ratio), 0.0)


def derive_weights(counts: Sequence[Counts], live: Bool, n_words: int) -> Weights:
    """idf over the live images of all segments, and each image's TF-IDF length (Sivic and Zisserman 2003)."""
    frequency = np.zeros(n_words, np.int64)
    for part in counts:
        alive = live[part.first_image : part.first_image + part.matrix.shape[1]]
        words = np.repeat(np.arange(n_words), np.diff(part.matrix.indptr))
        frequency += np.bincount(words[alive[part.matrix.indices]], minlength=n_words)
    idf = inverse_document_frequency(frequency, int(live.sum()))
    norms = [_squared_norms(part.matrix, idf) for part in counts]
    norm = np.sqrt(np.concatenate(norms)) if norms else np.empty(0)
    return Weights(idf, np.where(norm > 0, norm, 1.0), live)


def _squared_norms(matrix: csr_matrix, idf: F64) -> F64:
    """Sum of (tf idf)**2 by image."""
    tf = matrix.data.astype(np.float64)
    weight = np.repeat(_squared(idf), np.diff(matrix.indptr)) * tf * tf
    return np.bincount(matrix.indices, weight, minlength=matrix.shape[1]).astype(np.float64, copy=False)


def tfidf_scores(counts: Sequence[Counts], weights: Weights, word: I32) -> F64:
    """Cosine of TF-IDF histograms: query words i32 (n,) against every image, f64 (n_images,)."""
    query_word, tf = np.unique(word, return_counts=True)
    weight = tf * _squared(weights.idf[query_word])
    length = np.sqrt((tf * weight).sum()) or 1.0
    scores = [part.matrix[query_word].T @ weight for part in counts]
    total = np.concatenate(scores) if scores else np.empty(0)
    return np.where(weights.live, total / (weights.norm * length), 0.0)


def vote(postings: Sequence[Postings], weights: Weights, query: QueryWords, options: VoteOptions) -> Votes:
    """Hamming votes of a query for every image.

    A query feature votes exp(-(h / sigma)**2) * idf**2 for each posting of its words within max_hamming bits
    (Jegou et al. 2009, equation 3); its votes for one image are divided by the square root of their number
    (burstiness within an image, section 5); an image's sum is divided by its TF-IDF length.
    """
    slot, image, feature, distance = _all_near(postings, query, options.max_hamming)
    if len(image) and not (image.min() >= 0 and image.max() < len(weights.live)):
        raise ValueError("postings name images that do not exist")
    query_row = slot // np.int32(query.word.shape[1])
    weight = _hamming_weights()[distance] * _squared(weights.idf[query.word.ravel()])[slot]
    if not weights.live.all():
        live = weights.live[image]
        query_row, image, feature, weight = query_row[live], image[live], feature[live], weight[live]
    return _burst(query_row, image, feature, weight, weights.norm)


def _burst(query_row: I32, image: I32, feature: U16, weight: F64, norm: F64) -> Votes:
    """Divide each vote by the square root of the number of votes that its query feature has for its image.

    The sum of a feature's votes is exact before it is divided, and features are added in the query's order, so
    neither the order of postings nor that of images shows in a score.
    """
    n_images = len(norm)
    pair = query_row * np.int64(n_images) + image
    order = np.argsort(pair)
    pair, image, weight = pair[order], image[order], weight[order]
    first = np.flatnonzero(np.diff(pair, prepend=-1))
    n_votes = np.diff(first, append=len(order))
    divisor = np.sqrt(n_votes)
    sums = np.add.reduceat(weight, first) if len(order) else np.empty(0)
    by_image = np.bincount(image[first], sums / divisor, minlength=n_images)
    shared = weight / np.repeat(divisor, n_votes)
    return Votes(by_image / norm, query_row[order], image, feature[order], shared)


_Hits = tuple[I32, I32, U16, U8]
"""Slot (row of the query times k, plus which of its words), image, feature and Hamming distance of near postings."""


def _all_near(postings: Sequence[Postings], query: QueryWords, max_hamming: int) -> _Hits:
    """The near postings of all segments; numpy lets go of the interpreter, so threads share the segments."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        parts = threads.map(lambda part: _near_postings(part, query, max_hamming), postings)
        return _columns([hits for part in parts for hits in part])


def _columns(parts: list[_Hits]) -> _Hits:
    if not parts:
        none = np.empty(0, np.int32)
        return none, none, np.empty(0, np.uint16), np.empty(0, np.uint8)
    slot, image, feature, distance = (np.concatenate(column) for column in zip(*parts, strict=True))
    return slot, image, feature, distance


def _near_postings(postings: Postings, query: QueryWords, max_hamming: int) -> list[_Hits]:
    """Every posting near a query feature, found in blocks."""
    word, signature = query.word.ravel(), query.signature.ravel()
    start = postings.indptr[word]
    length = postings.indptr[word + 1] - start
    return [
        _near_in_block(postings, (signature[slots], start[slots], length[slots]), slots.start, max_hamming)
        for slots in _blocks(length)
    ]


def _near_in_block(postings: Postings, slots: tuple[U64, I32, I32], first_slot: int, max_hamming: int) -> _Hits:
    """The postings of some slots (signature, start, length) that differ in at most max_hamming bits.

    `take` and in-place operators: this is the hot loop, and they halve its time against indexing.
    """
    signature, start, length = slots
    position = _ranges(start, length)
    difference = postings.signature.take(position)
    difference ^= np.repeat(signature, length)
    distance = np.bitwise_count(difference)
    near = np.flatnonzero(distance <= max_hamming)
    slot = np.repeat(np.arange(len(length), dtype=np.int32), length).take(near)
    position = position.take(near)
    image = postings.image.take(position) + np.int32(postings.first_image)
    return slot + np.int32(first_slot), image, postings.feature.take(position), distance.take(near)


def _blocks(length: I32) -> Iterator[slice]:
    """Cut the slots so that each block reads about _BLOCK postings."""
    total = np.cumsum(length, dtype=np.int64)
    cuts = np.unique(np.searchsorted(total, np.arange(_BLOCK, int(total[-1]) if len(total) else 0, _BLOCK)) + 1)
    edges = [0, *(int(c) for c in cuts if c < len(length)), len(length)]
    for begin, end in pairwise(edges):
        if end > begin:
            yield slice(begin, end)


def _ranges(start: I32, length: I32) -> I32:
    """Concatenation of arange(start[i], start[i] + length[i])."""
    ends = np.cumsum(length, dtype=np.int32)
    ranges = np.arange(ends[-1] if len(ends) else 0, dtype=np.int32)
    ranges += np.repeat(start - (ends - length), length)
    return ranges


def _hamming_weights() -> F64:
    """exp(-(h / sigma)**2) for h = 0..64, on the grid."""
    return _on_grid(np.exp(-((np.arange(65) / SIGMA) ** 2)), _HAMMING_GRID)


def _squared(idf: F64) -> F64:
    """idf**2, on the grid: the order in which words are added does not show."""
    return _on_grid(idf**2, _IDF_GRID)


def _on_grid(weight: F64, grid: float) -> F64:
    return np.rint(weight * grid) / grid


def top_images(score: F64, n: int) -> I64:
    """The n best images with a positive score and all that tie with the last of them, best first, i64."""
    positive = np.flatnonzero(score > 0)
    if len(positive) > n > 0:
        limit = np.partition(score[positive], len(positive) - n)[len(positive) - n]
        positive = positive[score[positive] >= limit]
    return positive[np.argsort(-score[positive], kind="stable")] if n > 0 else positive[:0]
