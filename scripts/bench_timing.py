"""Timing of calls that take turns, question by question: the machine's load then falls on all of them alike."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

from peer_bof import BofPeer, query_of
from peer_common import Collection, Workshop
from threadpoolctl import ThreadpoolController

from bof.options import SearchOptions
from bof.types import Features

Question = TypeVar("Question")
Call = Callable[[], object]
Asker = Callable[[Question], Call]
"""Makes a question ready, untimed; what it returns is timed."""

DEPTHS = (0, 50, 100)
"""Pictures verified; 0: votes alone."""

SETTLE_SECONDS = 0.1
"""Before each timing. Idle threads of BLAS spin on the core that the next call needs: word assignment 40 ms after a
matrix product took four times as long, after 100 ms no longer than alone.
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a call took, on the clock and on all cores together."""

    seconds: float
    cpu_seconds: float


def timed(call: Call) -> Spent:
    """Time one call, after the threads of the one before have gone to sleep."""
    time.sleep(SETTLE_SECONDS)
    start, cpu_start = time.perf_counter(), time.process_time()
    call()
    return Spent(time.perf_counter() - start, time.process_time() - cpu_start)


def in_turn(
    askers: Mapping[str, Asker[Question]], questions: Sequence[Question], runs: int = 1
) -> dict[str, list[Spent]]:
    """Every question is put to each asker before the next question; `runs` times over, after one that is not counted.

    Who is asked first changes from question to question.
    """
    spent: dict[str, list[Spent]] = {name: [] for name in askers}
    for ask in askers.values():
        ask(questions[0])()
    for _ in range(runs):
        for number, question in enumerate(questions):
            for name in list(askers)[:: -1 if number % 2 else 1]:
                spent[name].append(timed(askers[name](question)))
    return spent


def one_blas_thread() -> AbstractContextManager[object]:
    """Holds numpy's BLAS to one thread, as bof's searches do: spinning, it triples the time of faiss beside it."""
    limited: AbstractContextManager[object] = ThreadpoolController().select(threading_layer="pthreads").limit(limits=1)
    return limited


def index_bof(workshop: Workshop, collection: Collection) -> float:
    """Seconds of bof's index without extraction. (bof's own indexing has a process a core, each with one thread.)"""
    with one_blas_thread():
        return BofPeer.index(workshop, collection)[0].cost.seconds


def ask_bof(peer: BofPeer, options: SearchOptions) -> Asker[Features]:
    """Asks bof's index with features."""

    def prepare(features: Features) -> Call:
        query = query_of(features)
        return lambda: peer.engine.answer(query, options)

    return prepare


def verifying(depth: int) -> SearchOptions:
    """The defaults, with `depth` pictures verified; 0: votes alone."""
    options = SearchOptions()
    if not depth:
        return dataclasses.replace(options, ranker="votes")
    return dataclasses.replace(options, verify=dataclasses.replace(options.verify, depth=depth))


def name_of(depth: int) -> str:
    """How a row calls such a query."""
    return f"query, verifying {depth}" if depth else "query, votes alone"


def seconds_of(spent: Sequence[Spent]) -> list[float]:
    """Of each call."""
    return [each.seconds for each in spent]


def cores_busy(spent: Mapping[str, Sequence[Spent]]) -> str:
    """How many cores each kept busy, for a note."""
    busy = {name: median(each.cpu_seconds / each.seconds for each in calls) for name, calls in spent.items()}
    return "cores kept busy: " + ", ".join(f"{name} {cores:.2f}" for name, cores in busy.items())
