"""The whole of indexing against bare SIFT of the same resized pictures, as many processes."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
from bench_setup import Bench
from bench_table import Row
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor

from bof.engine import Engine
from bof.images.decode import read_image
from bof.images.listing import walk_images
from bof.options import FeatureOptions

GROUP = "indexing, all included"
ASKED = 0.92
"""Of the speed of bare SIFT."""

FOLDERS = ("ukbench1000", "dvd_covers")


def measure(bench: Bench) -> Iterator[Row]:
    """A row for each folder of photographs."""
    for name in FOLDERS:
        folder = bench.data / name
        paths = list(walk_images(folder))
        pairs = [(index(folder, bench.workshop.scratch), bare_sift(paths)) for _ in range(bench.runs)]
        ours, theirs = (list(column) for column in zip(*pairs, strict=True))
        yield Row(GROUP, f"{name}, {len(paths)} pictures", "s", ours, "bare OpenCV SIFT", theirs, ASKED)


def index(folder: Path, scratch: Path) -> float:
    """Seconds of indexing a folder with the defaults."""
    _stop_workers()
    with Engine.create(Path(tempfile.mkdtemp(prefix="extraction-", dir=scratch))) as engine:
        return engine.add([folder]).seconds


def bare_sift(paths: Sequence[Path]) -> float:
    """Seconds that a process a core spends in SIFT alone, shared evenly; pictures are read and resized before."""
    _stop_workers()
    n_workers = os.cpu_count() or 1
    busy = Parallel(n_jobs=n_workers)(delayed(sift_share)(paths[i::n_workers]) for i in range(n_workers))
    return float(sum(busy)) / n_workers


def sift_share(paths: Sequence[Path]) -> float:
    """Seconds of SIFT over some pictures, on one thread."""
    cv2.setNumThreads(1)
    options = FeatureOptions()
    pictures = [read_image(path, max_side=options.max_side, grey=True).pixels for path in paths]
    sift = cv2.SIFT.create(options.max_features, 3, options.contrast_threshold, 10.0, 1.6, cv2.CV_8U, True)
    start = time.perf_counter()
    for pixels in pictures:
        sift.detectAndCompute(pixels, None)
    return time.perf_counter() - start


def _stop_workers() -> None:
    """Each timing starts its own processes."""
    get_reusable_executor().shutdown(wait=True)
