"""The three loops that numpy cannot run at the machine's speed, compiled by numba; tests hold slow twins as oracles.

Everything here lets go of the interpreter, so callers share work between threads. Compiled code is cached beside the
package, or in numba's cache folder where that is read-only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from bof.types import F32, F64, I32, I64, U16, U64, Bool

_FIRST_HITS = 1 << 15
_FINALISTS = 3

Hits = tuple[I32, I32, U16, F64]
"""Columns of near postings: query feature, image, database feature, weight."""


@intrinsic
def _ones(context: Any, word: Any) -> Any:
    """Number of set bits, one machine instruction."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@njit(nogil=True, cache=True)
def near_postings(
    indptr: I32,
    image: I32,
    feature: U16,
    signature: U64,
    live: Bool,
    word: I32,
    query_signature: U64,
    max_hamming: int,
    weight_of_distance: F64,
    weight_of_word: F64,
) -> tuple[F64, I32, I32, U16, F64]:
    """Hamming votes of a query in one segment: score f64 (n_images,), and the votes as columns in the query's order.

    indptr i32 (n_words + 1), image i32, feature u16, signature u64 (n_postings,): the segment's postings; live bool
    (n_images,); word i32 and query_signature u64 (n, k). A posting within max_hamming bits of its query feature votes
    weight_of_distance[h] * weight_of_word[w], divided by the square root of the votes that this query feature has
    for the image. Raises ValueError where a posting names an image that does not exist.
    """
    n_images = len(live)
    score, total = np.zeros(n_images), np.zeros(n_images)
    count, touched = np.zeros(n_images, np.int32), np.empty(n_images, np.int32)
    hits = _room(_FIRST_HITS)
    n = 0
    for i in range(word.shape[0]):
        first, n_touched = n, 0
        for j in range(word.shape[1]):
            w = word[i, j]
            for p in range(indptr[w], indptr[w + 1]):
                distance: int = _ones(signature[p] ^ query_signature[i, j])  # type: ignore[call-arg]
                if distance > max_hamming:
                    continue
                target = image[p]
                if target < 0 or target >= n_images:
                    raise ValueError("postings name images that do not exist")
                if not live[target]:
                    continue
                if n == len(hits[0]):
                    hits = _more_room(hits)
                weight = weight_of_distance[distance] * weight_of_word[w]
                hits[0][n], hits[1][n], hits[2][n], hits[3][n] = i, target, feature[p], weight
                n += 1
                if count[target] == 0:
                    touched[n_touched] = target
                    n_touched += 1
                count[target] += 1
                total[target] += weight
        for h in range(first, n):
            hits[3][h] /= np.sqrt(count[hits[1][h]])
        for t in range(n_touched):
            target = touched[t]
            score[target] += total[target] / np.sqrt(count[target])
            total[target], count[target] = 0.0, 0
    return score, hits[0][:n].copy(), hits[1][:n].copy(), hits[2][:n].copy(), hits[3][:n].copy()


@njit(nogil=True, cache=True)
def _room(n: int) -> Hits:
    return np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.uint16), np.empty(n, np.float64)


@njit(nogil=True, cache=True)
def _more_room(hits: Hits) -> Hits:
    n = len(hits[0])
    more = _room(2 * n)
    more[0][:n], more[1][:n], more[2][:n], more[3][:n] = hits
    return more


@njit(nogil=True, cache=True)
def strongest_by_image(
    place: I32, query: I32, image: I32, feature: U16, weight: F64, n_places: int, limit: int
) -> tuple[I64, I64]:
    """Rows of the votes for chosen images: image by image, strongest first, ties by query and database feature.

    place i32 (n_images,): where an image stands among the n_places chosen, -1 if it is not chosen. Returns
    indptr i64 (n_places + 1) and rows i64: those of place i are rows[indptr[i]:indptr[i + 1]], at most `limit`.
    """
    ends = np.zeros(n_places + 1, np.int64)
    for v in range(len(image)):
        if place[image[v]] >= 0:
            ends[place[image[v]] + 1] += 1
    ends = np.cumsum(ends)
    rows, filled = np.empty(ends[-1], np.int64), ends[:-1].copy()
    for v in range(len(image)):
        at = place[image[v]]
        if at >= 0:
            rows[filled[at]] = v
            filled[at] += 1
    indptr, kept = np.zeros(n_places + 1, np.int64), 0
    for i in range(n_places):
        mine = rows[ends[i] : ends[i + 1]]
        mine = mine[np.argsort(query[mine].astype(np.int64) << 16 | feature[mine].astype(np.int64))]
        mine = mine[np.argsort(-weight[mine], kind="mergesort")][:limit]
        rows[kept : kept + len(mine)] = mine
        kept += len(mine)
        indptr[i + 1] = kept
    return indptr, rows[:kept].copy()


@njit(nogil=True, cache=True)
def best_hypotheses(
    indptr: I64, pairs: F32, weight: I32, spots: I32, limits: F32, n_hypotheses: int, min_fit: int
) -> tuple[I64, I64, I64]:
    """For each picture, the pair whose similarity gathers most spots among the few that gather most weight.

    The pairs of picture i are columns indptr[i]:indptr[i + 1], strongest first. pairs f32 (8, m): x and y in the query
    and in the database picture, scale, cosine and sine of the turn, logarithm of the scale; weight i32 (m,), whole, so
    that sums are exact; spots i32 (2, m): the grid cell of each point. limits f32 (3,): tolerance, smallest cosine
    between two turns, largest difference of two logarithms. Returns by picture seed i64, the column of the pair, -1
    without pairs; n_agreeing i64; and agreeing i64 (m,): agreeing[indptr[i]:][:n_agreeing[i]] agree, one to one.
    """
    n = len(indptr) - 1
    seed, n_agreeing = np.full(n, -1, np.int64), np.zeros(n, np.int64)
    agreeing = np.empty(len(weight), np.int64)
    for i in range(n):
        start, stop = indptr[i], indptr[i + 1]
        best, best_weight = np.full(_FINALISTS, -1, np.int64), np.full(_FINALISTS, -1, np.int64)
        for h in range(start, min(stop, start + n_hypotheses)):
            _insert(best, best_weight, h, _gathered(pairs[:, start:stop], weight[start:stop], limits, h - start))
        for f in range(_FINALISTS):
            if best[f] < 0 or (f > 0 and n_agreeing[i] < min_fit):
                break
            followers = _followers(best[f] - start, pairs[:, start:stop], spots[:, start:stop], limits)
            if f == 0 or len(followers) > n_agreeing[i]:
                seed[i], n_agreeing[i] = best[f], len(followers)
                agreeing[start : start + len(followers)] = followers + start
    return seed, n_agreeing, agreeing


@njit(nogil=True, cache=True)
def _gathered(pairs: F32, weight: I32, limits: F32, h: int) -> np.int32:
    """The weight of the pairs that agree with the similarity of pair h in place, turn and scale."""
    a, b, x, y, limit = _proposal(pairs, h, limits[0])
    cosine, sine, log_scale = pairs[5, h], pairs[6, h], pairs[7, h]
    gathered = np.int32(0)
    for j in range(pairs.shape[1]):
        u = a * pairs[0, j] - b * pairs[1, j] + x - pairs[2, j]
        v = b * pairs[0, j] + a * pairs[1, j] + y - pairs[3, j]
        near = (u * u + v * v < limit) & (cosine * pairs[5, j] + sine * pairs[6, j] > limits[1])
        near &= abs(log_scale - pairs[7, j]) < limits[2]
        gathered += weight[j] * near
    return gathered


@njit(nogil=True, cache=True)
def _proposal(pairs: F32, h: int, tolerance: np.float32) -> tuple[np.float32, ...]:
    """The similarity of pair h, u = a x - b y + x0, v = b x + a y + y0, and the squared residual that it allows.

    The tolerance must hold in both pictures, so it shrinks with the scale.
    """
    a, b = pairs[4, h] * pairs[5, h], pairs[4, h] * pairs[6, h]
    x0 = pairs[2, h] - (a * pairs[0, h] - b * pairs[1, h])
    y0 = pairs[3, h] - (b * pairs[0, h] + a * pairs[1, h])
    limit = tolerance * min(np.float32(1), pairs[4, h])
    return a, b, x0, y0, limit * limit


@njit(nogil=True, cache=True)
def _insert(best: I64, best_weight: I64, h: int, weight: np.int32) -> None:
    """Keep the finalists in order of weight; the earlier hypothesis wins a tie."""
    at = len(best)
    while at > 0 and weight > best_weight[at - 1]:
        at -= 1
    for i in range(len(best) - 1, at, -1):
        best[i], best_weight[i] = best[i - 1], best_weight[i - 1]
    if at < len(best):
        best[at], best_weight[at] = h, weight


@njit(nogil=True, cache=True)
def _followers(h: int, pairs: F32, spots: I32, limits: F32) -> I64:
    """The pairs that agree with pair h, strongest first, each of whose two spots is still free."""
    a, b, x, y, limit = _proposal(pairs, h, limits[0])
    kept, n = np.empty(pairs.shape[1], np.int64), 0
    for j in range(pairs.shape[1]):
        u = a * pairs[0, j] - b * pairs[1, j] + x - pairs[2, j]
        v = b * pairs[0, j] + a * pairs[1, j] + y - pairs[3, j]
        turn = pairs[5, h] * pairs[5, j] + pairs[6, h] * pairs[6, j]
        if u * u + v * v >= limit or turn <= limits[1] or abs(pairs[7, h] - pairs[7, j]) >= limits[2]:
            continue
        free = True
        for k in range(n):
            free &= spots[0, kept[k]] != spots[0, j] and spots[1, kept[k]] != spots[1, j]
        if free:
            kept[n] = j
            n += 1
    return kept[:n]
