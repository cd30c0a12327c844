"""Features of one picture by each extractor; the whole of indexing against bare SIFT of the same resized pictures."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import cv2
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor

from bof.engine import Engine
from bof.features.sift import opencv_sift, own_sift
from bof.images.decode import read_image
from bof.images.listing import walk_images
from bof.options import FeatureOptions
from bof.system.memory import keep_freed_memory
from scripts.bench.setup import Bench
from scripts.bench.table import Row
from scripts.common.arguments import n_cores
from scripts.common.data import DVD, UKBENCH
from scripts.common.timing import least_cpu_ms

GROUP = "indexing, all included"

SAMPLE = 12
"""Pictures of each folder whose features are timed."""


def measure(bench: Bench) -> Iterator[Row]:
    """Two rows for each folder of photographs."""
    for name in (UKBENCH, DVD):
        paths = list(walk_images(bench.data / name))
        ours, theirs = features_of(paths[:: max(1, len(paths) // SAMPLE)][:SAMPLE], bench.runs)
        yield Row("features of a picture, one thread", name, "ms", ours, "OpenCV's SIFT", theirs)
    for name in (UKBENCH, DVD):
        folder = bench.data / name
        paths = list(walk_images(folder))
        pairs = [(index(folder, bench.workshop.scratch), bare_sift(paths)) for _ in range(bench.runs)]
        ours, theirs = (list(column) for column in zip(*pairs, strict=True))
        yield Row(GROUP, f"{name}, {len(paths)} pictures", "s", ours, "bare OpenCV SIFT", theirs)


def features_of(paths: Sequence[Path], runs: int) -> tuple[list[float], list[float]]:
    """Mean CPU seconds a picture by bof's own SIFT and by OpenCV's, in each run; memory kept as a worker keeps it."""
    keep_freed_memory()
    options = FeatureOptions()
    pictures = [read_image(path, max_side=options.max_side, grey=True).pixels for path in paths]
    calls = [partial(own_sift, options=options), partial(opencv_sift, options=options)]
    ours, theirs = zip(*(least_cpu_ms(calls, pictures, 1) for _ in range(runs)), strict=True)
    return [ms / 1e3 for ms in ours], [ms / 1e3 for ms in theirs]


def index(folder: Path, scratch: Path) -> float:
    """Seconds of indexing a folder with the defaults."""
    get_reusable_executor().shutdown(wait=True)  # each timing starts its own processes
    with Engine.create(Path(tempfile.mkdtemp(prefix="extraction-", dir=scratch))) as engine:
        return engine.add([folder]).seconds


def bare_sift(paths: Sequence[Path]) -> float:
    """Seconds that a process a core spends in SIFT alone, shared evenly; pictures are read and resized before."""
    get_reusable_executor().shutdown(wait=True)
    busy = Parallel(n_jobs=n_cores())(delayed(sift_share)(paths[i :: n_cores()]) for i in range(n_cores()))
    return float(sum(busy)) / n_cores()


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
