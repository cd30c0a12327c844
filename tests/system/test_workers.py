"""Work in child processes: whatever an item does to its process, only that item is lost."""

from __future__ import annotations

import os
import pickle
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bof.system import workers
from bof.system.workers import Limits, LostItem, Pool, close_workers, run_in_workers
from tests.support.scenes import ROOT

HERE = "tests.system.test_workers"


@pytest.fixture(autouse=True, scope="module")
def _children_end_with_these_tests() -> Iterator[None]:
    yield
    close_workers()


class TwoPartsError(Exception):
    """One of the many that pickle takes apart and cannot put together again."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(f"{what} in {where}")


def refuse() -> None:
    raise ValueError("cannot be put together")


class Unloadable:
    """What can be sent and not received."""

    def __reduce__(self) -> Any:
        return refuse, ()


def work(shared: Any, item: Any) -> Any:
    """Runs in a child."""
    kind, value = item if isinstance(item, tuple) else ("double", item)
    if kind == "double":
        return value * shared
    if kind == "signal":
        os.kill(os.getpid(), value)
        time.sleep(10)
    if kind == "exit":
        os._exit(value)
    if kind == "leave":
        sys.exit(value)
    if kind == "sleep":
        time.sleep(value)
        return value
    if kind == "raise":
        raise value
    if kind == "raise_two_parts":
        raise TwoPartsError("soup", "kitchen")
    if kind == "allocate":
        return len(np.empty(value, np.uint8))
    if kind == "print":
        os.write(1, b"noise " * value)
        print("more noise")
        return value
    if kind == "large":
        return b"x" * value
    if kind == "unloadable":
        return Unloadable()
    if kind == "unpicklable":
        return lambda: value
    if kind == "pid":
        return os.getpid()
    raise AssertionError(kind)


def run(items: list[Any], n_workers: int = 2, **limits: Any) -> list[Any]:
    return list(run_in_workers(f"{HERE}:work", 10, items, n_workers, Limits(**limits)))


@pytest.mark.parametrize("n_workers", [0, 1, 2, 5])
@pytest.mark.parametrize("n", [0, 1, 3, 100])
def test_results_come_in_the_order_of_the_items(n: int, n_workers: int) -> None:
    assert run(list(range(n)), n_workers) == [10 * i for i in range(n)]


def test_order_holds_where_items_take_their_time() -> None:
    items = [("sleep", 0.02 * (i % 3)) for i in range(12)]
    assert run(items) == [seconds for _, seconds in items]


def test_work_is_shared_between_processes() -> None:
    items = [part for _ in range(10) for part in (("pid", 0), ("sleep", 0.02))]
    pids = {pid for pid in run(items) if isinstance(pid, int)}
    assert len(pids) == 2
    assert os.getpid() not in pids


def test_a_slow_consumer_holds_few_results() -> None:
    seen: list[int] = []

    class Items(list[int]):
        def __iter__(self) -> Iterator[int]:
            for item in range(1000):
                seen.append(item)
                yield item

    results = run_in_workers(f"{HERE}:work", 1, Items(), 2)
    for expected in range(5):
        assert next(results) == expected
        assert len(seen) <= expected + 2 + 2 * 4
    results.close()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (("signal", signal.SIGSEGV), r"crashed \(SIGSEGV\)"),
        (("signal", signal.SIGKILL), r"crashed \(SIGKILL\)"),
        (("exit", 3), "ended with status 3"),
        (("leave", 3), "ended with status 3"),
        (("sleep", 60), r"took longer than 0\.8 s"),
    ],
)
def test_what_an_item_does_to_its_process_happens_to_that_item_alone(item: Any, reason: str) -> None:
    results = run([1, 2, item, 3, 4, item, 5], seconds=0.8)
    assert [r for r in results if not isinstance(r, LostItem)] == [10, 20, 30, 40, 50]
    for lost in (results[2], results[5]):
        assert isinstance(lost, LostItem)
        assert lost.reason.startswith("the process that read it ")
        assert re.search(reason, lost.reason)


def test_a_run_of_nothing_but_crashes_ends() -> None:
    results = run([("exit", 1)] * 7)
    assert all(isinstance(result, LostItem) for result in results)
    assert run([1]) == [10]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is bounded on Linux alone")
def test_too_much_memory_is_refused_to_one_item() -> None:
    results = run([1, ("allocate", 3 << 30), ("allocate", 1 << 20), 2], memory=300 << 20)
    assert results[0::2] == [10, 1 << 20]
    assert results[3] == 20
    assert results[1] == LostItem("needs more memory than the 300 MB that it may take")
    assert run([("allocate", 1 << 30)]) == [1 << 30]


def test_what_is_raised_there_is_raised_here() -> None:
    with pytest.raises(LookupError, match="not there"):
        run([1, ("raise", LookupError("not there")), 2])
    with pytest.raises(TimeoutError, match="not ours"):
        run([1, ("raise", TimeoutError("not ours")), 2])
    with pytest.raises(RuntimeError, match="TwoPartsError: soup in kitchen"):
        run([("raise_two_parts", 0)])
    assert run([1]) == [10]


def test_what_is_raised_says_where() -> None:
    with pytest.raises(LookupError) as caught:
        run([("raise", LookupError("not there"))])
    assert re.search(r"test_workers\.py.*in work", "".join(caught.value.__notes__))


def test_a_function_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ModuleNotFoundError):
        list(run_in_workers("no_such_module:work", None, [1], 1))
    with pytest.raises(AttributeError):
        list(run_in_workers(f"{HERE}:nothing", None, [1], 1))


def test_noise_on_standard_output_disturbs_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    close_workers()  # the next children write to this test's stderr
    assert run([("print", 2000), 1]) == [2000, 10]
    close_workers()
    out, err = capfd.readouterr()
    assert out == ""
    assert "noise" in err


def test_large_results_pass() -> None:
    assert [len(result) for result in run([("large", 50_000_000)] * 3)] == [50_000_000] * 3


def test_a_result_that_cannot_be_sent_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="cannot be sent back"):
        run([("unpicklable", 1)])
    assert run([1]) == [10]


def test_what_cannot_be_received_is_an_error_at_once() -> None:
    start = time.monotonic()
    for items in ([("unloadable", 1)], [Unloadable()]):
        with pytest.raises(ValueError, match="cannot be put together"):
            run(items)
    with pytest.raises(ValueError, match="cannot be put together"):
        list(run_in_workers(f"{HERE}:work", Unloadable(), [1], 1))
    with pytest.raises((AttributeError, pickle.PicklingError)):
        run([lambda: 1])
    assert run([1]) == [10]
    assert time.monotonic() - start < 10


def test_an_abandoned_run_leaves_the_next_one_alone() -> None:
    results = run_in_workers(f"{HERE}:work", 10, [1, ("sleep", 60), *range(50)], 2)
    assert next(results) == 10
    start = time.monotonic()
    results.close()  # type: ignore[attr-defined]
    assert time.monotonic() - start < 5
    assert run(list(range(20))) == [10 * i for i in range(20)]


def test_two_threads_can_run_at_once() -> None:
    found: dict[int, list[Any]] = {}

    def one(factor: int) -> None:
        found[factor] = list(run_in_workers(f"{HERE}:work", factor, list(range(200)), 2))

    threads = [threading.Thread(target=one, args=(factor,)) for factor in (3, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {factor: [factor * i for i in range(200)] for factor in (3, 7)}


def test_children_are_used_again() -> None:
    first = set(run([("pid", 0)] * 4, 1))
    assert set(run([("pid", 0)] * 4, 1)) == first


def test_a_pool_takes_items_one_at_a_time_and_loses_only_what_fails() -> None:
    pool = Pool(f"{HERE}:work", 10, 2, Limits(seconds=0.5))
    try:
        items = [1, ("sleep", 60), ("signal", signal.SIGSEGV), 2, ("raise", LookupError("not there")), 3]
        futures = [pool.submit(item) for item in items]
        assert [futures[i].result(20) for i in (0, 3, 5)] == [10, 20, 30]
        assert isinstance(futures[1].result(20), LostItem)
        assert isinstance(futures[2].result(20), LostItem)
        with pytest.raises(LookupError, match="not there"):
            futures[4].result(20)
    finally:
        pool.close()


def test_what_waits_in_a_pool_can_be_taken_back_and_does_not_outlive_it() -> None:
    pool = Pool(f"{HERE}:work", 10, 1)
    busy = pool.submit(("sleep", 0.3))
    waiting = [pool.submit(i) for i in range(4)]
    assert waiting[0].cancel()
    assert (busy.result(20), waiting[1].result(20)) == (0.3, 10)
    late = [pool.submit(("sleep", 60)), *(pool.submit(i) for i in range(3))]
    time.sleep(0.1)
    start = time.monotonic()
    pool.close()
    assert time.monotonic() - start < 5
    assert all(future.done() for future in late[1:])


def test_a_child_that_died_while_it_waited_is_replaced() -> None:
    close_workers()
    (pid,) = run([("pid", 0)], 1)
    os.kill(pid, signal.SIGKILL)
    wait_for_end(pid)
    assert run([1, 2], 1) == [10, 20]


def test_a_child_whose_death_shows_only_when_it_is_asked_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first thread of a process can have ended while it cannot be waited for yet."""
    close_workers()
    (pid,) = run([("pid", 0)], 1)
    os.kill(pid, signal.SIGKILL)
    wait_for_end(pid)
    with monkeypatch.context() as patch:
        patch.setattr(workers._Child, "is_alive", lambda child: not child._is_killed)
        assert run([1, 2], 1) == [10, 20]
    close_workers()


def test_a_limit_that_is_reached_as_the_item_ends_costs_no_other_item() -> None:
    for _ in range(3):
        results = run([part for i in range(20) for part in (("sleep", 0.02), i)], 2, seconds=0.021)
        assert not [r for r in results if isinstance(r, LostItem) and "took longer" not in r.reason]


# -- Parents ----------------------------------------------------------------------------------------------------------


LOOP = """
for result in run_in_workers("tests.system.test_workers:work", 10, [("pid", 0), 1, *[ITEM]], 1):
    print(result, flush=True)
"""
SLOW_LOOP = """
results = run_in_workers("tests.system.test_workers:work", 10, [("pid", 0), 1, *[ITEM] * 3], 1)
print(next(results), next(results), sep="\\n", flush=True)
while True:
    time.sleep(0.05)
"""
"""The consumer is interrupted, and something still holds the run. (A signal just before a long sleep waits for it.)"""
FORK = """
print(*run_in_workers("tests.system.test_workers:work", 10, [1], 1), flush=True)
child = os.fork()
print(*run_in_workers("tests.system.test_workers:work", 10, [2 if child else 3], 1), flush=True)
if child:
    assert os.waitpid(child, 0)[1] == 0
    print(*run_in_workers("tests.system.test_workers:work", 10, [4], 1), flush=True)
"""


def script(tmp_path: Path, item: str, body: str = LOOP) -> Path:
    """A user's script: no main guard."""
    path = tmp_path / "script.py"
    path.write_text(
        textwrap.dedent(f"""
            import os, sys, time
            from pathlib import Path
            sys.path[:0] = [{str(ROOT)!r}, Path("/a/path/that/python/ignores")]
            from bof.system.workers import run_in_workers
        """)
        + body.replace("ITEM", item),
        encoding="utf-8",
    )
    return path


def started(tmp_path: Path, body: str = LOOP) -> tuple[subprocess.Popen[str], int]:
    """A script in the middle of an item that takes a minute, and its child."""
    process = subprocess.Popen(
        [sys.executable, script(tmp_path, '("sleep", 60)', body)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    assert process.stdout.readline() == "10\n"
    return process, child


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")


def wait_for_end(pid: int) -> None:
    end = time.monotonic() + 5
    while is_alive(pid):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_script_without_a_main_guard_works(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, script(tmp_path, "2")], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["10", "20"]
    assert done.stderr == ""


def test_modules_of_the_folder_that_one_stands_in_take_no_places(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "queue.py").write_text("raise RuntimeError", encoding="utf-8")
    command = [sys.executable, str(script(tmp_path, "2"))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path / "elsewhere")
    assert done.stdout.splitlines()[1:] == ["10", "20"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_after_a_fork_both_have_children_of_their_own(tmp_path: Path) -> None:
    command = [sys.executable, str(script(tmp_path, "2", FORK))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    assert sorted(done.stdout.split()) == ["10", "20", "30", "40"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("body", [LOOP, SLOW_LOOP])
def test_no_child_outlives_its_parent(tmp_path: Path, body: str, how: signal.Signals) -> None:
    process, child = started(tmp_path, body)
    process.send_signal(how)
    try:
        _, err = process.communicate(timeout=5)
    finally:
        process.kill()
    assert ("KeyboardInterrupt" in err) == (how is signal.SIGINT)
    wait_for_end(child)
