"""The visual vocabulary: words, how a descriptor finds its nearest ones, and its signature inside them."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from bof.errors import OptionError, VocabularyError, reason_of
from bof.options import FeatureOptions
from bof.system.files import fact_of, save_arrays, write_folder, write_json
from bof.types import F32, I32, U8, U64, QueryWords
from bof.vocabulary import hamming
from bof.vocabulary.assignment import Assigner
from bof.vocabulary.stored import AGAIN, ARRAYS, FORMAT_1, HEADER, TRAIN, read_stored, require_arrays

FORMAT = 2

THRESHOLD_STEP = 1 / 32
"""Thresholds are stored as int16 in steps of this."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A trained vocabulary, complete from construction on.

    centroids u8 (n_words, 128); projection f32 (128, 64); thresholds f32 (n_words, 64); features: how the
    descriptors that it was trained on were made; trained_on: what it was trained on and how it went; image_keys
    u64 (n_images,): the first 64 bits of the SHA-256 of each picture file that it was trained on.
    """

    centroids: U8
    projection: F32
    thresholds: F32
    assigner: Assigner
    features: FeatureOptions
    trained_on: Mapping[str, Any]
    image_keys: U64
    fingerprint: str

    @classmethod
    def make(
        cls,
        centroids: U8,
        projection: F32,
        thresholds: F32,
        features: FeatureOptions,
        trained_on: Mapping[str, Any],
        image_keys: U64,
    ) -> Vocabulary:
        """Construct with the thresholds as they will be stored, and the fingerprint of it all.

        Raises VocabularyError where an array is not of the type, shape and range that it has.
        """
        require_arrays(centroids, projection, thresholds, image_keys)
        stored = _stored_thresholds(thresholds)
        fingerprint = _fingerprint(FORMAT, features, centroids, projection, stored)
        return cls._complete(centroids, projection, stored, features, trained_on, image_keys, fingerprint)

    @classmethod
    def _complete(
        cls,
        centroids: U8,
        projection: F32,
        stored: np.ndarray[Any, np.dtype[np.int16]],
        features: FeatureOptions,
        trained_on: Mapping[str, Any],
        image_keys: U64,
        fingerprint: str,
    ) -> Vocabulary:
        thresholds = stored.astype(np.float32) * np.float32(THRESHOLD_STEP)
        assigner = Assigner.over(centroids)
        return cls(centroids, projection, thresholds, assigner, features, trained_on, image_keys, fingerprint)

    @property
    def n_words(self) -> int:
        """Number of visual words."""
        return len(self.centroids)

    def assign(self, descriptors: U8, k: int = 1) -> I32:
        """The k nearest words of descriptors u8 (n, 128): i32 (n, k), nearest first.

        Approximate for large vocabularies; docs/evaluation.md has the measured recall. Raises OptionError when k
        exceeds the number of words.
        """
        if not 1 <= k <= self.n_words:
            expected = f"1 to {self.n_words} (the vocabulary's words)"
            raise OptionError(option="words_per_feature", expected=expected, found=k)
        return self.assigner.search(descriptors, k)

    def sign(self, descriptors: U8, word: I32) -> U64:
        """Hamming signatures u64 (n, k) of descriptors u8 (n, 128) in their words i32 (n, k)."""
        return hamming.sign(descriptors, word, self.projection, self.thresholds)

    def quantize(self, descriptors: U8, k: int = 1) -> QueryWords:
        """Words and signatures of descriptors in one step."""
        word = self.assign(descriptors, k)
        return QueryWords(word, self.sign(descriptors, word))

    def save(self, folder: Path) -> None:
        """Write the vocabulary as a folder, whole or not at all. Raises VocabularyError where that fails."""
        try:
            write_folder(folder, self._fill)
        except OSError as error:
            raise VocabularyError(f"cannot write the vocabulary: {reason_of(error)}", path=folder) from error

    def _fill(self, folder: Path) -> None:
        stored = _stored_thresholds(self.thresholds)
        arrays = (self.centroids, self.projection, stored, self.image_keys)
        save_arrays(folder, dict(zip(ARRAYS, arrays, strict=True)))
        header = {
            "format": FORMAT,
            "fingerprint": _fingerprint(FORMAT, self.features, self.centroids, self.projection, stored),
            "n_words": self.n_words,
            "features": dataclasses.asdict(self.features),
            "trained_on": dict(self.trained_on),
            "files": {name: dataclasses.asdict(fact_of(folder / f"{name}.npy")) for name in ARRAYS},
        }
        write_json(folder / HEADER, header)

    @staticmethod
    def load(folder: Path) -> Vocabulary:
        """Read a saved vocabulary. Raises VocabularyError where it is missing or damaged, MismatchError on format."""
        found = read_stored(folder)
        centroids, projection, stored, image_keys = (found.arrays[name] for name in ARRAYS)
        besides = [found.arrays[FORMAT_1]] if found.format == 1 else []
        fingerprint = _fingerprint(found.format, found.features, centroids, projection, stored, *besides)
        if fingerprint != found.fingerprint:
            raise VocabularyError("fingerprint differs from its content", path=folder, advice=AGAIN)
        return Vocabulary._complete(
            centroids, projection, stored, found.features, found.trained_on, image_keys, fingerprint
        )


@lru_cache(maxsize=2)
def load_vocabulary(folder: Path) -> Vocabulary:
    """`Vocabulary.load`, once a process and folder."""
    return Vocabulary.load(folder)


def default_vocabulary_path() -> Path:
    """Where the vocabulary that ships with bof lies, installed or in a checkout."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "default_vocabulary", package.parent / "vocab" / "default"):
        if (folder / HEADER).is_file():
            return folder
    place = package.parent / "vocab" / "default"
    problem = "the vocabulary that ships with bof is missing"
    raise VocabularyError(problem, path=place, advice=f"install bof again, or {TRAIN}")


def _stored_thresholds(thresholds: F32) -> np.ndarray[Any, np.dtype[np.int16]]:
    return np.asarray(np.clip(np.rint(thresholds / THRESHOLD_STEP), -32768, 32767), np.int16)


def _fingerprint(version: int, features: FeatureOptions, *arrays: np.ndarray[Any, Any]) -> str:
    """SHA-256 over everything that decides which word and signature a descriptor gets."""
    digest = hashlib.sha256(repr((version, sorted(dataclasses.asdict(features).items()))).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
