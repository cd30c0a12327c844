"""hamming: signatures against an oracle that works bit by bit, thresholds against medians word by word."""

from __future__ import annotations

from statistics import median

import numpy as np
import pytest

from bof.types import F32, I32, U8
from bof.vocabulary.hamming import N_BITS, learn_thresholds, make_projection, sign

N_DIMENSIONS = 128


def random_descriptors(n: int, seed: int = 0) -> U8:
    return np.random.default_rng(seed).integers(0, 256, (n, N_DIMENSIONS), dtype=np.uint8)


def random_words(n: int, k: int, n_words: int, seed: int = 0) -> I32:
    return np.random.default_rng(seed).integers(0, n_words, (n, k), dtype=np.int32)


def coarse_projection(seed: int = 0) -> F32:
    """Steps of 1/64: every sum is exact in float32, so an oracle may add in any order."""
    return (np.random.default_rng(seed).integers(-32, 33, (N_DIMENSIONS, N_BITS)) / 64).astype(np.float32)


def dot(descriptor: np.ndarray, direction: np.ndarray) -> float:
    return sum(float(a) * float(b) for a, b in zip(descriptor, direction, strict=True))


def slow_signature(descriptor: U8, word: int, projection: F32, thresholds: F32) -> int:
    return sum(1 << b for b in range(N_BITS) if dot(descriptor, projection[:, b]) > float(thresholds[word, b]))


def test_signatures_agree_with_a_bit_by_bit_oracle() -> None:
    descriptors, word, projection = random_descriptors(12), random_words(12, 3, 5), coarse_projection()
    # Thresholds that are met exactly leave the bit unset.
    thresholds = (random_descriptors(5, 1).astype(np.float32) @ projection).astype(np.float32)
    thresholds[0] = descriptors[0].astype(np.float32) @ projection
    word[0] = 0
    signatures = sign(descriptors, word, projection, thresholds)
    assert signatures.dtype == np.uint64
    for i, j in np.ndindex(*word.shape):
        assert int(signatures[i, j]) == slow_signature(descriptors[i], int(word[i, j]), projection, thresholds)
    assert signatures[0].tolist() == [0, 0, 0]


def test_a_signature_does_not_depend_on_its_company() -> None:
    descriptors, word = random_descriptors(300), np.arange(300, dtype=np.int32)[:, None]
    projection = make_projection(N_DIMENSIONS, 0)
    # Every threshold is met exactly: the last bit of a sum would decide.
    thresholds = (descriptors.astype(np.float32) @ projection).astype(np.float32)
    whole = sign(descriptors, word, projection, thresholds)
    alone = [sign(descriptors[i : i + 1], word[i : i + 1], projection, thresholds) for i in range(300)]
    assert np.array_equal(whole, np.concatenate(alone))


def test_a_signature_does_not_depend_on_the_other_words() -> None:
    descriptors, word = random_descriptors(300), random_words(300, 3, 40)
    projection = make_projection(N_DIMENSIONS, 0)
    thresholds = (random_descriptors(40, 1).astype(np.float32) @ projection).astype(np.float32)
    columns = [sign(descriptors, word[:, j : j + 1], projection, thresholds) for j in range(3)]
    assert np.array_equal(sign(descriptors, word, projection, thresholds), np.concatenate(columns, axis=1))


def test_no_descriptors_have_no_signatures() -> None:
    signatures = sign(random_descriptors(0), random_words(0, 3, 5), coarse_projection(), np.zeros((5, 64), np.float32))
    assert signatures.shape == (0, 3)


@pytest.mark.parametrize("n_dimensions", [64, 128])
def test_directions_are_orthonormal(n_dimensions: int) -> None:
    projection = make_projection(n_dimensions, 3)
    assert projection.shape == (n_dimensions, N_BITS)
    assert projection.dtype == np.float32
    assert np.abs(projection.T.astype(np.float64) @ projection - np.eye(N_BITS)).max() < 1e-3


def test_the_seed_decides_the_directions() -> None:
    assert np.array_equal(make_projection(N_DIMENSIONS, 7), make_projection(N_DIMENSIONS, 7))
    assert np.abs(make_projection(N_DIMENSIONS, 7) - make_projection(N_DIMENSIONS, 8)).max() > 0.1


def slow_threshold(members: U8, centre: F32, direction: F32) -> float:
    """The median, drawn to the centre as if 8 more descriptors lay there."""
    n, prior = len(members), dot(centre, direction)
    middle = median(dot(m, direction) for m in members) if n else 0.0
    return (middle * n + prior * 8) / (n + 8)


def test_thresholds_are_medians_drawn_to_the_centre() -> None:
    descriptors, projection = random_descriptors(40), coarse_projection()
    word = random_words(40, 1, 4)[:, 0]
    word[word == 2] = 3
    word[0] = 5
    centroids = random_descriptors(6, 1).astype(np.float32)
    thresholds = learn_thresholds(descriptors, word, centroids, projection)
    expected = [
        [slow_threshold(descriptors[word == w], centroids[w], projection[:, b]) for b in range(N_BITS)]
        for w in range(6)
    ]
    assert np.allclose(thresholds, expected, rtol=1e-5, atol=1e-2)


def test_a_word_without_descriptors_is_split_at_its_centre() -> None:
    centroids, projection = random_descriptors(3).astype(np.float32), coarse_projection()
    thresholds = learn_thresholds(random_descriptors(5, 1), np.zeros(5, np.int32), centroids, projection)
    assert np.array_equal(thresholds[1:], centroids[1:] @ projection)
    assert not np.array_equal(thresholds[0], centroids[0] @ projection)


def test_half_of_a_large_word_lies_on_each_side() -> None:
    descriptors, projection = random_descriptors(2000), make_projection(N_DIMENSIONS, 0)
    word = np.zeros(2000, np.int32)
    thresholds = learn_thresholds(descriptors, word, np.full((1, 128), 128, np.float32), projection)
    signatures = sign(descriptors, word[:, None], projection, thresholds)[:, 0]
    share = [((signatures >> np.uint64(b)) & np.uint64(1)).mean() for b in range(N_BITS)]
    assert np.abs(np.array(share) - 0.5).max() < 0.02
