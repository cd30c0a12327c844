"""One pool of threads for work that lets go of the interpreter; what runs in it starts no further threads."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
R = TypeVar("R")

_inside = threading.local()
_limit: list[int] = []


def set_threads(n: int) -> None:
    """Use at most n threads in this process from now on; where other processes use the other cores, one is right."""
    _limit[:] = [n]
    _pool.cache_clear()


def n_threads() -> int:
    """How many threads work side by side here: one for each core that this process may use, one inside the pool."""
    return 1 if getattr(_inside, "pool", False) else min([*_limit, _n_cores()])


def in_threads(work: Callable[[T], R], items: Iterable[T], *, worth: bool = True) -> list[R]:
    """work(item) for every item, results in the order of the items; the first error is raised.

    The caller works too: it would wait otherwise, and waking a thread takes a tenth of a millisecond. worth: is there
    more to do than that?
    """
    waiting = list(items)
    if len(waiting) < 2 or not worth or n_threads() == 1:
        return [work(item) for item in waiting]
    numbers = iter(range(len(waiting)))
    results: dict[int, R] = {}
    errors: dict[int, BaseException] = {}

    def work_on() -> None:
        for i in numbers:
            try:
                results[i] = work(waiting[i])
            except Exception as error:
                errors[i] = error
            except BaseException as error:  # Ctrl-C: nobody begins with another item
                errors[i] = error
                deque(numbers, 0)

    helpers = [_pool().submit(work_on) for _ in range(min(n_threads(), len(waiting)) - 1)]
    _inside.pool = True
    work_on()
    _inside.pool = False
    for helper in helpers:
        if not helper.cancel():
            helper.result()
    if errors:
        raise errors[min(errors)]
    return [results[i] for i in range(len(waiting))]


def shares(load: NDArray[np.integer[Any]], worth: int) -> list[range]:
    """Rows cut into stretches of about equal load, one a thread; one in all where the load is less than `worth`."""
    n = n_threads() if len(load) and load.sum() >= worth else 1
    until = np.cumsum(load, dtype=np.int64)
    cuts = np.searchsorted(until, [until[-1] * i // n for i in range(1, n)]).tolist() if n > 1 else []
    return [range(first, stop) for first, stop in pairwise([0, *cuts, len(load)])]


def even_shares(n: int, worth: int) -> list[range]:
    """n rows of equal load cut into stretches, one a thread; one in all where there are fewer than `worth`."""
    size = -(-n // n_threads()) if n >= worth else n
    return [range(first, min(first + size, n)) for first in range(0, n, max(size, 1))]


def _n_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n_threads() - 1, "bof", initializer=enter_pool)


def enter_pool() -> None:
    """The thread that calls this is one of several that share the cores: what it runs starts no further threads."""
    _inside.pool = True
