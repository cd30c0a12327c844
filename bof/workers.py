"""Work in child processes that survives what pictures do to decoders: a child that dies takes one item with it.

joblib's and the standard library's pools end the whole run when one process dies, and know no time limit for an item.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from bof.worker import DONE, FAILED, Task, receive, send

_IN_FLIGHT = 4
"""Items a child that are worked on, or done and not yet taken."""

_START_S = 120.0
"""A child that has not started by then never will."""

Put = Callable[[object], None]


@dataclass(frozen=True, slots=True)
class Lost:
    """What became of an item whose process did not survive it, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What one item may take: seconds, and bytes of memory beyond what the process had before."""

    seconds: float = 120.0
    memory: int | None = None


def run_in_workers(
    function: str, shared: object, items: Sequence[object], n_workers: int, limits: Limits | None = None
) -> Iterator[Any]:
    """Run "module:function" as function(shared, item) on every item, in n_workers processes; results in order.

    An item that crashes its process, hangs or takes too much memory becomes Lost. What the function raises is raised
    here. Only a few results wait at any time. Children are kept for the next run.
    """
    run = _Run(Task(function, shared, (limits or Limits()).memory), (limits or Limits()).seconds)
    waiting: deque[Future[Any]] = deque()
    threads = ThreadPoolExecutor(max(1, n_workers))
    try:
        for item in items:
            if len(waiting) >= _IN_FLIGHT * n_workers:
                yield _result(waiting.popleft())
            waiting.append(threads.submit(run.do, item))
        while waiting:
            yield _result(waiting.popleft())
    finally:
        run.stop()
        threads.shutdown(wait=True, cancel_futures=True)


def _result(future: Future[Any]) -> Any:
    """Wait in steps: on some systems Ctrl-C does not end a wait."""
    while True:
        try:
            return future.result(timeout=1.0)
        except TimeoutError:
            if future.done():
                raise


@dataclass(eq=False)
class _Run:
    """One call of run_in_workers, which several threads work for: each has a child for the time of an item."""

    task: Task
    seconds: float
    is_stopped: bool = False
    busy: set[_Child] = field(default_factory=set)

    def do(self, item: object) -> Any:
        """One item in one child."""
        child = _lease()
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
        return Lost(value or f"needs more memory than the {(self.task.memory or 0) >> 20} MB that it may take")

    def stop(self) -> None:
        """Nothing more is wanted: what is still worked on is given up with its process."""
        self.is_stopped = True
        with _lock:
            for child in self.busy:
                child.kill()


_DIED = "died"


class _Child:
    """One process."""

    def __init__(self) -> None:
        self.run: _Run | None = None
        self.is_alive = True
        places = os.pathsep.join(path or os.getcwd() for path in sys.path)
        one_thread = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
        # In a process group of its own Ctrl-C does not reach it: the parent decides.
        own_group: dict[str, Any] = {"process_group": 0} if os.name == "posix" else {"creationflags": 0x200}
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from bof.worker import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**one_thread, **os.environ, "PYTHONPATH": places},
            **own_group,
        )

    def prepare(self, task: Task) -> None:
        """Send what to do. Raises RuntimeError where the process does not start, or what its import raises."""
        kind, value = self._exchange(task, _START_S)
        if kind == _DIED:
            raise RuntimeError(f"a process to read pictures with cannot start: it {value}")
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
            answer: tuple[str, Any] = receive(self._process.stdout)  # type: ignore[arg-type]
            return answer
        except (EOFError, OSError):
            self.kill()
            return _DIED, f"took longer than {seconds:g} s" if late.is_set() else _ending(self._process.wait())
        finally:
            timer.cancel()

    def _time_out(self, late: threading.Event) -> None:
        late.set()
        self.kill()

    def kill(self) -> None:
        """End it, whatever it does."""
        self.is_alive = False
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


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"crashed ({signal.Signals(-status).name})"
    except ValueError:
        return f"crashed (signal {-status})"


_lock = threading.Lock()
_idle: list[_Child] = []
_owner = os.getpid()


def _lease() -> _Child:
    """A child that waits, else a new one."""
    global _owner
    with _lock:
        if _owner != os.getpid():  # after a fork the children are the parent's
            _idle.clear()
            _owner = os.getpid()
        if _idle:
            return _idle.pop()
    return _Child()


def _give_back(child: _Child) -> None:
    if child.is_alive:
        with _lock:
            _idle.append(child)
    else:
        child.close()


@atexit.register
def close_workers() -> None:
    """End the children that wait for work."""
    with _lock:
        while _idle:
            child = _idle.pop()
            if _owner == os.getpid():
                child.close()
