"""Peak memory of indexing and of a search, and the bytes of an index."""

from __future__ import annotations

from collections.abc import Iterator

from bench_process import run_measured
from bench_setup import Bench
from bench_table import Row

from bof.engine import Engine

GROUP = "memory and size"
BYTES_PER_FEATURE, BYTES_PER_IMAGE = 24, 1024
"""The index may take these, all included."""


def measure(bench: Bench) -> Iterator[Row]:
    """Rows for the largest process of indexing, for a search process, and for the index against what it may take."""
    yield Row(GROUP, "peak memory, indexing, a process", "MB", [bench.by_command.measured.peak_bytes])
    peaks = [run_measured(bench.by_command.search).peak_bytes for _ in range(bench.runs)]
    yield Row(GROUP, "peak memory, a search", "MB", peaks)
    with Engine.open(bench.by_command.folder) as engine:
        n_bytes, n_images, n_features = engine.n_bytes(), len(engine), engine.searcher().collection.n_features
    allowed = BYTES_PER_FEATURE * n_features + BYTES_PER_IMAGE * n_images
    note = f"{n_features} features of {n_images} pictures: {n_bytes / n_features:.1f} bytes a feature, all included"
    peer = f"{BYTES_PER_FEATURE} bytes a feature, 1 KB a picture"
    yield Row(GROUP, "index", "MB", [n_bytes], peer, [allowed], 1.0, is_limit=True, note=note)
