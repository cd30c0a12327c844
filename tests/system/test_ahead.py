"""Items that are worked on ahead: in order, a few at a time, each in one thread; errors come in their turn."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import cv2
import pytest

from bof.system import ahead
from bof.system.ahead import run_ahead
from bof.system.threads import n_threads


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "n_threads", lambda: 2)


@pytest.mark.usefixtures("two_threads")
def test_results_come_in_order_though_the_first_takes_longest() -> None:
    second_is_done = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert second_is_done.wait(60)  # it is worked on meanwhile
        if item == 1:
            second_is_done.set()
        return item * item

    assert list(run_ahead(work, range(20))) == [item * item for item in range(20)]


@pytest.mark.usefixtures("two_threads")
def test_only_a_few_items_are_in_memory() -> None:
    taken = list[int]()

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    results = run_ahead(lambda item: item, items())
    for n_done in range(1, 50):
        next(results)
        assert len(taken) <= n_done + 4 + 1


@pytest.mark.usefixtures("two_threads")
def test_an_error_is_raised_in_its_turn_and_nothing_more_is_begun() -> None:
    begun = list[int]()

    def work(item: int) -> int:
        begun.append(item)
        if item == 3:
            raise ValueError("three")
        return item

    results = run_ahead(work, range(1000))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)
    assert len(begun) < 12


@pytest.mark.usefixtures("two_threads")
def test_whoever_stops_taking_results_ends_the_work() -> None:
    begun = list[int]()
    results = run_ahead(begun.append, range(1000))
    next(results)
    results.close()  # type: ignore[attr-defined]
    n_begun = len(begun)
    assert n_begun < 12
    assert threading.active_count() < 1000
    assert len(begun) == n_begun


@pytest.mark.usefixtures("two_threads")
def test_each_item_has_one_thread_and_opencv_has_its_own_back_afterwards() -> None:
    before = cv2.getNumThreads()
    found = list(run_ahead(lambda _: (n_threads(), cv2.getNumThreads()), range(5)))
    assert found == [(1, 1)] * 5
    assert cv2.getNumThreads() == before


def test_one_item_alone_has_all_threads() -> None:
    here = threading.get_ident()
    assert list(run_ahead(lambda _: (threading.get_ident(), n_threads()), [0])) == [(here, n_threads())]
    assert list(run_ahead(lambda item: item, [])) == []
