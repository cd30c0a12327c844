"""bof beside COLMAP's VisualIndex: index and query in turn, the same features, as many pictures verified."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import peer_colmap
import pycolmap
from bench_setup import Bench
from bench_table import Row
from bench_timing import DEPTHS, ask_bof, cores_busy, in_turn, index_bof, name_of, seconds_of, verifying
from peer_timing import ask_colmap

from bof.options import ExpandOptions

GROUP = "COLMAP"
INDEX_ASKED = 3.0
QUERY_ASKED = {50: 3.0}
"""How many times faster, by depth."""

LIKE_COLMAP = 50
"""The depth that is asked once more without what COLMAP does not do."""


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
    ways = [(name_of(depth), depth, verifying(depth)) for depth in DEPTHS]
    alone = dataclasses.replace(verifying(LIKE_COLMAP), expand=ExpandOptions(expand=0), mirror="never")
    ways.append((f"{name_of(LIKE_COLMAP)}, without expansion and mirror, as COLMAP", LIKE_COLMAP, alone))
    for what, depth, options in ways:
        askers = {"bof": ask_bof(bench.peer, options), "COLMAP": ask_colmap(visual_index, depth)}
        spent = in_turn(askers, bench.questions, bench.runs)
        seconds_each = seconds_of(spent["bof"]), name, seconds_of(spent["COLMAP"])
        asked = QUERY_ASKED.get(depth) if what == name_of(depth) else None
        yield Row(GROUP, what, "ms", *seconds_each, asked, note=cores_busy(spent))
