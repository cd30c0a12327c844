"""bof.retrieval.votes: slow loops written from the docstrings as oracles; no order or cut shows in a score."""

from __future__ import annotations

import math
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfTransformer

from bof.options import VoteOptions
from bof.retrieval.votes import SIGMA, Votes, self_similarity, tfidf_scores, top_images, vote
from bof.store.inverted_file import Postings, Weights, derive_weights, inverse_document_frequency
from bof.system.threads import set_threads
from bof.types import F64, I64, QueryWords
from tests.support.scenes import votes_table

N_WORDS = 9
N_IMAGES = 8
HAMMING_STEP = 2.0**-10
"""The grid of a vote's Hamming weight: what the oracle may differ by, half a step."""


@dataclass(frozen=True)
class Image:
    """One word and one signature a feature."""

    word: list[int]
    signature: list[int]


def few_bits(rng: np.random.Generator, n: int) -> list[int]:
    """Signatures that differ from 0 in up to 20 bits, so that some pairs are near and some far."""
    return [sum(1 << int(b) for b in rng.choice(64, rng.integers(0, 21), replace=False)) for _ in range(n)]


def random_images(seed: int, n: int = N_IMAGES) -> list[Image]:
    """Small images with words that repeat; some have no feature; word 0 is in none of them."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 14, n)
    return [Image(rng.integers(1, N_WORDS, size).tolist(), few_bits(rng, size)) for size in sizes]


def random_query(seed: int, n: int = 7, k: int = 3) -> QueryWords:
    rng = np.random.default_rng(seed + 10_000)
    word = np.stack([rng.choice(N_WORDS, k, replace=False) for _ in range(n)])
    signature = np.array(few_bits(rng, n * k), np.uint64).reshape(n, k)
    return QueryWords(word.astype(np.int32), signature)


def some_live(seed: int, n: int = N_IMAGES) -> np.ndarray:
    live = np.random.default_rng(seed + 20_000).random(n) < 0.7
    live[0] = True
    return live


# -- The collection as segments ---------------------------------------------------------------------------------------


def postings_of(images: Sequence[Image], first_image: int) -> Postings:
    entries = sorted(
        (word, i, feature, signature)
        for i, image in enumerate(images)
        for feature, (word, signature) in enumerate(zip(image.word, image.signature, strict=True))
    )
    indptr = [sum(entry[0] < word for entry in entries) for word in range(N_WORDS + 1)]
    column = list(zip(*entries, strict=True)) or [(), (), (), ()]
    return Postings(
        np.array(indptr, np.int32),
        np.array(column[1], np.int32),
        np.array(column[2], np.uint16),
        np.array(column[3], np.uint64),
        first_image,
        len(images),
    )


@dataclass(frozen=True)
class Collection:
    """Images cut into segments at some places."""

    postings: list[Postings]
    weights: Weights


def collect(images: Sequence[Image], live: np.ndarray, cuts: Sequence[int] = ()) -> Collection:
    edges = sorted({0, len(images), *cuts})
    parts = [(images[a:b], a) for a, b in pairwise(edges)]
    postings = [postings_of(*part) for part in parts]
    return Collection(postings, derive_weights(postings, live, N_WORDS))


# -- Oracles: loops from the docstrings -------------------------------------------------------------------------------


def slow_idf(images: Sequence[Image], live: np.ndarray) -> list[float]:
    alive = [image for image, lives in zip(images, live, strict=True) if lives]
    frequency = [sum(word in image.word for image in alive) for word in range(N_WORDS)]
    return [math.log(1 + len(alive) / df) if df else 0.0 for df in frequency]


def slow_length(words: Sequence[int], idf: Sequence[float]) -> float:
    return math.sqrt(sum((tf * idf[word]) ** 2 for word, tf in Counter(words).items()))


def slow_tfidf(images: Sequence[Image], live: np.ndarray, query: Sequence[int]) -> list[float]:
    idf, tf_query = slow_idf(images, live), Counter(query)
    scores = []
    for image, lives in zip(images, live, strict=True):
        tf = Counter(image.word)
        product = sum(tf_query[word] * idf[word] * tf[word] * idf[word] for word in tf_query)
        length = slow_length(image.word, idf) * slow_length(query, idf)
        scores.append(product / length if lives and length else 0.0)
    return scores


def hamming_distance(a: int, b: int) -> int:
    return bin(a ^ b).count("1")


def near_features(
    words: Sequence[int], signatures: Sequence[int], image: Image, limit: int
) -> list[tuple[int, int, int]]:
    """(word, feature, distance) of the image's features that share a word with a query feature and are near."""
    return [
        (word, feature, hamming_distance(signature, found_signature))
        for word, signature in zip(words, signatures, strict=True)
        for feature, (found, found_signature) in enumerate(zip(image.word, image.signature, strict=True))
        if found == word and hamming_distance(signature, found_signature) <= limit
    ]


def slow_votes(
    images: Sequence[Image], live: np.ndarray, query: QueryWords, max_hamming: int
) -> dict[tuple[int, int, int], float]:
    """(query feature, image, feature) -> weight."""
    idf, votes = slow_idf(images, live), {}
    for row, (words, signatures) in enumerate(zip(query.word.tolist(), query.signature.tolist(), strict=True)):
        for number in np.flatnonzero(live).tolist():
            near = near_features(words, signatures, images[number], max_hamming)
            for word, feature, distance in near:
                step = round(math.exp(-((distance / SIGMA) ** 2)) / HAMMING_STEP) * HAMMING_STEP
                votes[row, number, feature] = step * idf[word] ** 2 / math.sqrt(len(near))
    return votes


def slow_scores(images: Sequence[Image], live: np.ndarray, votes: dict[tuple[int, int, int], float]) -> list[float]:
    idf, total = slow_idf(images, live), defaultdict[int, float](float)
    for (_, image, _), weight in votes.items():
        total[image] += weight
    return [total[i] / (slow_length(image.word, idf) or 1.0) for i, image in enumerate(images)]


# -- TF-IDF -----------------------------------------------------------------------------------------------------------

cut_places = st.lists(st.integers(0, N_IMAGES), max_size=4)
seeds = st.integers(0, 2**32 - 1)


@given(seeds, cut_places)
def test_tfidf_agrees_with_a_slow_oracle(seed: int, cuts: list[int]) -> None:
    images, live, query = random_images(seed), some_live(seed), random_query(seed).word[:, 0]
    collection = collect(images, live, cuts)
    scores = tfidf_scores(collection.postings, collection.weights, query)
    assert np.allclose(scores, slow_tfidf(images, live, query.tolist()), rtol=0, atol=1e-6)


def histogram(words: Any) -> F64:
    return np.bincount(words, minlength=N_WORDS).astype(np.float64)


@pytest.mark.parametrize("seed", range(10))
def test_tfidf_agrees_with_scikit_learn(seed: int) -> None:
    images, query = random_images(seed), random_query(seed).word[:, 0]
    live = np.ones(N_IMAGES, bool)
    collection = collect(images, live, [3])
    dense = np.stack([histogram(image.word) for image in images])
    transformer = TfidfTransformer(norm="l2").fit(dense)
    transformer.idf_ = np.array(slow_idf(images, live))
    rows, row = transformer.transform(dense).toarray(), transformer.transform(histogram(query)[None]).toarray()
    scores = tfidf_scores(collection.postings, collection.weights, query)
    assert np.allclose(scores, (rows @ row.T)[:, 0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("image", [-1, 2, -(1 << 31), (1 << 31) - 1])
def test_tfidf_of_an_image_that_does_not_exist_is_an_error(image: int) -> None:
    columns = np.array([0, 2], np.int32), np.array([0, image], np.int32), np.zeros(2, np.uint16), np.zeros(2, np.uint64)
    weights = Weights(np.ones(1), np.ones(2), np.ones(2, np.bool_))
    with pytest.raises(ValueError, match="images that do not exist"):
        tfidf_scores([Postings(*columns, 0, 2)], weights, np.array([0], np.int32))


def test_tfidf_of_an_image_with_itself_is_one() -> None:
    images = random_images(3)
    collection = collect(images, np.ones(N_IMAGES, bool), [2, 5])
    for i, image in enumerate(images):
        if image.word:
            scores = tfidf_scores(collection.postings, collection.weights, np.array(image.word, np.int32))
            assert scores[i] == pytest.approx(1, abs=1e-9)
            assert scores.argmax() == i


def test_idf_is_positive_with_one_image() -> None:
    images = [Image([1, 1, 2], [0, 0, 0])]
    collection = collect(images, np.array([True]))
    assert collection.weights.idf.tolist() == pytest.approx([0, math.log(2), math.log(2), *[0] * (N_WORDS - 3)])
    assert tfidf_scores(collection.postings, collection.weights, np.array([2], np.int32))[0] > 0
    query = QueryWords(np.array([[2]], np.int32), np.array([[0]], np.uint64))
    assert vote(collection.postings, collection.weights, query, VoteOptions()).score[0] > 0


def test_idf_falls_as_a_word_becomes_common() -> None:
    idf = inverse_document_frequency(np.arange(101), 100)
    assert idf[0] == 0
    assert (np.diff(idf[1:]) < 0).all()
    assert idf[1:].tolist() == pytest.approx([math.log(1 + 100 / df) for df in range(1, 101)])


def test_an_empty_collection_answers_nothing() -> None:
    collection = collect([], np.empty(0, bool))
    query = random_query(0)
    for parts in (collection, Collection([], derive_weights([], np.empty(0, bool), N_WORDS))):
        assert tfidf_scores(parts.postings, parts.weights, query.word[:, 0]).shape == (0,)
        assert vote(parts.postings, parts.weights, query, VoteOptions()).score.shape == (0,)


# -- Votes ------------------------------------------------------------------------------------------------------------


def as_table(votes: Votes) -> dict[tuple[int, int, int], float]:
    *columns, weight = (column.tolist() for column in votes_table(votes))
    table = dict(zip(zip(*columns, strict=True), weight, strict=True))
    assert len(table) == len(weight) == len(votes)
    return table


@given(seeds, cut_places, st.sampled_from([0, 8, 14, 24, 64]))
def test_votes_agree_with_a_slow_oracle(seed: int, cuts: list[int], max_hamming: int) -> None:
    images, live, query = random_images(seed), some_live(seed), random_query(seed)
    collection = collect(images, live, cuts)
    votes = vote(collection.postings, collection.weights, query, VoteOptions(max_hamming=max_hamming))
    expected = slow_votes(images, live, query, max_hamming)
    assert as_table(votes) == pytest.approx(expected, rel=1e-5)
    assert votes.score.tolist() == pytest.approx(slow_scores(images, live, expected), rel=1e-5)


def test_the_weight_of_a_distance_is_the_formula_to_half_a_step() -> None:
    images = [Image([1] * 65, [0] * 65)]
    weights = Weights(np.ones(N_WORDS), np.ones(1), np.ones(1, bool))
    for h in range(65):
        query = QueryWords(np.array([[1]], np.int32), np.array([[(1 << h) - 1]], np.uint64))
        one = [Image(images[0].word[:1], images[0].signature[:1])]
        votes = vote([postings_of(one, 0)], weights, query, VoteOptions(max_hamming=64))
        assert votes.score[0] == pytest.approx(math.exp(-((h / SIGMA) ** 2)), abs=HAMMING_STEP / 2)


@pytest.mark.parametrize("seed", range(5))
def test_a_picture_of_different_words_is_as_like_itself_as_its_index_entry(seed: int) -> None:
    """Nothing bursts and every signature is its own, so votes give exactly what self_similarity foretells."""
    rng = np.random.default_rng(seed)
    word = rng.permutation(np.arange(1, N_WORDS))[:6]
    images = [*random_images(seed, 4), Image(word.tolist(), few_bits(rng, 6))]
    collection = collect(images, np.ones(5, bool), [2])
    query = QueryWords(word[:, None].astype(np.int32), np.array(images[-1].signature, np.uint64)[:, None])
    votes = vote(collection.postings, collection.weights, query, VoteOptions(max_hamming=0))
    own, word_weight = self_similarity(collection.weights, query.word[:, 0])
    assert votes.score[-1] == pytest.approx(own)
    idf = slow_idf(images, np.ones(5, bool))
    assert word_weight == pytest.approx(sum(idf[w] ** 2 for w in word) / 6, rel=1e-5)


def test_self_similarity_by_hand() -> None:
    """Words 1, 1, 2 with idf 2 and 3: 2 * 4 + 9 votes over a length of sqrt((2 * 2)**2 + 3**2)."""
    weights = Weights(np.array([0.0, 2, 3]), np.ones(1), np.ones(1, bool))
    assert self_similarity(weights, np.array([1, 2, 1], np.int32)) == pytest.approx((17 / 5, 17 / 3))


def test_a_picture_without_known_words_has_a_similarity_to_divide_by() -> None:
    weights = Weights(np.zeros(3), np.ones(1), np.ones(1, bool))
    for word in ([], [1, 2]):
        assert self_similarity(weights, np.array(word, np.int32)) == (1, 1)


def test_a_query_feature_votes_by_the_square_root_of_its_matches() -> None:
    images = [Image([1] * n, [0] * n) for n in (1, 4, 9)]
    weights = Weights(np.ones(N_WORDS), np.ones(3), np.ones(3, bool))
    query = QueryWords(np.array([[1]], np.int32), np.array([[0]], np.uint64))
    votes = vote([postings_of(images, 0)], weights, query, VoteOptions())
    assert votes.score.tolist() == [1, 2, 3]
    assert votes_table(votes)[3].tolist() == pytest.approx([1, *[1 / 2] * 4, *[1 / 3] * 9])


def test_deleted_images_have_neither_votes_nor_scores() -> None:
    images, live, query = random_images(5), some_live(5), random_query(5)
    collection = collect(images, live)
    votes = vote(collection.postings, collection.weights, query, VoteOptions())
    assert not live.all()
    assert live[votes_table(votes)[1]].all()
    assert not votes.score[~live].any()
    assert not tfidf_scores(collection.postings, collection.weights, query.word[:, 0])[~live].any()


def test_deleted_images_do_not_show_in_the_scores_of_others() -> None:
    images, live, query = random_images(6), some_live(6), random_query(6)
    retained = [image for image, lives in zip(images, live, strict=True) if lives]
    with_deleted, without = collect(images, live, [4]), collect(retained, np.ones(len(retained), bool))
    scorers: list[Callable[[Any], F64]] = [
        lambda c: vote(c.postings, c.weights, query, VoteOptions()).score,
        lambda c: tfidf_scores(c.postings, c.weights, query.word[:, 0]),
    ]
    for score in scorers:
        assert score(with_deleted)[live].tolist() == score(without).tolist()


# -- What must not show -----------------------------------------------------------------------------------------------


def answers(
    images: Sequence[Image], live: np.ndarray, cuts: Sequence[int], query: QueryWords
) -> list[tuple[object, ...]]:
    """For each image, all that is said of it, to the last bit."""
    collection = collect(images, live, cuts)
    votes = vote(collection.postings, collection.weights, query, VoteOptions())
    tfidf = tfidf_scores(collection.postings, collection.weights, query.word[:, 0])
    matches = votes.for_images(np.arange(len(images)))
    columns = [(m.query.tolist(), m.database.tolist(), m.weight.tolist()) for m in matches]
    return list(zip(votes.score.tolist(), tfidf.tolist(), columns, strict=True))


@settings(max_examples=60)
@given(seeds, st.permutations(range(N_IMAGES)), cut_places)
def test_neither_order_nor_segments_show_in_any_bit(seed: int, order: list[int], cuts: list[int]) -> None:
    images, live, query = random_images(seed), some_live(seed), random_query(seed, n=20)
    whole = answers(images, live, [], query)
    mixed = answers([images[i] for i in order], live[order], cuts, query)
    assert mixed == [whole[i] for i in order]


@settings(max_examples=60)
@given(seeds)
def test_the_order_of_an_image_s_features_shows_in_no_score(seed: int) -> None:
    images, query = random_images(seed), random_query(seed, n=20)
    turned = [Image(image.word[::-1], image.signature[::-1]) for image in images]
    live = np.ones(N_IMAGES, bool)
    forth, back = (answers(version, live, [3], query) for version in (images, turned))
    assert [row[:2] for row in forth] == [row[:2] for row in back]


# -- The best, and their votes ----------------------------------------------------------------------------------------


def slow_top(score: Sequence[float], n: int) -> list[int]:
    best = sorted((i for i, s in enumerate(score) if s > 0), key=lambda i: (-score[i], i))
    return [i for i in best if n and score[i] >= score[best[min(n, len(best)) - 1]]]


@given(st.lists(st.integers(-1, 4), max_size=15), st.integers(0, 20))
def test_top_images_are_the_best_with_all_their_ties(score: list[int], n: int) -> None:
    """In any order among equals: whoever shows them sorts those by name."""
    found, expected = top_images(np.array(score, np.float64), n).tolist(), slow_top(score, n)
    assert [score[i] for i in found] == [score[i] for i in expected]
    assert sorted(found) == sorted(expected)


def voted(seed: int = 0) -> tuple[Collection, Votes]:
    collection = collect(random_images(seed), np.ones(N_IMAGES, bool), [3])
    return collection, vote(collection.postings, collection.weights, random_query(seed, n=30), VoteOptions())


def test_votes_for_images_come_strongest_first() -> None:
    _, votes = voted()
    table = as_table(votes)
    queried: I64 = np.array([6, 1, 3])
    for image, match in zip(queried.tolist(), votes.for_images(queried), strict=True):
        expected = sorted((-weight, q, f) for (q, i, f), weight in table.items() if i == image)
        found = zip((-match.weight).tolist(), match.query.tolist(), match.database.tolist(), strict=True)
        assert list(found) == expected
        assert len(match) == len(expected)


def test_the_strongest_votes_are_the_first_of_all() -> None:
    votes, queried = voted()[1], np.array([6, 1, 3])
    for every, few in zip(votes.for_images(queried), votes.for_images(queried, 2), strict=True):
        assert len(few) == min(2, len(every))
        assert few.query.tolist() == every.query[:2].tolist()
        assert few.database.tolist() == every.database[:2].tolist()


def test_an_image_without_votes_has_no_matches() -> None:
    collection = collect([Image([1], [0]), Image([2], [0]), Image([], [])], np.ones(3, bool))
    query = QueryWords(np.array([[2]], np.int32), np.array([[0]], np.uint64))
    votes = vote(collection.postings, collection.weights, query, VoteOptions())
    assert [len(match) for match in votes.for_images(np.array([2, 1, 0]))] == [0, 1, 0]
    assert votes.for_images(np.empty(0, np.int64)) == []


@pytest.mark.parametrize("seed", range(5))
def test_the_votes_of_an_image_sum_to_its_score(seed: int) -> None:
    collection, votes = voted(seed)
    sums = [match.weight.sum() for match in votes.for_images(np.arange(N_IMAGES))]
    assert sums == pytest.approx((votes.score * collection.weights.norm).tolist())


@pytest.mark.parametrize("seed", range(5))
def test_threads_and_shares_show_in_no_bit(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    images, live, query = random_images(seed, 30), some_live(seed, 30), random_query(seed, n=40)
    before = answers(images, live, [11, 20], query)
    monkeypatch.setattr("bof.retrieval.votes.WORTH_A_THREAD", 1)
    monkeypatch.setattr("bof.store.inverted_file.WORTH_A_THREAD", 1)
    try:
        for n in (1, 2):
            set_threads(n)
            assert answers(images, live, [11, 20], query) == before
    finally:
        set_threads(os.cpu_count() or 1)


def test_the_inverted_index_counts_words() -> None:
    images = random_images(4)
    words = np.array([3, 0, 3, 8])
    dense = np.stack([histogram(image.word) for image in images], axis=1)
    assert postings_of(images, 0).inverted_index(words).toarray().tolist() == dense[words].tolist()
    assert postings_of(images, 0).inverted_index(words[:0]).shape == (0, N_IMAGES)


@pytest.mark.parametrize("stranger", [-1, N_IMAGES, 2**31 - 1])
def test_weights_of_a_damaged_segment_are_refused(stranger: int) -> None:
    postings = postings_of(random_images(4), 0)
    postings.image[-1] = stranger
    with pytest.raises(ValueError, match="images that do not exist"):
        derive_weights([postings], np.ones(N_IMAGES, bool), N_WORDS)
