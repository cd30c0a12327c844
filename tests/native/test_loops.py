"""bof.native: the compiled loops against numpy and against slow loops that say the same in other words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bof import native
from bof.native import VotePiece, joins
from bof.types import F32, F64, I32, I64, U8, U16, U64, Bool
from bof.vocabulary.assignment import Assigner, make_cells, nearest
from tests.support.scenes import BEST_VARIANT

N_WORDS = 12
N_IMAGES = 9

seeds = st.integers(0, 2**32 - 1)


# -- Nearest words ----------------------------------------------------------------------------------------------------


def bytes_like(kind: str, n: int, seed: int) -> U8:
    """Descriptors u8 (n, 128): any bytes; ones of which many tie; the ends of the range, where sums are largest."""
    rng = np.random.default_rng(seed)
    choices = {"any": np.arange(256), "ties": np.arange(2), "ends": np.array([0, 255])}
    return rng.choice(choices[kind], (n, 128)).astype(np.uint8)


def squared_distances(descriptors: U8, words: U8) -> I64:
    a, b = descriptors.astype(np.int64), words.astype(np.int64)
    return (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * a @ b.T


def slow_nearest(descriptors: U8, words: U8, cells: U8, cell: I32, n_probed: int, k: int) -> list[list[int]]:
    """By sorting all distances, of words in the nearest cells first; equal ones by number."""
    to_cells, to_words = squared_distances(descriptors, cells), squared_distances(descriptors, words)
    found = []
    for of_cells, of_words in zip(to_cells, to_words, strict=True):
        probed = np.argsort(of_cells, kind="stable")[:n_probed]
        among = np.flatnonzero(np.isin(cell, probed))
        among = among if len(among) >= k else np.arange(len(words))
        found.append(among[np.argsort(of_words[among], kind="stable")][:k].tolist())
    return found


def looked_for(assigner: Assigner, descriptors: U8, k: int) -> I32:
    word = np.full((len(descriptors), k), -7, np.int32)
    native.nearest_words(descriptors, assigner.cells, assigner.n_probed, assigner.cell_start, assigner.words, word)
    return word


@pytest.mark.usefixtures("variant")
@pytest.mark.parametrize("kind", ["any", "ties", "ends"])
@pytest.mark.parametrize(("n_words", "k"), [(1, 1), (15, 15), (16, 3), (17, 5), (200, 1), (200, 20), (200, 200)])
def test_every_word_compared_gives_the_nearest(n_words: int, k: int, kind: str) -> None:
    words, descriptors = bytes_like(kind, n_words, 0), bytes_like(kind, 40, 1)
    expected = np.argsort(squared_distances(descriptors, words), axis=1, kind="stable")[:, :k]
    assert looked_for(Assigner.exhaustive(words), descriptors, k).tolist() == expected.tolist()


@pytest.mark.usefixtures("variant")
@pytest.mark.parametrize("kind", ["any", "ties"])
@pytest.mark.parametrize(("n_probed", "k"), [(1, 1), (1, 30), (3, 2), (3, 200), (20, 7), (20, 400)])
def test_the_nearest_words_lie_in_the_nearest_cells_unless_these_hold_too_few(n_probed: int, k: int, kind: str) -> None:
    """Cells of very different sizes, some of them empty."""
    words, cells, descriptors = (bytes_like(kind, n, i) for i, n in enumerate((400, 20, 60)))
    cell = np.minimum(np.random.default_rng(3).geometric(0.2, 400), 17).astype(np.int32)
    found = looked_for(Assigner._sorted(words, cells, cell, n_probed), descriptors, k)
    assert found.tolist() == slow_nearest(descriptors, words, cells, cell, n_probed, k)


def test_an_assigner_looks_where_it_says_it_does() -> None:
    words, descriptors = bytes_like("any", 1500, 0), bytes_like("any", 50, 1)
    assigner, cells = Assigner.over(words), make_cells(words)
    expected = slow_nearest(descriptors, words, cells, nearest(cells, words), assigner.n_probed, 4)
    assert assigner.search(descriptors, 4).tolist() == expected


def test_no_descriptors_have_no_words() -> None:
    assert looked_for(Assigner.exhaustive(bytes_like("any", 9, 0)), bytes_like("any", 0, 1), 3).shape == (0, 3)


# -- Signatures -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("variant")
@pytest.mark.parametrize(("n", "k"), [(0, 1), (1, 1), (30, 4)])
def test_signatures_are_those_of_numpy(n: int, k: int) -> None:
    """Half of the thresholds are met exactly, which leaves the bit unset."""
    rng = np.random.default_rng(n)
    descriptors, word = bytes_like("any", n, n), rng.integers(0, N_WORDS, (n, k)).astype(np.int32)
    projection = (rng.integers(-4096, 4097, (128, 64)) / 4096).astype(np.float32)
    projected = descriptors.astype(np.float64) @ projection
    thresholds = rng.normal(0, 300, (N_WORDS, 64)).astype(np.float32)
    for row in range(min(n, N_WORDS)):
        thresholds[row, ::2] = projected[row, ::2]
        word[row, 0] = row
    signature = np.full((n, k), 9, np.uint64)
    native.sign(descriptors, projection, word, thresholds, signature)
    bits = projected[:, None, :] > thresholds[word]
    expected = [[sum(1 << b for b in range(64) if some[b]) for some in of_words] for of_words in bits.tolist()]
    assert signature.tolist() == expected


# -- Votes ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A random segment and a random query; weights are whole multiples of a power of two, as in bof.retrieval.votes."""

    indptr: I32
    image: I32
    feature: U16
    signature: U64
    live: Bool
    word: I32
    query_signature: U64
    weight_of_distance: F64
    weight_of_word: F64

    def near(self, max_hamming: int, queried: range | None = None) -> tuple[F64, list[VotePiece]]:
        queried = range(len(self.word)) if queried is None else queried
        postings = (self.indptr, self.image, self.feature, self.signature)
        weights = (max_hamming, self.weight_of_distance, self.weight_of_word)
        return native.near_postings(postings, self.live, self.word, self.query_signature, queried, *weights)

    def weigh(self) -> tuple[I32, F64, F64]:
        return self.word, self.weight_of_distance, self.weight_of_word


def few_bits(rng: np.random.Generator, shape: tuple[int, ...]) -> U64:
    """Signatures of few set bits, some near each other and some far, the highest bit among them."""
    bits = rng.random((*shape, 64)) < rng.uniform(0, 0.4, (*shape, 1))
    return (bits * (np.uint64(1) << np.arange(64, dtype=np.uint64))).sum(axis=-1, dtype=np.uint64)


def make_case(seed: int, n_postings: int = 90, n_query: int = 15, k: int = 3) -> Case:
    rng = np.random.default_rng(seed)
    word = np.sort(rng.integers(0, N_WORDS, n_postings))
    live = rng.random(N_IMAGES) < 0.8
    return Case(
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


Vote = tuple[int, int, int, int, int]
"""Query feature, its word's place, image, database feature, distance."""


def numpy_votes(a: Case, max_hamming: int) -> tuple[F64, list[Vote]]:
    """Scores f64 (n_images,) and the votes in the query's order, by sorting and reducing whole columns."""
    k = a.word.shape[1]
    start, length = a.indptr[a.word.ravel()], np.diff(a.indptr)[a.word.ravel()]
    slot = np.repeat(np.arange(a.word.size), length)
    posting = np.concatenate([np.arange(s, s + n) for s, n in zip(start, length, strict=True)] or [[]]).astype(np.int64)
    distance = np.bitwise_count(a.signature[posting] ^ a.query_signature.ravel()[slot])
    retained = (distance <= max_hamming) & a.live[a.image[posting]]
    slot, posting, distance = slot[retained], posting[retained], distance[retained]
    weight = a.weight_of_distance[distance] * a.weight_of_word[a.word.ravel()[slot]]
    pair = slot // k * N_IMAGES + a.image[posting]
    found, place, n = np.unique(pair, return_inverse=True, return_counts=True)
    damped = np.bincount(place, weight, minlength=len(found)) * (1 / np.sqrt(n))
    score = np.bincount(found % N_IMAGES, np.rint(damped * 2**32) / 2**32, minlength=N_IMAGES)
    columns = (slot // k, slot % k, a.image[posting], a.feature[posting], distance)
    return score, list(zip(*(column.tolist() for column in columns), strict=True))


def listed(parts: list[VotePiece], k: int) -> list[Vote]:
    """The votes of all parts, which must follow each other."""
    votes: list[Vote] = []
    for hits in parts:
        assert len(hits.ends) == len(hits.queried) * k
        assert len(hits) == (hits.ends[-1] if len(hits.ends) else 0)
        slot = hits.queried.start * k + np.repeat(np.arange(len(hits.ends)), np.diff(hits.ends, prepend=0))
        columns = (slot // k, slot % k, hits.image, hits.feature, hits.distance)
        votes.extend(zip(*(column.tolist() for column in columns), strict=True))
    assert all(a.queried.stop == b.queried.start for a, b in pairwise(parts))
    return votes


@pytest.mark.usefixtures("variant")
@pytest.mark.parametrize("max_hamming", [0, 6, 24, 64])
def test_votes_are_those_of_numpy_to_the_last_bit(max_hamming: int) -> None:
    for seed in range(30):
        a = make_case(seed)
        score, parts = a.near(max_hamming)
        expected, votes = numpy_votes(a, max_hamming)
        assert score.tolist() == expected.tolist()
        assert listed(parts, 3) == votes


@pytest.mark.usefixtures("variant")
@pytest.mark.parametrize("n_postings", [255, 256, 257, 3000])
def test_long_lists_of_postings_are_read_to_their_end(n_postings: int) -> None:
    """One word has them all: they are compared in blocks of 256."""
    a = make_case(7, n_postings)
    a.indptr[1:] = n_postings
    a.word[:, 0] = 0
    a.word[:, 1:] = [1, 2]
    score, parts = a.near(24)
    expected, votes = numpy_votes(a, 24)
    assert score.tolist() == expected.tolist()
    assert listed(parts, 3) == votes


@pytest.mark.parametrize(("n_postings", "n_query"), [(0, 5), (40, 0)])
def test_nothing_votes_for_nothing(n_postings: int, n_query: int) -> None:
    score, parts = make_case(0, n_postings, n_query).near(64)
    assert score.tolist() == [0] * N_IMAGES
    assert sum(map(len, parts)) == 0


@pytest.mark.parametrize("n_query", [1, 25])
def test_votes_without_room_are_found_in_several_parts(n_query: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One query feature alone has more votes than the first room, and than the doubled one."""
    a = make_case(3, 9000, n_query)
    score, (whole,) = a.near(64)
    monkeypatch.setattr(native, "_FIRST_ROOM", 256)
    score_in_parts, parts = a.near(64)
    assert len(whole) > 4 * 256
    assert len(parts) > 1
    assert score_in_parts.tolist() == score.tolist() == numpy_votes(a, 64)[0].tolist()
    assert listed(parts, 3) == listed([whole], 3) == numpy_votes(a, 64)[1]


@settings(max_examples=40)
@given(seeds, st.lists(st.integers(0, 15), max_size=4))
def test_shares_of_a_query_add_up_to_the_query(seed: int, cuts: list[int]) -> None:
    a = make_case(seed)
    whole, parts = a.near(24)
    shares = [a.near(24, range(*edges)) for edges in pairwise(sorted([0, 15, *cuts]))]
    assert sum(score for score, _ in shares).tolist() == whole.tolist()
    assert [vote for _, found in shares for vote in listed(found, 3)] == listed(parts, 3)


@pytest.mark.usefixtures("variant")
@pytest.mark.parametrize("stranger", [-1, N_IMAGES, 2**31 - 1])
def test_a_posting_of_an_image_that_is_not_there_is_refused(stranger: int) -> None:
    a = make_case(1)
    a.image[:] = stranger
    with pytest.raises(ValueError, match="images that do not exist"):
        a.near(64)


# -- The strongest ----------------------------------------------------------------------------------------------------


def slow_strongest(
    a: Case, parts: list[VotePiece], chosen: list[int], limit: int
) -> list[list[tuple[float, int, int]]]:
    """(-weight, query feature, database feature) of the strongest votes for each chosen image."""
    votes = listed(parts, a.word.shape[1])
    bursts = Counter((query, image) for query, _, image, _, _ in votes)
    damped = [
        (image, (-a.weight_of_distance[h] * a.weight_of_word[a.word[query, j]] * (1 / math.sqrt(n)), query, feature))
        for query, j, image, feature, h in votes
        for n in [bursts[query, image]]
    ]
    return [sorted(vote for image, vote in damped if image == number)[:limit] for number in chosen]


def strongest(
    a: Case, parts: list[VotePiece], chosen: list[int], limit: int, places: Callable[[int], list[range]]
) -> list[list[tuple[float, int, int]]]:
    """The three loops one after the other."""
    n = len(chosen)
    place = np.full(N_IMAGES, -1, np.int32)
    place[chosen] = np.arange(n)
    counts = [native.count_votes(place, hits, n) for hits in parts]
    starts: I64 = np.concatenate([[0], np.cumsum(sum(counts, np.zeros(n, np.int64)))])
    votes, begin = native.room_for_votes(int(starts[-1])), starts[:-1].copy()
    for hits, count in zip(parts, counts, strict=True):
        untouched = begin.copy()
        native.collect_votes(place, hits, *a.weigh(), begin, votes)
        assert begin.tolist() == untouched.tolist()
        begin += count
    assert begin.tolist() == starts[1:].tolist()
    indptr: I64 = np.concatenate([[0], np.cumsum(np.minimum(np.diff(starts), limit))])
    retained = np.empty(indptr[-1], np.int32), np.empty(indptr[-1], np.uint16), np.empty(indptr[-1])
    for some in places(n):
        native.sort_votes(starts, indptr, some, limit, votes, retained)
    rows = [range(*edges) for edges in pairwise(indptr.tolist())]
    return [
        [(-retained[2][row], int(retained[0][row]), int(retained[1][row])) for row in of_place] for of_place in rows
    ]


@settings(max_examples=60)
@given(seeds, st.integers(0, 12), st.permutations(range(N_IMAGES)), st.integers(0, N_IMAGES), st.integers(0, 15))
def test_the_strongest_are_those_of_sorting(seed: int, limit: int, order: list[int], n_places: int, cut: int) -> None:
    """Weights of which many are equal; votes in two parts; the places sorted in two shares."""
    a, chosen = make_case(seed), order[:n_places]
    a.weight_of_distance[:] = np.maximum(1.0, np.floor(a.weight_of_distance * 3))
    a.weight_of_word[:] = np.floor(a.weight_of_word / 25) + 1
    parts = [hits for some in (range(cut), range(cut, 15)) for hits in a.near(64, some)[1]]

    def halves(n: int) -> list[range]:
        return [range(n // 2, n), range(n // 2)]

    expected = slow_strongest(a, parts, chosen, limit)
    assert strongest(a, parts, chosen, limit, halves) == expected


# -- Joins ------------------------------------------------------------------------------------------------------------


def joined_case(seed: int) -> tuple[Case, joins.FeatureRows]:
    """A segment whose words' postings are sorted by image, and the features of three pictures by word."""
    a = make_case(seed, 900)
    for start, stop in pairwise(a.indptr.tolist()):
        a.image[start:stop].sort()
    rng, n = np.random.default_rng(seed + 1), 40
    word = np.sort(rng.integers(0, N_WORDS, n)).astype(np.int32)
    owner, number = rng.integers(0, 3, n).astype(np.int32), rng.permutation(n).astype(np.int32)
    return a, joins.FeatureRows(word, few_bits(rng, (n,)), owner, number)


def slow_join(a: Case, rows: joins.FeatureRows, max_hamming: int) -> list[list[tuple[int, int, float]]]:
    """Of each row its votes: image, database feature and weight."""
    found = []
    for word, signature in zip(rows.word.tolist(), rows.signature.tolist(), strict=True):
        postings = range(a.indptr[word], a.indptr[word + 1])
        distance = {p: (int(a.signature[p]) ^ signature).bit_count() for p in postings}
        found.append([
            (int(a.image[p]), int(a.feature[p]), float(a.weight_of_distance[distance[p]] * a.weight_of_word[word]))
            for p in postings if distance[p] <= max_hamming
        ])  # fmt: skip
    return found


@pytest.mark.usefixtures("variant")
@pytest.mark.parametrize("max_hamming", [0, 16, 64])
def test_a_join_scores_and_collects_what_slow_loops_do(max_hamming: int) -> None:
    for seed in range(10):
        a, rows = joined_case(seed)
        postings = (a.indptr, a.image, a.feature, a.signature)
        weights = a.weight_of_distance, a.weight_of_word
        votes, expected = slow_join(a, rows, max_hamming), np.zeros((3, N_IMAGES))
        for owner, of_row in zip(rows.owner.tolist(), votes, strict=True):
            for image in range(N_IMAGES):
                some = [weight for voted, _, weight in of_row if voted == image]
                if some:
                    expected[owner, image] += np.rint(sum(some) / math.sqrt(len(some)) * 2**32) / 2**32
        score = np.zeros((3, N_IMAGES))
        joins.join_scores(postings, rows, max_hamming, *weights, score)
        assert score.tolist() == expected.tolist()

        place = np.where(np.random.default_rng(seed).random((3, N_IMAGES)) < 0.6, 0, -1)
        place = (np.cumsum(place == 0).reshape(place.shape) * (place == 0) - 1).astype(np.int32)
        n = int(place.max()) + 1
        pairs: list[list[tuple[float, int]]] = [[] for _ in range(n)]
        for owner, number, of_row in zip(rows.owner.tolist(), rows.number.tolist(), votes, strict=True):
            for image, feature, weight in of_row:
                if place[owner, image] >= 0:
                    pairs[place[owner, image]].append((weight, number << 16 | feature))
        count = np.zeros(n, np.int64)
        joins.join_counts(postings, rows, max_hamming, place, count)
        assert count.tolist() == list(map(len, pairs))
        starts = np.concatenate([[0], np.cumsum(count)])
        collected = native.room_for_votes(int(starts[-1]))
        joins.join_votes(postings, rows, max_hamming, weights, place, starts[:-1], collected)
        assert [tuple(vote) for vote in collected.tolist()] == [vote for of_pair in pairs for vote in of_pair]


@settings(max_examples=40)
@given(seeds, st.integers(1, 4))
def test_the_heaviest_windows_are_those_of_all_that_are_tried(seed: int, width: int) -> None:
    rng, n_turns, n_scales = np.random.default_rng(seed), 6, 5
    indptr = np.concatenate([[0], np.cumsum(rng.integers(0, 12, 7))])
    bins = rng.integers(0, n_turns * n_scales, indptr[-1]).astype(np.int32)
    weight = rng.integers(1, 9, indptr[-1]) / 4
    expected = []
    for start, stop in pairwise(indptr.tolist()):
        windows = [
            sum(w for b, w in zip(bins[start:stop].tolist(), weight[start:stop].tolist(), strict=True)
                if (b // n_scales - turn) % n_turns < width and 0 <= b % n_scales - scale < width)
            for turn in range(n_turns) for scale in range(n_scales - width + 1)
        ]  # fmt: skip
        expected.append(max(windows))
    assert joins.heaviest_windows(indptr, bins, weight, (n_turns, n_scales), width).tolist() == expected


@settings(max_examples=40)
@given(seeds, st.integers(1, 5))
def test_sums_of_cells_are_those_of_slices(seed: int, side: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 23, 2).tolist()
    values = rng.integers(-99, 99, (height, width)).astype(np.float32)
    mask = rng.random((height, width)) < 0.7
    total = np.zeros((height // side, width // side))
    native.sum_cells(values, mask, side, total)
    shown = np.where(mask, values, 0)
    expected = [
        [float(shown[y : y + side, x : x + side].sum()) for x in range(0, width - side + 1, side)]
        for y in range(0, height - side + 1, side)
    ]
    assert total.tolist() == expected


# -- What an index says of a collection -------------------------------------------------------------------------------


def sorted_postings(seed: int, n_images: int = N_IMAGES) -> tuple[I32, I32, U16, list[I32]]:
    """indptr, image and feature of a segment, and the words of each image's features."""
    rng = np.random.default_rng(seed)
    words = [rng.integers(0, N_WORDS, rng.integers(0, 20)).astype(np.int32) for _ in range(n_images)]
    entries = sorted((int(w), i, f) for i, of_image in enumerate(words) for f, w in enumerate(of_image))
    word, image, feature = (np.array(column, np.int64) for column in zip(*entries, strict=True))
    indptr = np.searchsorted(word, np.arange(N_WORDS + 1)).astype(np.int32)
    return indptr, image.astype(np.int32), feature.astype(np.uint16), words


PARTS_OF_WORDS = [range(5), range(5, 5), range(5, N_WORDS)]


@pytest.mark.parametrize("seed", range(10))
def test_frequencies_and_norms_are_those_of_dense_counts(seed: int) -> None:
    indptr, image, _, words = sorted_postings(seed)
    rng = np.random.default_rng(seed)
    live, squared_idf = rng.random(N_IMAGES) < 0.6, rng.integers(0, 1 << 20, N_WORDS) / 2**20
    counts = np.stack([np.bincount(of_image, minlength=N_WORDS) for of_image in words], axis=1)
    frequency = np.arange(N_WORDS)
    for part in PARTS_OF_WORDS:
        native.document_frequency(indptr, image, live, part, frequency)
    assert frequency.tolist() == (np.arange(N_WORDS) + (counts[:, live] > 0).sum(axis=1)).tolist()
    norms = [native.squared_norms(indptr, image, N_IMAGES, squared_idf, part) for part in PARTS_OF_WORDS]
    assert sum(norms).tolist() == (counts.T**2 @ squared_idf).tolist()


@pytest.mark.parametrize("seed", range(10))
def test_the_postings_of_an_image_are_found(seed: int) -> None:
    indptr, image, feature, words = sorted_postings(seed)
    for number, word in enumerate(words):
        rows = native.find_postings(indptr, image, feature, number, word)
        assert image[rows].tolist() == [number] * len(word)
        assert feature[rows].tolist() == list(range(len(word)))
        assert (np.searchsorted(indptr, rows, side="right") - 1).tolist() == word.tolist()


@pytest.mark.parametrize("stranger", [-1, N_IMAGES, 2**31 - 1])
def test_what_a_damaged_index_says_is_refused(stranger: int) -> None:
    indptr, image, feature, words = sorted_postings(1)
    for at in (0, len(image) - 1):
        damaged = image.copy()
        damaged[at] = stranger
        with pytest.raises(ValueError, match="images that do not exist"):
            native.document_frequency(indptr, damaged, np.ones(N_IMAGES, bool), range(N_WORDS), np.zeros(N_WORDS, int))
        with pytest.raises(ValueError, match="images that do not exist"):
            native.squared_norms(indptr, damaged, N_IMAGES, np.ones(N_WORDS), range(N_WORDS))
        with pytest.raises(ValueError, match="has features without postings"):
            native.find_postings(indptr, damaged, feature, int(image[at]), words[image[at]])


def test_a_feature_under_another_word_has_no_posting() -> None:
    indptr, image, feature, words = sorted_postings(2)
    number = max(range(N_IMAGES), key=lambda i: len(words[i]))
    with pytest.raises(ValueError, match=f"image {number} of a segment has features without postings"):
        native.find_postings(indptr, image, feature, number, np.append(words[number], 0).astype(np.int32))
    other = (words[number] + 1) % N_WORDS
    with pytest.raises(ValueError, match="has features without postings"):
        native.find_postings(indptr, image, feature, number, other.astype(np.int32))


@pytest.mark.parametrize("kind", [np.uint16, np.int32])
def test_postings_under_the_words_that_their_features_have_are_sound(kind: type) -> None:
    indptr, image, feature, words = sorted_postings(3)
    signature = np.zeros(len(image), np.uint64)
    feature_indptr: I64 = np.cumsum([0, *map(len, words)])
    word = np.concatenate(words).astype(kind)

    def sound(image: I32 = image, feature: U16 = feature, word: U16 | I32 = word) -> list[bool]:
        return [native.are_sound((indptr, image, feature, signature), feature_indptr, word, w) for w in PARTS_OF_WORDS]

    assert sound() == [True] * 3
    for stranger in (-1, N_IMAGES, 2**31 - 1):
        assert sound(image=np.append(image[:-1], stranger).astype(np.int32)) == [True, True, False]
    assert sound(feature=np.append(len(words[image[0]]), feature[1:]).astype(np.uint16)) == [False, True, True]
    row = feature_indptr[image[-1]] + feature[-1]
    other = word.copy()
    other[row] += 1
    assert sound(word=other) == [True, True, False]


def test_kept_postings_are_copied_under_new_numbers() -> None:
    """Two segments, word by word one after the other, without the images left out."""
    segments = [sorted_postings(seed) for seed in (4, 5)]
    keep = [np.random.default_rng(seed).random(N_IMAGES) < 0.6 for seed in (4, 5)]
    firsts = (0, int(keep[0].sum()))
    numbers = [np.where(k, f + np.cumsum(k) - 1, -1).astype(np.int32) for k, f in zip(keep, firsts, strict=True)]
    signatures = [
        np.arange(len(image)).astype(np.uint64) + np.uint64(1000 * i) for i, (_, image, *_) in enumerate(segments)
    ]
    expected = [
        (word, int(number[image[p]]), int(feature[p]), int(signature[p]))
        for word in range(N_WORDS)
        for (indptr, image, feature, _), number, signature in zip(segments, numbers, signatures, strict=True)
        for p in range(indptr[word], indptr[word + 1])
        if number[image[p]] >= 0
    ]
    columns = [(*segment[:3], signature) for segment, signature in zip(segments, signatures, strict=True)]
    count = np.zeros(N_WORDS, np.int64)
    for postings, number in zip(columns, numbers, strict=True):
        native.count_retained(postings, number, count)
    assert count.tolist() == np.bincount([word for word, *_ in expected], minlength=N_WORDS).tolist()
    ends, found = np.cumsum(count), []
    for words in (range(4), range(4, N_WORDS)):
        start = int(ends[words.start - 1]) if words.start else 0
        target = (ends - count)[words.start : words.stop] - start
        n = int(ends[words.stop - 1]) - start
        merged = np.empty(n, np.int32), np.empty(n, np.uint16), np.empty(n, np.uint64)
        for postings, number in zip(columns, numbers, strict=True):
            native.copy_retained(postings, number, words, target, merged)
        assert target.tolist() == (ends[words.start : words.stop] - start).tolist()
        found += list(zip(*(column.tolist() for column in merged), strict=True))
    assert found == [posting[1:] for posting in expected]


@pytest.mark.parametrize("stranger", [-1, N_IMAGES])
def test_a_damaged_posting_is_not_counted_as_kept(stranger: int) -> None:
    indptr, image, feature, _ = sorted_postings(6)
    image[-1] = stranger
    postings = (indptr, image, feature, np.zeros(len(image), np.uint64))
    with pytest.raises(ValueError, match="images that do not exist"):
        native.count_retained(postings, np.zeros(N_IMAGES, np.int32), np.zeros(N_WORDS, np.int64))


# -- Where features lie -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Placed:
    """Random features of a segment's images, and some of them of some pictures: what `place_features` reads."""

    pictures: I64
    indptr: I64
    position: I64
    feature: U16
    feature_indptr: I64
    xy: U16
    scale_angle: U16

    def place(self) -> F64:
        placed = np.full((4, len(self.feature)), -1.0)
        columns = (self.feature_indptr, self.xy, self.scale_angle, placed)
        native.place_features(self.pictures, self.indptr, self.position, self.feature, *columns)
        return placed


def placed(seed: int) -> Placed:
    rng = np.random.default_rng(seed)
    feature_indptr: I64 = np.cumsum([0, *rng.integers(1, 30, 6)])
    n = int(feature_indptr[-1])
    position: I64 = rng.integers(0, 6, 8)
    feature = [rng.integers(0, feature_indptr[p + 1] - feature_indptr[p], rng.integers(0, 9)) for p in position]
    indptr: I64 = np.cumsum([0, *map(len, feature)])
    xy, scale_angle = rng.integers(0, 65536, (2, n, 2)).astype(np.uint16)
    xy[:2], scale_angle[:2] = [[0], [65535]], [[0], [65535]]
    rows = np.concatenate(feature).astype(np.uint16)
    return Placed(np.array([6, 0, 1, 4]), indptr, position, rows, feature_indptr, xy, scale_angle)


@pytest.mark.parametrize("seed", range(5))
def test_features_lie_where_their_numbers_say(seed: int) -> None:
    p = placed(seed)
    found, untouched = p.place(), np.ones(len(p.feature), bool)
    for picture in p.pictures.tolist():
        rows = slice(*p.indptr[picture : picture + 2].tolist())
        at = p.feature_indptr[p.position[picture]] + p.feature[rows]
        scale, angle = p.scale_angle[at].astype(np.float64).T
        expected = [*(p.xy[at] / 65535).T, 2.0 ** (scale * 16 / 65535 - 16), angle * 360 / 65536]
        np.testing.assert_allclose(found[:, rows], expected, rtol=1e-14, atol=0)
        untouched[rows] = False
    assert (found[:, untouched] == -1).all()


def test_a_feature_that_its_image_lacks_has_no_place() -> None:
    p = placed(0)
    picture = next(i for i in p.pictures.tolist() if p.indptr[i] < p.indptr[i + 1])
    first_feature, stop = p.feature_indptr[p.position[picture] :][:2]
    p.feature[p.indptr[picture]] = stop - first_feature
    with pytest.raises(ValueError, match="features that do not exist"):
        p.place()


Paired = tuple[F64, F64, I32, F32]


def paired(query: F64, row: I32, database: F64, parts: list[range], cell_size: float) -> Paired:
    m = len(row)
    found = np.empty((4, m)), np.empty((3, m)), np.empty((2, m), np.int32), np.empty((8, m), np.float32)
    for matches in parts:
        native.pair_up(query, row, database, matches, cell_size, found)
    return found


def random_placement(rng: np.random.Generator, n: int) -> F64:
    """Also left of and above the picture, as of a cut-out."""
    return np.array([*rng.uniform(-0.5, 1.2, (2, n)), np.exp(rng.uniform(-7, 0, n)), rng.uniform(0, 360, n)])


@pytest.mark.parametrize("seed", range(5))
def test_pairs_are_those_of_numpy(seed: int) -> None:
    rng, cell_size = np.random.default_rng(seed), 0.02
    query, database = random_placement(rng, 30), random_placement(rng, 70)
    row = rng.integers(0, 30, 70).astype(np.int32)
    places, turns, cells, columns = paired(query, row, database, [range(33, 70), range(33)], cell_size)
    xy, uv = query[:2, row], database[:2]
    turn = np.radians(database[3] - query[3, row])
    scale = database[2] / query[2, row]
    assert places.tolist() == [*xy.tolist(), *uv.tolist()]
    np.testing.assert_allclose(turns, [scale, np.cos(turn), np.sin(turn)], rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(columns, [*xy, *uv, scale, np.cos(turn), np.sin(turn), np.log(scale)], 1e-6, 1e-6)
    for points, found in zip((xy, uv), cells, strict=True):
        column, line = np.floor(points / cell_size).astype(np.int32)
        assert found.tolist() == (line << 16 ^ column & 0xFFFF).tolist()


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
    cells: I32


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
    retained: list[int] = []
    for j in range(n):
        if not close[j, retained].any() and not close[retained, j].any():
            retained.append(j)
    return Drawn(*map(np.ascontiguousarray, (d.pairs[:, retained], d.weight[retained], d.cells[:, retained])))


def slow_best(d: Drawn, n_hypotheses: int) -> tuple[int, list[int]]:
    """The seed and those that agree with it, as the docstring says it."""
    n = d.pairs.shape[1]
    agrees = [np.flatnonzero((margins(d.pairs, h) > 0).all(axis=0)).tolist() for h in range(min(n, n_hypotheses))]
    if not agrees:
        return -1, []
    finalists = sorted(range(len(agrees)), key=lambda h: (-sum(d.weight[j] for j in agrees[h]), h))[:FINALISTS]
    followers = {h: slow_one_to_one(d.cells, agrees[h]) for h in finalists}
    if len(followers[finalists[0]]) < MIN_FIT:
        return finalists[0], followers[finalists[0]]
    best = max(finalists, key=lambda h: (len(followers[h]), -finalists.index(h)))
    return best, followers[best]


def slow_one_to_one(cells: I32, rows: list[int]) -> list[int]:
    retained: list[int] = []
    for j in rows:
        if cells[0, j] not in cells[0, retained] and cells[1, j] not in cells[1, retained]:
            retained.append(j)
    return retained


def best_of(pictures: list[Drawn], n_hypotheses: int, shares: list[range] | None = None) -> list[tuple[int, list[int]]]:
    """The compiled loop over all pictures, at once or in shares; rows counted from each picture's first."""
    shares = [range(len(pictures))] if shares is None else shares
    sizes: I64 = np.cumsum([0, *(d.pairs.shape[1] for d in pictures)])
    columns = [np.concatenate([getattr(d, name) for d in pictures], axis=-1) for name in ("pairs", "weight", "cells")]
    found = np.full(len(pictures), -7), np.full(len(pictures), -7), np.full(sizes[-1], -7)
    for some in shares:
        native.best_hypotheses(sizes, some, *columns, LIMITS, n_hypotheses, MIN_FIT, *found)
    (seed, n, agreeing), first = found, sizes[:-1].tolist()
    return [
        (int(seed[i]) - first[i] if seed[i] >= 0 else -1, (agreeing[first[i] :][: n[i]] - first[i]).tolist())
        for i in range(len(pictures))
    ]


@pytest.mark.usefixtures("variant")
@pytest.mark.parametrize("n_hypotheses", [1, 8, 64])
def test_the_best_hypothesis_is_that_of_a_slow_loop(n_hypotheses: int) -> None:
    shares = (0.0, 0.2, 0.5, 0.8)
    pictures = [drawn(seed, 5 + 3 * seed, shares[seed % 4]) for seed in range(40)]
    expected = [slow_best(d, n_hypotheses) for d in pictures]
    assert best_of(pictures, n_hypotheses) == expected
    assert best_of(pictures, n_hypotheses, [range(25, 40), range(25)]) == expected
    assert max(len(agreeing) for _, agreeing in expected) >= 2 * MIN_FIT


def test_a_picture_without_pairs_has_no_hypothesis() -> None:
    nothing, something = drawn(0, 0, 0), drawn(5, 40, 0.8)
    assert best_of([nothing, something, nothing], 64) == [(-1, []), slow_best(something, 64), (-1, [])]


def test_the_earlier_of_two_equal_hypotheses_wins() -> None:
    """Two unmoved pictures' worth of pairs: each agrees with all."""
    grid = np.stack(np.meshgrid(np.linspace(0.1, 0.9, 5), np.linspace(0.1, 0.9, 4))).reshape(2, 20)
    one, nil = np.ones(20), np.zeros(20)
    cells = np.tile(np.arange(20, dtype=np.int32), (2, 1))
    even = Drawn(np.array([*grid, *grid, one, one, nil, nil], np.float32), np.full(20, 7, np.int32), cells)
    assert best_of([even], 64) == [(0, list(range(20)))]


# -- Variants ---------------------------------------------------------------------------------------------------------


def everything(seed: int) -> list[bytes]:
    """What the loops that have variants say, as bytes."""
    rng = np.random.default_rng(seed)
    a, words, descriptors = make_case(seed, 2000), bytes_like("any", 1100, seed), bytes_like("any", 30, seed + 1)
    score, parts = a.near(24)
    signature = np.empty((30, 2), np.uint64)
    word = rng.integers(0, N_WORDS, (30, 2)).astype(np.int32)
    projection = (rng.integers(-4096, 4097, (128, 64)) / 4096).astype(np.float32)
    native.sign(descriptors, projection, word, (descriptors[:N_WORDS] @ projection).astype(np.float32), signature)
    drawings = [drawn(seed + i, 60, 0.5) for i in range(3)]
    columns = [c.tobytes() for hits in parts for c in (hits.image, hits.feature, hits.distance, hits.ends)]
    found = [score, Assigner.over(words).search(descriptors, 3), signature]
    return [*(array.tobytes() for array in found), *columns, repr(best_of(drawings, 64)).encode()]


@pytest.fixture(scope="module")
def plain() -> list[list[bytes]]:
    native.limit_processor(0)
    try:
        return [everything(seed) for seed in range(5)]
    finally:
        native.limit_processor(BEST_VARIANT)


def test_every_processor_finds_the_same_bits(plain: list[list[bytes]], variant: int) -> None:
    assert [everything(seed) for seed in range(5)] == plain


def test_no_variant_is_better_than_the_processor() -> None:
    try:
        assert native.limit_processor(0) == 0
        assert native.limit_processor(1) <= 1
        assert native.limit_processor(1000) == native.limit_processor(BEST_VARIANT) <= BEST_VARIANT
    finally:
        native.limit_processor(BEST_VARIANT)
