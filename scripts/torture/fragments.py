"""Pictures that come a few at a time: a search must cost no more than 1.5 times that of one merged segment."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from bof.engine import Engine
from bof.store.index import Index
from bof.store.segments import ImageColumns
from scripts.common.features import prepare, ranked
from scripts.common.timing import in_turn, seconds_of
from scripts.torture.index import Finding, link_all

_LIMIT = 1.5
_AT_ONCE = 7
_QUERIES = 40
_ROUNDS = 3


def run(pictures: Sequence[Path], scratch: Path, arguments: argparse.Namespace) -> list[Finding]:
    """The same pictures in small commits of random size and order, and merged, searched in turn."""
    calm = Engine.create(scratch / "calm", arguments.vocabulary)
    calm.add([link_all(pictures, scratch / "photos")])
    snapshot, facts = Index.open(calm.folder).snapshot(), {record.id: record for record in calm.records()}
    extracted = []
    for image, row in enumerate(snapshot.rows):  # as it can be written into another index
        segment = snapshot.segments[snapshot.segment_of[image]]
        rows = slice(*segment.feature_indptr[row.position : row.position + 2])
        columns = ImageColumns(*snapshot.words(image), segment.xy[rows], segment.scale_angle[rows])
        extracted.append((facts[row.id], columns))
    rng = np.random.default_rng(arguments.seed)
    order = rng.permutation(len(extracted))
    small = Engine.create(scratch / "small", arguments.vocabulary)
    n_commits, at = 0, 0
    with small.writer() as writer:
        while at < len(order):
            n = int(rng.integers(1, _AT_ONCE + 1))
            writer.append([extracted[i] for i in order[at : at + n]])
            at, n_commits = at + n, n_commits + 1
    shutil.copytree(scratch / "small", scratch / "merged")
    merged = Engine.open(scratch / "merged")
    merged.merge()
    queries = [prepare(small, path) for path in pictures[:: max(1, len(pictures) // _QUERIES)]]
    is_equal = all(ranked(small, small.answer(query)) == ranked(merged, merged.answer(query)) for query in queries)
    askers = {name: lambda query, e=engine: lambda: e.answer(query) for name, engine in (("s", small), ("m", merged))}
    seconds = [median(seconds_of(spent)) for spent in in_turn(askers, queries, _ROUNDS).values()]
    ratio = seconds[0] / seconds[1]
    segments = [int(segment.feature_indptr[-1]) for segment in Index.open(small.folder).snapshot().segments]
    return [
        Finding("commits", n_commits),
        Finding("features of the segments", segments),
        Finding("query after extraction, ms", f"{1e3 * seconds[0]:.1f}, merged {1e3 * seconds[1]:.1f}"),
        Finding("ratio", f"{ratio:.2f}", ratio > _LIMIT),
        Finding("answers equal to the last bit", is_equal, not is_equal),
    ]
