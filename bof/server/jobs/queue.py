"""Work that goes on after its request: each is a job that can be followed and cancelled.

Changes of the index are done one after another. A search for duplicates only reads, so it has a lane of its own: no
change waits for it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from bof.server.http.problems import ProblemError, busy, not_found
from bof.server.jobs.lane import Lane
from bof.system.steps import Step
from bof.system.units import when

log = logging.getLogger("bof")

Kind = Literal["add", "update", "remove", "tag", "annotate", "sync", "duplicates", "move", "undo"]
State = Literal["queued", "running", "done", "failed", "cancelled", "stopped"]
KINDS: tuple[Kind, ...] = get_args(Kind)
STATES: tuple[State, ...] = get_args(State)

_READING: frozenset[Kind] = frozenset({"duplicates"})
"""Kinds of jobs that change nothing."""

MAX_ENDED = 100
"""Jobs that have ended and can still be asked about."""

_MAX_SKIPPED = 1000
_MAX_IMAGES = 1000


@dataclass(eq=False, slots=True)
class Job:
    """One piece of work: how far it is, and what became of it. Only the thread that runs it writes to it."""

    id: str
    kind: Kind
    state: State = "queued"
    stage: str = ""
    done: int = 0
    total: int = 0
    added: int = 0
    removed: int = 0
    moved: int = 0
    unchanged: int = 0
    images: list[int] = field(default_factory=list)
    skipped: list[dict[str, str]] = field(default_factory=list)
    passed_over: list[dict[str, Any]] = field(default_factory=list)
    error: ProblemError | None = None
    created: float = field(default_factory=time.time)
    seconds: float = 0.0
    is_stopping: threading.Event = field(default_factory=threading.Event)
    """Set where the server stops."""
    is_cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """Will nothing more happen?"""
        return self.state not in ("queued", "running")

    def show(self, step: Step) -> None:
        """Progress, as the engine tells it. Ends the job, with what is done committed, if it is cancelled or the
        server stops.
        """
        self.stage, self.done, self.total = step.stage, step.n_done, step.n_items
        if self.is_stopping.is_set() or self.is_cancelled.is_set():
            raise KeyboardInterrupt

    def skip(self, name: str, reason: str) -> None:
        """A file that is not used."""
        if len(self.skipped) < _MAX_SKIPPED:
            self.skipped.append({"name": name, "reason": reason})

    def as_json(self) -> dict[str, Any]:
        """As the API tells of it."""
        return {
            "id": self.id, "kind": self.kind, "state": self.state, "stage": self.stage, "done": self.done,
            "total": self.total, "added": self.added, "removed": self.removed, "moved": self.moved,
            "unchanged": self.unchanged,
            "images": self.images[:_MAX_IMAGES], "skipped": list(self.skipped), "passed_over": list(self.passed_over),
            "error": self.error and self.error.document(), "created": when(self.created),
            "seconds": round(self.seconds, 3),
        }  # fmt: skip


Work = Callable[[Job], None]


Ended = Callable[[State], None]


def _nothing(state: State) -> None:
    """There is nothing to clear up."""


@dataclass(eq=False, frozen=True, slots=True)
class _Task:
    """A job and its work. ended: called with the state that it ends in, also if it has not begun."""

    job: Job
    work: Work
    ended: Ended


class Jobs:
    """Two lanes, of changes and of what only reads, and the jobs that are known.

    problem_of: what an error is, None for a mistake of ours; after: called when a change has ended.
    """

    def __init__(
        self, n_waiting: int, problem_of: Callable[[Exception], ProblemError | None], after: Callable[[], None]
    ) -> None:
        self._problem_of, self._after = problem_of, after
        self._stopping = threading.Event()
        self._tasks: OrderedDict[str, _Task] = OrderedDict()
        self._n = 0
        self._lock = threading.Lock()
        self._changes = Lane[_Task]("bof-jobs", n_waiting, self._serve)
        self._readers = Lane[_Task]("bof-jobs-reading", n_waiting, self._serve)

    def _lane(self, kind: Kind) -> Lane[_Task]:
        return self._readers if kind in _READING else self._changes

    def submit(self, kind: Kind, work: Work, total: int = 0, ended: Ended = _nothing) -> Job:
        """Put work in line. Raises ProblemError, busy, where too much waits."""
        with self._lock:
            self._n += 1
            job = Job(f"j{self._n}", kind, total=total, is_stopping=self._stopping)
            task = _Task(job, work, ended)
            if not self._lane(kind).put(task):
                raise busy("expected at most --jobs changes that wait, found as many; try again later", 5)
            self._tasks[job.id] = task
            self._forget()
        return job

    def _forget(self) -> None:
        over = [name for name, task in self._tasks.items() if task.job.is_over]
        for name in over[: max(0, len(over) - MAX_ENDED)]:
            del self._tasks[name]

    def get(self, name: str) -> Job:
        """A job by id. Raises ProblemError, not-found."""
        return self._task(name).job

    def _task(self, name: str) -> _Task:
        with self._lock:
            if name not in self._tasks:
                raise not_found(f"job {name[:50]!r}")
            return self._tasks[name]

    def all(self) -> list[Job]:
        """The newest first."""
        with self._lock:
            return [task.job for task in self._tasks.values()][::-1]

    def cancel(self, name: str) -> Job:
        """End a job: one that waits at once, one that runs at its next step, with what is done committed.

        One that is over stays as it is. Raises ProblemError, not-found.
        """
        task = self._task(name)
        task.job.is_cancelled.set()
        if self._lane(task.job.kind).withdraw(task):
            self._end(task, "cancelled")
        return task.job

    def _end(self, task: _Task, state: State) -> None:
        try:
            task.ended(state)
        except Exception as error:
            log.error("what job %s left cannot be cleared up: %s", task.job.id, error)
        task.job.state = state

    def _serve(self, task: _Task) -> None:
        job, start = task.job, time.perf_counter()
        job.state = "running"
        state = self._run(task)
        job.seconds = time.perf_counter() - start
        if job.kind not in _READING:
            self._look_after()
        self._end(task, state)

    def _run(self, task: _Task) -> State:
        job = task.job
        try:
            task.work(job)
        except KeyboardInterrupt:
            return "stopped" if self._stopping.is_set() else "cancelled"
        except Exception as error:
            job.error = self._problem_of(error)
            if job.error is None:
                log.error("job %s failed: %s", job.id, error, exc_info=error)
                job.error = ProblemError("internal", "expected a change, found a mistake of the server; see its log")
            return "failed"
        return "done"

    def _look_after(self) -> None:
        try:
            self._after()
        except Exception as error:
            log.error("what a job committed cannot be read yet: %s", error)

    def stop(self, seconds: float) -> None:
        """End the running jobs at their next step, with what is done committed, and begin no other."""
        self._stopping.set()
        end = time.monotonic() + seconds
        for lane in (self._readers, self._changes):
            for task in lane.stop(max(0.0, end - time.monotonic())):
                self._end(task, "stopped")
            if lane.is_alive:
                log.warning("a job did not end in time; what is committed stays")
