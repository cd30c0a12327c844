"""Speed and size, as ratios in one run: indexing against bare SIFT, a query by stage, bytes, memory, start-up.

python scripts/bench.py --data DIR (the folder that holds ukbench1000/, dvd_covers/ and train/)
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor

from bof.assignment import exact_assigner
from bof.engine import Engine
from bof.features import extract_features
from bof.images import read_image, walk_images
from bof.options import FeatureOptions
from bof.vocabulary import Vocabulary, default_vocabulary_path, load_vocabulary

N_WORKERS = os.cpu_count() or 1
N_QUERIES = 100


def main(argv: list[str] | None = None) -> int:
    """Run every part, or those that --only names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--runs", type=int, default=3, help="runs of each timing; medians are printed")
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="bof-bench-") as folder:
        for part in arguments.only:
            print(f"\n{part}: {(PARTS[part].__doc__ or '').splitlines()[0]}", flush=True)
            for line in PARTS[part](arguments.data, Path(folder), arguments.runs):
                print("  " + line, flush=True)
    return 0


def indexing(data: Path, scratch: Path, runs: int) -> Iterator[str]:
    """The whole of indexing against bare SIFT.detectAndCompute over the same resized pictures, as many processes."""
    for name in ("ukbench1000", "dvd_covers"):
        paths = list(walk_images(data / name))
        pairs = [(_bare_sift(paths), _index(data / name, scratch / f"{name}-{i}")) for i in range(runs)]
        bare, whole = (median(column) for column in zip(*pairs, strict=True))
        ratio = median(b / w for b, w in pairs)
        yield f"{name}: {len(paths)} pictures, bare SIFT {bare:.1f} s, indexing {whole:.1f} s, speed ratio {ratio:.2f}"


def _bare_sift(paths: list[Path]) -> float:
    """Seconds that the processes spend in SIFT alone, shared evenly; pictures are read and resized before."""
    _stop_workers()
    shares = [paths[i::N_WORKERS] for i in range(N_WORKERS)]
    busy = Parallel(n_jobs=N_WORKERS)(delayed(_sift_share)(share) for share in shares)
    return float(sum(busy)) / N_WORKERS


def _sift_share(paths: list[Path]) -> float:
    cv2.setNumThreads(1)
    options = FeatureOptions()
    pictures = [read_image(path, max_side=options.max_side, grey=True).pixels for path in paths]
    sift = cv2.SIFT.create(options.max_features, 3, options.contrast_threshold, 10.0, 1.6, cv2.CV_8U, True)
    start = time.perf_counter()
    for pixels in pictures:
        sift.detectAndCompute(pixels, None)
    return time.perf_counter() - start


def _index(folder: Path, target: Path) -> float:
    _stop_workers()
    with Engine.create(target) as engine:
        return engine.add([folder]).seconds


def _stop_workers() -> None:
    """Each timing starts its own processes."""
    get_reusable_executor().shutdown(wait=True)


def queries(data: Path, scratch: Path, runs: int) -> Iterator[str]:
    """Milliseconds of a query after extraction, with the defaults, median over queries."""
    with Engine.create(scratch / "all") as engine:
        engine.add([data / "dvd_covers" / "Reference", data / "ukbench1000", data / "train"])
        yield f"{len(engine)} pictures indexed"
        for name in ("dvd_covers/Canon", "ukbench1000"):
            yield f"{name}: {_time_queries(engine, list(walk_images(data / name))[:N_QUERIES], runs)}"


def _time_queries(engine: Engine, paths: list[Path], runs: int) -> str:
    side = engine.index.features.max_side
    prepared = [engine.prepare(read_image(path, grey=True, max_side=side)) for path in paths]
    spent = [dict(engine.answer(query).seconds) for _ in range(runs) for query in prepared]
    stages = [f"{stage} {1e3 * median(s[stage] for s in spent):.1f}" for stage in spent[0]]
    total = 1e3 * median(sum(s.values()) for s in spent)
    features = median(len(query.features) for query in prepared)
    return f"{total:.1f} ms ({', '.join(stages)}), {features:.0f} features a query"


def size(data: Path, scratch: Path, runs: int) -> Iterator[str]:
    """Bytes a feature on disk, and peak memory of indexing 1,000 and about 4,000 pictures."""
    for folders in (["ukbench1000"], ["ukbench1000", "dvd_covers", "train"]):
        target = scratch / f"size-{len(folders)}"
        command = [sys.executable, "-m", "bof.index", *(str(data / f) for f in folders), "--index", str(target)]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        with Engine.open(target) as engine:
            n_features = sum(int(segment.feature_indptr[-1]) for segment in engine.snapshot.segments)
            bytes_a_feature = engine.index.n_bytes() / n_features
            yield f"{len(engine)} pictures, {n_features} features: {bytes_a_feature:.1f} bytes a feature, all included"
        yield text.strip().splitlines()[-1].split("; ")[-1]


def start_up(data: Path, scratch: Path, runs: int) -> Iterator[str]:
    """`python -m bof.search` from nothing to the printed table, on 1,000 pictures."""
    with Engine.create(scratch / "start") as engine:
        engine.add([data / "ukbench1000"])
    query = str(data / "ukbench1000" / "ukbench00000.jpg")
    command = [sys.executable, "-m", "bof.search", query, "--index", str(scratch / "start"), "--timings"]
    seconds, text = [], ""
    for _ in range(max(3, runs)):
        start = time.perf_counter()
        text = subprocess.run(command, check=True, capture_output=True, text=True).stderr
        seconds.append(time.perf_counter() - start)
    yield f"{median(seconds):.2f} s in all; {text.strip().splitlines()[-1]}"


def assignment(data: Path, scratch: Path, runs: int) -> Iterator[str]:
    """Word assignment: recall@1 against exact search, and microseconds a descriptor, picture by picture."""
    vocabulary = load_vocabulary(default_vocabulary_path())
    paths = list(walk_images(data / "ukbench1000"))[::20]
    pictures = [extract_features(read_image(path, grey=True), vocabulary.features).descriptors for path in paths]
    exact = exact_assigner(vocabulary.centroids)
    for k in (1, 5):
        yield f"{k} words: " + _compare(vocabulary, pictures, lambda d: exact.search(d, 1), k, runs)


def _compare(
    vocabulary: Vocabulary,
    pictures: list[np.ndarray[tuple[int, int], np.dtype[np.uint8]]],
    exact: Callable[[np.ndarray[tuple[int, int], np.dtype[np.uint8]]], np.ndarray[tuple[int, int], np.dtype[np.int32]]],
    k: int,
    runs: int,
) -> str:
    n = sum(len(d) for d in pictures)
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        found = [vocabulary.assign(d, k)[:, :1] for d in pictures]
        middle = time.perf_counter()
        right = [exact(d) for d in pictures]
        seconds.append((middle - start, time.perf_counter() - middle))
    recall = np.mean(np.concatenate(found) == np.concatenate(right))
    fast, slow = (1e6 * median(column) / n for column in zip(*seconds, strict=True))
    return f"recall@1 {recall:.3f}, {fast:.1f} us a descriptor (exact search: {slow:.1f})"


PARTS: dict[str, Callable[[Path, Path, int], Iterator[str]]] = {
    "indexing": indexing,
    "queries": queries,
    "size": size,
    "start_up": start_up,
    "assignment": assignment,
}

if __name__ == "__main__":
    sys.exit(main())
