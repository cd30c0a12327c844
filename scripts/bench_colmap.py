"""bof beside COLMAP's VisualIndex: index and query in turn, the same features, as many pictures verified."""

from __future__ import annotations

from collections.abc import Iterator

import peer_colmap
import pycolmap
from bench_setup import Bench
from bench_table import Row
from bench_timing import DEPTHS, ask_bof, cores_busy, in_turn, index_bof, name_of, seconds_of, verifying
from peer_timing import ask_colmap

GROUP = "COLMAP"
INDEX_ASKED = 3.0
QUERY_ASKED = {50: 3.0}
"""How many times faster, by depth."""


def measure(bench: Bench) -> Iterator[Row]:
    """Rows for the index and for a query at each depth."""
    name = f"COLMAP {pycolmap.__version__}"
    vocabulary = peer_colmap.train(bench.workshop)
    pictures = [bench.collection.features[path] for path in bench.collection.database]
    ours, theirs = [], []
    for _ in range(bench.runs):
        ours.append(index_bof(bench.workshop, bench.collection))
        visual_index, seconds = peer_colmap.build(vocabulary, pictures)
        theirs.append(seconds)
    yield Row(GROUP, "index without extraction", "s", ours, name, theirs, INDEX_ASKED)
    for depth in DEPTHS:
        askers = {"bof": ask_bof(bench.peer, verifying(depth)), "COLMAP": ask_colmap(visual_index, depth)}
        spent = in_turn(askers, bench.questions, bench.runs)
        seconds_each = seconds_of(spent["bof"]), name, seconds_of(spent["COLMAP"])
        yield Row(GROUP, name_of(depth), "ms", *seconds_each, QUERY_ASKED.get(depth), note=cores_busy(spent))
