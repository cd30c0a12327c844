"""The visual vocabulary: words, how a descriptor finds its nearest ones, and its signature inside them."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bof.errors import MismatchError, OptionError, VocabularyError, reason_of
from bof.options import FIRST_MOST, LEARNED, OWN, FeatureOptions
from bof.system.files import FileFact, fact_of, save_arrays, write_folder, write_json
from bof.types import F32, I32, U8, U64, QueryWords
from bof.vocabulary import hamming
from bof.vocabulary.assignment import Assigner
from bof.vocabulary.stored import (
    AGAIN,
    ARRAYS,
    FORMAT_1,
    HEADER,
    TRAIN,
    Stored,
    copy_files,
    copy_model,
    read_header,
    read_stored,
    require_arrays,
)

FORMAT = 2

THRESHOLD_STEP = 1 / 32
"""Thresholds are stored as int16 in steps of this."""

_DECIDING = ("centroids", "projection", "thresholds")
"""The arrays that decide which word and signature a descriptor gets."""


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

    def __repr__(self) -> str:
        return f"Vocabulary({self.n_words} words, {self.fingerprint[:12]})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Travels without what follows from the words, whose arrays must lie as the loops read them."""
        stored = _stored_thresholds(self.thresholds)
        arrays = self.centroids, self.projection, stored, self.features, dict(self.trained_on), self.image_keys
        return Vocabulary._complete, (*arrays, self.fingerprint)

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

    @property
    def new_index_features(self) -> FeatureOptions:
        """How a new index extracts: as the features that were learned were, by the extractor and reading of today, and
        with as many as are kept today where the vocabulary kept what was the default then.

        Features of either extractor find the words of the other, and weaker ones the words of stronger ones
        (docs/evaluation.md).
        """
        then, today = self.features, FeatureOptions()
        if then.extractor in (LEARNED, OWN):
            return then
        most = today.max_features if then.max_features == FIRST_MOST else then.max_features
        return then.replaced(extractor=today.extractor, reading=today.reading, max_features=most)

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

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the vocabulary as a folder, whole or not at all. Raises VocabularyError where that fails."""
        try:
            write_folder(Path(folder), self._fill)
        except OSError as error:
            raise VocabularyError(f"cannot write the vocabulary: {reason_of(error)}", path=folder) from error

    def _fill(self, folder: Path) -> None:
        stored = _stored_thresholds(self.thresholds)
        arrays = (self.centroids, self.projection, stored, self.image_keys)
        save_arrays(folder, dict(zip(ARRAYS, arrays, strict=True)))
        if self.features.is_learned:
            copy_model(self.features, folder)
        header = {
            "format": FORMAT,
            "fingerprint": _fingerprint(FORMAT, self.features, self.centroids, self.projection, stored),
            "n_words": self.n_words,
            "features": self.features.fact,
            "trained_on": dict(self.trained_on),
            "files": {name: dataclasses.asdict(fact_of(folder / f"{name}.npy")) for name in ARRAYS},
        }
        write_json(folder / HEADER, header)

    @staticmethod
    def load(folder: str | os.PathLike[str]) -> Vocabulary:
        """Read a saved vocabulary. Raises VocabularyError where it is missing or damaged, MismatchError on format."""
        found = _read_verified(Path(folder))
        centroids, projection, stored, image_keys = (found.arrays[name] for name in ARRAYS)
        return Vocabulary._complete(
            centroids, projection, stored, found.features, found.trained_on, image_keys, found.fingerprint
        )


def load_vocabulary(folder: Path) -> Vocabulary:
    """`Vocabulary.load`, once a process for all folders that hold the same vocabulary: an index carries a copy of its
    own. A header that is the same names the same content by its checksums; the model of learned features is each
    folder's own.
    """
    try:
        header = read_header(folder)
    except OSError:
        return Vocabulary.load(folder)  # which says what is wrong
    with _LOCK:
        key = header, str(folder.absolute()) if _IS_LEARNED in header else ""
        found = _LOADED.pop(key, None) or Vocabulary.load(folder)
        _LOADED[key] = found
        while len(_LOADED) > _MOST_LOADED:
            del _LOADED[next(iter(_LOADED))]
    return found


_IS_LEARNED = b'"learned"'

_LOADED: dict[tuple[bytes, str], Vocabulary] = {}
"""By their headers, and of learned features their folders, the one that was asked for last at the end."""

_MOST_LOADED = 2
_LOCK = threading.Lock()


def _read_verified(folder: Path) -> Stored:
    """What a folder holds, and its fingerprint is that of its content."""
    found = read_stored(folder)
    arrays = [found.arrays[name] for name in (*_DECIDING, *([FORMAT_1] if found.format == 1 else []))]
    if _fingerprint(found.format, found.features, *arrays) != found.fingerprint:
        raise VocabularyError("fingerprint differs from its content", path=folder, advice=AGAIN)
    return found


def copy_vocabulary(source: Path, target: Path, fingerprint: str) -> dict[str, FileFact]:
    """Copy a vocabulary's files into a folder that exists, byte for byte; returns what each of them is.

    The copy is checked, not the source, which may change meanwhile. Raises OSError, VocabularyError, and MismatchError
    where it is another vocabulary than that of the fingerprint.
    """
    names = copy_files(source, target)
    found = _read_verified(target).fingerprint
    if found != fingerprint:
        raise MismatchError(path=source, expected=f"vocabulary {fingerprint[:12]}", found=found[:12])
    return {name: fact_of(target / name) for name in names}


def default_vocabulary() -> Vocabulary:
    """The vocabulary that ships with bof."""
    return load_vocabulary(default_vocabulary_path())


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
    digest = hashlib.sha256(repr((version, sorted(features.fact.items()))).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
