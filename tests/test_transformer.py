"""Bags of visual words as scikit-learn has its transformers: its own checks, and the values of a dense oracle."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks
from sklearn.utils.validation import validate_data

from bof import BagOfVisualWords, Engine, Vocabulary, as_picture, extract_features
from bof.errors import ImageError, OptionError, VocabularyError
from bof.images.sources import open_source
from bof.types import U8
from tests.support.scenes import draw_scene, write_picture


def scene(seed: int) -> U8:
    return np.ascontiguousarray(draw_scene(seed, 160, 120)[:, :, ::-1])


SCENES = [scene(n) for n in range(6)]


@pytest.fixture(scope="module")
def vocabulary(vocabulary_folder: Path) -> Vocabulary:
    """200 words."""
    return Vocabulary.load(vocabulary_folder)


@pytest.fixture
def bags(vocabulary: Vocabulary) -> BagOfVisualWords:
    """Not fitted yet."""
    return BagOfVisualWords(vocabulary)


# -- scikit-learn's own checks ----------------------------------------------------------------------------------------


def _drawn(row: Any) -> U8:
    """A picture of stripes and spots that a row of numbers decides; rows that are equal give equal pictures."""
    values = np.nan_to_num(np.asarray(row, np.float64)).ravel()
    seed = int(abs(hash(tuple(np.round(values, 6)))) % (1 << 32))
    return np.asarray(draw_scene(seed, 64, 48))


class OfRows(BagOfVisualWords):  # type: ignore[misc]
    """The same, of tables of numbers: so that scikit-learn's checks, which have no pictures, can ask it.

    All that it adds is a picture for each row, and what scikit-learn itself does to such tables.
    """

    def fit(self, X: Any, y: Any = None) -> OfRows:  # noqa: N803
        super().fit(self._draw(X, reset=True))
        return self

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> csr_matrix:  # noqa: N803
        return super().fit_transform(self._draw(X, reset=True))

    def transform(self, X: Any) -> csr_matrix:  # noqa: N803
        if not hasattr(self, "vocabulary_"):
            return super().transform([])
        return super().transform(self._draw(X, reset=False))

    def _draw(self, rows: Any, *, reset: bool) -> list[U8]:
        return [_drawn(row) for row in validate_data(self, rows, reset=reset, dtype=None)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.three_d_array, tags.input_tags.string = True, False, False
        return tags


@parametrize_with_checks([OfRows()])  # type: ignore[untyped-decorator]
def test_it_passes_the_checks_of_scikit_learn(estimator: BaseEstimator, check: Any) -> None:
    check(estimator)


def test_of_pictures_scikit_learn_can_check_only_that_it_is_cloned() -> None:
    with pytest.warns(SkipTestWarning, match="Can't test estimator BagOfVisualWords which requires input"):
        results = check_estimator(BagOfVisualWords(), on_fail=None)
    assert {result["status"] for result in results} == {"passed"}


# -- What comes out ---------------------------------------------------------------------------------------------------


def test_it_is_tf_idf_of_the_nearest_words(vocabulary: Vocabulary, bags: BagOfVisualWords) -> None:
    found = bags.fit_transform(SCENES).toarray()
    counts = np.zeros((6, 200))
    for row, pixels in zip(counts, SCENES, strict=True):
        descriptors = extract_features(open_source(pixels).grey(), vocabulary.features).descriptors
        np.add.at(row, vocabulary.assign(descriptors)[:, 0], 1)
    frequency = (counts > 0).sum(axis=0)
    idf = np.where(frequency > 0, np.log1p(6 / np.maximum(frequency, 1)), 0)
    expected = counts * idf
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected, axis=1, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(bags.idf_, idf)
    assert bags.n_images_seen_ == 6


def test_scikit_learn_weighs_the_same_counts_in_its_own_way(bags: BagOfVisualWords) -> None:
    counts = clone(bags).set_params(use_idf=False, norm=None).fit_transform(SCENES)
    own = TfidfTransformer(use_idf=False, norm="l2").fit_transform(counts)
    ours = clone(bags).set_params(use_idf=False).fit_transform(SCENES)
    np.testing.assert_allclose(own.toarray(), ours.toarray())
    assert counts.toarray().sum() == counts.sum() > 100


def test_its_weights_are_those_of_an_index(bags: BagOfVisualWords, vocabulary_folder: Path, tmp_path: Path) -> None:
    with Engine.create(tmp_path / "index", vocabulary_folder) as engine:
        engine.add_images({str(n): pixels for n, pixels in enumerate(SCENES)})
        idf = engine.searcher().collection.weights.idf
    np.testing.assert_allclose(bags.fit(SCENES).idf_, idf)


def test_every_form_of_a_picture_gives_the_same_row(bags: BagOfVisualWords, tmp_path: Path) -> None:
    path = write_picture(tmp_path / "one.png", draw_scene(3, 160, 120))
    forms = [SCENES[3], path, str(path), path.read_bytes(), Image.fromarray(SCENES[3]), as_picture(path)]
    rows = bags.fit(SCENES).transform(forms).toarray()
    assert (rows == rows[0]).all()
    assert rows[0].any()
    stacked = bags.transform(np.stack(SCENES))
    assert (stacked != bags.transform(SCENES)).nnz == 0
    assert (bags.transform(np.array([str(path)] * 2)) != csr_matrix(rows[:2])).nnz == 0
    turned = clone(bags).set_params(channels="BGR").fit(SCENES).transform([SCENES[3][:, :, ::-1]])
    assert turned.shape == (1, 200)


def test_a_picture_without_features_is_a_row_of_zeros(bags: BagOfVisualWords) -> None:
    found = bags.fit(SCENES).transform([np.zeros((20, 20), np.uint8), SCENES[1]])
    assert found.shape == (2, 200)
    assert (found[0].nnz, found[1].nnz > 0) == (0, True)
    assert bags.fit_transform([np.zeros((20, 20), np.uint8)]).nnz == 0


def test_it_trains_and_the_seed_decides(tmp_path: Path) -> None:
    bags = BagOfVisualWords("train", n_words=32, random_state=3)
    first, again = bags.fit_transform(SCENES), clone(bags).fit_transform(SCENES)
    assert first.shape == (6, 32)
    assert (first != again).nnz == 0
    other = clone(bags).set_params(random_state=4).fit(SCENES)
    assert other.vocabulary_.fingerprint != bags.vocabulary_.fingerprint
    for random_state in (None, np.random.RandomState(1)):
        assert BagOfVisualWords("train", n_words=8, random_state=random_state).fit(SCENES).vocabulary_.n_words == 8
    bags.vocabulary_.save(tmp_path / "mine")
    given = BagOfVisualWords(tmp_path / "mine").fit(SCENES)
    assert (given.transform(SCENES) != first).nnz == 0
    assert len(Engine.create(tmp_path / "index", tmp_path / "mine")) == 0
    few = BagOfVisualWords("train", n_words=8, max_descriptors=60).fit(SCENES)
    assert few.vocabulary_.trained_on["n_descriptors"] <= 60


def test_it_is_stored_and_cloned(bags: BagOfVisualWords) -> None:
    expected = bags.fit_transform(SCENES)
    again = pickle.loads(pickle.dumps(bags))
    assert (again.transform(SCENES) != expected).nnz == 0
    assert not hasattr(clone(bags), "vocabulary_")
    assert list(bags.get_feature_names_out()[:2]) == ["bagofvisualwords0", "bagofvisualwords1"]


def test_it_works_in_a_pipeline_and_a_grid_search() -> None:
    pictures = [np.ascontiguousarray(scene(n)[shift:, shift:]) for n in range(3) for shift in (0, 4, 8)]
    labels = np.repeat(np.arange(3), 3)
    pipeline = make_pipeline(BagOfVisualWords("train", n_words=16), KNeighborsClassifier(1))
    grid = [{"bagofvisualwords__n_words": [16]}, {"bagofvisualwords__n_words": [32], "bagofvisualwords__norm": ["l1"]}]
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(pictures, labels)
    assert search.best_score_ > 0.8
    assert search.predict([scene(2)[6:, 6:]]).tolist() == [2]


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        (SCENES[0], r"X: expected a list of pictures.*one array uint8 of shape \(120, 160, 3\); put it into a list"),
        (SCENES[0][:, :, 0], "X: expected a list of pictures"),
        ("photo.jpg", "X: expected a list of pictures.*found one str"),
        (None, "X: expected a list of pictures"),
        ([], "X: expected a list of pictures.*found none"),
        (np.empty((0, 20, 20), np.uint8), "found none"),
        ([SCENES[0], SCENES[1] / 255], r"picture 1 of X: array: expected an array of uint8.*float64"),
        (np.stack(SCENES) / 255, "picture 0 of X"),
        (["none.jpg"], "picture 0 of X: none.jpg"),
        (np.random.default_rng(0).random((5, 4)), "X: expected a list of pictures"),
    ],
)
def test_what_is_no_picture_is_named_by_its_place(bags: BagOfVisualWords, pictures: Any, words: str) -> None:
    with pytest.raises(ImageError, match=words):
        bags.fit(pictures)


def test_wrong_parameters_are_named_when_fitting(vocabulary_folder: Path) -> None:
    for parameters, words in (
        ({"norm": "max"}, "norm: expected 'l2', 'l1', None, found 'max'|norm"),
        ({"vocabulary": 5}, '"included", "train", a folder or a Vocabulary'),
        ({"channels": "BRG"}, "channels"),
        ({"vocabulary": "train", "n_words": 1}, "words"),
    ):
        with pytest.raises(OptionError, match=words):
            BagOfVisualWords(**{"vocabulary": vocabulary_folder, **parameters}).fit(SCENES)
    with pytest.raises(VocabularyError, match="no vocabulary here"):
        BagOfVisualWords("nowhere").fit(SCENES)
    with pytest.raises(VocabularyError, match="60000 words need as many different descriptors"):
        BagOfVisualWords("train", n_words=60000).fit(SCENES)
    with pytest.raises(NotFittedError):
        BagOfVisualWords().transform(SCENES)
