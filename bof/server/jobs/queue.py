"""Changes of the index, one after another in one thread; each is a job that can be asked about."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from bof.server.http.answers import when
from bof.server.http.problems import ProblemError, busy, not_found, problem_of
from bof.system.steps import Step

log = logging.getLogger("bof")

Kind = Literal["add", "update", "remove", "tag", "annotate", "sync", "duplicates"]
State = Literal["queued", "running", "done", "failed", "stopped"]

MAX_ENDED = 100
"""Jobs that have ended and can still be asked about."""

_MAX_SKIPPED = 1000
_MAX_IMAGES = 1000


@dataclass(eq=False, slots=True)
class Job:
    """One change: how far it is, and what became of it. Only the thread that runs it writes to it."""

    id: str
    kind: Kind
    state: State = "queued"
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

    @property
    def is_over(self) -> bool:
        """Will nothing more happen?"""
        return self.state in ("done", "failed", "stopped")

    def show(self, step: Step) -> None:
        """Progress, as the engine tells it. Ends the job, with what is done committed, where the server stops."""
        self.done, self.total = step.n_done, step.n_items
        if self.is_stopping.is_set():
            raise KeyboardInterrupt

    def skip(self, name: str, reason: str) -> None:
        """A file that is not used."""
        if len(self.skipped) < _MAX_SKIPPED:
            self.skipped.append({"name": name, "reason": reason})

    def as_json(self) -> dict[str, Any]:
        """As the API tells of it."""
        return {
            "id": self.id, "kind": self.kind, "state": self.state, "done": self.done, "total": self.total,
            "added": self.added, "removed": self.removed, "moved": self.moved, "unchanged": self.unchanged,
            "images": self.images[:_MAX_IMAGES], "skipped": list(self.skipped), "passed_over": list(self.passed_over),
            "error": self.error and self.error.document(), "created": when(self.created),
            "seconds": round(self.seconds, 3),
        }  # fmt: skip


Work = Callable[[Job], None]


class Jobs:
    """The thread and its queue. folder: the index's, whose path no answer tells; after: called when one has ended."""

    def __init__(self, n_waiting: int, folder: str, after: Callable[[], None]) -> None:
        self._folder, self._after = folder, after
        self._stopping = threading.Event()
        self._queue: queue.Queue[tuple[Job, Work] | None] = queue.Queue(n_waiting)
        self._known: OrderedDict[str, Job] = OrderedDict()
        self._n = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="bof-jobs", daemon=True)
        self._thread.start()

    def submit(self, kind: Kind, work: Work, total: int = 0) -> Job:
        """Put a change in line. Raises ProblemError, busy, where too many wait."""
        with self._lock:
            self._n += 1
            job = Job(f"j{self._n}", kind, total=total, is_stopping=self._stopping)
            try:
                self._queue.put_nowait((job, work))
            except queue.Full:
                raise busy("expected at most --jobs changes that wait, found as many; try again later", 5) from None
            self._known[job.id] = job
            self._forget()
        return job

    def _forget(self) -> None:
        over = [name for name, job in self._known.items() if job.is_over]
        for name in over[: max(0, len(over) - MAX_ENDED)]:
            del self._known[name]

    def get(self, name: str) -> Job:
        """A job by id. Raises ProblemError, not-found."""
        with self._lock:
            if name not in self._known:
                raise not_found(f"job {name[:50]!r}")
            return self._known[name]

    def all(self) -> list[Job]:
        """The newest first."""
        with self._lock:
            return list(self._known.values())[::-1]

    def _serve(self) -> None:
        while (taken := self._queue.get()) is not None:
            job, work = taken
            if self._stopping.is_set():
                job.state = "stopped"
                continue
            start = time.perf_counter()
            job.state = "running"
            state = self._run(job, work)
            job.seconds = time.perf_counter() - start
            self._look_after()
            job.state = state

    def _run(self, job: Job, work: Work) -> State:
        try:
            work(job)
        except KeyboardInterrupt:
            return "stopped"
        except Exception as error:
            job.error = problem_of(error, self._folder)
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
        """End the running job at its next picture, with what is done committed, and begin no other."""
        self._stopping.set()
        try:
            self._queue.put(None, timeout=seconds)
            self._thread.join(seconds)
        except queue.Full:
            log.warning("a change did not end in time; what is committed stays")
