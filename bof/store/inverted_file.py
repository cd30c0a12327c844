"""The inverted file: for every visual word the features that have it (postings), idf, and the images' TF-IDF lengths.

Every weight is rounded to a grid on which sums are exact in float64, so that no order of segments, threads, postings or
features shows in a score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from bof import native
from bof.system.threads import in_threads, shares
from bof.types import F64, I32, I64, U16, U64, Bool

T = TypeVar("T", bound=np.generic)

_IDF_GRID = 2.0**20

WORTH_A_THREAD = 1 << 15
"""Postings to read before they are shared out."""


@dataclass(frozen=True, slots=True)
class Postings:
    """One entry a feature, word-major: indptr i32 (n_words + 1), image i32, feature u16, signature u64 (n,).

    image counts from 0 inside the segment, which has n_images from first_image of the collection on.
    """

    indptr: I32
    image: I32
    feature: U16
    signature: U64
    first_image: int
    n_images: int

    @property
    def columns(self) -> tuple[I32, I32, U16, U64]:
        """indptr, image, feature, signature."""
        return self.indptr, self.image, self.feature, self.signature

    def own(self, column: NDArray[T]) -> NDArray[T]:
        """Of a column with one entry an image of the collection, the entries of this segment's images."""
        return column[self.first_image : self.first_image + self.n_images]

    @property
    def word_shares(self) -> list[range]:
        """The words, about as many postings for every thread."""
        return shares(np.diff(self.indptr), WORTH_A_THREAD)

    def count_images(self, live: Bool, frequency: I64) -> None:
        """Add to frequency i64 (n_words,) in how many live images each word is."""
        here = self.own(live)
        in_threads(
            lambda words: native.document_frequency(self.indptr, self.image, here, words, frequency), self.word_shares
        )

    def inverted_index(self, words: I64 | I32) -> csr_matrix:
        """Rows of the inverted index, u16 (len(words), n_images): how often each word is in each image.

        Raises ValueError where a posting names an image that does not exist.
        """
        slices = [slice(self.indptr[word], self.indptr[word + 1]) for word in words]
        indptr = np.cumsum([0, *(part.stop - part.start for part in slices)], dtype=np.int32)
        image = np.concatenate([self.image[part] for part in slices] or [np.empty(0, np.int32)])
        if len(image) and not 0 <= image.min() <= image.max() < self.n_images:
            raise ValueError("postings name images that do not exist")  # scipy would read and write there
        matrix = csr_matrix((np.ones(len(image), np.uint16), image, indptr), (len(words), self.n_images))
        matrix.sum_duplicates()
        return matrix


@dataclass(frozen=True, slots=True)
class FilmFrequency:
    """In how many live films each word is, i64 (n_words,), of how many; is_frame bool (n_images,): their frames."""

    frequency: I64
    n_films: int
    is_frame: Bool


@dataclass(frozen=True, slots=True)
class Weights:
    """Derived from a whole collection: idf f64 (n_words,), norm f64 (n_images,) and which images are live."""

    idf: F64
    norm: F64
    live: Bool


def inverse_document_frequency(document_frequency: I64, n_images: int) -> F64:
    """idf = ln(1 + N / df), f64 (n_words,), 0 for a word that no image has.

    Positive even where every image has the word, so that a collection of one image answers.
    """
    present = document_frequency > 0
    ratio = n_images / np.maximum(document_frequency, 1)
    return np.where(present, np.log1p(ratio), 0.0)


def derive_weights(
    postings: Sequence[Postings], live: Bool, n_words: int, films: FilmFrequency | None = None
) -> Weights:
    """idf over the live images of all segments, and each image's TF-IDF length (Sivic and Zisserman 2003).

    films: a film is one document, whatever it has of frames; None: there is none. Raises ValueError where a posting
    names an image that does not exist.
    """
    alone = live if films is None else live & ~films.is_frame
    frequency = np.zeros(n_words, np.int64) if films is None else films.frequency.copy()
    for part in postings:
        part.count_images(alone, frequency)
    n_documents = int(alone.sum()) + (films.n_films if films else 0)
    return weigh(postings, live, inverse_document_frequency(frequency, n_documents))


def weigh(postings: Sequence[Postings], live: Bool, idf: F64) -> Weights:
    """The weights of images by what each word weighs, f64 (n_words,): each image's TF-IDF length follows from it.

    Raises ValueError where a posting names an image that does not exist.
    """
    squared = squared_idf(idf)
    norms = [squared_norms(part, squared) for part in postings]
    norm = np.sqrt(np.concatenate(norms)) if norms else np.empty(0)
    return Weights(idf, np.where(norm > 0, norm, 1.0), live)


def squared_norms(part: Postings, squared: F64) -> F64:
    """Sum of (tf idf)**2 by image f64 (n_images,). squared f64 (n_words,): idf**2.

    Whole multiples of a grid, so threads may add in any order.
    """
    columns = part.indptr, part.image, part.n_images, squared
    sums = in_threads(lambda words: native.squared_norms(*columns, words), part.word_shares)
    return np.asarray(np.sum(sums, axis=0), np.float64)


def squared_idf(idf: F64) -> F64:
    """idf**2, on the grid: the order in which words are added does not show."""
    return on_grid(idf**2, _IDF_GRID)


def on_grid(weight: F64, grid: float) -> F64:
    """Weights rounded to whole multiples of 1 / grid."""
    return np.rint(weight * grid) / grid
