"""Descriptors for training, drawn evenly over pictures, in parallel and in bounded memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from joblib import Parallel, delayed

from bof.errors import ImageError
from bof.features.sift import N_DIMENSIONS, extract_features
from bof.images.decode import decode, read_bytes
from bof.images.listing import Skipped, list_files
from bof.options import FeatureOptions, TrainOptions
from bof.system.memory import keep_freed_memory
from bof.types import U8
from bof.vocabulary.training import Sample, sample_rows

Progress = Callable[[int, int], None]

_Drawn = tuple[U8, int] | Skipped


def draw_sample(
    folders: Sequence[Path],
    source: str,
    features: FeatureOptions,
    options: TrainOptions,
    progress: Progress,
) -> tuple[Sample, list[Skipped]]:
    """At most options.max_descriptors descriptors, the same share of every readable picture under the folders."""
    paths = list(list_files(folders))
    limit = max(1, options.max_descriptors // max(1, len(paths)))
    parallel = Parallel(n_jobs=options.n_workers, return_as="generator", pre_dispatch="4*n_jobs", batch_size=4)
    jobs = (delayed(_draw)(path, number, limit, features, options) for number, path in enumerate(paths))
    parts: list[U8] = [np.empty((0, N_DIMENSIONS), np.uint8)]
    seen: list[int] = []
    skipped: list[Skipped] = []
    for done, drawn in enumerate(parallel(jobs), 1):
        progress(done, len(paths))
        if isinstance(drawn, Skipped):
            skipped.append(drawn)
        else:
            parts.append(drawn[0])
            seen.append(drawn[1])
    descriptors = np.concatenate(parts)[: options.max_descriptors]
    return Sample(descriptors, np.sort(np.array(seen, np.uint64)), features, source), skipped


def content_key(data: bytes) -> int:
    """The first 64 bits of a file's SHA-256: enough to recognise it among millions."""
    return int.from_bytes(hashlib.sha256(data).digest()[:8], "little")


def _draw(path: str, number: int, limit: int, features: FeatureOptions, options: TrainOptions) -> _Drawn:
    cv2.setNumThreads(1)
    keep_freed_memory()
    try:
        data = read_bytes(Path(path))
        picture = decode(data, max_side=features.max_side, max_pixels=options.max_pixels, grey=True, name=path)
    except ImageError as error:
        return Skipped(path, error.reason())
    descriptors = extract_features(picture, features).descriptors
    return descriptors[sample_rows(len(descriptors), limit, options.seed, number)], content_key(data)
