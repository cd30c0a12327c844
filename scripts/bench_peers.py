"""A query against COLMAP's VisualIndex: same pictures, same SIFT features, same number of words, in one run.

python scripts/bench_peers.py --data DIR (the folder that holds ukbench1000/ and train/); needs the extra bof[peers].
Only time is compared here: the Python binding of COLMAP's query returns no ranking.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pycolmap
from numpy.typing import NDArray

from bof.engine import Engine, Query
from bof.images import read_image, walk_images
from bof.options import FeatureOptions, TrainOptions
from bof.sampling import draw_sample
from bof.searching import SearchOptions

N_WORDS = 16384
N_TRAINING = 400_000


def main(argv: list[str] | None = None) -> int:
    """Build both indexes over UKBench-1000, ask both the same queries in turn, print medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--queries", type=int, default=100)
    arguments = parser.parse_args(argv)
    paths = list(walk_images(arguments.data / "ukbench1000"))
    with tempfile.TemporaryDirectory(prefix="bof-peers-") as folder, Engine.create(Path(folder) / "index") as engine:
        engine.add([arguments.data / "ukbench1000"])
        queries = [engine.prepare(read_image(path, grey=True, max_side=1024)) for path in paths]
        colmap = _colmap_index(arguments.data / "train", queries)
        step = max(1, len(queries) // arguments.queries)
        for depth in (0, 50, 100):
            _compare(engine, colmap, queries[::step], depth)
    return 0


def _colmap_index(training: Path, queries: list[Query]) -> pycolmap.VisualIndex:
    """COLMAP's index of the same features. Its vocabulary is trained briefly: only time is measured."""
    options = TrainOptions(words=N_WORDS, max_descriptors=N_TRAINING)
    sample, _ = draw_sample([training], "train", FeatureOptions(), options, 2, lambda done, total: None)
    index = pycolmap.VisualIndex.create(128, 64)
    build = pycolmap.VisualIndex.BuildOptions()
    build.num_visual_words, build.num_iterations, build.num_rounds = N_WORDS, 5, 1
    index.build(build, _descriptors(sample.descriptors))
    start = time.perf_counter()
    for number, query in enumerate(queries):
        keypoints, descriptors = _features(query)
        index.add(pycolmap.VisualIndex.IndexOptions(), number, keypoints, descriptors)
    index.prepare()
    milliseconds = 1e3 * (time.perf_counter() - start) / len(queries)
    print(f"COLMAP {pycolmap.__version__}: {milliseconds:.1f} ms a picture to index, extraction not included")
    return index


def _descriptors(descriptors: NDArray[np.uint8]) -> pycolmap.FeatureDescriptorsFloat:
    return pycolmap.FeatureDescriptorsFloat(pycolmap.FeatureExtractorType.SIFT, descriptors.astype(np.float32))


def _features(query: Query) -> tuple[pycolmap.FeatureKeypoints, pycolmap.FeatureDescriptorsFloat]:
    geometry = query.features.geometry
    columns = (geometry.xy_px[:, 0], geometry.xy_px[:, 1], geometry.scale_px / 2, np.radians(geometry.angle_deg))
    make = pycolmap.FeatureKeypoint.from_shape_parameters
    rows = zip(*(column.tolist() for column in columns), strict=True)
    keypoints = [make(x, y, scale, scale, angle, 0.0) for x, y, scale, angle in rows]
    return pycolmap.FeatureKeypoints(keypoints), _descriptors(query.features.descriptors)


def _compare(engine: Engine, colmap: pycolmap.VisualIndex, queries: list[Query], depth: int) -> None:
    """Both engines answer each query, one after the other."""
    options = SearchOptions()
    options = dataclasses.replace(options, verify=dataclasses.replace(options.verify, depth=depth))
    theirs_options = pycolmap.VisualIndex.QueryOptions()
    theirs_options.num_images_after_verification = depth
    pairs = []
    for query in queries:
        keypoints, descriptors = _features(query)
        start = time.perf_counter()
        engine.answer(query, options)
        middle = time.perf_counter()
        colmap.query(theirs_options, keypoints, descriptors, [])
        pairs.append((middle - start, time.perf_counter() - middle))
    ours, theirs = (1e3 * median(column) for column in zip(*pairs, strict=True))
    ratio = median(b / a for a, b in pairs)
    print(f"verification of {depth}: bof {ours:.1f} ms, COLMAP {theirs:.1f} ms a query, ratio {ratio:.2f}")


if __name__ == "__main__":
    sys.exit(main())
