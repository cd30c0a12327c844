"""A collection of `scale_bench` on disk, filled by the engine's own writer; one that was kept is used again."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from peer_common import Clock
from scale_planting import Planted
from scale_pool import FRAME
from scale_synthesis import BLOCK, Synthesis

from bof.cli.command import progress_bar
from bof.errors import BofError
from bof.store import catalog
from bof.store.catalog import ImageRecord
from bof.store.index import Index
from bof.store.segments import ImageColumns
from bof.system.units import human_bytes
from bof.types import Features
from bof.vocabulary.vocabulary import load_vocabulary

BYTES_A_FEATURE, BYTES_AN_IMAGE = 28, 1500
"""At most, for the check of disk space."""

MERGING = 2
"""A merge holds the old files and the new one at once."""


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
    """Where a collection lies: the folder, and in it the index, what it took, and what is asked."""

    folder: Path

    @property
    def index(self) -> Path:
        """The index folder."""
        return self.folder / "index"

    @property
    def queries(self) -> Path:
        """The queries' features, and the names of their targets."""
        return self.folder / "queries.npz"

    @property
    def record(self) -> Path:
        """The figures of a finished build."""
        return self.folder / "build.json"


def place_of(cache: Path, n_images: int, n_features: int, *identity: object) -> Place:
    """A folder for this size, the index format and what else decides which collection it is."""
    digest = hashlib.sha256(repr((catalog.FORMAT, *identity)).encode()).hexdigest()[:12]
    return Place(cache / f"scale-{n_images}x{n_features}-{digest}")


def build(
    place: Place, synthesis: Synthesis, planted: Planted, vocabulary_folder: Path, n_images: int, n_features: int
) -> Build:
    """The figures of a collection, which then stands in its place. Raises BofError where the disk has no room."""
    if place.record.exists():
        return Build(**json.loads(place.record.read_text(encoding="utf-8")))
    shutil.rmtree(place.folder, ignore_errors=True)
    _require_room(place.folder.parent, n_images, n_features)
    place.folder.mkdir(parents=True)
    targets = planted.places(n_images, synthesis.seed)
    save_queries(place.queries, planted.queries, [name_of(target) for target in targets])
    done = _fill(place, synthesis, dict(zip(targets, planted.targets, strict=True)), vocabulary_folder, n_images)
    result = Build(n_images, n_features, *done)
    place.record.write_text(json.dumps(asdict(result)), encoding="utf-8")
    return result


def _require_room(folder: Path, n_images: int, n_features: int) -> None:
    needed = MERGING * n_images * (n_features * BYTES_A_FEATURE + BYTES_AN_IMAGE)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BofError(
            f"{folder}: expected {human_bytes(needed)} free for {n_images} pictures of {n_features} features, merging "
            f"included, found {human_bytes(free)}; name another --cache, or fewer --images"
        )


def _fill(
    place: Place, synthesis: Synthesis, targets: dict[int, ImageColumns], vocabulary_folder: Path, n_images: int
) -> tuple[int, int, float, float]:
    """Features, bytes, seconds of appending and seconds of synthesis."""
    vocabulary = load_vocabulary(vocabulary_folder)
    index = Index.create(place.index, vocabulary, vocabulary_folder, vocabulary.features)
    appending, n_features, start = Clock(), 0, time.perf_counter()
    with index.writer() as writer, progress_bar(" images", f"{n_images} images") as show:
        for first in range(0, n_images, BLOCK):
            stop = min(first + BLOCK, n_images)
            images = list(_with_targets(synthesis.pictures(first, stop), first, targets))
            n_features += sum(facts.n_features for facts, _ in images)
            with appending.running():
                writer.append(images)
            show(stop, n_images)
    whole = time.perf_counter() - start
    return n_features, index.n_bytes(), appending.seconds, whole - appending.seconds


def _with_targets(
    pictures: Sequence[ImageColumns], first: int, targets: dict[int, ImageColumns]
) -> Iterator[tuple[ImageRecord, ImageColumns]]:
    """Pictures with their facts; a target has the planted features besides its own."""
    for number, picture in enumerate(pictures, first):
        columns = join(targets[number], picture) if number in targets else picture
        name = name_of(number)
        yield ImageRecord(name, f"/synthetic/{name}", 100_000, 0, f"{number:064x}", *FRAME, len(columns)), columns


def join(first: ImageColumns, second: ImageColumns) -> ImageColumns:
    """The features of both in one picture."""
    names = ("word", "signature", "xy", "scale_angle")
    word, signature, xy, scale_angle = (np.concatenate([getattr(first, n), getattr(second, n)]) for n in names)
    return ImageColumns(word, signature, xy, scale_angle)


def name_of(number: int) -> str:
    """Of a synthetic picture."""
    return f"{number // BLOCK:05d}/{number:08d}.jpg"


def save_queries(file: Path, queries: Sequence[Features], targets: Sequence[str]) -> None:
    """What `scale_query` reads."""
    geometry = [query.geometry for query in queries]
    columns = {
        "indptr": np.cumsum([0, *map(len, queries)]),
        "size": np.array([(g.width, g.height) for g in geometry]),
        "xy_px": np.concatenate([g.xy_px for g in geometry]),
        "scale_px": np.concatenate([g.scale_px for g in geometry]),
        "angle_deg": np.concatenate([g.angle_deg for g in geometry]),
        "descriptors": np.concatenate([query.descriptors for query in queries]),
        "target": np.array(targets),
    }
    np.savez(file, allow_pickle=False, **columns)
