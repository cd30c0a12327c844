"""The commands in processes of their own: start of a search, the first one ever, peak memory, bytes of an index."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator

from bof.engine import Engine
from scripts.bench.setup import Bench
from scripts.bench.table import Row
from scripts.common.process import run_measured

START, SIZE = "start-up", "memory and size"
BYTES_PER_FEATURE, BYTES_PER_IMAGE = 24, 1024  # the index may take these, all included


def measure_start(bench: Bench) -> Iterator[Row]:
    """`python -m bof.search` from nothing to the printed table, and the first after installation beside the second."""
    command = bench.by_command.search
    run_measured(command)
    seconds = [run_measured(command).seconds for _ in range(bench.runs)]
    yield Row(START, "search, from nothing to the table", "s", seconds)
    first, second = [], []
    for _ in range(bench.runs):  # as on a machine that has compiled nothing
        with tempfile.TemporaryDirectory(prefix="fresh-", dir=bench.workshop.scratch) as folder:
            fresh = {"PYTHONPYCACHEPREFIX": f"{folder}/python"}
            first.append(run_measured(command, fresh).seconds)
            second.append(run_measured(command, fresh).seconds)
    note = "all caches empty, those of Python's libraries too, which pip would have filled"
    yield Row(START, "the first search ever", "s", first, "the second", second, is_limit=True, note=note)


def measure_size(bench: Bench) -> Iterator[Row]:
    """Rows for the largest process of indexing, for a search process, and for the index against what it may take."""
    yield Row(SIZE, "peak memory, indexing, a process", "MB", [bench.by_command.measured.peak_bytes])
    peaks = [run_measured(bench.by_command.search).peak_bytes for _ in range(bench.runs)]
    yield Row(SIZE, "peak memory, a search", "MB", peaks)
    with Engine.open(bench.by_command.folder) as engine:
        n_bytes, n_images, n_features = engine.n_bytes(), len(engine), engine.searcher().collection.n_features
    allowed = BYTES_PER_FEATURE * n_features + BYTES_PER_IMAGE * n_images
    note = f"{n_features} features of {n_images} pictures: {n_bytes / n_features:.1f} bytes a feature, all included"
    peer = f"{BYTES_PER_FEATURE} bytes a feature, 1 KB a picture"
    yield Row(SIZE, "index", "MB", [n_bytes], peer, [allowed], is_limit=True, note=note)
