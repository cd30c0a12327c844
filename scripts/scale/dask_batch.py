"""Indexing on `--dask local` against indexing without it: by turns, so that other load of the machine meets both.

python -m scripts.scale.dask_batch PICTURES [--turns 2] [--pictures 1000]
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bof.engine import Engine
from bof.images.listing import walk_images
from bof.options import IndexOptions
from bof.scheduling.connection import open_cluster
from bof.system.workers import close_workers


def index(files: Sequence[Path], n_workers: int, *, on_dask: bool) -> float:
    """Seconds of indexing into a new index, by new processes, without those that Dask's workers take to start."""
    close_workers()
    with tempfile.TemporaryDirectory(prefix="bof-scale-") as folder, Engine.create(Path(folder) / "index") as engine:
        options = IndexOptions(workers=n_workers)
        if not on_dask:
            return engine.add(list(files), options).seconds
        with open_cluster("local", n_workers) as cluster:
            return engine.add(list(files), options, cluster=cluster).seconds


def main(argv: Sequence[str] | None = None) -> None:
    """Print the seconds of each turn, and the ratio of the best."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--pictures", type=int, default=1000)
    arguments = parser.parse_args(argv)
    files = sorted(itertools.islice(walk_images(arguments.folder), arguments.pictures))
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(arguments.turns):
        for on_dask in (False, True):
            start = time.perf_counter()
            seconds[on_dask].append(index(files, os.cpu_count() or 1, on_dask=on_dask))
            print(f"{'dask' if on_dask else 'alone'}: {seconds[on_dask][-1]:.1f} s", end=" ")
            print(f"({time.perf_counter() - start:.1f} s with what starts)", flush=True)
    alone, dask = min(seconds[False]), min(seconds[True])
    print(f"{len(files)} pictures: {alone / dask:.2f} of the throughput without Dask")


if __name__ == "__main__":
    main()
