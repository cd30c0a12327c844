"""Pictures that come a few at a time: a search must cost no more than 1.5 times that of one merged segment."""

from __future__ import annotations

import argparse
import shutil
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torture_common import Finding, link_all

from bof.engine import Engine, Query
from bof.images.decode import read_image
from bof.ingest.extract import Described
from bof.store.segments import ImageColumns

_LIMIT = 1.5
_AT_ONCE = 7
_QUERIES = 40
_ROUNDS = 3


def run(pictures: Sequence[Path], scratch: Path, arguments: argparse.Namespace) -> list[Finding]:
    """The same pictures in small commits of random size and order, and merged, searched in turn."""
    calm = Engine.create(scratch / "calm", arguments.vocabulary)
    calm.add([link_all(pictures, scratch / "photos")])
    described, rng = _described(calm), np.random.default_rng(arguments.seed)
    order = rng.permutation(len(described))
    small = Engine.create(scratch / "small", arguments.vocabulary)
    n_commits, at = 0, 0
    with small.index.writer() as writer:
        while at < len(order):
            n = int(rng.integers(1, _AT_ONCE + 1))
            writer.append([described[i] for i in order[at : at + n]])
            at, n_commits = at + n, n_commits + 1
    shutil.copytree(scratch / "small", scratch / "merged")
    merged = Engine.open(scratch / "merged")
    merged.merge()
    seconds, is_equal = _compare(small, merged, pictures)
    ratio = seconds[0] / seconds[1]
    segments = [int(segment.feature_indptr[-1]) for segment in small.snapshot.segments]
    return [
        Finding("commits", n_commits),
        Finding("features of the segments", segments),
        Finding("query after extraction, ms", f"{1e3 * seconds[0]:.1f}, merged {1e3 * seconds[1]:.1f}"),
        Finding("ratio", f"{ratio:.2f}", ratio > _LIMIT),
        Finding("answers equal to the last bit", is_equal, not is_equal),
    ]


def _described(engine: Engine) -> list[Described]:
    """Every image of an index, as it can be written into another."""
    snapshot, facts = engine.snapshot, {record.id: record for record in engine.index.records()}
    found = []
    for image, row in enumerate(snapshot.rows):
        segment = snapshot.segments[snapshot.segment_of[image]]
        rows = slice(*segment.feature_indptr[row.position : row.position + 2])
        columns = ImageColumns(*snapshot.words(image), segment.xy[rows], segment.scale_angle[rows])
        found.append((facts[row.id], columns))
    return found


def _compare(small: Engine, merged: Engine, pictures: Sequence[Path]) -> tuple[list[float], bool]:
    """Median seconds of each, and whether all answers are equal."""
    spent: tuple[list[float], list[float]] = ([], [])
    is_equal = True
    for path in pictures[:: max(1, len(pictures) // _QUERIES)]:
        query = small.prepare(read_image(path, grey=True, max_side=small.index.features.max_side))
        for round_number in range(_ROUNDS):
            (one, first), (two, second) = _timed(small, query), _timed(merged, query)
            is_equal = is_equal and first == second
            if round_number:
                spent[0].append(one)
                spent[1].append(two)
    return [statistics.median(times) for times in spent], is_equal


def _timed(engine: Engine, query: Query) -> tuple[float, list[tuple[str, float]]]:
    begin = time.perf_counter()
    answer = engine.answer(query)
    seconds, rows = time.perf_counter() - begin, engine.images
    names = [rows[image].name for image in answer.images.tolist()]
    return seconds, list(zip(names, answer.scores.tolist(), strict=True))
