"""threads: results in order, errors raised, nested use without a deadlock, as many threads as were allowed."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bof.system import threads
from bof.system.threads import even_shares, in_threads, n_threads, set_threads, shares

loads = st.lists(st.integers(0, 1000), max_size=40)


@pytest.fixture(autouse=True)
def three_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the machine had three cores."""
    monkeypatch.setattr(threads, "_n_cores", lambda: 3)
    set_threads(3)
    yield
    monkeypatch.undo()
    set_threads(os.cpu_count() or 1)


@pytest.mark.parametrize("n", [1, 3])
def test_an_interrupt_lets_no_further_item_begin(n: int) -> None:
    set_threads(n)
    begun: list[int] = []

    def interrupted(i: int) -> None:
        begun.append(i)
        time.sleep(0.005)
        if i == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_threads(interrupted, range(500))
    assert len(begun) < 20
    assert in_threads(abs, [-1, -2]) == [1, 2]


def test_results_come_in_the_order_of_the_items() -> None:
    def slow_first(i: int) -> int:
        time.sleep(0.02 if i == 0 else 0)
        return i * i

    assert in_threads(slow_first, range(20)) == [i * i for i in range(20)]
    assert in_threads(slow_first, iter([3, 1])) == [9, 1]
    assert in_threads(slow_first, []) == []


def test_items_are_worked_on_side_by_side() -> None:
    """Three that wait for each other: one thread alone would wait in vain."""
    together = threading.Barrier(3, timeout=30)
    assert len({in_threads(lambda _: together.wait(), range(3)).index(i) for i in range(3)}) == 3


@pytest.mark.parametrize("n", [1, 3])
def test_the_first_error_is_raised(n: int) -> None:
    set_threads(n)

    def fail(i: int) -> None:
        if i in (2, 4):
            raise KeyError(i)

    with pytest.raises(KeyError, match="2"):
        in_threads(fail, range(6))
    assert in_threads(abs, [-1, -2]) == [1, 2]


def test_nested_use_runs_in_the_thread_that_asks() -> None:
    """More outer items than threads, each with inner ones: a shared pool would wait for itself."""

    def outer(i: int) -> list[tuple[int, int, int]]:
        me = threading.get_ident()
        return in_threads(lambda j: (i * 10 + j, n_threads(), threading.get_ident() == me), range(4))

    found = in_threads(outer, range(12))
    assert found == [[(i * 10 + j, 1, True) for j in range(4)] for i in range(12)]
    assert n_threads() == 3


def test_threads_of_others_share_the_pool_and_end() -> None:
    with ThreadPoolExecutor(6) as others:
        found = list(others.map(lambda i: in_threads(lambda j: i + j, range(50)), range(12)))
    assert found == [list(range(i, i + 50)) for i in range(12)]


@pytest.mark.parametrize(("requested", "given"), [(1, 1), (2, 2), (3, 3), (100, 3)])
def test_there_are_as_many_threads_as_were_allowed_and_no_more_than_cores(requested: int, given: int) -> None:
    set_threads(requested)
    assert n_threads() == given

    def slowly(_: int) -> int:
        time.sleep(0.005)
        return threading.get_ident()

    seen = set(in_threads(slowly, range(30)))
    assert len(seen) <= given
    assert threading.get_ident() in seen


@given(loads, st.integers(0, 3000), st.integers(1, 5))
def test_shares_are_all_rows_in_order_about_equally_loaded(load: list[int], worth: int, n: int) -> None:
    set_threads(n)
    found = shares(np.array(load, np.int64), worth)
    assert [row for share in found for row in share] == list(range(len(load)))
    assert len(found) <= n_threads()
    if sum(load) < worth:
        assert len(found) == 1
    elif load and n_threads() > 1:
        heaviest = max(sum(load[i] for i in share) for share in found)
        assert heaviest <= sum(load) / n_threads() + max(load)


@given(st.integers(0, 1000), st.integers(0, 1500), st.integers(1, 5))
def test_even_shares_are_all_rows_in_order(rows: int, worth: int, n: int) -> None:
    set_threads(n)
    found = even_shares(rows, worth)
    assert [row for share in found for row in share] == list(range(rows))
    assert len(found) <= (n_threads() if rows >= worth else 1)
    assert all(len(share) for share in found)
