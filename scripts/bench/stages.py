"""A query by stage, and the limits of two: reading postings against memory bandwidth, verification against RANSAC."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from statistics import fmean, median

import cv2
import numpy as np

from bof.engine import Engine
from bof.geometry.hypotheses import MAX_PAIRS
from bof.options import VerifyOptions, VoteOptions
from bof.retrieval.shortlist import VoteAndVerify, best_first
from bof.retrieval.votes import vote
from bof.types import F32, Features
from scripts.bench.setup import DEPTHS, Bench, name_of, verifying
from scripts.bench.table import Row
from scripts.common.features import query_of
from scripts.common.timing import one_blas_thread

GROUP = "stages of a query"

DETAILED = 50  # the depth whose stages have a row each
BYTES_PER_POSTING = 8 + 4 + 2  # signature, image, feature
COPY_BYTES = 1 << 28
N_THREADS = 2
_COPIES = 5


def measure(bench: Bench) -> Iterator[Row]:
    """Rows for whole queries, for each stage, and for verification at each depth."""
    engine = bench.peer.engine
    engine.answer(query_of(bench.questions[0]))  # what is compiled or read once is no query's time
    spent: dict[int, list[dict[str, float]]] = {depth: [] for depth in DEPTHS}
    ransac: dict[int, list[float]] = {depth: [] for depth in DEPTHS if depth}
    bandwidth = []
    with one_blas_thread():
        for _ in range(bench.runs):
            bandwidth.append(copy_bandwidth(COPY_BYTES))
            for features in bench.questions:
                for depth in DEPTHS:
                    spent[depth].append(dict(engine.answer(query_of(features), verifying(depth)).seconds))
                    if depth:
                        ransac[depth].append(ransac_seconds(candidates(engine, features, depth), features))
    for depth, queries in spent.items():
        stages = dict.fromkeys(stage for seconds in queries for stage in seconds)
        parts = {stage: fmean(seconds.get(stage, 0.0) for seconds in queries) for stage in stages}
        yield Row(GROUP, name_of(depth), "ms", [sum(seconds.values()) for seconds in queries], parts=parts)
    yield from _stage_rows(bench, spent[DETAILED], bandwidth)
    for depth, limit in ransac.items():
        ran = [seconds["verify"] for seconds in spent[depth]]
        yield Row(GROUP, f"stage verify, {depth} pictures", "ms", ran, "estimateAffinePartial2D, 1 thread", limit)


def _stage_rows(bench: Bench, spent: list[dict[str, float]], bandwidth: list[float]) -> Iterator[Row]:
    """Of each stage but verification; votes beside reading their postings."""
    n_bytes = [vote_bytes(bench.peer.engine, features) for features in bench.questions]
    readings = [n / speed for speed in bandwidth for n in n_bytes]
    for stage in dict.fromkeys(stage for seconds in spent for stage in seconds):
        ran = [seconds[stage] for seconds in spent if stage in seconds]
        if stage == "vote":
            name = f"copy at {median(bandwidth) / 1e9:.1f} GB/s, {N_THREADS} threads"
            yield Row(GROUP, "stage vote", "ms", ran, name, readings, is_limit=True)
        elif stage != "verify":
            share = len(ran) / len(spent)
            yield Row(GROUP, f"stage {stage}" + ("" if share == 1 else f", in {share:.0%} of the queries"), "ms", ran)


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
    word = vocabulary.assign(query.descriptors, VoteAndVerify(snapshot, vocabulary).words_per_feature)
    return BYTES_PER_POSTING * sum(int(np.diff(part.indptr)[word].sum()) for part in snapshot.postings)


def candidates(engine: Engine, query: Features, depth: int) -> list[tuple[F32, F32]]:
    """For each picture of the shortlist, where its matches lie f32 (m, 2) in the query and in the picture, in pixels.

    They are the matches that verification is given. A picture with one match only is left out: nothing can be fitted.
    """
    snapshot, vocabulary = engine.searcher().collection, engine.vocabulary
    words = vocabulary.quantize(query.descriptors, VoteAndVerify(snapshot, vocabulary).words_per_feature)
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
