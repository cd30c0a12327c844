"""A vocabulary from anybody is refused by name or works: no file of it is believed before it is checked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bof.errors import VocabularyError
from bof.options import FeatureOptions
from bof.vocabulary.hamming import make_projection
from bof.vocabulary.stored import ARRAYS
from bof.vocabulary.vocabulary import Vocabulary
from scripts.torture import vocabularies


@pytest.mark.filterwarnings("ignore")
def test_a_hundred_hostile_vocabularies_are_refused_or_used(tmp_path: Path) -> None:
    fates, wrong = vocabularies.torture(100, 7, tmp_path)
    assert not wrong
    assert fates.total() == 100
    assert fates["refused by name"] > 60
    assert fates["used"] > 5


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "device"])
def test_what_is_no_file_is_no_array(vocabulary_folder: Path, tmp_path: Path, name: str, kind: str) -> None:
    vocabulary = Vocabulary.load(vocabulary_folder)
    vocabulary.save(tmp_path / "v")
    path = tmp_path / "v" / f"{name}.npy"
    path.rename(tmp_path / "whole")
    if kind == "link":
        path.symlink_to(tmp_path / "whole")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(VocabularyError, match=rf"{name}\.npy: cannot be read"):
        Vocabulary.load(tmp_path / "v")


def made(**changes: np.ndarray) -> Vocabulary:
    words = np.arange(32 * 128, dtype=np.uint8).reshape(32, 128)
    arrays: dict[str, Any] = {
        "centroids": words,
        "projection": make_projection(128, 0),
        "thresholds": np.zeros((32, 64), np.float32),
        "image_keys": np.zeros(3, np.uint64),
    }
    return Vocabulary.make(features=FeatureOptions(), trained_on={}, **{**arrays, **changes})


CASES = {
    "thresholds of three words": {"thresholds": np.zeros((3, 64), np.float32)},
    "thresholds of a bit": {"thresholds": np.zeros((32, 1), np.float32)},
    "thresholds of 64 bits": {"thresholds": np.zeros((32, 64))},
    "endless thresholds": {"thresholds": np.full((32, 64), np.nan, np.float32)},
    "projection of two": {"projection": np.zeros((2, 64), np.float32)},
    "projection too long": {"projection": np.full((128, 64), 2, np.float32)},
    "projection of the other order": {"projection": np.zeros((128, 64), ">f4")},
    "short words": {"centroids": np.zeros((32, 16), np.uint8)},
    "long words": {"centroids": np.zeros((32, 256), np.uint8)},
    "words of other numbers": {"centroids": np.zeros((32, 128), np.float32)},
    "no words": {"centroids": np.zeros((0, 128), np.uint8), "thresholds": np.zeros((0, 64), np.float32)},
    "keys in a table": {"image_keys": np.zeros((3, 1), np.uint64)},
}


@pytest.mark.parametrize("case", CASES)
def test_arrays_in_memory_are_checked_by_the_same_table(case: str) -> None:
    assert made().n_words == 32
    [name] = [name for name in CASES[case] if name != "thresholds"] or ["thresholds"]
    with pytest.raises(VocabularyError, match=rf"expected {name} .*, found "):
        made(**CASES[case])
