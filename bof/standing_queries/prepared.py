"""A watched picture as a search needs it, so that nothing is decoded or looked up again for each picture that comes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bof.errors import IndexStoreError
from bof.features.sift import inverse_features, inverse_geometry, mirror_features, mirror_geometry
from bof.retrieval.shortlist import MAX_WORDS
from bof.types import Features, Geometry, QueryWords
from bof.vocabulary.vocabulary import Vocabulary

_HEAD = struct.Struct("<4i")
_MAX_FEATURES = 1 << 16
_WAYS = 3, 2
"""In so many ways the words of a picture are stored: as it is, mirrored, inverted; before, without the last."""
WatchedAs = Literal["plain", "mirror", "inverse"]
"""The picture as it is, its mirror image, and light and dark exchanged."""

_DAMAGED = "the words of a watched picture are damaged; remove it, and add it again"


@dataclass(frozen=True, slots=True)
class WatchedWords:
    """Where the features of a watched picture lie, and the words and signatures of each, nearest first; those of the
    picture's mirror image, and of its inverse, None where it was watched before inverses were looked for.
    """

    geometry: Geometry
    words: QueryWords
    mirrored_words: QueryWords
    inverse_words: QueryWords | None = None

    @classmethod
    def of(cls, features: Features, vocabulary: Vocabulary) -> WatchedWords:
        """From the features of a query: as many words as any search looks into."""
        k = min(MAX_WORDS, vocabulary.n_words)
        shown = features, mirror_features(features), inverse_features(features)
        return cls(features.geometry, *(vocabulary.quantize(one.descriptors, k) for one in shown))

    def features(self, shown: WatchedAs = "plain") -> Features:
        """Without descriptors, which the words stand for."""
        changed = {"plain": lambda place: place, "mirror": mirror_geometry, "inverse": inverse_geometry}
        geometry = changed[shown](self.geometry)
        return Features(geometry, np.empty((len(geometry), 0), np.uint8))

    def first(self, k: int, shown: WatchedAs = "plain") -> QueryWords | None:
        """The k nearest words of each feature; None of an inverse that is not known."""
        words = {"plain": self.words, "mirror": self.mirrored_words, "inverse": self.inverse_words}[shown]
        if words is None:
            return None
        return QueryWords(np.ascontiguousarray(words.word[:, :k]), np.ascontiguousarray(words.signature[:, :k]))

    # -- As it is stored ----------------------------------------------------------------------------------------------

    def pack(self) -> bytes:
        """In bytes."""
        place = self.geometry
        known = [one for one in (self.words, self.mirrored_words, self.inverse_words) if one is not None]
        head = _HEAD.pack(place.width, place.height, *self.words.word.shape)
        where = np.column_stack([place.xy_px, place.scale_px, place.angle_deg]).astype("<f4")
        parts = [where, *(one.word.astype("<i4") for one in known), *(one.signature.astype("<u8") for one in known)]
        return b"".join([head, *(part.tobytes() for part in parts)])

    @classmethod
    def unpack(cls, data: bytes, n_words: int) -> WatchedWords:
        """From what was stored. Raises IndexStoreError for anything else."""
        width, height, n, k = _HEAD.unpack_from(data) if len(data) >= _HEAD.size else (0, 0, 0, 0)
        is_sound = min(width, height) > 0 and 0 <= n <= _MAX_FEATURES and 1 <= k <= MAX_WORDS
        m = next((m for m in _WAYS if len(data) == _HEAD.size + n * (16 + m * k * 12)), 0)
        if not is_sound or not m:
            raise IndexStoreError(_DAMAGED)
        where = np.frombuffer(data, "<f4", 4 * n, _HEAD.size).reshape(n, 4)
        word = np.frombuffer(data, "<i4", m * n * k, _HEAD.size + 16 * n).reshape(m, n, k)
        signature = np.frombuffer(data, "<u8", m * n * k, _HEAD.size + 16 * n + 4 * m * n * k).reshape(m, n, k)
        if n and not (0 <= word.min() <= word.max() < n_words and np.isfinite(where).all()):
            raise IndexStoreError(_DAMAGED)
        xy, scale, angle = (np.ascontiguousarray(where[:, columns]) for columns in (slice(2), 2, 3))
        return cls(Geometry(xy, scale, angle, width, height), *(QueryWords(word[i], signature[i]) for i in range(m)))
