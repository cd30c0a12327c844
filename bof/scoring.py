"""Query words vote for images: idf, norms, Hamming votes with burstiness, and the plain TF-IDF product.

Every weight is rounded to a grid on which sums are exact in float64, so that no order of segments, postings or
features shows in a score.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_matrix

from bof.loops import near_postings, strongest_by_image
from bof.options import VoteOptions
from bof.types import F64, I32, I64, U16, U64, Bool, Correspondences, QueryWords

SIGMA = 14.0
"""Votes fall off with Hamming distance h as exp(-(h / SIGMA)**2) (Jegou, Douze, Schmid 2009, section 4.2)."""

_IDF_GRID = 2.0**20
_HAMMING_GRID = 2.0**10


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
        indptr, matches = self.matches(images, n)
        return [matches.take(slice(start, stop)) for start, stop in pairwise(indptr.tolist())]

    def matches(self, images: I64, n: int | None = None) -> tuple[I64, Correspondences]:
        """`for_images` in one piece: indptr i64 (len(images) + 1), and the votes of image after image."""
        place = np.full(len(self.score), -1, np.int32)
        place[images] = np.arange(len(images), dtype=np.int32)
        limit = len(self.weight) if n is None else n
        columns = (self.query, self.image, self.feature, self.weight)
        indptr, rows = strongest_by_image(place, *columns, len(images), limit)
        return indptr, Correspondences(self.query[rows], self.feature[rows], self.weight[rows])


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


def self_similarity(weights: Weights, word: I32) -> tuple[float, float]:
    """What a picture with nearest words i32 (n,) would score against itself, and the mean idf**2 of its words."""
    query_word, tf = np.unique(word, return_counts=True)
    squared = _squared(weights.idf[query_word])
    total = float((tf * squared).sum())
    length = math.sqrt(float((tf * tf * squared).sum()))
    return (total / length, total / len(word)) if length else (1.0, 1.0)


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
    (burstiness within an image, section 5); an image's sum is divided by its TF-IDF length. A feature's votes for an
    image are summed exactly before they are divided, and features come in the query's order: neither the order of
    postings nor that of segments shows in a score. Raises ValueError where a posting names an image that is not there.
    """
    weight_of_distance, weight_of_word = _hamming_weights(), _squared(weights.idf)

    def one_segment(part: Postings) -> tuple[F64, I32, I32, U16, F64]:
        live = weights.live[part.first_image : part.first_image + part.n_images]
        columns = (part.indptr, part.image, part.feature, part.signature, live)
        weigh = (options.max_hamming, weight_of_distance, weight_of_word)
        score, query_row, image, feature, weight = near_postings(*columns, query.word, query.signature, *weigh)
        return score, query_row, image + np.int32(part.first_image), feature, weight

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        parts = list(threads.map(one_segment, postings))
    if not parts:
        none = np.empty(0, np.int32)
        return Votes(np.zeros(len(weights.live)), none, none, none.astype(np.uint16), np.empty(0))
    score, *votes = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Votes(score / weights.norm, *votes)


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
