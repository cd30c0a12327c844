"""bof.loops: the compiled loops against numpy and against slow loops that say the same in other words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bof.loops import best_hypotheses, near_postings, strongest_by_image
from bof.types import F32, F64, I32, I64, U16, U64, Bool

N_WORDS = 12
N_IMAGES = 9

seeds = st.integers(0, 2**32 - 1)


# -- Votes ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A random segment and a random query; weights are whole multiples of a power of two, as in bof.scoring."""

    indptr: I32
    image: I32
    feature: U16
    signature: U64
    live: Bool
    word: I32
    query_signature: U64
    weight_of_distance: F64
    weight_of_word: F64

    def near(self, max_hamming: int) -> tuple[F64, I32, I32, U16, F64]:
        postings = (self.indptr, self.image, self.feature, self.signature, self.live)
        weights = (max_hamming, self.weight_of_distance, self.weight_of_word)
        return near_postings(*postings, self.word, self.query_signature, *weights)


def few_bits(rng: np.random.Generator, shape: tuple[int, ...]) -> U64:
    """Signatures of few set bits, some near each other and some far, the highest bit among them."""
    bits = rng.random((*shape, 64)) < rng.uniform(0, 0.4, (*shape, 1))
    return (bits * (np.uint64(1) << np.arange(64, dtype=np.uint64))).sum(axis=-1, dtype=np.uint64)


def asked(seed: int, n_postings: int = 90, n_query: int = 15, k: int = 3) -> Asked:
    rng = np.random.default_rng(seed)
    word = np.sort(rng.integers(0, N_WORDS, n_postings))
    live = rng.random(N_IMAGES) < 0.8
    return Asked(
        np.searchsorted(word, np.arange(N_WORDS + 1)).astype(np.int32),
        rng.integers(0, N_IMAGES, n_postings).astype(np.int32),
        np.arange(n_postings).astype(np.uint16),
        few_bits(rng, (n_postings,)),
        live,
        np.stack([rng.permutation(N_WORDS)[:k] for _ in range(n_query)] or [[0] * k])[:n_query].astype(np.int32),
        few_bits(rng, (n_query, k)),
        np.rint(np.exp(-((np.arange(65) / 14) ** 2)) * 2**10) / 2**10,
        np.rint(rng.uniform(0, 60, N_WORDS) * 2**20) / 2**20,
    )


def numpy_votes(a: Asked, max_hamming: int) -> tuple[F64, set[tuple[int, int, int, float]]]:
    """Scores f64 (n_images,) and the votes, by sorting and reducing whole columns."""
    k = a.word.shape[1]
    start, length = a.indptr[a.word.ravel()], np.diff(a.indptr)[a.word.ravel()]
    slot = np.repeat(np.arange(a.word.size), length)
    posting = np.concatenate([np.arange(s, s + n) for s, n in zip(start, length, strict=True)]).astype(np.int64)
    distance = np.bitwise_count(a.signature[posting] ^ a.query_signature.ravel()[slot])
    kept = (distance <= max_hamming) & a.live[a.image[posting]]
    slot, posting, distance = slot[kept], posting[kept], distance[kept]
    weight = a.weight_of_distance[distance] * a.weight_of_word[a.word.ravel()[slot]]
    pair = slot // k * N_IMAGES + a.image[posting]
    found, place, n = np.unique(pair, return_inverse=True, return_counts=True)
    total = np.bincount(place, weight, minlength=len(found))
    score = np.bincount(found % N_IMAGES, total / np.sqrt(n), minlength=N_IMAGES)
    shared = weight / np.sqrt(n)[place]
    columns = (slot // k, a.image[posting], a.feature[posting], shared)
    return score, set(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("max_hamming", [0, 6, 24, 64])
def test_votes_are_those_of_numpy_to_the_last_bit(max_hamming: int) -> None:
    for seed in range(30):
        a = asked(seed)
        score, query, image, feature, weight = a.near(max_hamming)
        expected, votes = numpy_votes(a, max_hamming)
        assert score.tolist() == expected.tolist()
        columns = (query, image, feature, weight)
        assert set(zip(*(column.tolist() for column in columns), strict=True)) == votes
        assert len(weight) == len(votes)


@pytest.mark.parametrize(("n_postings", "n_query"), [(0, 5), (40, 0)])
def test_nothing_votes_for_nothing(n_postings: int, n_query: int) -> None:
    score, *votes = asked(0, n_postings, n_query).near(64)
    assert score.tolist() == [0] * N_IMAGES
    assert [len(column) for column in votes] == [0, 0, 0, 0]


def test_more_hits_than_there_was_room_for_are_all_kept() -> None:
    """More than the first room of 32,768, and than the doubled one."""
    n, zero = 300, np.zeros(300, np.uint64)
    indptr, one = np.array([0, n], np.int32), np.ones(65)
    postings = (indptr, np.arange(n, dtype=np.int32), np.arange(n).astype(np.uint16), zero, np.ones(n, bool))
    word, signature = np.zeros((n, 1), np.int32), zero[:, None]
    score, query, image, feature, weight = near_postings(*postings, word, signature, 0, one, np.array([2.0]))
    assert score.tolist() == [2.0 * n] * n
    assert query.tolist() == np.repeat(np.arange(n), n).tolist()
    assert image.tolist() == feature.tolist() == list(range(n)) * n
    assert set(weight.tolist()) == {2.0}


@pytest.mark.parametrize("stranger", [-1, N_IMAGES, 2**31 - 1])
def test_a_posting_of_an_image_that_is_not_there_is_refused(stranger: int) -> None:
    a = asked(1)
    a.image[:] = stranger
    with pytest.raises(ValueError, match="images that do not exist"):
        a.near(64)


# -- The strongest ----------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(seeds, st.integers(0, 12), st.permutations(range(N_IMAGES)), st.integers(0, N_IMAGES))
def test_the_strongest_are_those_of_sorting(seed: int, limit: int, order: list[int], n_places: int) -> None:
    rng = np.random.default_rng(seed)
    n, chosen = int(rng.integers(0, 80)), order[:n_places]
    query, feature = rng.integers(0, 6, n).astype(np.int32), rng.permutation(n).astype(np.uint16)
    image, weight = rng.integers(0, N_IMAGES, n).astype(np.int32), rng.integers(0, 4, n) / 4
    place = np.full(N_IMAGES, -1, np.int32)
    place[chosen] = np.arange(n_places)

    indptr, rows = strongest_by_image(place, query, image, feature, weight, n_places, limit)
    assert indptr[0] == 0
    assert indptr[-1] == len(rows)
    for i, wanted in enumerate(chosen):
        mine = [v for v in range(n) if image[v] == wanted]
        expected = sorted(mine, key=lambda v: (-weight[v], query[v], feature[v]))[:limit]
        assert rows[indptr[i] : indptr[i + 1]].tolist() == expected


# -- Hypotheses -------------------------------------------------------------------------------------------------------

TOLERANCE, MAX_ANGLE, MAX_LOG_SCALE = 0.03, math.radians(30), math.log(2)
LIMITS = np.array([TOLERANCE, math.cos(MAX_ANGLE), MAX_LOG_SCALE], np.float32)
MIN_FIT = 5
FINALISTS = 3
BORDER = 1e-4
"""A decision nearer to its limit than this could fall either way in float32: such pairs are left out."""


@dataclass(frozen=True)
class Drawn:
    """Random pairs of one picture: columns f32 (8, m), whole weights, strongest first, and the cells of both points."""

    pairs: F32
    weight: I32
    spots: I32


def drawn(seed: int, m: int, share_true: float) -> Drawn:
    """Pairs some of which follow one or two similarities roughly, the others anything."""
    rng = np.random.default_rng(seed)
    xy, uv = rng.uniform(0, 1, (2, 2, m))
    scale, turn = np.exp(rng.uniform(-1.2, 1.2, m)), rng.uniform(-math.pi, math.pi, m)
    for share in (share_true, share_true / 2):
        rows = np.flatnonzero(rng.random(m) < share)
        s, t, shift = math.exp(rng.uniform(-0.7, 0.7)), rng.uniform(-3, 3), rng.uniform(-0.2, 0.2, (2, 1))
        linear = s * np.array([[math.cos(t), -math.sin(t)], [math.sin(t), math.cos(t)]])
        uv[:, rows] = linear @ xy[:, rows] + shift + rng.normal(0, 0.008, (2, len(rows)))
        scale[rows], turn[rows] = s * np.exp(rng.normal(0, 0.25, len(rows))), t + rng.normal(0, 0.2, len(rows))
    pairs = np.array([*xy, *uv, scale, np.cos(turn), np.sin(turn), np.log(scale)], np.float32)
    weight = np.sort(rng.integers(1, 1 << 15, m))[::-1].astype(np.int32)
    return without_borders(Drawn(pairs, weight, rng.integers(0, 3 * m + 1, (2, m)).astype(np.int32)))


def margins(pairs: F32, h: int) -> F64:
    """f64 (3, m): by how much each pair agrees with pair h in place, in turn and in scale; negative where it does not.

    In float64, with complex numbers: a similarity is a product and a sum.
    """
    p = pairs.astype(np.float64)
    source, target, factor = p[0] + 1j * p[1], p[2] + 1j * p[3], p[4] * (p[5] + 1j * p[6])
    residual = np.abs(target - (target[h] + factor[h] * (source - source[h])))
    turned = p[5] * p[5, h] + p[6] * p[6, h]
    return np.array(
        [TOLERANCE * min(1.0, p[4, h]) - residual, turned - math.cos(MAX_ANGLE), MAX_LOG_SCALE - abs(p[7] - p[7, h])]
    )


def without_borders(d: Drawn) -> Drawn:
    """Leave pairs out, the weakest first, until no decision between two of them is a close one."""
    n = d.pairs.shape[1]
    close = np.array([(np.abs(margins(d.pairs, h)) < BORDER).any(axis=0) for h in range(n)]).reshape(n, n)
    kept: list[int] = []
    for j in range(n):
        if not close[j, kept].any() and not close[kept, j].any():
            kept.append(j)
    return Drawn(np.ascontiguousarray(d.pairs[:, kept]), d.weight[kept], d.spots[:, kept])


def slow_best(d: Drawn, n_hypotheses: int) -> tuple[int, list[int]]:
    """The seed and those that agree with it, as the docstring says it."""
    n = d.pairs.shape[1]
    agrees = [np.flatnonzero((margins(d.pairs, h) > 0).all(axis=0)).tolist() for h in range(min(n, n_hypotheses))]
    if not agrees:
        return -1, []
    finalists = sorted(range(len(agrees)), key=lambda h: (-sum(d.weight[j] for j in agrees[h]), h))[:FINALISTS]
    followers = {h: slow_one_to_one(d.spots, agrees[h]) for h in finalists}
    if len(followers[finalists[0]]) < MIN_FIT:
        return finalists[0], followers[finalists[0]]
    best = max(finalists, key=lambda h: (len(followers[h]), -finalists.index(h)))
    return best, followers[best]


def slow_one_to_one(spots: I32, rows: list[int]) -> list[int]:
    kept: list[int] = []
    for j in rows:
        if spots[0, j] not in spots[0, kept] and spots[1, j] not in spots[1, kept]:
            kept.append(j)
    return kept


def best_of(pictures: list[Drawn], n_hypotheses: int) -> list[tuple[int, list[int]]]:
    """The compiled loop over all pictures at once; rows counted from each picture's first."""
    sizes: I64 = np.cumsum([0, *(d.pairs.shape[1] for d in pictures)])
    columns = [np.concatenate([getattr(d, name) for d in pictures], axis=-1) for name in ("pairs", "weight", "spots")]
    seed, n, agreeing = best_hypotheses(sizes, *columns, LIMITS, n_hypotheses, MIN_FIT)
    first = sizes[:-1].tolist()
    return [
        (int(seed[i]) - first[i] if seed[i] >= 0 else -1, (agreeing[first[i] :][: n[i]] - first[i]).tolist())
        for i in range(len(pictures))
    ]


@pytest.mark.parametrize("n_hypotheses", [1, 8, 64])
def test_the_best_hypothesis_is_that_of_a_slow_loop(n_hypotheses: int) -> None:
    shares = (0.0, 0.2, 0.5, 0.8)
    pictures = [drawn(seed, 5 + 3 * seed, shares[seed % 4]) for seed in range(40)]
    expected = [slow_best(d, n_hypotheses) for d in pictures]
    assert best_of(pictures, n_hypotheses) == expected
    assert max(len(agreeing) for _, agreeing in expected) >= 2 * MIN_FIT


def test_a_picture_without_pairs_has_no_hypothesis() -> None:
    nothing, something = drawn(0, 0, 0), drawn(5, 40, 0.8)
    assert best_of([nothing, something, nothing], 64) == [(-1, []), slow_best(something, 64), (-1, [])]


def test_the_earlier_of_two_equal_hypotheses_wins() -> None:
    """Two unmoved pictures' worth of pairs: each agrees with all."""
    grid = np.stack(np.meshgrid(np.linspace(0.1, 0.9, 5), np.linspace(0.1, 0.9, 4))).reshape(2, 20)
    one, nil = np.ones(20), np.zeros(20)
    spots = np.tile(np.arange(20, dtype=np.int32), (2, 1))
    even = Drawn(np.array([*grid, *grid, one, one, nil, nil], np.float32), np.full(20, 7, np.int32), spots)
    assert best_of([even], 64) == [(0, list(range(20)))]
