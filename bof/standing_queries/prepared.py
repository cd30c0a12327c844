"""A watched picture as a search needs it, so that nothing is decoded or looked up again for each picture that comes."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from bof.errors import IndexStoreError
from bof.features.sift import mirror_features, mirror_geometry
from bof.retrieval.shortlist import MAX_WORDS
from bof.types import Features, Geometry, QueryWords
from bof.vocabulary.vocabulary import Vocabulary

_HEAD = struct.Struct("<4i")
_MAX_FEATURES = 1 << 16
_DAMAGED = "the words of a watched picture are damaged; remove it, and add it again"


@dataclass(frozen=True, slots=True)
class WatchedWords:
    """Where the features of a watched picture lie, and the words and signatures of each, nearest first; and those of
    the picture's mirror image.
    """

    geometry: Geometry
    words: QueryWords
    mirrored_words: QueryWords

    @classmethod
    def of(cls, features: Features, vocabulary: Vocabulary) -> WatchedWords:
        """From the features of a query: as many words as any search looks into."""
        k = min(MAX_WORDS, vocabulary.n_words)
        both = (vocabulary.quantize(one.descriptors, k) for one in (features, mirror_features(features)))
        return cls(features.geometry, *both)

    def features(self, *, mirrored: bool = False) -> Features:
        """Without descriptors, which the words stand for."""
        geometry = mirror_geometry(self.geometry) if mirrored else self.geometry
        return Features(geometry, np.empty((len(geometry), 0), np.uint8))

    def first(self, k: int, *, mirrored: bool = False) -> QueryWords:
        """The k nearest words of each feature."""
        words = self.mirrored_words if mirrored else self.words
        return QueryWords(np.ascontiguousarray(words.word[:, :k]), np.ascontiguousarray(words.signature[:, :k]))

    # -- As it is stored ----------------------------------------------------------------------------------------------

    def pack(self) -> bytes:
        """In bytes."""
        place, both = self.geometry, (self.words, self.mirrored_words)
        head = _HEAD.pack(place.width, place.height, *self.words.word.shape)
        where = np.column_stack([place.xy_px, place.scale_px, place.angle_deg]).astype("<f4")
        parts = [where, *(one.word.astype("<i4") for one in both), *(one.signature.astype("<u8") for one in both)]
        return b"".join([head, *(part.tobytes() for part in parts)])

    @classmethod
    def unpack(cls, data: bytes, n_words: int) -> WatchedWords:
        """From what was stored. Raises IndexStoreError for anything else."""
        width, height, n, k = _HEAD.unpack_from(data) if len(data) >= _HEAD.size else (0, 0, 0, 0)
        is_sound = min(width, height) > 0 and 0 <= n <= _MAX_FEATURES and 1 <= k <= MAX_WORDS
        if not is_sound or len(data) != _HEAD.size + n * (16 + 2 * k * 12):
            raise IndexStoreError(_DAMAGED)
        where = np.frombuffer(data, "<f4", 4 * n, _HEAD.size).reshape(n, 4)
        word = np.frombuffer(data, "<i4", 2 * n * k, _HEAD.size + 16 * n).reshape(2, n, k)
        signature = np.frombuffer(data, "<u8", 2 * n * k, _HEAD.size + 16 * n + 8 * n * k).reshape(2, n, k)
        if n and not (0 <= word.min() <= word.max() < n_words and np.isfinite(where).all()):
            raise IndexStoreError(_DAMAGED)
        xy, scale, angle = (np.ascontiguousarray(where[:, columns]) for columns in (slice(2), 2, 3))
        return cls(Geometry(xy, scale, angle, width, height), *(QueryWords(word[i], signature[i]) for i in (0, 1)))
