"""The parts of an index on Dask's workers: which holds which, requests to all of them, and what becomes of late ones.

Each part has workers of its own, chosen by a hash of both names, so that a worker that comes or goes moves its own
parts alone. A request goes to the first of them, after a while to the next one too, and where a worker dies Dask gives
it to another, which opens the part. What no worker answers until the deadline is missing, and is named.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bof.errors import BofError, display_name, reason_of
from bof.retrieval.remote.latencies import Latencies
from bof.retrieval.remote.on_worker import NOT_OPEN, NOT_VOTED
from bof.retrieval.remote.requests import Opening, PartName, Request
from bof.retrieval.remote.warming import ANSWER, ReadyWorkers
from bof.scheduling.connection import Cluster, other_version
from bof.scheduling.worker import OTHER_VERSION
from bof.store.index import EpochGoneError
from bof.system.worker import DONE

if TYPE_CHECKING:
    from distributed import Future

log = logging.getLogger("bof")

_PRIORITY = 10
"""Above that of batch work: somebody waits."""

_LOOK_S = 1.0
"""So long the list of workers counts as known."""

_MOST_TRIES = 3
"""So many workers may fail to answer for a part before it is missing."""

_SLOW_S = 30.0
"""So long a worker that has not answered in time is asked last."""

_LATE_SHARE = 0.5
"""After this share of the deadline a part is asked for at a worker that does not hold it yet."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to one part, and the same with all that a worker may lack."""

    request: Request
    whole: Request | None = None


@dataclass(eq=False, slots=True)
class _Call:
    """What is asked of one part: the futures that may answer it, by key, and where they were sent."""

    part: int
    ask: Ask
    opens: bool = False
    is_whole: bool = False
    n_failed: int = 0
    sent_to: list[str] = field(default_factory=list)
    futures: dict[str, tuple[Future[Any], float, str]] = field(default_factory=dict)
    reason: str = ""


class RemoteParts:
    """The parts of one commit of an index on the workers of a cluster. Threads may share it.

    replicas: workers that hold each part; deadline_s: so long a part may take to answer a request, else it is missing.
    """

    def __init__(
        self, cluster: Cluster, names: Sequence[PartName], opening: Opening, replicas: int = 1,
        deadline_s: float = 30.0, latencies: Latencies | None = None,
    ) -> None:  # fmt: skip
        self.cluster, self.names, self.opening = cluster, list(names), opening
        self.replicas, self.deadline_s = replicas, deadline_s
        self.latencies = latencies or Latencies()
        self._ready = ReadyWorkers(cluster, self.names, opening)
        self._lock = threading.Lock()
        self._workers: tuple[float, list[str]] = (0.0, [])
        self._slow: dict[str, float] = {}

    def workers_of(self, part: int) -> list[str]:
        """All workers, those that hold the part first: who has it open before who is to open it; whoever has lately not
        answered in time comes last.
        """
        name, now = self.names[part].name.encode(), time.monotonic()
        with self._lock:
            slow = {address for address, noted in self._slow.items() if now - noted < _SLOW_S}
        drawn = sorted(self._all_workers(), key=lambda one: (one in slow, hashlib.sha256(name + one.encode()).digest()))
        self._ready.warm(part, drawn[: self.replicas])
        return sorted(drawn, key=lambda one: (one in slow, not self._ready.has(part, one)))

    def _note_slow(self, call: _Call) -> None:
        with self._lock:
            self._slow |= dict.fromkeys((address for _, _, address in call.futures.values()), time.monotonic())

    def _all_workers(self) -> list[str]:
        with self._lock:
            seen, workers = self._workers
        if time.monotonic() - seen > _LOOK_S or not workers:
            workers = sorted(self.cluster.workers)
            with self._lock:
                self._workers = time.monotonic(), workers
        return workers

    def ask(
        self, asks: Mapping[int, Ask], until: float, *, first: int = 0, opens: bool = False
    ) -> tuple[dict[int, Any], dict[int, str]]:
        """The replies of parts, and of those that did not reply until then (time.monotonic()) why.

        first: which of the workers that hold a part is asked first; opens: whoever has not opened it does.
        Raises what a part says is wrong with the request itself, EpochGoneError where a part is at another commit.
        """
        calls = {
            part: _Call(part, ask, opens, opens, sent_to=self.workers_of(part)[:first] if first else [])
            for part, ask in asks.items()
        }
        replies: dict[int, Any] = {}
        missing: dict[int, str] = {}
        for call in calls.values():
            self._send(call)
        try:
            while open_calls := [c for p, c in calls.items() if p not in replies and p not in missing]:
                left = until - time.monotonic()
                if left <= 0:
                    missing |= {call.part: call.reason or "no answer in time" for call in open_calls}
                    for call in open_calls:
                        self._note_slow(call)
                    break
                self._wait(open_calls, left)
                for call in open_calls:
                    self._take(call, replies, missing)
                    if call.part not in replies and call.part not in missing:
                        self._hedge(call, until)
        finally:
            left_over = [one for call in calls.values() for one, _, _ in call.futures.values()]
            self.cluster.cancel(left_over, "answered elsewhere, or too late")
        for part in missing:
            self.latencies.note_missing(self.names[part].name)
        return replies, missing

    def _send(self, call: _Call) -> None:
        workers = self.workers_of(call.part)
        fresh = [address for address in workers if address not in call.sent_to]
        where = (fresh or workers)[:1]
        request = call.ask.whole if call.is_whole and call.ask.whole is not None else call.ask.request
        arguments = self.names[call.part], self.opening if call.opens else None, request
        future = self.cluster.submit(ANSWER, arguments, where, _PRIORITY)
        call.sent_to += where
        call.futures[str(future.key)] = future, time.monotonic(), where[0] if where else ""

    def _wait(self, calls: Sequence[_Call], left: float) -> None:
        """Until one of them has something, or it is time to look again."""
        futures = [future for call in calls for future, _, _ in call.futures.values()]
        step = min(left, self.latencies.hedge_s)
        self.cluster.wait(futures, max(step, 0.001))

    def _take(self, call: _Call, replies: dict[int, Any], missing: dict[int, str]) -> None:
        """What the futures of a call say by now."""
        for key, (future, began, _) in list(call.futures.items()):
            if not future.done():
                continue
            del call.futures[key]
            try:
                kind, value, address = future.result(timeout=5)
            except Exception as error:
                self._lost(call, error, missing)
                continue
            if kind == OTHER_VERSION:
                raise other_version(address, value)
            if kind != DONE:
                self._failed(call, value, address, missing)
            elif isinstance(value, str) and value in (NOT_OPEN, NOT_VOTED):
                call.opens, call.is_whole = call.opens or value == NOT_OPEN, True
                self._ready.note(call.part, address, is_open=value != NOT_OPEN)
                call.sent_to = [one for one in call.sent_to if one != address]
                self._send(call)
            else:
                self.latencies.note(self.names[call.part].name, time.monotonic() - began)
                self._ready.note(call.part, address, is_open=True)
                replies[call.part] = value
                return

    def _failed(self, call: _Call, error: Exception, address: str, missing: dict[int, str]) -> None:
        """A worker that cannot open a part may be alone with that; a request that is wrong is so everywhere."""
        if isinstance(error, EpochGoneError) or not isinstance(error, BofError | OSError):
            raise error
        call.reason = display_name(reason_of(error))
        log.warning("the worker %s cannot answer for part %s: %s", address, self.names[call.part].name, call.reason)
        self._again(call, missing)

    def _lost(self, call: _Call, error: Exception, missing: dict[int, str]) -> None:
        call.reason = display_name(f"its workers ended ({type(error).__name__})")
        if self.cluster.is_closed:
            raise self.cluster.gone_error()
        self._again(call, missing)

    def _again(self, call: _Call, missing: dict[int, str]) -> None:
        call.n_failed += 1
        if call.n_failed < _MOST_TRIES:
            self._send(call)
        elif not call.futures:
            missing[call.part] = call.reason

    def _hedge(self, call: _Call, until: float) -> None:
        """Ask another worker too, where the first takes long: one that holds the part, at last any."""
        began = min((sent for _, sent, _ in call.futures.values()), default=time.monotonic())
        waited = time.monotonic() - began
        n_sent = len(call.futures)
        if n_sent < min(self.replicas, len(self._all_workers())):
            is_time = waited > self.latencies.hedge_s
        else:
            is_time = n_sent <= self.replicas and waited > _LATE_SHARE * self.deadline_s
        if is_time and any(address not in call.sent_to for address in self._all_workers()):
            if waited > _LATE_SHARE * self.deadline_s:
                self._note_slow(call)
            call.opens = call.is_whole = True
            self.latencies.note_again(self.names[call.part].name)
            self._send(call)
