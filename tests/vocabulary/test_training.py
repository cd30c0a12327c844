"""training and sampling: the same seed gives the same bytes; shares are fair; no word is wasted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from bof.errors import VocabularyError
from bof.features.sift import extract_features
from bof.images.decode import read_image
from bof.images.listing import Skipped, list_files
from bof.options import FeatureOptions, TrainOptions
from bof.system.workers import LostItem, run_in_workers
from bof.types import U8
from bof.vocabulary import sampling
from bof.vocabulary.sampling import Sample, content_key, draw_sample, sample_rows
from bof.vocabulary.training import _reseed_starved, proportional_shares, train_vocabulary
from bof.vocabulary.vocabulary import Vocabulary
from tests.support.scenes import draw_scene, write_picture

N_CLUSTERS = 60


def clustered(n: int, seed: int, n_clusters: int = N_CLUSTERS) -> U8:
    """Byte descriptors around n_clusters centres, whose sizes differ."""
    rng = np.random.default_rng(seed)
    centres = np.minimum(rng.gamma(0.5, 60, (n_clusters, 128)), 255)
    share = rng.uniform(1, 4, n_clusters)
    chosen = centres[rng.choice(n_clusters, n, p=share / share.sum())]
    return np.clip(np.rint(chosen + rng.normal(0, 12, (n, 128))), 0, 255).astype(np.uint8)


def sample_of(descriptors: U8) -> Sample:
    return Sample(descriptors, np.arange(3, dtype=np.uint64), FeatureOptions(), "test data")


def options_of(words: int, **more: int) -> TrainOptions:
    return TrainOptions(words, workers=1, **more)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return sample_of(clustered(4000, 0))


@pytest.fixture(scope="module", params=[1, 2], ids=["flat", "two-level"])
def trained(sample: Sample, request: pytest.FixtureRequest) -> tuple[int, Vocabulary]:
    return request.param, train_vocabulary(sample, options_of(150, levels=request.param))


# -- Shares -----------------------------------------------------------------------------------------------------------

populations = st.lists(st.one_of(st.integers(0, 5), st.integers(0, 100_000)), min_size=1, max_size=60)


@given(populations.filter(any), st.data())
def test_shares_are_proportional_and_never_above_the_population(population: list[int], data: st.DataObject) -> None:
    n = sum(population)
    total = data.draw(st.integers(0, n))
    shares = proportional_shares(np.array(population, np.int64), total)
    assert shares.sum() == total
    for share, people in zip(shares.tolist(), population, strict=True):
        assert 0 <= share <= people
        assert abs(share * n - people * total) <= n


def test_shares_of_everything_are_the_population() -> None:
    assert proportional_shares(np.array([3, 0, 1, 7]), 11).tolist() == [3, 0, 1, 7]


# -- Training ---------------------------------------------------------------------------------------------------------


def test_workers_do_not_show(sample: Sample, trained: tuple[int, Vocabulary]) -> None:
    levels, vocabulary = trained
    again = train_vocabulary(sample, TrainOptions(words=150, levels=levels, workers=2))
    assert again.fingerprint == vocabulary.fingerprint
    assert dict(again.trained_on) == dict(vocabulary.trained_on)


def test_threads_do_not_show(sample: Sample, trained: tuple[int, Vocabulary]) -> None:
    levels, vocabulary = trained
    with threadpool_limits(1):
        again = train_vocabulary(sample, options_of(150, levels=levels))
    assert again.fingerprint == vocabulary.fingerprint


def test_the_seed_shows(sample: Sample, trained: tuple[int, Vocabulary]) -> None:
    levels, vocabulary = trained
    other = train_vocabulary(sample, options_of(150, seed=1, levels=levels))
    assert other.fingerprint != vocabulary.fingerprint


def test_every_word_is_used(trained: tuple[int, Vocabulary]) -> None:
    levels, vocabulary = trained
    assert vocabulary.n_words == 150
    assert vocabulary.trained_on["words_used"] == 150
    assert vocabulary.trained_on["levels"] == levels


def test_distortion_is_the_mean_squared_distance(sample: Sample, trained: tuple[int, Vocabulary]) -> None:
    vocabulary = trained[1]
    difference = sample.descriptors.astype(int) - vocabulary.centroids[vocabulary.assign(sample.descriptors)[:, 0]]
    expected = np.square(difference).sum(axis=1).mean()
    assert vocabulary.trained_on["distortion"] == pytest.approx(expected, abs=0.1)


def test_two_levels_are_nearly_as_good_as_one(sample: Sample) -> None:
    distortion = [
        train_vocabulary(sample, options_of(100, levels=levels)).trained_on["distortion"] for levels in (1, 2)
    ]
    assert distortion[1] < 1.1 * distortion[0], distortion


def test_as_many_words_as_descriptors_are_the_descriptors() -> None:
    descriptors = clustered(50, 3)
    vocabulary = train_vocabulary(sample_of(descriptors), options_of(50))
    assert vocabulary.trained_on["distortion"] == 0
    assert {row.tobytes() for row in vocabulary.centroids} == {row.tobytes() for row in descriptors}


def test_fewer_descriptors_than_words_says_both_numbers() -> None:
    with pytest.raises(VocabularyError, match=r"test data: 65 words .* found 64 in 3 pictures"):
        train_vocabulary(sample_of(clustered(64, 0)), options_of(65))


@pytest.mark.parametrize("levels", [1, 2])
def test_fewer_distinct_descriptors_than_words_is_a_vocabulary_error(levels: int) -> None:
    repeated = np.repeat(clustered(10, 0), 40, axis=0)
    with pytest.raises(VocabularyError, match=r"200 words .* found 10"):
        train_vocabulary(sample_of(repeated), options_of(200, levels=levels))


def test_starved_words_move_into_the_most_crowded() -> None:
    descriptors = clustered(100, 1)
    word = np.repeat(np.array([0, 3, 4], np.int32), [60, 30, 10])
    centroids = np.full((5, 128), 7, np.uint8)
    moved = _reseed_starved(descriptors, word, centroids, 0)
    assert (centroids == 7).all()
    assert (moved[[0, 3, 4]] == 7).all()
    assert moved[1].tolist() in descriptors[:60].tolist()
    assert moved[2].tolist() in descriptors[60:90].tolist()
    assert np.array_equal(moved, _reseed_starved(descriptors, word, centroids, 0))


def test_more_starved_words_than_others_all_move() -> None:
    descriptors = clustered(100, 1)
    word = np.repeat(np.array([0, 9], np.int32), [60, 40])
    moved = _reseed_starved(descriptors, word, np.full((10, 128), 7, np.uint8), 0)
    assert (moved[[0, 9]] == 7).all()
    assert all(row in descriptors.tolist() for row in moved[1:9].tolist())


def test_a_few_rare_descriptors_among_many_of_one_kind_get_their_words() -> None:
    """A random start finds hardly any of the rare ones: the words that starve must move."""
    one_kind = np.repeat(clustered(1, 5), 3000, axis=0)
    vocabulary = train_vocabulary(sample_of(np.concatenate([one_kind, clustered(300, 6)])), options_of(60))
    assert vocabulary.trained_on["words_used"] >= 48


# -- Sampling ---------------------------------------------------------------------------------------------------------


@given(st.integers(0, 3000), st.integers(0, 500), st.integers(0, 2**32 - 1), st.integers(0, 10**6))
def test_sample_rows_are_deterministic_bounded_and_distinct(n: int, limit: int, seed: int, image: int) -> None:
    rows = sample_rows(n, limit, seed, image)
    assert len(rows) == min(n, limit)
    assert (np.diff(rows) > 0).all()
    assert all(0 <= row < n for row in rows.tolist())
    assert np.array_equal(rows, sample_rows(n, limit, seed, image))


def test_sample_rows_differ_by_image_and_seed() -> None:
    drawn = [sample_rows(1000, 50, seed, image).tobytes() for seed in (0, 1) for image in (0, 1)]
    assert len(set(drawn)) == 4


def drawn_from(folder: Path, workers: int = 1, **options: int) -> tuple[Sample, list[str]]:
    sample, skipped = draw_sample(
        [folder], "a folder", FeatureOptions(), TrainOptions(**options, workers=workers), lambda done, total: None
    )
    return sample, [Path(item.path).name for item in skipped]


def test_a_sample_takes_the_same_share_of_every_picture(tmp_path: Path) -> None:
    paths = [write_picture(tmp_path / f"{seed}.png", draw_scene(seed)) for seed in range(3)]
    sample, skipped = drawn_from(tmp_path, max_descriptors=200)
    assert not skipped
    assert len(sample.descriptors) == 3 * (200 // 3)
    options = FeatureOptions()
    for i, path in enumerate(paths):
        every = extract_features(read_image(path, grey=True), options).descriptors
        expected = every[sample_rows(len(every), 66, 0, i)]
        assert np.array_equal(sample.descriptors[66 * i : 66 * i + 66], expected)


def test_a_sample_knows_its_pictures_and_passes_over_broken_ones(tmp_path: Path) -> None:
    paths = [write_picture(tmp_path / f"{seed}.png", draw_scene(seed)) for seed in range(2)]
    (tmp_path / "broken.png").write_bytes(b"no picture")
    sample, skipped = drawn_from(tmp_path)
    assert skipped == ["broken.png"]
    assert sample.n_images == 2
    assert sample.image_keys.tolist() == sorted(content_key(path.read_bytes()) for path in paths)


def test_more_pictures_than_descriptors_stay_below_the_limit(tmp_path: Path) -> None:
    for seed in range(4):
        write_picture(tmp_path / f"{seed}.png", draw_scene(seed, 160, 120))
    assert len(drawn_from(tmp_path, max_descriptors=2)[0].descriptors) == 2


def test_worker_processes_change_no_sample(photos: Path) -> None:
    alone, shared_out = (drawn_from(photos, workers, max_descriptors=500)[0] for workers in (1, 2))
    assert np.array_equal(alone.descriptors, shared_out.descriptors)
    assert np.array_equal(alone.image_keys, shared_out.image_keys)


def test_a_picture_that_ends_its_process_is_skipped_by_name(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose_the_first(
        function: str, shared: object, items: Sequence[tuple[int, str]], n_workers: int
    ) -> Iterator[Any]:
        yield LostItem("crashed (SIGSEGV)")
        yield from run_in_workers(function, shared, items[1:], n_workers)

    monkeypatch.setattr(sampling, "run_in_workers", lose_the_first)
    sample, skipped = draw_sample([photos], "photos", FeatureOptions(), TrainOptions(workers=1), lambda *_: None)
    paths = list(list_files([photos]))
    assert skipped == [Skipped(paths[0], "crashed (SIGSEGV)")]
    assert sample.n_images == len(paths) - 1
