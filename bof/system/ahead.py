"""Several items are worked on at a time, each in one thread, and their results come in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import chain, islice
from typing import TypeVar

import cv2

from bof.system.threads import enter_pool, n_threads

T = TypeVar("T")
R = TypeVar("R")

_WAITING = 2
"""Items a thread that are worked on, or done and not yet taken: what is in memory at once."""


def run_ahead(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """work(item) for every item, results in the order of the items, while later items are worked on.

    One item alone is worked on by all threads. Of several each has one: while one of them reads files, others compute,
    and none waits for another. What an item raises is raised in its turn; then, and when nobody takes results any more,
    no other item is begun.
    """
    several = iter(items)
    first = list(islice(several, 2))
    if len(first) < 2 or n_threads() == 1:
        return map(work, chain(first, several))
    return _run(work, chain(first, several))


def _run(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    waiting: deque[Future[R]] = deque()
    with _one_opencv_thread():
        pool = ThreadPoolExecutor(n_threads(), "bof-ahead", initializer=enter_pool)
        try:
            for item in items:
                if len(waiting) >= _WAITING * n_threads():
                    yield waiting.popleft().result()
                waiting.append(pool.submit(work, item))
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _one_opencv_thread() -> Iterator[None]:
    """OpenCV would begin threads of its own in each of ours."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
