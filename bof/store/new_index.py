"""What a new index begins with: a folder, and facts that never change in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bof.errors import IndexStoreError, MismatchError, reason_of
from bof.global_descriptors.describe import ColumnSpec
from bof.options import SKETCH, FeatureOptions
from bof.vocabulary.vocabulary import Vocabulary


def new_facts(vocabulary: Vocabulary, vocabulary_folder: Path, features: FeatureOptions) -> dict[str, Any]:
    """The facts of a new index, but for its copy of the vocabulary.

    Raises MismatchError where its features are not those of the vocabulary's model.
    """
    if features.model != vocabulary.features.model:
        found, expected = (f"the model {one.model[:12]}" if one.model else f"{one.extractor} features"
                           for one in (features, vocabulary.features))  # fmt: skip
        advice = "train one of that model: {bof train_vocab} PHOTOS {features} FILE.onnx -o DIR"
        raise MismatchError(path=vocabulary_folder, expected=f"an index of {expected}", found=found, advice=advice)
    return {
        "fingerprint": vocabulary.fingerprint,
        "n_words": vocabulary.n_words,
        "features": features.fact,
        "vocabulary_folder": str(vocabulary_folder.absolute()),
        **ColumnSpec((SKETCH,)).meta,
    }


def make_folder(folder: Path) -> None:
    """Raises IndexStoreError where a folder of an index cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise IndexStoreError(f"cannot create an index here: {reason_of(error)}", path=folder) from error
