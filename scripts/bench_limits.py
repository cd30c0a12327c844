"""What the machine or a single library call allows: memory bandwidth for votes, RANSAC for verification."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from statistics import median

import cv2
import numpy as np

from bof.engine import Engine
from bof.geometry.hypotheses import MAX_PAIRS
from bof.options import VerifyOptions, VoteOptions
from bof.retrieval.shortlist import best_first, words_per_feature
from bof.retrieval.votes import vote
from bof.types import F32, Features

BYTES_PER_POSTING = 8 + 4 + 2
"""Signature, image, feature."""

COPY_BYTES = 1 << 28
N_THREADS = 2
_COPIES = 5


def copy_bandwidth(n_bytes: int) -> float:
    """Bytes a second, read and written together, that two threads move when each copies half of a large array."""
    source, target = np.ones(n_bytes, np.uint8), np.empty(n_bytes, np.uint8)
    halves = list(zip(np.split(target, N_THREADS), np.split(source, N_THREADS), strict=True))
    with ThreadPoolExecutor(N_THREADS) as threads:
        seconds = [_copy(threads, halves) for _ in range(_COPIES + 1)][1:]
    return 2 * n_bytes / median(seconds)


def _copy(threads: ThreadPoolExecutor, halves: list[tuple[np.ndarray, np.ndarray]]) -> float:
    start = time.perf_counter()
    list(threads.map(lambda half: np.copyto(*half), halves))
    return time.perf_counter() - start


def vote_bytes(engine: Engine, query: Features) -> int:
    """Bytes of the postings of all words that a query looks into."""
    snapshot, vocabulary = engine.searcher().collection, engine.vocabulary
    word = vocabulary.assign(query.descriptors, words_per_feature(snapshot, vocabulary, VoteOptions()))
    return BYTES_PER_POSTING * sum(int(np.diff(part.indptr)[word].sum()) for part in snapshot.postings)


def candidates(engine: Engine, query: Features, depth: int) -> list[tuple[F32, F32]]:
    """For each picture of the shortlist, where its matches lie f32 (m, 2) in the query and in the picture, in pixels.

    They are the matches that verification is given. A picture with one match only is left out: nothing can be fitted.
    """
    snapshot, vocabulary = engine.searcher().collection, engine.vocabulary
    words = vocabulary.describe(query.descriptors, words_per_feature(snapshot, vocabulary, VoteOptions()))
    votes = vote(snapshot.postings, snapshot.weights, words, VoteOptions())
    images = best_first(snapshot, votes.score, depth)
    indptr, matches = votes.matches(images, MAX_PAIRS)
    numbers = np.repeat(images, np.diff(indptr))
    sides = np.maximum(snapshot.rows.width, snapshot.rows.height)
    xy = snapshot.placement(images, indptr, matches.database)[:2].T * sides[numbers, None] - 0.5
    found = query.geometry.xy_px[matches.query].astype(np.float32), xy.astype(np.float32)
    return [(found[0][a:b], found[1][a:b]) for a, b in pairwise(indptr.tolist()) if b - a > 1]


def ransac_seconds(pictures: list[tuple[F32, F32]], query: Features) -> float:
    """Seconds of one cv2.estimateAffinePartial2D a picture, on one thread, with bof's tolerance."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    threshold = VerifyOptions().tolerance * query.geometry.long_side
    start = time.perf_counter()
    for query_xy, xy in pictures:
        cv2.estimateAffinePartial2D(query_xy, xy, method=cv2.RANSAC, ransacReprojThreshold=threshold)
    seconds = time.perf_counter() - start
    cv2.setNumThreads(before)
    return seconds
