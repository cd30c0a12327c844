"""Timing of calls that take turns, question by question: the machine's load then falls on all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

import cv2
import numpy as np
from threadpoolctl import ThreadpoolController

Question = TypeVar("Question")
Call = Callable[[], object]
Asker = Callable[[Question], Call]  # prepares a question, which is not timed, and returns the call that is
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

    The order of the askers is reversed from question to question.
    """
    spent: dict[str, list[Spent]] = {name: [] for name in askers}
    for ask in askers.values():
        ask(questions[0])()
    for _ in range(runs):
        for number, question in enumerate(questions):
            for name in list(askers)[:: -1 if number % 2 else 1]:
                spent[name].append(timed(askers[name](question)))
    return spent


def seconds_of(spent: Sequence[Spent]) -> list[float]:
    """Of each call."""
    return [each.seconds for each in spent]


def cores_busy(spent: Mapping[str, Sequence[Spent]]) -> str:
    """How many cores each kept busy, for a note."""
    busy = {name: median(each.cpu_seconds / each.seconds for each in calls) for name, calls in spent.items()}
    return "cores kept busy: " + ", ".join(f"{name} {cores:.2f}" for name, cores in busy.items())


def one_blas_thread() -> AbstractContextManager[object]:
    """Holds numpy's BLAS to one thread, as bof's searches do: spinning, it triples the time of faiss beside it."""
    limited: AbstractContextManager[object] = ThreadpoolController().select(threading_layer="pthreads").limit(limits=1)
    return limited


class Clock:
    """Seconds that passed inside, in all: `with clock:`."""

    seconds = 0.0

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *error: object) -> None:
        self.seconds += time.perf_counter() - self._start


def least_cpu_ms(
    calls: Sequence[Callable[[Question], object]],
    items: Sequence[Question],
    rounds: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[float]:
    """Mean CPU milliseconds of each call on one thread, of each item the least of some rounds.

    The calls take turns on every item, so that a change of the machine's speed affects all of them alike.
    """
    cv2.setNumThreads(1)
    seconds = np.zeros((rounds, len(calls), len(items)))
    for turn in range(rounds):
        for column, item in enumerate(items):
            for row, call in enumerate(calls):
                start = time.process_time()
                call(item)
                seconds[turn, row, column] = time.process_time() - start
            progress(turn * len(items) + column + 1, rounds * len(items))
    return [float(ms) for ms in 1e3 * seconds.min(axis=0).mean(axis=1)]
