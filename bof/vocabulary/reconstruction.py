"""What the index holds of a feature becomes a descriptor again: about what was extracted, without its picture.

A word says in which cell of the vocabulary a descriptor lies, and each bit of its signature on which side of a plane
through the cell. The centre of the cell, moved to the middle of what lies on these sides, is nearer to the descriptor
than any other that can be known: at 155 of a RootSIFT's length of 512, where the centre of the word is at 187.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bof.features.sift import N_DIMENSIONS
from bof.types import I32, U8, U64, QueryWords
from bof.vocabulary.hamming import N_BITS
from bof.vocabulary.vocabulary import Vocabulary

I16 = NDArray[np.int16]

_FROM_PLANE = 18.0
"""How far a descriptor is taken to lie from each plane. Its mean distance is 13; a little more finds the words of the
mirror image more often (the right one among the four nearest for 0.70 of features, instead of 0.62)."""

_BYTES = N_BITS // 8
_CHUNK = 1 << 14


@dataclass(frozen=True, slots=True)
class Reconstruction:
    """Of a vocabulary: corner i16 (n_words, 128), where all planes of a word meet, nearest to its centre; step i16
    (8, 256, 128): how far each byte of a signature is from there, by its place and value.
    """

    corner: I16
    step: I16

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> Reconstruction:
        """Whole numbers, the same on every machine: what is multiplied and added before is exact in float64."""
        directions = vocabulary.projection.astype(np.float64)
        corner = np.empty((vocabulary.n_words, N_DIMENSIONS), np.int16)
        for first in range(0, vocabulary.n_words, _CHUNK):
            rows = slice(first, first + _CHUNK)
            centre = vocabulary.centroids[rows].astype(np.float64)
            to_planes = vocabulary.thresholds[rows] - centre @ directions
            corner[rows] = np.rint(centre + to_planes @ directions.T)
        bits = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little")
        side = _FROM_PLANE * (2.0 * bits - 1.0)
        by_byte = directions.T.reshape(_BYTES, 8, N_DIMENSIONS)
        return cls(corner, np.rint(side @ by_byte).astype(np.int16))

    def descriptors(self, word: I32, signature: U64) -> U8:
        """RootSIFT u8 (n, 128) of features with words i32 (n,) and signatures u64 (n,)."""
        found = self.corner[word]
        value = np.ascontiguousarray(signature.astype("<u8")).view(np.uint8).reshape(-1, _BYTES)
        for place in range(_BYTES):
            found += self.step[place][value[:, place]]
        return np.clip(found, 0, 255).astype(np.uint8)


def with_own(nearest: QueryWords, word: I32, signature: U64) -> QueryWords:
    """The words nearest to what was reconstructed, k a feature, with the word i32 (n,) and signature u64 (n,) that the
    index holds of each as the first.
    """
    k = nearest.word.shape[1]
    others = np.argsort(nearest.word == word[:, None], axis=1, kind="stable")[:, : k - 1]
    words = np.take_along_axis(nearest.word, others, axis=1), np.take_along_axis(nearest.signature, others, axis=1)
    return QueryWords(np.column_stack([word, words[0]]), np.column_stack([signature, words[1]]))
