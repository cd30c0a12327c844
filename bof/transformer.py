"""Bags of visual words for scikit-learn: pictures become rows of a sparse TF-IDF matrix."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import numpy as np
from scipy.sparse import csr_matrix, diags_array, vstack
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.preprocessing import normalize
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from bof.errors import ImageError, OptionError
from bof.features.sift import N_DIMENSIONS, extract_features
from bof.images.sources import Channels, OpenedSource, is_one, open_source
from bof.options import FeatureOptions, TrainOptions
from bof.store.inverted_file import inverse_document_frequency
from bof.system.threads import in_threads, n_threads
from bof.types import F64, I32, I64, U8
from bof.vocabulary.sampling import Sample, sample_rows
from bof.vocabulary.training import train_vocabulary
from bof.vocabulary.vocabulary import Vocabulary, default_vocabulary, load_vocabulary

_PER_THREAD = 8
_NORMS = ("l2", "l1", None)

T = TypeVar("T")


class BagOfVisualWords(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Pictures -> csr_matrix f64 (n_pictures, n_words): how often each visual word is in each picture, times its idf.

    X: a sequence of pictures, each a path, the bytes of a file, a PIL image, an array u8 (h, w) or (h, w, 3) or a
    bof.Picture; or an array of pictures u8 (n, h, w) or (n, h, w, 3).
    vocabulary: "included", "train" (fit clusters the descriptors of its pictures with MiniBatchKMeans), a folder, or a
    Vocabulary; n_words and max_descriptors: of one that is trained; use_idf: weigh words by ln(1 + N / df) of the
    pictures that fit saw, 0 for a word that none of them has, as the index does; norm: of each row, "l2", "l1" or None;
    channels: the order of the colours of arrays, RGB or BGR; random_state: of the training, a number, None or a
    RandomState.

    After fit: vocabulary_, idf_ f64 (n_words,), n_images_seen_. A picture without features is a row of zeros. An error
    of a picture names its place in X. Sivic and Zisserman 2003.
    """

    def __init__(
        self,
        vocabulary: Vocabulary | str | os.PathLike[str] = "included",
        *,
        n_words: int = 1024,
        max_descriptors: int = 1_000_000,
        use_idf: bool = True,
        norm: Literal["l2", "l1"] | None = "l2",
        channels: Channels = "RGB",
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.vocabulary = vocabulary
        self.n_words = n_words
        self.max_descriptors = max_descriptors
        self.use_idf = use_idf
        self.norm = norm
        self.channels = channels
        self.random_state = random_state

    def fit(self, X: Any, y: object = None) -> Self:  # noqa: N803 (scikit-learn's name)
        """Find or train the vocabulary, and count in how many of the pictures each word is.

        Raises ImageError for what is no picture, VocabularyError where the pictures have fewer descriptors than words.
        """
        self._fit(X)
        return self

    def fit_transform(self, X: Any, y: object = None, **fit_params: object) -> csr_matrix:  # noqa: N803
        """The same as fit(X).transform(X), with each picture read once less."""
        return self._weighed(self._fit(X))

    def transform(self, X: Any) -> csr_matrix:  # noqa: N803
        """A row a picture, f64 (n_pictures, n_words). Raises NotFittedError, ImageError for what is no picture."""
        check_is_fitted(self)
        return self._weighed(self._count(_pictures(X)))

    def _fit(self, X: Any) -> csr_matrix:  # noqa: N803
        if self.norm not in _NORMS:
            raise OptionError("norm", expected=", ".join(map(repr, _NORMS)), found=repr(self.norm))
        pictures = _pictures(X)
        self.vocabulary_ = self._find_vocabulary(pictures)
        counts = self._count(pictures)
        frequency = np.bincount(counts.indices, minlength=self.vocabulary_.n_words).astype(np.int64)
        self.n_images_seen_ = counts.shape[0]
        self.idf_: F64 = inverse_document_frequency(frequency, self.n_images_seen_)
        return counts

    def _find_vocabulary(self, pictures: Sequence[Any]) -> Vocabulary:
        if isinstance(self.vocabulary, Vocabulary):
            return self.vocabulary
        if self.vocabulary == "train":
            return self._train(pictures)
        if self.vocabulary == "included":
            return default_vocabulary()
        if not isinstance(self.vocabulary, str | os.PathLike):
            expected = '"included", "train", a folder or a Vocabulary'
            raise OptionError("vocabulary", expected=expected, found=type(self.vocabulary).__name__)
        return load_vocabulary(Path(self.vocabulary))

    def _train(self, pictures: Sequence[Any]) -> Vocabulary:
        seed = self.random_state
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(1 << 31)
        options = TrainOptions(words=int(self.n_words), max_descriptors=int(self.max_descriptors), seed=int(seed))
        features, limit = FeatureOptions(), max(1, options.max_descriptors // len(pictures))

        def draw(place: int, source: OpenedSource) -> tuple[U8, int]:
            descriptors = extract_features(source.grey(features.extent), features).descriptors
            key = int.from_bytes(bytes.fromhex(source.sha256)[:8], "little")
            return descriptors[sample_rows(len(descriptors), limit, options.seed, place)], key

        drawn = list(self._each(pictures, draw))
        descriptors = np.concatenate([np.empty((0, N_DIMENSIONS), np.uint8), *(found for found, _ in drawn)])
        keys = np.sort(np.array([key for _, key in drawn], np.uint64))
        sample = Sample(descriptors[: options.max_descriptors], keys, features, f"{len(pictures)} pictures of fit")
        return train_vocabulary(sample, options)

    def _count(self, pictures: Sequence[Any]) -> csr_matrix:
        """How often each word is in each picture, f64 (n_pictures, n_words)."""
        vocabulary, features = self.vocabulary_, self.vocabulary_.new_index_features

        def count(_: int, source: OpenedSource) -> tuple[I32, I64]:
            picture = source.grey(features.extent)
            words = vocabulary.assign(extract_features(picture, features).descriptors)[:, 0]
            return np.unique(words, return_counts=True)

        rows = [
            csr_matrix((n.astype(np.float64), words, [0, len(words)]), shape=(1, vocabulary.n_words))
            for words, n in self._each(pictures, count)
        ]
        return vstack(rows, format="csr")

    def _weighed(self, counts: csr_matrix) -> csr_matrix:
        weighed = csr_matrix(counts @ diags_array(self.idf_)) if self.use_idf else counts
        weighed.eliminate_zeros()
        return normalize(weighed, self.norm, copy=False) if self.norm else weighed

    def _each(self, pictures: Sequence[Any], work: Callable[[int, OpenedSource], T]) -> Iterator[T]:
        """What work(place, picture) says of each, in order; threads share a batch."""

        def one(item: tuple[int, Any]) -> T:
            place, source = item
            try:
                return work(place, open_source(source, self.channels))
            except ImageError as error:
                raise ImageError(f"picture {place} of X: {error}") from error

        items = iter(enumerate(pictures))
        while batch := list(islice(items, _PER_THREAD * n_threads())):
            yield from in_threads(one, batch)

    @property
    def _n_features_out(self) -> int:
        return self.vocabulary_.n_words

    def __sklearn_tags__(self) -> Any:
        """Pictures are no table of numbers."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _pictures(pictures: Any) -> Sequence[Any]:
    """X as a sequence of at least one picture. Raises ImageError."""
    expected = "a list of pictures, or an array of them (n, height, width) or (n, height, width, 3)"
    if isinstance(pictures, np.ndarray):
        is_many = pictures.ndim == 1 or (pictures.ndim in (3, 4) and not _is_colour(pictures))
        found = f"one array {pictures.dtype} of shape {pictures.shape}"
    else:
        is_many, found = not is_one(pictures), f"one {type(pictures).__name__}"
    if not is_many:
        raise ImageError(path="X", expected=expected, found=found, advice="put it into a list: [picture]")
    several = list(pictures)
    if not several:
        raise ImageError(path="X", expected=expected, found="none")
    return several


def _is_colour(array: np.ndarray[Any, Any]) -> bool:
    """Is this one picture in colour, rather than grey ones three pixels wide?"""
    return array.ndim == 3 and array.shape[2] == 3
