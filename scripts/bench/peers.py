"""bof beside COLMAP's VisualIndex and asmk: index and query in turn, the same features, as many words."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import partial
from importlib.metadata import version

from bof.options import ExpandOptions, SearchOptions
from bof.types import Features
from scripts.bench.setup import DEPTHS, Bench, name_of, verifying
from scripts.bench.table import Row
from scripts.common.timing import Asker, cores_busy, in_turn, seconds_of
from scripts.peers.engine import index_seconds

LIKE_COLMAP = 50  # the depth that is asked once more without what COLMAP does not do


def measure_colmap(bench: Bench) -> Iterator[Row]:
    """Rows for the index and for a query at each depth."""
    from scripts.peers.colmap import asker, build, train

    name, vocabulary = f"COLMAP {version('pycolmap')}", train(bench.workshop)
    pictures = [bench.collection.features[path] for path in bench.collection.database]
    ours, theirs = [], []
    for _ in range(bench.runs):
        ours.append(index_seconds(bench.workshop, bench.collection))
        visual_index, seconds = build(vocabulary, pictures)
        theirs.append(seconds)
    yield Row("COLMAP", "index without extraction", "s", ours, name, theirs)
    ways = [(name_of(depth), depth, verifying(depth)) for depth in DEPTHS]
    alone = dataclasses.replace(verifying(LIKE_COLMAP), expand=ExpandOptions(expand=0), mirror="never")
    ways.append((f"{name_of(LIKE_COLMAP)}, without expansion and mirror, as COLMAP", LIKE_COLMAP, alone))
    for what, depth, options in ways:
        yield _query_row(bench, name, what, options, partial(asker, visual_index, depth))


def measure_asmk(bench: Bench) -> Iterator[Row]:
    """Rows for the index, for votes alone, since asmk does not verify, and for a query with bof's defaults."""
    from scripts.peers.asmk import index

    name = f"asmk {version('asmk')}"
    ours, theirs = [], []
    for _ in range(bench.runs):
        ours.append(index_seconds(bench.workshop, bench.collection))
        (peer,) = index(bench.workshop, bench.collection)
        theirs.append(peer.cost.seconds)
    yield Row("asmk", "index without extraction", "s", ours, name, theirs)
    for what, options in ((name_of(0), verifying(0)), ("query, bof's defaults", SearchOptions())):
        yield _query_row(bench, name, what, options, peer.ask)


def _query_row(bench: Bench, name: str, what: str, options: SearchOptions, ask: Asker[Features]) -> Row:
    spent = in_turn({"bof": bench.ask(options), "peer": ask}, bench.questions, bench.runs)
    ours, theirs = seconds_of(spent["bof"]), seconds_of(spent["peer"])
    return Row(name.split()[0], what, "ms", ours, name, theirs, note=cores_busy(spent))
