"""A part of an index is opened where it is searched, as of the commit that the front sees."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from bof.retrieval.remote.requests import Opening, PartName
from bof.store.index import Index, Snapshot


def open_part(name: PartName, opening: Opening, before: Snapshot | None = None) -> Snapshot:
    """The part, weighed as the whole. before: an older commit of it.

    Raises EpochGoneError where it is at another commit, IndexStoreError where it is missing or damaged.
    """
    part = Index.open(name.folder).open_weighed(name.name, name.generation, opening.idf, name.epoch, before)
    return replace(part, n_images=opening.n_images, n_features=opening.n_features)


def part_names(collection: Snapshot, folder: Path) -> list[PartName]:
    """The parts of a collection, in order."""
    return [PartName(folder, part.name, part.generation, collection.generation) for part in collection.parts]


def first_images(collection: Snapshot) -> list[int]:
    """The number of the first image of each part, in order."""
    return list(accumulate((part.n_rows for part in collection.parts), initial=0))[:-1]


def opening_of(collection: Snapshot, vocabulary_folder: Path) -> Opening:
    """What opens any of them."""
    return Opening(collection.weights.idf, collection.n_images, collection.n_features, vocabulary_folder)
