"""Shares of work on Dask's workers: lost ones are done again elsewhere, stragglers and killers are cut finer.

A share may be done twice; the first result counts. So what a share does must be safe to repeat, as writing a file of a
new name is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from bof.errors import BofError, ClusterError, display_name, reason_of
from bof.scheduling.connection import Cluster, other_version
from bof.scheduling.worker import OTHER_VERSION
from bof.system.worker import DONE
from bof.system.workers import Limits, LostItem

if TYPE_CHECKING:
    from distributed import Future

log = logging.getLogger("bof")

_WAITING = 2
"""Shares a thread that are worked on or wait for it."""

_POLL_S = 0.5
_FETCH_S = 10.0
"""So long a finished result may take to arrive, before its worker is one that does not answer."""

_MOST_TRIES = 4
"""So often a share may fail, or lose its worker, before it is given up."""

PATIENCE, LEAST_S = 4.0, 20.0
"""A share is a straggler that takes so many times the median of those done, and so many seconds more."""

_GONE_S = 60.0
"""So long without its scheduler a run waits."""


@dataclass(frozen=True, slots=True)
class Work:
    """What every share is given to: "module:function", called as function(shared, items) on a worker."""

    function: str
    shared: object


@dataclass(eq=False, slots=True)
class _Share:
    """Items that one worker does. parts: the halves that were begun beside it, as it was late; is_suspect: it is done
    while nothing else is, as its worker died.
    """

    items: Sequence[Any]
    first: int
    future: Future[Any] | None = None
    began: float = 0.0
    n_tries: int = 0
    avoid: set[str] = field(default_factory=set)
    parts: list[_Share] = field(default_factory=list)
    whole: _Share | None = None
    is_over: bool = False
    is_suspect: bool = False


def spread(cluster: Cluster, work: Work, shares: Iterable[Sequence[Any]]) -> Iterator[tuple[int, Sequence[Any], Any]]:
    """Do shares of items on the workers; of each, as it is done: the number of its first item, its items, its result.

    Every item is in exactly one of the results, and shares are cut in halves where they must be. An item that takes
    its worker with it again and again becomes a LostItem. shares: taken one after another, as workers get free.
    Raises what the function raises everywhere, ClusterError where the scheduler or all workers are gone.
    """
    run = _Spread(cluster, work)
    try:
        yield from run.results(iter(shares))
    finally:
        run.cancel()


def run_on_workers(
    cluster: Cluster, function: str, shared: object, items: Iterable[Any], limits: Limits, size: int = 1
) -> Iterator[Any]:
    """As `run_in_workers`, on Dask's workers, whose child processes do the items; results in the order of the items.

    size: items of a share.
    """
    work = Work("bof.scheduling.worker:run_share", (function, shared, limits))
    done: dict[int, Any] = {}
    next_item = 0
    for first, share, results in spread(cluster, work, _cut(items, size)):
        values = [results] * len(share) if isinstance(results, LostItem) else results
        done.update(zip(range(first, first + len(share)), values, strict=True))
        while next_item in done:
            yield done.pop(next_item)
            next_item += 1


def _cut(items: Iterable[Any], size: int) -> Iterator[Sequence[Any]]:
    share: list[Any] = []
    for item in items:
        share.append(item)
        if len(share) >= size:
            yield share
            share = []
    if share:
        yield share


class _Spread:
    """One call of `spread`."""

    def __init__(self, cluster: Cluster, work: Work) -> None:
        self._cluster, self._work = cluster, work
        self._running: dict[Any, _Share] = {}
        self._seconds: list[float] = []
        self._n_items = 0
        self._suspects: list[_Share] = []
        self._seen = time.monotonic()

    def results(self, shares: Iterator[Sequence[Any]]) -> Iterator[tuple[int, Sequence[Any], Any]]:
        """See `spread`."""
        is_more = True
        while is_more or self._running or self._suspects:
            most = _WAITING * self._cluster.n_threads
            while is_more and len(self._running) < most:
                items = next(shares, None)
                if items is None:
                    is_more = False
                elif len(items):
                    self._submit(_Share(items, self._n_items))
                    self._n_items += len(items)
            for share, value in self._done():
                yield share.first, share.items, value
            if not is_more:
                self._cut_stragglers()
                if not self._running and self._suspects:
                    self._submit(self._suspects.pop())

    def cancel(self) -> None:
        """Nothing more is wanted."""
        futures = [share.future for share in self._running.values() if share.future is not None]
        self._cluster.cancel(futures, "no longer wanted")
        self._running = {}

    def _submit(self, share: _Share, priority: int = 0) -> None:
        others = [address for address in self._cluster.workers if address not in share.avoid] if share.avoid else []
        arguments = self._work.shared, share.items
        share.future = future = self._cluster.submit(self._work.function, arguments, others, priority)
        share.began = time.monotonic()
        self._running[future.key] = share

    def _done(self) -> list[tuple[_Share, Any]]:
        """The shares that were done, after a moment at most."""
        futures = [share.future for share in self._running.values()]
        if not futures:
            return []
        if not self._cluster.wait(futures, _POLL_S):
            self._require_scheduler()
        over = [share for share in self._running.values() if share.future is not None and share.future.done()]
        return [(share, value[0]) for share in over if (value := self._take(share)) and not share.is_over]

    def _take(self, share: _Share) -> list[Any]:
        """The result of a share, in a list; nothing where it is to be done again, or others did it."""
        assert share.future is not None
        try:
            kind, value, address = share.future.result(timeout=_FETCH_S)
        except TimeoutError:  # its worker holds it, and does not answer: what is done elsewhere counts
            log.warning("a worker does not hand over what it has done; it is done again elsewhere")
            return self._again(share, reason_of(TimeoutError("its worker does not answer")), "")
        except Exception as error:
            return self._lost(share, error)
        if share.is_over:
            self._drop(share)
            return []
        if kind == OTHER_VERSION:
            raise other_version(address, value)
        if kind != DONE:
            return self._failed(share, value, address)
        self._seen = time.monotonic()
        self._seconds.append(time.monotonic() - share.began)
        self._drop(share)
        self._settle(share)
        return [value]

    def _drop(self, share: _Share) -> None:
        assert share.future is not None
        self._running.pop(share.future.key, None)
        share.future.release()

    def _settle(self, share: _Share) -> None:
        """A share is done: its halves are not wanted any more, nor is the whole that it is a half of."""
        for part in share.parts:
            self._end(part)
        whole = share.whole
        while whole is not None:
            whole.is_over = True
            self._cancel(whole)
            whole = whole.whole

    def _end(self, share: _Share) -> None:
        share.is_over = True
        self._cancel(share)
        for part in share.parts:
            self._end(part)

    def _cancel(self, share: _Share) -> None:
        if share.future is not None and share.future.key in self._running:
            del self._running[share.future.key]
            self._cluster.cancel([share.future], "done elsewhere")

    def _failed(self, share: _Share, error: Exception, address: str) -> list[Any]:
        """What a function raised: a full disk or a missing folder there may be none elsewhere."""
        is_of_worker = isinstance(error, OSError | ClusterError)
        share.avoid.add(address)
        has_others = bool(set(self._cluster.workers) - share.avoid)
        if not is_of_worker or share.n_tries + 1 >= _MOST_TRIES or not has_others:
            raise error if isinstance(error, BofError | OSError) else _named(error, address)
        reason = display_name(reason_of(error))
        log.warning("the worker %s cannot do its share (%s); others do it", address, reason)
        return self._again(share, reason, address)

    def _again(self, share: _Share, reason: str, address: str) -> list[Any]:
        self._drop(share)
        share.n_tries += 1
        if share.n_tries >= _MOST_TRIES:
            raise ClusterError(f"a share of the work failed {share.n_tries} times: {reason}", path=address)
        self._submit(share, priority=1)
        return []

    def _lost(self, share: _Share, error: Exception) -> list[Any]:
        """Its worker died with it, several times, or the scheduler did."""
        self._drop(share)
        if share.is_over:
            return []
        if type(error).__name__ != "KilledWorker":
            self._wait_for_scheduler()
            self._submit(share, priority=1)
            return []
        log.warning("%d items took their worker with them", len(share.items))
        if share.is_suspect:
            return [LostItem("its worker ended again and again while it was read")]
        if len(share.items) == 1:  # Dask suspects all that was on that worker: it comes again, alone
            share.is_suspect = True
            self._suspects.append(share)
            return []
        if not share.parts:
            self._halve(share)
        share.is_over = True
        return []

    def _halve(self, share: _Share) -> None:
        middle = len(share.items) // 2
        for start, stop in ((0, middle), (middle, len(share.items))):
            part = _Share(share.items[start:stop], share.first + start, avoid=set(share.avoid), whole=share)
            share.parts.append(part)
            self._submit(part, priority=1)

    def _cut_stragglers(self) -> None:
        """Begin late shares anew, in halves; whichever is done first counts."""
        if not self._seconds:
            return
        limit, now = PATIENCE * median(self._seconds) + LEAST_S, time.monotonic()
        for share in [one for one in self._running.values() if not one.parts and now - one.began > limit]:
            if len(share.items) > 1:
                log.info("%d items take long; others do them too, in halves", len(share.items))
                self._halve(share)
            elif not share.is_over and share.n_tries == 0:
                share.n_tries += 1
                part = _Share(share.items, share.first, avoid=set(share.avoid), whole=share)
                share.parts.append(part)
                self._submit(part, priority=1)

    def _require_scheduler(self) -> None:
        """Raises ClusterError where the scheduler, or every worker, has been gone for long."""
        if self._cluster.workers:
            self._seen = time.monotonic()
        elif self._cluster.is_closed or time.monotonic() - self._seen > _GONE_S:
            raise self._cluster.gone_error("what was committed stays; the same command goes on from there")

    def _wait_for_scheduler(self) -> None:
        while not self._cluster.workers:
            self._require_scheduler()
            time.sleep(_POLL_S)


def _named(error: Exception, address: str) -> Exception:
    error.add_note(f"on the worker {address}")
    return error
