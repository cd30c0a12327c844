"""assignment: small vocabularies exactly, large ones nearly; cells, threads and batches change no word."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest

from bof.system.threads import set_threads
from bof.types import I64, U8
from bof.vocabulary.assignment import EXACT_UP_TO, Assigner, make_cells, means, nearest


@pytest.fixture(autouse=True)
def threads_afterwards() -> Iterator[None]:
    yield
    set_threads(os.cpu_count() or 1)


def clustered(n: int, seed: int, n_clusters: int = 300) -> U8:
    """Byte descriptors around centres that are sparse and long-tailed, as descriptors are."""
    rng = np.random.default_rng(seed)
    centres = np.minimum(np.random.default_rng(99).gamma(0.5, 60, (n_clusters, 128)), 255)
    moved = centres[rng.integers(0, n_clusters, n)] + rng.normal(0, 20, (n, 128))
    return np.clip(np.rint(moved), 0, 255).astype(np.uint8)


def squared_distances(descriptors: U8, words: U8) -> I64:
    a, b = descriptors.astype(np.int64), words.astype(np.int64)
    found: I64 = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * a @ b.T
    return found


@pytest.mark.parametrize("n_words", [1, 2, 100, EXACT_UP_TO])
def test_small_vocabularies_are_searched_exactly(n_words: int) -> None:
    words, descriptors = clustered(n_words, 0), clustered(200, 1)
    expected = np.argsort(squared_distances(descriptors, words), axis=1, kind="stable")[:, :5]
    assert Assigner.over(words).search(descriptors, min(5, n_words)).tolist() == expected.tolist()


@pytest.mark.parametrize("n_words", [EXACT_UP_TO + 1, 4096])
def test_the_nearest_of_many_words_is_hardly_ever_missed(n_words: int) -> None:
    words, descriptors = clustered(n_words, 0), clustered(1000, 1)
    assigner, distance = Assigner.over(words), squared_distances(descriptors, words)
    assert assigner.n_probed < len(assigner.cell_start) - 1
    word = assigner.search(descriptors, 1)[:, 0]
    recall = (distance[np.arange(1000), word] == distance.min(axis=1)).mean()
    assert recall >= 0.97


def test_every_word_finds_itself() -> None:
    words = np.unique(clustered(3000, 0), axis=0)
    assert Assigner.over(words).search(words, 1)[:, 0].tolist() == list(range(len(words)))


def test_every_word_lies_in_one_cell() -> None:
    assigner = Assigner.over(clustered(2000, 0))
    number = assigner.words[2]
    assert sorted(number[number >= 0].tolist()) == list(range(2000))
    assert assigner.cell_start[0] == 0
    assert (number[assigner.cell_start[-1] * 16 :] == -1).all()


def everything(words: U8) -> list[bytes]:
    assigner = Assigner.over(words)
    arrays = (*assigner.cells, *assigner.words, assigner.cell_start)
    return [make_cells(words).tobytes(), *(array.tobytes() for array in arrays)]


def test_cells_are_the_same_however_often_and_with_however_many_threads_they_are_made() -> None:
    words = clustered(1500, 3)
    set_threads(1)
    alone = everything(words)
    set_threads(2)
    assert everything(words) == everything(words) == alone


@pytest.mark.parametrize("n_words", [300, 2000])
def test_batches_and_threads_change_no_word(n_words: int) -> None:
    assigner, descriptors = Assigner.over(clustered(n_words, 0)), clustered(2500, 1)
    set_threads(1)
    whole = assigner.search(descriptors, 3)
    parts = [assigner.search(descriptors[i : i + 7], 3) for i in range(0, 700, 7)]
    set_threads(2)
    assert np.array_equal(assigner.search(descriptors, 3), whole)
    assert np.array_equal(np.concatenate(parts), whole[:700])
    assert np.array_equal(assigner.search(descriptors[::-1], 3), whole[::-1])


def test_nearest_compares_every_word() -> None:
    words, descriptors = clustered(2000, 0), clustered(300, 1)
    assert nearest(words, descriptors).tolist() == squared_distances(descriptors, words).argmin(axis=1).tolist()


def test_means_are_those_of_each_word_and_a_word_without_any_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bof.vocabulary.assignment._MEAN_CHUNK", 64)
    descriptors, centroids = clustered(300, 0), clustered(5, 1)
    word = np.random.default_rng(0).choice([0, 1, 3, 4], 300).astype(np.int32)
    expected = [np.rint(descriptors[word == w].mean(axis=0)) if w != 2 else centroids[2] for w in range(5)]
    found = means(descriptors, word, centroids)
    assert found.dtype == np.uint8
    assert np.array_equal(found, np.array(expected))


def test_an_even_mean_of_bytes_is_rounded() -> None:
    descriptors = np.array([[1] * 128, [2] * 128, [255] * 128], np.uint8)
    found = means(descriptors, np.array([0, 0, 1], np.int32), np.zeros((2, 128), np.uint8))
    assert set(found[0].tolist()) == {2}
    assert set(found[1].tolist()) == {255}
