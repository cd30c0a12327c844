"""Query words vote for images: idf, norms, Hamming votes with burstiness, and the plain TF-IDF product.

Every weight is rounded to a grid on which sums are exact in float64, so that no order of segments, threads, postings or
features shows in a score.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from bof import loops
from bof.options import VoteOptions
from bof.parallel import even_shares, in_threads, shares
from bof.types import F64, I32, I64, U16, U64, Bool, Correspondences, QueryWords

T = TypeVar("T", bound=np.generic)

SIGMA = 14.0
"""Votes fall off with Hamming distance h as exp(-(h / SIGMA)**2) (Jegou, Douze, Schmid 2009, section 4.2)."""

_IDF_GRID = 2.0**20
_HAMMING_GRID = 2.0**10

_WORTH_A_THREAD = 1 << 15
"""Postings to read before they are shared out."""

_VOTES_WORTH_A_THREAD = 1 << 17


@dataclass(frozen=True, slots=True)
class Postings:
    """One entry a feature, word-major: indptr i32 (n_words + 1), image i32, feature u16, signature u64 (n,).

    image counts from 0 inside the segment, which has n_images from first_image of the collection on.
    """

    indptr: I32
    image: I32
    feature: U16
    signature: U64
    first_image: int
    n_images: int

    @property
    def columns(self) -> tuple[I32, I32, U16, U64]:
        """indptr, image, feature, signature."""
        return self.indptr, self.image, self.feature, self.signature

    def own(self, column: NDArray[T]) -> NDArray[T]:
        """Of a column with one entry an image of the collection, the entries of this segment's images."""
        return column[self.first_image : self.first_image + self.n_images]

    @property
    def word_shares(self) -> list[range]:
        """The words, about as many postings for every thread."""
        return shares(np.diff(self.indptr), _WORTH_A_THREAD)

    def count_images(self, live: Bool, frequency: I64) -> None:
        """Add to frequency i64 (n_words,) in how many live images each word is."""
        here = self.own(live)
        in_threads(
            lambda words: loops.document_frequency(self.indptr, self.image, here, words, frequency), self.word_shares
        )

    def inverted_index(self, words: I64 | I32) -> csr_matrix:
        """Rows of the inverted index, u16 (len(words), n_images): how often each word is in each image."""
        slices = [slice(self.indptr[word], self.indptr[word + 1]) for word in words]
        indptr = np.cumsum([0, *(part.stop - part.start for part in slices)], dtype=np.int32)
        image = np.concatenate([self.image[part] for part in slices] or [np.empty(0, np.int32)])
        matrix = csr_matrix((np.ones(len(image), np.uint16), image, indptr), (len(words), self.n_images))
        matrix.sum_duplicates()
        return matrix


@dataclass(frozen=True, slots=True)
class Weights:
    """Derived from a whole collection: idf f64 (n_words,), norm f64 (n_images,) and which images are live."""

    idf: F64
    norm: F64
    live: Bool


@dataclass(frozen=True, slots=True)
class Votes:
    """Scores f64 (n_images,), and every vote in pieces, each of some query features in one segment.

    An image's score is the sum of its votes' weights, divided by its TF-IDF length. word i32 (n, k): the query's, and
    what a vote weighs by Hamming distance f64 (65,) and by word f64 (n_words,), before burstiness.
    """

    score: F64
    pieces: Sequence[tuple[Postings, loops.Hits]]
    word: I32
    weight_of_distance: F64
    weight_of_word: F64

    def __len__(self) -> int:
        return sum(len(hits) for _, hits in self.pieces)

    def for_images(self, images: I64, n: int | None = None) -> list[Correspondences]:
        """The votes for each of some images, strongest first, ties by query and database feature; the n strongest."""
        indptr, matches = self.matches(images, n)
        return [matches.take(slice(start, stop)) for start, stop in pairwise(indptr.tolist())]

    def matches(self, images: I64, n: int | None = None) -> tuple[I64, Correspondences]:
        """`for_images` in one piece: indptr i64 (len(images) + 1), and the votes of image after image."""
        limit = len(self) if n is None else n
        place = np.full(len(self.score), -1, np.int32)
        place[images] = np.arange(len(images), dtype=np.int32)
        chosen = [(part.own(place), hits) for part, hits in self.pieces]
        is_much = len(self) >= _VOTES_WORTH_A_THREAD
        count = np.array(
            in_threads(lambda piece: loops.count_votes(*piece, len(images)), chosen, worth=is_much), np.int64
        )
        total = count.reshape(len(chosen), len(images)).sum(axis=0)
        starts = np.concatenate([[0], np.cumsum(total)])
        votes = loops.room_for_votes(int(starts[-1]))
        before = np.cumsum(count, axis=0) - count if len(count) else count
        weigh = (self.word, self.weight_of_distance, self.weight_of_word)
        tasks = [(*piece, *weigh, starts[:-1] + ahead, votes) for piece, ahead in zip(chosen, before, strict=True)]
        in_threads(lambda task: loops.collect_votes(*task), tasks, worth=is_much)
        indptr = np.concatenate([[0], np.cumsum(np.minimum(total, limit))])
        m = int(indptr[-1])
        kept = np.empty(m, np.int32), np.empty(m, np.uint16), np.empty(m)
        in_threads(
            lambda places: loops.sort_votes(starts, indptr, places, limit, votes, kept), shares(total, _WORTH_A_THREAD)
        )
        return indptr, Correspondences(*kept)


def inverse_document_frequency(document_frequency: I64, n_images: int) -> F64:
    """idf = ln(1 + N / df), f64 (n_words,), 0 for a word that no image has.

    Positive even where every image has the word, so that a collection of one image answers.
    """
    present = document_frequency > 0
    ratio = n_images / np.maximum(document_frequency, 1)
    return np.where(present, np.log1p(ratio), 0.0)


def derive_weights(postings: Sequence[Postings], live: Bool, n_words: int) -> Weights:
    """idf over the live images of all segments, and each image's TF-IDF length (Sivic and Zisserman 2003).

    Raises ValueError where a posting names an image that does not exist.
    """
    frequency = np.zeros(n_words, np.int64)
    for part in postings:
        part.count_images(live, frequency)
    idf = inverse_document_frequency(frequency, int(live.sum()))
    squared = _squared(idf)
    norms = [_squared_norms(part, squared) for part in postings]
    norm = np.sqrt(np.concatenate(norms)) if norms else np.empty(0)
    return Weights(idf, np.where(norm > 0, norm, 1.0), live)


def _squared_norms(part: Postings, squared_idf: F64) -> F64:
    """Sum of (tf idf)**2 by image; whole multiples of a grid, so threads may add in any order."""
    columns = part.indptr, part.image, part.n_images, squared_idf
    sums = in_threads(lambda words: loops.squared_norms(*columns, words), part.word_shares)
    return np.asarray(np.sum(sums, axis=0), np.float64)


def self_similarity(weights: Weights, word: I32) -> tuple[float, float]:
    """What a picture with nearest words i32 (n,) would score against itself, and the mean idf**2 of its words."""
    query_word, tf = np.unique(word, return_counts=True)
    squared = _squared(weights.idf[query_word])
    total = float((tf * squared).sum())
    length = math.sqrt(float((tf * tf * squared).sum()))
    return (total / length, total / len(word)) if length else (1.0, 1.0)


def tfidf_scores(postings: Sequence[Postings], weights: Weights, word: I32) -> F64:
    """Cosine of TF-IDF histograms: query words i32 (n,) against every image, f64 (n_images,)."""
    query_word, tf = np.unique(word, return_counts=True)
    weight = tf * _squared(weights.idf[query_word])
    length = np.sqrt((tf * weight).sum()) or 1.0
    scores = [part.inverted_index(query_word).T @ weight for part in postings]
    total = np.concatenate(scores) if scores else np.empty(0)
    return np.asarray(np.where(weights.live, total, 0.0) / (weights.norm * length), np.float64)


def vote(postings: Sequence[Postings], weights: Weights, query: QueryWords, options: VoteOptions) -> Votes:
    """Hamming votes with burstiness: every near posting of every query feature (Jegou et al. 2008, 2009)."""
    weigh = (_hamming_weights(SIGMA), _squared(weights.idf))

    def ask(task: tuple[Postings, range]) -> tuple[F64, list[loops.Hits]]:
        part, asked = task
        live = part.own(weights.live)
        return loops.near_postings(part.columns, live, query.word, query.signature, asked, options.max_hamming, *weigh)

    tasks = [(part, asked) for part in postings for asked in even_shares(len(query.word), _features_worth(part, query))]
    score = np.zeros(len(weights.live))
    pieces: list[tuple[Postings, loops.Hits]] = []
    for (part, _), (share, found) in zip(tasks, in_threads(ask, tasks), strict=True):
        own = part.own(score)
        own += share
        pieces.extend((part, hits) for hits in found)
    return Votes(score / weights.norm, pieces, query.word, *weigh)


def _features_worth(part: Postings, query: QueryWords) -> int:
    """How many query features read so many postings that threads should share them."""
    postings_per_feature = query.word.shape[1] * len(part.image) / (len(part.indptr) - 1)
    return math.ceil(_WORTH_A_THREAD / max(float(postings_per_feature), 1.0))


@lru_cache(maxsize=1)
def _hamming_weights(sigma: float) -> F64:
    """exp(-(h / sigma)**2) for h = 0..64, on the grid."""
    return _on_grid(np.exp(-((np.arange(65) / sigma) ** 2)), _HAMMING_GRID)


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
    return positive[np.argsort(-score[positive])] if n > 0 else positive[:0]
