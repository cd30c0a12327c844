"""Work in child processes that survives what pictures do to decoders: a child that dies takes one item with it.

joblib's and the standard library's pools end the whole run when one process dies, and know no time limit for an item.
"""

from __future__ import annotations

import atexit
import os
import pickle
import queue
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Any

from bof.system.worker import DONE, FAILED, Task, receive, send

_IN_FLIGHT = 4
"""Items a child that are worked on, or done and not yet taken."""

_START_S = 120.0
"""A child that has not started by then never will."""

_SECRET = re.compile("TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|PRIVATE|API_?KEY", re.IGNORECASE)
"""In the names of variables that no decoder needs, and that a hostile picture must not find in its environment."""


@dataclass(frozen=True, slots=True)
class LostItem:
    """What became of an item whose process did not survive it, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What one item may take: seconds, and bytes of memory beyond what the process had before."""

    seconds: float = 120.0
    memory: int | None = None


def run_in_workers(
    function: str, shared: object, items: Iterable[object], n_workers: int, limits: Limits | None = None
) -> Iterator[Any]:
    """Run "module:function" as function(shared, item) on every item, in n_workers processes; results in order.

    items: taken one after another, as results are; they may come slowly. An item that crashes its process, hangs or
    takes too much memory becomes a LostItem. What the function raises is raised here. Only a few results wait at any
    time. Children are kept for the next run.
    """
    limits = limits or Limits()
    run = _Run(Task(function, shared, limits.memory), limits.seconds, max(1, n_workers))
    waiting: deque[Future[Any]] = deque()
    _runs.add(run)
    try:
        for item in items:
            if len(waiting) >= _IN_FLIGHT * run.n_workers:
                yield _result(waiting.popleft())
            waiting.append(run.submit(item))
        while waiting:
            yield _result(waiting.popleft())
    finally:
        run.stop()
        _runs.discard(run)


def _result(future: Future[Any]) -> Any:
    """Wait in steps: on some systems Ctrl-C does not end a wait."""
    while not future.done():
        wait([future], timeout=1.0)
    return future.result()


@dataclass(eq=False)
class _Run:
    """One call of run_in_workers, which several threads work for: each has a child for the time of an item.

    The threads are daemons: an interpreter that ends waits for the threads of a ThreadPoolExecutor, and all its items.
    """

    task: Task
    seconds: float
    n_workers: int
    is_stopped: bool = False
    busy: set[_Child] = field(default_factory=set)
    _threads: list[threading.Thread] = field(default_factory=list)
    _items: queue.SimpleQueue[tuple[Future[Any], object] | None] = field(default_factory=queue.SimpleQueue)

    def submit(self, item: object) -> Future[Any]:
        """Put an item in line."""
        future: Future[Any] = Future()
        self._items.put((future, item))
        if len(self._threads) < self.n_workers:
            self._threads.append(threading.Thread(target=self._serve, daemon=True))
            self._threads[-1].start()
        return future

    def _serve(self) -> None:
        while work := self._items.get():
            future, item = work
            if self.is_stopped:
                future.cancel()
                return
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(self._do(item))
            except BaseException as error:
                future.set_exception(error)

    def _do(self, item: object) -> Any:
        """One item in one child."""
        try:
            return self._do_in(_lease(), item)
        except _DidNotStartError:  # it died while it waited, which may show only now
            return self._do_in(_Child(), item)

    def _do_in(self, child: _Child, item: object) -> Any:
        with _lock:
            self.busy.add(child)
        try:
            return None if self.is_stopped else self._ask(child, item)
        finally:
            with _lock:
                self.busy.discard(child)
            _give_back(child)

    def _ask(self, child: _Child, item: object) -> Any:
        if child.run is not self:
            child.prepare(self.task)
            child.run = self
        kind, value = child.ask(item, self.seconds)
        if kind == FAILED:
            raise value
        if kind == DONE:
            return value
        return LostItem(value or f"needs more memory than the {(self.task.memory or 0) >> 20} MB that it may take")

    def stop(self) -> None:
        """Nothing more is wanted: what is still worked on is given up with its process."""
        self.is_stopped = True
        with _lock:
            for child in self.busy:
                child.kill()
        for _ in self._threads:
            self._items.put(None)
        for thread in self._threads:
            thread.join()

    def cancel_waiting(self) -> None:
        """Nobody will work for what is still in line."""
        while not self._items.empty():
            if work := self._items.get():
                work[0].cancel()


class Pool:
    """Processes for items that come one at a time; each has the limits of its own, whatever becomes of the others."""

    def __init__(self, function: str, shared: object, n_workers: int, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        self._run = _Run(Task(function, shared, limits.memory), limits.seconds, max(1, n_workers))
        _runs.add(self._run)

    def submit(self, item: object) -> Future[Any]:
        """Put an item in line; the result is what the function returns or raises, or LostItem.

        A future that is cancelled while it waits is never begun.
        """
        return self._run.submit(item)

    def close(self) -> None:
        """End what is worked on with its process, and cancel what waits."""
        self._run.stop()
        _runs.discard(self._run)
        self._run.cancel_waiting()


class _DidNotStartError(RuntimeError):
    """A process that took no task."""


_DIED = "died"
_END_S = 2.0


class _Child:
    """One process."""

    def __init__(self) -> None:
        self.run: _Run | None = None
        self._is_killed = False
        places = os.pathsep.join(path or os.getcwd() for path in sys.path if isinstance(path, str))
        # In a process group of its own Ctrl-C does not reach it: the parent decides.
        own_group: dict[str, Any] = {"process_group": 0} if os.name == "posix" else {"creationflags": 0x200}
        self._process = subprocess.Popen(
            # -P: no module of the folder that one stands in, say a queue.py, takes the place of another.
            [sys.executable, "-P", "-c", "from bof.system.worker import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment() | {"PYTHONPATH": places},
            **own_group,
        )

    def prepare(self, task: Task) -> None:
        """Send what to do. Raises RuntimeError where the process does not start, or what its import raises."""
        kind, value = self._exchange(task, _START_S)
        if kind == _DIED:
            raise _DidNotStartError(f"a process to read pictures with cannot start: it {value}")
        if kind == FAILED:
            raise value

    def ask(self, item: object, seconds: float) -> tuple[str, Any]:
        """Send an item and wait for what becomes of it."""
        kind, value = self._exchange(item, seconds)
        return kind, f"the process that read it {value}" if kind == _DIED else value

    def _exchange(self, frame: object, seconds: float) -> tuple[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        late = threading.Event()
        timer = threading.Timer(seconds, self._time_out, (late,))
        timer.daemon = True
        timer.start()
        try:
            send(self._process.stdin, frame)  # type: ignore[arg-type]
            data = receive(self._process.stdout)  # type: ignore[arg-type]
        except (EOFError, OSError):
            status = self._end()
            return _DIED, f"took longer than {seconds:g} s" if late.is_set() else _ending(status)
        finally:
            timer.cancel()
            timer.join()
        answer: tuple[str, Any] = pickle.loads(data)
        return answer

    def _time_out(self, late: threading.Event) -> None:
        late.set()
        self.kill()

    def _end(self) -> int:
        """The status of a process that has stopped answering, which it may need a moment to reach."""
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.kill()
        return self._process.wait()

    def is_alive(self) -> bool:
        """May it be given work? Not after a fork either: there it is the parent's."""
        return not self._is_killed and self._process.poll() is None

    def kill(self) -> None:
        """End it, whatever it does."""
        self._is_killed = True
        self._process.kill()

    def close(self) -> None:
        """End it and free what it held."""
        self.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:  # unsent bytes
                    continue
        self._process.wait()


def _environment() -> dict[str, str]:
    """A child's: one thread unless its environment says otherwise, and no secrets."""
    one_thread = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    return one_thread | {name: value for name, value in os.environ.items() if not _SECRET.search(name)}


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"crashed ({signal.Signals(-status).name})"
    except ValueError:
        return f"crashed (signal {-status})"


_lock = threading.Lock()
_idle: list[_Child] = []
_runs: set[_Run] = set()


def _lease() -> _Child:
    """A child that waits, else a new one."""
    while child := _take_idle():
        if child.is_alive():
            return child
        child.close()
    return _Child()


def _take_idle() -> _Child | None:
    with _lock:
        return _idle.pop() if _idle else None


def _give_back(child: _Child) -> None:
    if child.is_alive():
        with _lock:
            _idle.append(child)
    else:
        child.close()


def close_workers() -> None:
    """End the children that wait for work."""
    while child := _take_idle():
        child.close()


@atexit.register
def _stop_all() -> None:
    """Nobody takes results any more."""
    for run in list(_runs):
        run.stop()
    close_workers()
