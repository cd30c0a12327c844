"""bof beside asmk: index and query in turn, the same features, as many words."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

from bench_setup import Bench
from bench_table import Row
from bench_timing import ask_bof, cores_busy, in_turn, index_bof, name_of, seconds_of, verifying
from peer_asmk import AsmkPeer, ask_asmk

from bof.options import SearchOptions

GROUP = "asmk"
ASKED = 5.0
"""How many times faster, index and query: asmk does not verify, so its like is a query with votes alone."""


def measure(bench: Bench) -> Iterator[Row]:
    """Rows for the index, for a query that does as much as asmk's, and for one with bof's defaults."""
    name = f"asmk {version('asmk')}"
    ours, theirs = [], []
    for _ in range(bench.runs):
        ours.append(index_bof(bench.workshop, bench.collection))
        peer = AsmkPeer.index(bench.workshop, bench.collection)
        theirs.append(peer.cost.seconds)
    yield Row(GROUP, "index without extraction", "s", ours, name, theirs, ASKED)
    for what, options, asked in ((name_of(0), verifying(0), ASKED), ("query, bof's defaults", SearchOptions(), None)):
        spent = in_turn({"bof": ask_bof(bench.peer, options), "asmk": ask_asmk(peer)}, bench.questions, bench.runs)
        seconds_each = seconds_of(spent["bof"]), name, seconds_of(spent["asmk"])
        yield Row(GROUP, what, "ms", *seconds_each, asked, note=cores_busy(spent))
