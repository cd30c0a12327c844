"""Which workers have which parts open. A worker that joins opens its parts before any query is sent to it.

The front asks it to, because only the front knows which parts there are, of which commit, and on how many workers each
is to be. A plugin of Dask's workers would be unpickled before anybody has compared the versions of bof on both sides.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bof.retrieval.remote.requests import Opening, PartName, TouchRequest
from bof.scheduling.connection import Cluster
from bof.scheduling.worker import Outcome
from bof.system.worker import DONE

if TYPE_CHECKING:
    from distributed import Future

ANSWER = "bof.retrieval.remote.on_worker:answer"


class ReadyWorkers:
    """Who has which part of one commit open. Threads may share it."""

    def __init__(self, cluster: Cluster, names: Sequence[PartName], opening: Opening) -> None:
        self._cluster, self._names, self._opening = cluster, names, opening
        self._lock = threading.Lock()
        self._ready: list[set[str]] = [set() for _ in names]
        self._warming: dict[tuple[int, str], Future[Any]] = {}

    def has(self, part: int, address: str) -> bool:
        """Is the part open there, as far as anybody has heard?"""
        with self._lock:
            return address in self._ready[part]

    def note(self, part: int, address: str, *, is_open: bool) -> None:
        """A worker has answered for a part, or has said that it is not open."""
        with self._lock:
            self._ready[part].add(address) if is_open else self._ready[part].discard(address)

    def warm(self, part: int, holders: Sequence[str]) -> None:
        """Let those that are to hold a part open it, where another answers for it meanwhile; nobody waits."""
        with self._lock:
            lacking = [
                one for one in holders if self._ready[part] - {one} and one not in self._ready[part]
                and (part, one) not in self._warming
            ]  # fmt: skip
            for address in lacking:
                self._warming[part, address] = self._cluster.submit(
                    ANSWER, (self._names[part], self._opening, TouchRequest()), [address]
                )
            futures = [(address, self._warming[part, address]) for address in lacking]
        for address, future in futures:
            future.add_done_callback(lambda done, address=address: self._opened(part, address, done))

    def _opened(self, part: int, address: str, future: Future[Any]) -> None:
        """It may have been opened elsewhere, where the worker has gone again; what failed is tried by a query."""
        with self._lock:
            self._warming.pop((part, address), None)
        if future.status == "finished":
            outcome: Outcome = future.result()
            if outcome[0] == DONE:
                self.note(part, outcome[2], is_open=True)
