"""vocabulary: nearest words against brute force, the same alone and in a batch; damage never goes unnoticed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bof.errors import BofError, MismatchError, OptionError, VocabularyError
from bof.features.sift import extract_features
from bof.images.decode import read_image
from bof.options import FIRST_MOST, OPENCV, PLAIN, FeatureOptions
from bof.system.threads import set_threads
from bof.types import I32, I64, U8
from bof.vocabulary.assignment import EXACT_UP_TO, Assigner
from bof.vocabulary.hamming import make_projection
from bof.vocabulary.vocabulary import Vocabulary, default_vocabulary_path, load_vocabulary
from tests.support.scenes import N_WORDS, ROOT, draw_scene, write_picture

HEADER = "vocabulary.json"
ARRAYS = ("centroids", "projection", "thresholds", "image_keys")
N_MANY_WORDS = 2048
MEGABYTE = 1_000_000


def random_centres(n: int, seed: int) -> np.ndarray:
    """Sparse and long-tailed like descriptors."""
    return np.minimum(np.random.default_rng(seed).gamma(0.5, 60, (n, 128)), 255)


def scattered(centres: np.ndarray, n: int, spread: float, seed: int) -> U8:
    """Byte descriptors around randomly chosen centres."""
    rng = np.random.default_rng(seed)
    chosen = centres[rng.integers(0, len(centres), n)]
    return np.clip(np.rint(chosen + rng.normal(0, spread, (n, 128))), 0, 255).astype(np.uint8)


def squared_distances(descriptors: U8, words: U8) -> I64:
    a, b = descriptors.astype(np.int64), words.astype(np.int64)
    found: I64 = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * a @ b.T
    return found


def distances_of(descriptors: U8, words: U8, word: I32) -> I64:
    return np.take_along_axis(squared_distances(descriptors, words), word.astype(np.int64), axis=1)


@pytest.fixture
def two_threads() -> Iterator[Callable[[], None]]:
    """One thread until it is called, then two until the test ends."""
    set_threads(1)
    yield lambda: set_threads(2)
    set_threads(os.cpu_count() or 1)


@pytest.fixture(scope="module")
def small(vocabulary_folder: Path) -> Vocabulary:
    return Vocabulary.load(vocabulary_folder)


@pytest.fixture(scope="module")
def scene_descriptors(tmp_path_factory: pytest.TempPathFactory) -> U8:
    folder = tmp_path_factory.mktemp("queries")
    paths = [write_picture(folder / f"{seed}.png", draw_scene(seed)) for seed in (50, 51, 52)]
    pictures = [read_image(path, grey=True) for path in paths]
    return np.concatenate([extract_features(picture, FeatureOptions()).descriptors for picture in pictures])


def vocabulary_over(words: U8) -> Vocabulary:
    projection = make_projection(128, 0)
    thresholds = words.astype(np.float32) @ projection
    keys = np.array([3], np.uint64)
    return Vocabulary.make(words, projection, thresholds, FeatureOptions(), {"source": "chance"}, keys)


@pytest.fixture(scope="module")
def many() -> Vocabulary:
    """Enough words that the nearest are found approximately."""
    assert N_MANY_WORDS > EXACT_UP_TO
    return vocabulary_over(scattered(random_centres(N_MANY_WORDS, 0), N_MANY_WORDS, 10, 1))


@pytest.fixture(scope="module")
def near_many(many: Vocabulary) -> U8:
    return scattered(many.centroids.astype(float), 400, 25, 2)


# -- Nearest words ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2, 5, N_WORDS])
def test_few_words_are_searched_exactly(small: Vocabulary, scene_descriptors: U8, k: int) -> None:
    word = small.assign(scene_descriptors, k)
    assert word.dtype == np.int32
    assert word.shape == (len(scene_descriptors), k)
    expected = np.sort(squared_distances(scene_descriptors, small.centroids), axis=1)[:, :k]
    assert np.array_equal(distances_of(scene_descriptors, small.centroids, word), expected)
    assert (np.diff(np.sort(word, axis=1), axis=1) > 0).all()


def test_many_words_are_found_nine_times_of_ten(many: Vocabulary, near_many: U8) -> None:
    distance = squared_distances(near_many, many.centroids)
    word = many.assign(near_many)[:, 0]
    assert (distance[np.arange(len(word)), word] == distance.min(axis=1)).mean() >= 0.9


def test_shipped_words_are_found_nine_times_of_ten(scene_descriptors: U8) -> None:
    shipped = load_vocabulary(default_vocabulary_path())
    distance = squared_distances(scene_descriptors, shipped.centroids)
    word = shipped.assign(scene_descriptors)[:, 0]
    assert (distance[np.arange(len(word)), word] == distance.min(axis=1)).mean() >= 0.9


@pytest.mark.parametrize("k", [2, 5, 64])
def test_nearest_words_are_distinct_and_sorted_by_exact_distance(many: Vocabulary, near_many: U8, k: int) -> None:
    word = many.assign(near_many, k)
    assert word.min() >= 0
    assert word.max() < many.n_words
    assert (np.diff(np.sort(word, axis=1), axis=1) > 0).all()
    assert (np.diff(distances_of(near_many, many.centroids, word), axis=1) >= 0).all()


def test_words_crowded_into_few_cells_fill_every_place() -> None:
    """Most cells hold a word or two: the cells that a search looks into may hold fewer words than it asks for."""
    centres = random_centres(40, 5)
    crowd, rest = scattered(centres[:1], 1000, 3, 6), scattered(centres, 100, 30, 7)
    words = np.unique(np.concatenate([crowd, rest]), axis=0)
    assert len(words) > EXACT_UP_TO
    word = Assigner.over(words).search(scattered(centres, 300, 30, 8), 64)
    assert word.min() >= 0, f"{(word < 0).any(axis=1).sum()} of 300 descriptors lack words"


@pytest.mark.parametrize("k", [1, 5])
def test_words_do_not_depend_on_batch_or_threads(
    many: Vocabulary, near_many: U8, k: int, two_threads: Callable[[], None]
) -> None:
    descriptors = near_many[:100]
    whole = many.quantize(descriptors, k)
    alone = [many.quantize(descriptors[i : i + 1], k) for i in range(len(descriptors))]
    sevens = [many.quantize(descriptors[i : i + 7], k) for i in range(0, len(descriptors), 7)]
    two_threads()
    threaded = many.quantize(descriptors, k)
    for parts in (alone, sevens, [threaded]):
        assert np.array_equal(np.concatenate([p.word for p in parts]), whole.word)
        assert np.array_equal(np.concatenate([p.signature for p in parts]), whole.signature)


@pytest.mark.parametrize("n_words", [200, N_MANY_WORDS])
def test_ties_do_not_depend_on_batch_or_threads(n_words: int, two_threads: Callable[[], None]) -> None:
    rng = np.random.default_rng(0)
    words, descriptors = (rng.integers(0, 2, (n, 128), dtype=np.uint8) for n in (n_words, 60))
    assigner = Assigner.over(words)
    whole = assigner.search(descriptors, 5)
    assert np.array_equal(np.concatenate([assigner.search(d[None], 5) for d in descriptors]), whole)
    two_threads()
    assert np.array_equal(assigner.search(descriptors, 5), whole)


def test_no_descriptors_have_no_words(small: Vocabulary, many: Vocabulary) -> None:
    for vocabulary in (small, many):
        words = vocabulary.quantize(np.empty((0, 128), np.uint8), 3)
        assert words.word.shape == words.signature.shape == (0, 3)


@pytest.mark.parametrize("k", [0, -1, N_WORDS + 1])
def test_more_words_than_there_are_is_an_option_error(small: Vocabulary, k: int) -> None:
    with pytest.raises(OptionError, match=f"expected 1 to {N_WORDS}.*found {k}"):
        small.assign(np.zeros((1, 128), np.uint8), k)


# -- Saving and loading -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", ["small", "many"])
def test_a_saved_vocabulary_answers_alike(size: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    vocabulary: Vocabulary = request.getfixturevalue(size)
    descriptors = scattered(vocabulary.centroids.astype(float), 100, 20, 3)
    vocabulary.save(tmp_path / "deep" / "copy")
    loaded = Vocabulary.load(tmp_path / "deep" / "copy")
    before, after = (v.quantize(descriptors, 5) for v in (vocabulary, loaded))
    assert loaded.fingerprint == vocabulary.fingerprint
    assert np.array_equal(before.word, after.word)
    assert np.array_equal(before.signature, after.signature)
    assert (loaded.features, dict(loaded.trained_on)) == (vocabulary.features, dict(vocabulary.trained_on))
    assert np.array_equal(loaded.image_keys, vocabulary.image_keys)


def test_saving_replaces_what_stands_and_leaves_nothing_else(small: Vocabulary, tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "old").write_text("old")
    for _ in range(2):
        small.save(tmp_path / "v")
    assert [path.name for path in tmp_path.iterdir()] == ["v"]
    assert {path.name for path in (tmp_path / "v").iterdir()} == {HEADER, *(f"{name}.npy" for name in ARRAYS)}
    assert Vocabulary.load(tmp_path / "v").fingerprint == small.fingerprint


def test_a_place_that_cannot_be_written_is_named(small: Vocabulary, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(VocabularyError, match="file/v: cannot write the vocabulary"):
        small.save(tmp_path / "file" / "v")


def test_words_signatures_and_features_make_the_fingerprint(small: Vocabulary) -> None:
    def made(**changes: object) -> str:
        names = ("centroids", "projection", "thresholds", "features", "trained_on", "image_keys")
        return Vocabulary.make(**{**{name: getattr(small, name) for name in names}, **changes}).fingerprint

    assert made() == made(trained_on={}, image_keys=np.empty(0, np.uint64)) == small.fingerprint
    others = [
        made(centroids=small.centroids ^ 1),
        made(thresholds=small.thresholds + 1),
        made(projection=-small.projection),
    ]
    others.append(made(features=small.features.replaced(max_side=500)))
    assert len({small.fingerprint, *others}) == 5


# -- Damage -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def copy(vocabulary_folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(vocabulary_folder, tmp_path / "copy")
    return tmp_path / "copy"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("harm", [cut, flip_a_bit, empty, Path.unlink])
def test_a_damaged_file_is_named(copy: Path, name: str, harm: Callable[[Path], None]) -> None:
    harm(copy / f"{name}.npy")
    with pytest.raises(VocabularyError) as caught:
        Vocabulary.load(copy)
    assert str(copy / f"{name}.npy") in str(caught.value)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "7", '"format"', "{}", "\x00\x01", '{"format": '])
def test_a_garbage_header_is_named(copy: Path, content: str) -> None:
    (copy / HEADER).write_text(content)
    with pytest.raises(VocabularyError) as caught:
        Vocabulary.load(copy)
    assert str(copy / HEADER) in str(caught.value)


def test_a_header_that_is_no_text_is_named(copy: Path) -> None:
    (copy / HEADER).write_bytes(b"\xff\xfe{}")
    with pytest.raises(VocabularyError) as caught:
        Vocabulary.load(copy)
    assert str(copy / HEADER) in str(caught.value)


HEADERS = {
    "no features": lambda header: header.pop("features"),
    "unknown feature option": lambda header: header["features"].update(colour=True),
    "feature option out of range": lambda header: header["features"].update(max_side=0),
    "feature option of another type": lambda header: header["features"].update(max_side="large"),
    "other features": lambda header: header["features"].update(max_side=500),
    "features are a list": lambda header: header.update(features=[1]),
    "no fingerprint": lambda header: header.pop("fingerprint"),
    "other fingerprint": lambda header: header.update(fingerprint="0" * 64),
    "no provenance": lambda header: header.pop("trained_on"),
    "no files": lambda header: header.pop("files"),
    "a file is not listed": lambda header: header["files"].pop("thresholds"),
    "files are a list": lambda header: header.update(files=[]),
    "files are nothing": lambda header: header.update(files=None),
}


@pytest.mark.parametrize("change", HEADERS)
def test_a_header_that_says_otherwise_is_a_vocabulary_error(copy: Path, change: str) -> None:
    header = json.loads((copy / HEADER).read_text())
    HEADERS[change](header)
    (copy / HEADER).write_text(json.dumps(header))
    with pytest.raises(BofError) as caught:
        Vocabulary.load(copy)
    assert isinstance(caught.value, VocabularyError)
    assert str(copy) in str(caught.value)


def test_another_format_is_a_mismatch(copy: Path) -> None:
    header = {**json.loads((copy / HEADER).read_text()), "format": 99}
    (copy / HEADER).write_text(json.dumps(header))
    with pytest.raises(MismatchError, match="expected vocabulary format 1 or 2, found 99") as caught:
        Vocabulary.load(copy)
    assert str(copy) in str(caught.value)


@pytest.mark.parametrize("name", ["nowhere", "a file", ""])
def test_no_vocabulary_is_named_with_the_way_to_train_one(tmp_path: Path, name: str) -> None:
    (tmp_path / "a file").write_text("")
    with pytest.raises(VocabularyError, match="train_vocab") as caught:
        Vocabulary.load(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


# -- The vocabulary that ships ----------------------------------------------------------------------------------------


def test_the_shipped_vocabulary_is_small_and_complete() -> None:
    folder = default_vocabulary_path()
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 20 * MEGABYTE
    vocabulary = load_vocabulary(folder)
    assert vocabulary.n_words >= N_MANY_WORDS
    assert vocabulary.features == FeatureOptions(max_features=FIRST_MOST, extractor=OPENCV, reading=PLAIN)
    assert vocabulary.new_index_features == FeatureOptions()
    assert len(bytes.fromhex(vocabulary.fingerprint)) == 32


def test_the_shipped_vocabulary_says_what_it_was_trained_on() -> None:
    vocabulary = load_vocabulary(default_vocabulary_path())
    trained_on = vocabulary.trained_on
    assert len(trained_on["source"]) > 10
    assert trained_on["n_images"] == len(vocabulary.image_keys) == len(np.unique(vocabulary.image_keys)) > 1000
    assert trained_on["n_descriptors"] > 30 * vocabulary.n_words
    assert trained_on["words_used"] == vocabulary.n_words
    assert {"seed", "levels", "distortion"} <= set(trained_on)


def test_a_vocabulary_of_format_1_is_saved_as_format_2_with_the_same_words(tmp_path: Path) -> None:
    old = Vocabulary.load(ROOT / "tests" / "golden" / "format-1" / "vocabulary")
    old.save(tmp_path / "new")
    new = Vocabulary.load(tmp_path / "new")
    descriptors = np.random.default_rng(0).integers(0, 256, (50, 128)).astype(np.uint8)
    before, after = (v.quantize(descriptors, 3) for v in (old, new))
    for one, other in ((before.word, after.word), (before.signature, after.signature)):
        np.testing.assert_array_equal(one, other)
    assert new.fingerprint != old.fingerprint
    assert not (tmp_path / "new" / "assigner.npy").exists()
