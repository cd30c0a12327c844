"""All pictures of the collection as queries at once, against asking them one by one."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from bof.engine import Engine
from bof.options import SearchOptions
from bof.retrieval.expansion import DEPTH, neighbours
from bof.retrieval.shortlist import VoteAndVerify
from scripts.bench.setup import Bench
from scripts.bench.table import Row
from scripts.common.timing import in_turn, seconds_of, timed

GROUP = "batch of queries"

N_NEIGHBOURS = 10  # pictures wanted of each


def ask_all(engine: Engine) -> object:
    """Every picture of the collection is asked, by whatever bof has for that."""
    return list(engine.neighbours(N_NEIGHBOURS))


def ask_one_by_one(engine: Engine) -> object:
    """The same questions, each with all threads before the next."""
    depth = max(2 * N_NEIGHBOURS, DEPTH)
    stages = VoteAndVerify(engine.searcher().collection, engine.vocabulary)
    return [neighbours(stages, image, depth) for image in range(len(engine))]


def measure(bench: Bench) -> Iterator[Row]:
    """Seconds a query, in a batch and one by one, with bof's defaults and as the batch asks; in turn, run by run."""
    engine, ask = bench.peer.engine, bench.ask(SearchOptions())
    together, alone, likewise = [], [], []
    for _ in range(bench.runs):
        together.append(timed(lambda: ask_all(engine)).seconds / len(engine))
        alone.append(fmean(seconds_of(in_turn({"bof": ask}, bench.questions)["bof"])))
        likewise.append(timed(lambda: ask_one_by_one(engine)).seconds / len(engine))
    note = f"a batch is all {len(engine)} pictures; one by one, {len(bench.questions)} of them, with bof's defaults"
    yield Row(GROUP, "a query", "ms", together, "bof, one by one", alone, note=note)
    note = "one by one with the index's words, one a feature, as the batch asks"
    yield Row(GROUP, "a query", "ms", together, "bof, the same one by one", likewise, note=note)
