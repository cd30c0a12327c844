"""A synthetic collection on disk, filled by the engine's own writer; one that was kept is used again."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bof.cli.progress import progress_bar
from bof.errors import BofError
from bof.store import catalog
from bof.store.catalog import ImageRecord
from bof.store.index import Index
from bof.store.segments import ImageColumns
from bof.system.files import read_json, write_json
from bof.system.units import human_bytes
from bof.vocabulary.vocabulary import load_vocabulary
from scripts.common.features import save_features
from scripts.common.timing import Clock
from scripts.scale.planting import Planted
from scripts.scale.pool import FRAME
from scripts.scale.synthesis import BLOCK, Synthesis

BYTES_A_FEATURE, BYTES_AN_IMAGE = 28, 1500  # at most, for the check of disk space
MERGING = 2  # a merge holds the old files and the new one at once


@dataclass(frozen=True, slots=True)
class Build:
    """What building took: seconds in the writer, seconds of making up pictures, bytes on disk, features."""

    images: int
    features: int
    n_features: int
    n_bytes: int
    append_seconds: float
    synthesis_seconds: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a collection lies: the index, its record, the features that ask and the names of their targets."""

    folder: Path
    index: Path
    record: Path
    queries: Path
    targets: Path


def place_of(cache: Path, n_images: int, n_features: int, *identity: object) -> Place:
    """A folder for this size, the index format and what else decides which collection it is."""
    digest = hashlib.sha256(repr((catalog.FORMAT, *identity)).encode()).hexdigest()[:12]
    folder = cache / f"scale-{n_images}x{n_features}-{digest}"
    return Place(folder, *(folder / name for name in ("index", "build.json", "queries.npz", "targets.json")))


def build(
    place: Place, synthesis: Synthesis, planted: Planted, vocabulary_folder: Path, n_images: int, n_features: int
) -> Build:
    """The figures of a collection, which then stands in its place. Raises BofError where the disk has no room."""
    if place.record.exists():
        return Build(**read_json(place.record))
    shutil.rmtree(place.folder, ignore_errors=True)
    needed = MERGING * n_images * (n_features * BYTES_A_FEATURE + BYTES_AN_IMAGE)
    free = shutil.disk_usage(place.folder.parent).free
    if free < needed:
        raise BofError(
            f"{place.folder.parent}: expected {human_bytes(needed)} free for {n_images} pictures of {n_features} "
            f"features, merging included, found {human_bytes(free)}; name another --cache, or fewer --images"
        )
    place.folder.mkdir(parents=True)
    targets = planted.places(n_images, synthesis.seed)
    save_features(place.queries, planted.queries)
    write_json(place.targets, [name_of(target) for target in targets])
    done = _fill(place, synthesis, dict(zip(targets, planted.targets, strict=True)), vocabulary_folder, n_images)
    result = Build(n_images, n_features, *done)
    write_json(place.record, asdict(result))
    return result


def _fill(
    place: Place, synthesis: Synthesis, targets: Mapping[int, ImageColumns], vocabulary_folder: Path, n_images: int
) -> tuple[int, int, float, float]:
    """Features, bytes, seconds of appending and seconds of synthesis."""
    vocabulary = load_vocabulary(vocabulary_folder)
    index = Index.create(place.index, vocabulary, vocabulary_folder, vocabulary.new_index_features)
    appending, n_features, start = Clock(), 0, time.perf_counter()
    with index.writer() as writer, progress_bar(" images", f"{n_images} images") as show:
        for first in range(0, n_images, BLOCK):
            stop = min(first + BLOCK, n_images)
            images = list(_with_targets(synthesis.pictures(first, stop), first, targets))
            n_features += sum(facts.n_features for facts, _ in images)
            with appending:
                writer.append(images)
            show(stop, n_images)
    whole = time.perf_counter() - start
    return n_features, index.n_bytes(), appending.seconds, whole - appending.seconds


def _with_targets(
    pictures: Sequence[ImageColumns], first: int, targets: Mapping[int, ImageColumns]
) -> Iterator[tuple[ImageRecord, ImageColumns]]:
    """Pictures with their facts; a target has the planted features besides its own."""
    for number, picture in enumerate(pictures, first):
        parts = [targets[number], picture] if number in targets else [picture]
        word, signature, xy, scale_angle = (np.concatenate(arrays) for arrays in zip(*map(_arrays, parts), strict=True))
        columns = ImageColumns(word, signature, xy, scale_angle)
        name = name_of(number)
        yield ImageRecord(name, f"/synthetic/{name}", 100_000, 0, f"{number:064x}", *FRAME, len(columns)), columns


def _arrays(columns: ImageColumns) -> tuple[Any, ...]:
    return columns.word, columns.signature, columns.xy, columns.scale_angle


def name_of(number: int) -> str:
    """Of a synthetic picture."""
    return f"{number // BLOCK:05d}/{number:08d}.jpg"
