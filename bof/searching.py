"""One query through the stages: words -> votes -> shortlist -> verification -> ranking."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from threadpoolctl import ThreadpoolController

from bof.errors import OptionError
from bof.hypotheses import MAX_PAIRS
from bof.options import VerifyOptions, VoteOptions
from bof.scoring import Votes, tfidf_scores, top_images, vote
from bof.store import Snapshot
from bof.types import F64, I64, Features, Verdict, Verification
from bof.verification import verify_all
from bof.vocabulary import Vocabulary

RANKERS = ("bof", "tfidf")
"""Hamming votes with verification; the plain cosine of TF-IDF histograms."""

POSTINGS_PER_FEATURE = 2400
MIN_WORDS, MAX_WORDS = 3, 20
"""A query feature looks into as many words as hold about this many postings."""

_INLIER_GAIN = 0.1
_INLIER_POWER = 1.5
"""A shortlisted image's votes are multiplied by (1 + gain * inliers) ** power."""


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How to search: which ranker (bof or tfidf), and the options of its stages."""

    ranker: str = "bof"
    vote: VoteOptions = field(default_factory=VoteOptions)
    verify: VerifyOptions = field(default_factory=VerifyOptions)

    def __post_init__(self) -> None:
        if self.ranker not in RANKERS:
            raise OptionError(f"ranker: expected one of {', '.join(RANKERS)}, found {self.ranker!r}")


@dataclass(frozen=True, slots=True)
class Answer:
    """images i64 (n,) of the snapshot, best first; scores f64 (n,); what geometry said of the shortlist; seconds."""

    images: I64
    scores: F64
    verifications: Mapping[int, Verification]
    seconds: Mapping[str, float]

    def verdict(self, image: int, options: VerifyOptions) -> Verdict:
        """What is known of one image."""
        verification = self.verifications.get(image)
        return ("same" if verification.n_inliers>=10 else "no") if verification else "unverified"


class Stopwatch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent inside to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def search(snapshot: Snapshot, vocabulary: Vocabulary, query: Features, options: SearchOptions) -> Answer:
    """Every image with a positive score, verified results above the others."""
    with _numpy_blas().limit(limits=1):
        if options.ranker == "tfidf":
            return _search_tfidf(snapshot, vocabulary, query)
        return _search_bof(snapshot, vocabulary, query, options)


@lru_cache(maxsize=1)
def _numpy_blas() -> ThreadpoolController:
    """numpy's BLAS: the products here are small, and its idle threads would spin on the core that faiss needs.

    The one inside faiss is left alone: it shares OpenMP with faiss and would take faiss' threads along.
    """
    return ThreadpoolController().select(threading_layer="pthreads")


def _search_bof(snapshot: Snapshot, vocabulary: Vocabulary, query: Features, options: SearchOptions) -> Answer:
    watch = Stopwatch()
    with watch.stage("assign"):
        words = vocabulary.describe(query.descriptors, words_per_feature(snapshot, vocabulary, options.vote))
    with watch.stage("vote"):
        votes = vote([s.postings for s in snapshot.segments], snapshot.weights, words, options.vote)
        images = _in_order(snapshot, votes.score, top_images(votes.score, len(votes.score)))
    with watch.stage("verify"):
        verifications = verify_shortlist(snapshot, query, votes, images[: depth(snapshot, options.verify)], options.verify)
        images, scores = rank(snapshot, images, votes.score, verifications, options.verify)
    return Answer(images, scores, verifications, watch.seconds)


def words_per_feature(snapshot: Snapshot, vocabulary: Vocabulary, options: VoteOptions) -> int:
    """How many words a query feature looks into: more find more, and read as many more postings."""
    n_features = sum(len(segment.xy) for segment in snapshot.segments)
    affordable = round(POSTINGS_PER_FEATURE * vocabulary.n_words / max(n_features, 1))
    k = options.words_per_feature or min(max(affordable, MIN_WORDS), MAX_WORDS)
    return min(k, vocabulary.n_words)


def depth(snapshot: Snapshot, options: VerifyOptions) -> int:
    """How many of the best pictures are verified."""
    return options.depth or min(math.ceil(16 * math.sqrt(snapshot.n_images)), 2000)


def _search_tfidf(snapshot: Snapshot, vocabulary: Vocabulary, query: Features) -> Answer:
    watch = Stopwatch()
    with watch.stage("assign"):
        word = vocabulary.assign(query.descriptors)[:, 0]
    with watch.stage("vote"):
        score = tfidf_scores([s.counts for s in snapshot.segments], snapshot.weights, word)
        images = _in_order(snapshot, score, top_images(score, len(score)))
    return Answer(images, score[images], {}, watch.seconds)


def verify_shortlist(
    snapshot: Snapshot, query: Features, votes: Votes, shortlist: I64, options: VerifyOptions
) -> dict[int, Verification]:
    """Geometry's word on each image of a shortlist."""
    indptr, matches = votes.matches(shortlist, MAX_PAIRS)
    placed = snapshot.placement(np.repeat(shortlist, np.diff(indptr)), matches.database)
    images = shortlist.tolist()
    sizes = [(snapshot.rows[image].width, snapshot.rows[image].height) for image in images]
    found = verify_all(query.geometry, sizes, placed, indptr, matches, options)
    return dict(zip(images, found, strict=True))


def rank(
    snapshot: Snapshot, images: I64, score: F64, verifications: Mapping[int, Verification], options: VerifyOptions
) -> tuple[I64, F64]:
    """Images called the same first, then all by votes, which count more the more matches agree.

    images i64 (n,) by votes, the verified ones leading; score f64 by image. Returns the new order and its scores;
    ties break by name. Inliers only add, so what was not verified stays behind.
    """
    gained = {
        i: float(score[i]) * (1.0 + _INLIER_GAIN * v.n_inliers) ** _INLIER_POWER for i, v in verifications.items()
    }
    same = {i for i, v in verifications.items() if v.n_inliers >= 10}
    head = sorted(gained, key=lambda i: (i not in same, -gained[i], snapshot.rows[i].name))
    tail = images[len(head) :]
    scores = np.concatenate([[gained[i] for i in head], score[tail]])
    return np.concatenate([np.array(head, np.int64), tail]), scores


def _in_order(snapshot: Snapshot, score: F64, images: I64) -> I64:
    """Best score first; images of one score by name, so that the order of indexing does not show."""
    tied = np.flatnonzero(np.diff(score[images]) == 0)
    if not len(tied):
        return images
    return np.array(sorted(images, key=lambda i: (-score[i], snapshot.rows[i].name)), np.int64)
