"""Query words vote for images: Hamming votes with burstiness, and the plain TF-IDF product."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from bof import native
from bof.options import VoteOptions
from bof.store.inverted_file import WORTH_A_THREAD, Postings, Weights, on_grid, squared_idf
from bof.system.threads import even_shares, in_threads, shares
from bof.types import F64, I32, I64, Correspondences, QueryWords

SIGMA = 14.0
"""Votes fall off with Hamming distance h as exp(-(h / SIGMA)**2) (Jegou, Douze, Schmid 2009, section 4.2)."""

SIGMA_LEARNED = 10.0
"""Of learned descriptors: signatures of one place differ in 5 bits (median), where SIFT's differ in twice as many."""

_HAMMING_GRID = 2.0**10

_VOTES_WORTH_A_THREAD = 1 << 17


@dataclass(frozen=True, slots=True)
class Votes:
    """Scores f64 (n_images,), and every vote in pieces, each of some query features in one segment.

    An image's score is the sum of its votes' weights, divided by its TF-IDF length. word i32 (n, k): the query's, and
    what a vote weighs by Hamming distance f64 (65,) and by word f64 (n_words,), before burstiness.
    """

    score: F64
    pieces: Sequence[tuple[Postings, native.VotePiece]]
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
            in_threads(lambda piece: native.count_votes(*piece, len(images)), chosen, worth=is_much), np.int64
        )
        total = count.reshape(len(chosen), len(images)).sum(axis=0)
        starts = np.concatenate([[0], np.cumsum(total)])
        votes = native.room_for_votes(int(starts[-1]))
        before = np.cumsum(count, axis=0) - count if len(count) else count
        weigh = (self.word, self.weight_of_distance, self.weight_of_word)
        tasks = [(*piece, *weigh, starts[:-1] + ahead, votes) for piece, ahead in zip(chosen, before, strict=True)]
        in_threads(lambda task: native.collect_votes(*task), tasks, worth=is_much)
        indptr = np.concatenate([[0], np.cumsum(np.minimum(total, limit))])
        m = int(indptr[-1])
        strongest = np.empty(m, np.int32), np.empty(m, np.uint16), np.empty(m)
        in_threads(
            lambda places: native.sort_votes(starts, indptr, places, limit, votes, strongest),
            shares(total, WORTH_A_THREAD),
        )
        return indptr, Correspondences(*strongest)


def self_similarity(weights: Weights, word: I32) -> tuple[float, float]:
    """What a picture with nearest words i32 (n,) would score against itself, and the mean idf**2 of its words."""
    query_word, tf = np.unique(word, return_counts=True)
    squared = squared_idf(weights.idf[query_word])
    total = float((tf * squared).sum())
    length = math.sqrt(float((tf * tf * squared).sum()))
    return (total / length, total / len(word)) if length else (1.0, 1.0)


def tfidf_scores(postings: Sequence[Postings], weights: Weights, word: I32) -> F64:
    """Cosine of TF-IDF histograms: query words i32 (n,) against every image, f64 (n_images,)."""
    query_word, tf = np.unique(word, return_counts=True)
    weight = tf * squared_idf(weights.idf[query_word])
    length = np.sqrt((tf * weight).sum()) or 1.0
    scores = [part.inverted_index(query_word).T @ weight for part in postings]
    total = np.concatenate(scores) if scores else np.empty(0)
    return np.asarray(np.where(weights.live, total, 0.0) / (weights.norm * length), np.float64)


def vote(
    postings: Sequence[Postings], weights: Weights, query: QueryWords, options: VoteOptions, sigma: float | None = None
) -> Votes:
    """Hamming votes with burstiness: every near posting of every query feature (Jegou et al. 2008, 2009).

    sigma: how fast votes fall off with distance, None: as `SIGMA` says.
    """
    weigh = (distance_weights(sigma), squared_idf(weights.idf))

    def ask(task: tuple[Postings, range]) -> tuple[F64, list[native.VotePiece]]:
        part, queried = task
        live = part.own(weights.live)
        return native.near_postings(
            part.columns, live, query.word, query.signature, queried, options.max_hamming, *weigh
        )

    tasks = [
        (part, queried) for part in postings for queried in even_shares(len(query.word), _features_worth(part, query))
    ]
    score = np.zeros(len(weights.live))
    pieces: list[tuple[Postings, native.VotePiece]] = []
    for (part, _), (share, found) in zip(tasks, in_threads(ask, tasks), strict=True):
        own = part.own(score)
        own += share
        pieces.extend((part, hits) for hits in found)
    return Votes(score / weights.norm, pieces, query.word, *weigh)


def _features_worth(part: Postings, query: QueryWords) -> int:
    """How many query features read so many postings that threads should share them."""
    postings_per_feature = query.word.shape[1] * len(part.image) / (len(part.indptr) - 1)
    return math.ceil(WORTH_A_THREAD / max(float(postings_per_feature), 1.0))


def distance_weights(sigma: float | None = None) -> F64:
    """What a vote weighs by Hamming distance h, exp(-(h / sigma)**2) for h = 0..64, f64 (65,), on the grid.

    sigma: None: SIGMA.
    """
    return _falling(SIGMA if sigma is None else sigma)


@lru_cache(maxsize=4)
def _falling(sigma: float) -> F64:
    return on_grid(np.exp(-((np.arange(65) / sigma) ** 2)), _HAMMING_GRID)


def top_images(score: F64, n: int) -> I64:
    """The n best images with a positive score and all that tie with the last of them, best first, i64."""
    positive = np.flatnonzero(score > 0)
    if len(positive) > n > 0:
        limit = np.partition(score[positive], len(positive) - n)[len(positive) - n]
        positive = positive[score[positive] >= limit]
    return positive[np.argsort(-score[positive])] if n > 0 else positive[:0]
