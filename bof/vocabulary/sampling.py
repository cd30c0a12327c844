"""Descriptors for training, drawn evenly over pictures, in parallel and in bounded memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bof.errors import ImageError, OptionError
from bof.features.sift import N_DIMENSIONS, extract_features
from bof.images.decode import decode, read_bytes
from bof.images.listing import Skipped, list_files
from bof.options import OWN, FeatureOptions, TrainOptions
from bof.scheduling.connection import Cluster
from bof.scheduling.shares import run_on_workers
from bof.system.memory import keep_freed_memory
from bof.system.workers import Limits, LostItem, run_in_workers
from bof.types import I64, U8, U64

Progress = Callable[[int, int], None]

_IN_A_SHARE = 32
"""Pictures that a Dask worker reads at a time."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Descriptors u8 (n, 128) drawn evenly from pictures, and how they were made.

    image_keys u64 (n_images,): the first 64 bits of each picture file's SHA-256, sorted.
    """

    descriptors: U8
    image_keys: U64
    features: FeatureOptions
    source: str

    def __repr__(self) -> str:
        return f"Sample({len(self.descriptors)} descriptors of {self.n_images} pictures)"

    @property
    def n_images(self) -> int:
        """Pictures that the sample was drawn from."""
        return len(self.image_keys)


def draw_sample(
    folders: Sequence[Path],
    source: str,
    features: FeatureOptions,
    options: TrainOptions,
    progress: Progress,
    cluster: Cluster | None = None,
) -> tuple[Sample, list[Skipped]]:
    """At most options.max_descriptors descriptors, the same share of every readable picture under the folders.

    A picture that crashes its process, or takes too long, is skipped. cluster: whose workers read pictures, None:
    processes of this machine; the sample is the same. Raises ClusterError where a worker does not see the pictures.
    """
    if features.extractor == OWN:
        advice = "bof.train_vocabulary learns from descriptors of your own"
        raise OptionError(option="extractor", expected="opencv or native", found=OWN, advice=advice)
    paths = list(list_files(folders))
    limit = max(1, options.max_descriptors // max(1, len(paths)))
    function, shared, items = f"{__name__}:draw_in_worker", (limit, features, options), list(enumerate(paths))
    if cluster is not None:
        cluster.require_seen(paths)
        results = run_on_workers(cluster, function, shared, items, Limits(), _IN_A_SHARE)
    else:
        results = run_in_workers(function, shared, items, options.n_workers)
    parts: list[U8] = [np.empty((0, N_DIMENSIONS), np.uint8)]
    seen: list[int] = []
    skipped: list[Skipped] = []
    for done, (path, drawn) in enumerate(zip(paths, results, strict=True), 1):
        progress(done, len(paths))
        if isinstance(drawn, Skipped | LostItem):
            skipped.append(Skipped(path, drawn.reason))
        else:
            parts.append(drawn[0])
            seen.append(drawn[1])
    descriptors = np.concatenate(parts)[: options.max_descriptors]
    return Sample(descriptors, np.sort(np.array(seen, np.uint64)), features, source), skipped


def content_key(data: bytes) -> int:
    """The first 64 bits of a file's SHA-256: enough to recognise it among millions."""
    return int.from_bytes(hashlib.sha256(data).digest()[:8], "little")


def sample_rows(n_features: int, limit: int, seed: int, image: int) -> I64:
    """Which of an image's features train: at most `limit`, drawn by seed and image number alone."""
    if n_features <= limit:
        return np.arange(n_features)
    chosen = np.random.default_rng((seed, image)).choice(n_features, limit, replace=False)
    return np.sort(np.asarray(chosen, np.int64))


def draw_in_worker(shared: tuple[int, FeatureOptions, TrainOptions], item: tuple[int, str]) -> tuple[U8, int] | Skipped:
    """Descriptors of one picture, and the key of its content, in a process of its own."""
    cv2.setNumThreads(1)
    keep_freed_memory()
    limit, features, options = shared
    number, path = item
    try:
        data = read_bytes(Path(path))
        picture = decode(data, max_side=features.extent, max_pixels=options.max_pixels, grey=True, name=path)
    except ImageError as error:
        return Skipped(path, error.reason())
    descriptors = extract_features(picture, features).descriptors
    return descriptors[sample_rows(len(descriptors), limit, options.seed, number)], content_key(data)
