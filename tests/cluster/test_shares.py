"""Shares of work on Dask's workers: order, deaths, stragglers, failures of one worker."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from distributed import LocalCluster

from bof.errors import ClusterError, ImageError
from bof.scheduling import shares
from bof.scheduling.connection import Cluster
from bof.scheduling.shares import Work, run_on_workers, spread
from bof.system.workers import Limits, LostItem
from tests.support.dask_workers import connected, kill, local_workers, lose_scheduler, pids

HERE = "tests.cluster.test_shares"


def double(shared: int, items: list[int]) -> list[int]:
    return [shared * item for item in items]


def double_one(shared: int, item: int) -> int:
    return shared * item


def die_of_thirteen(shared: Path, items: list[int]) -> list[int]:
    if 13 in items:
        os.kill(os.getpid(), signal.SIGKILL)
    return items


def crash_of_thirteen(shared: None, item: int) -> int:
    if item == 13:
        os.kill(os.getpid(), signal.SIGSEGV)
    return item


def fail_on(address: str, items: list[int]) -> list[int]:
    from bof.scheduling.worker import worker_address

    if worker_address() == address:
        raise OSError(28, "No space left on device")
    return items


def refuse(shared: None, items: list[int]) -> list[int]:
    raise ImageError(path="a.jpg", expected="a picture", found="none")


def sleep_first(folder: Path, items: list[int]) -> list[int]:
    """Who comes first with item 0 sleeps long; whoever does it again does not."""
    if 0 in items and not (folder / "slept").exists():
        (folder / "slept").touch()
        time.sleep(15)
    return items


def test_every_item_is_done_once(cluster: Cluster) -> None:
    found = list(spread(cluster, Work(f"{HERE}:double", 2), [[1, 2], [3], [4, 5, 6]]))
    assert sorted((first, list(items), result) for first, items, result in found) == [
        (0, [1, 2], [2, 4]),
        (2, [3], [6]),
        (3, [4, 5, 6], [8, 10, 12]),
    ]


def test_items_come_back_in_order(cluster: Cluster) -> None:
    found = run_on_workers(cluster, f"{HERE}:double_one", 3, range(25), Limits(), 4)
    assert list(found) == [3 * item for item in range(25)]


def test_an_item_that_kills_its_child_is_lost_alone(cluster: Cluster) -> None:
    before = pids(cluster)
    found = list(run_on_workers(cluster, f"{HERE}:crash_of_thirteen", None, range(10, 16), Limits(), 6))
    assert isinstance(found[3], LostItem)
    assert "SIGSEGV" in found[3].reason
    assert [item for item in found if not isinstance(item, LostItem)] == [10, 11, 12, 14, 15]
    assert pids(cluster) == before


def test_a_killed_worker_loses_nothing(mortal: Cluster) -> None:
    victim = next(iter(pids(mortal).values()))
    threading.Timer(0.3, kill, (victim,)).start()
    found = list(run_on_workers(mortal, f"{HERE}:slow_one", None, range(24), Limits(), 2))
    assert found == list(range(24))


def slow_one(shared: None, item: int) -> int:
    time.sleep(0.1)
    return item


def test_what_fails_on_one_worker_is_done_on_the_other(cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    bad = sorted(cluster.workers)[0]
    found = list(spread(cluster, Work(f"{HERE}:fail_on", bad), [[i] for i in range(8)]))
    assert sorted(first for first, _, _ in found) == list(range(8))
    assert f"the worker {bad} cannot do its share (No space left on device); others do it" in caplog.text


def test_an_error_of_the_work_is_raised_as_it_is(cluster: Cluster) -> None:
    with pytest.raises(ImageError, match=r"a\.jpg: expected a picture, found none"):
        list(spread(cluster, Work(f"{HERE}:refuse", None), [[1]]))


def test_a_straggler_is_done_again_in_halves(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "LEAST_S", 0.5)
    began = time.monotonic()
    found = list(spread(cluster, Work(f"{HERE}:sleep_first", tmp_path), [[0, 1], [2], [3]]))
    assert time.monotonic() - began < 12
    assert sorted(item for _, items, _ in found for item in items) == [0, 1, 2, 3]
    assert sorted(list(items) for _, items, _ in found) == [[0], [1], [2], [3]]


def test_an_item_that_kills_workers_is_lost_alone(tmp_path: Path) -> None:
    with local_workers(1) as local, connected(local) as cluster:
        cluster.client.run_on_scheduler(_allow_one_failure)
        found = list(spread(cluster, Work(f"{HERE}:die_of_thirteen", tmp_path), [[12, 13, 14]]))
    lost = {items[0]: result for _, items, result in found if isinstance(result, LostItem)}
    assert list(lost) == [13]
    assert sorted(item for _, items, r in found if not isinstance(r, LostItem) for item in items) == [12, 14]


def _allow_one_failure(dask_scheduler: object) -> None:
    dask_scheduler.allowed_failures = 1


def test_a_scheduler_that_is_gone_for_good_is_an_error_in_words(workers: LocalCluster) -> None:
    with connected(workers) as cluster:
        found = spread(cluster, Work(f"{HERE}:double", 2), [[i] for i in range(20)])
        next(found)
        lose_scheduler(cluster)
        with pytest.raises(ClusterError, match="the Dask scheduler or all its workers are gone"):
            list(found)
        with pytest.raises(ClusterError, match="the Dask scheduler or all its workers are gone"):
            list(spread(cluster, Work(f"{HERE}:double", 2), [[1]]))


def test_other_versions_are_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    from bof.scheduling import identity

    monkeypatch.setattr(identity, "VERSION", "9.9.9")
    identity.own_identity.cache_clear()
    try:
        with pytest.raises(ClusterError, match=r"another bof would give other answers: expected bof 9\.9\.9 .* found"):
            list(spread(cluster, Work(f"{HERE}:double", 2), [[1]]))
    finally:
        identity.own_identity.cache_clear()
