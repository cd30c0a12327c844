"""The queries that are stored: for how long, how many, how much memory, and who may use which.

They are in memory alone. Whoever knows the id of one, which cannot be guessed, and comes with the token or the session
that it was sent with, may use it.
"""

from __future__ import annotations

import asyncio
import math
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from bof.options import ServeOptions
from bof.server.http.problems import ProblemError
from bof.server.queries.reading import SentPicture

_ID_BYTES = 18
_ID = re.compile(r"[A-Za-z0-9_-]{24}")
_USUAL_BYTES = 2000
"""Of a query's own fields."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a query. key: of the token or the session, empty where whoever may read may use it, by its id alone;
    address: of the client.
    """

    key: str
    address: str


@dataclass(frozen=True, slots=True)
class StoredQuery:
    """A picture to search with. width, height: of the upright picture, or of the one that it is a smaller copy of."""

    id: str
    name: str
    picture: SentPicture
    sha256: str
    width: int
    height: int
    n_features: int
    sender: Sender


def new_id() -> str:
    """A name that nobody guesses."""
    return secrets.token_urlsafe(_ID_BYTES)


@dataclass
class _Entry:
    """A query until its time is over; made: what was made of its picture, by key, with its bytes."""

    query: StoredQuery
    until: float
    made: OrderedDict[Hashable, tuple[Any, int]] = field(default_factory=OrderedDict)

    @property
    def n_bytes(self) -> int:
        return len(self.query.picture.data) + _USUAL_BYTES + sum(size for _, size in self.made.values())


class QueryStore:
    """Queries by id, those used last at the end. Every method is called from the thread of the event loop."""

    def __init__(self, options: ServeOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = 60.0 * options.query_minutes
        self._most, self._most_bytes = options.stored_queries, options.query_megabytes << 20
        self._share = options.query_share / 100
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None
        self.used = 0
        """Bytes."""

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, query: StoredQuery) -> None:
        """Store it; what was not used for longest makes room, first among the queries of the same address.

        Raises ProblemError, too-large, for a picture that is larger than what one address may have.
        """
        limit = int(self._most_bytes * self._share)
        if len(query.picture.data) + _USUAL_BYTES > limit:
            detail = f"expected at most {limit} bytes to store, found {len(query.picture.data)}; search without storing"
            raise ProblemError("too-large", f"{detail}, with POST /search, or send a smaller copy")
        self._entries[query.id] = entry = _Entry(query, self._clock() + self._seconds)
        self.used += entry.n_bytes
        self._limit_sender(query.sender.address)
        self._limit_all()
        self._watch()

    def get(self, number: str, key: str) -> StoredQuery:
        """The query of an id, for who comes with this key; its time begins anew. Raises ProblemError."""
        entry = self._entry(number, key)
        entry.until = self._clock() + self._seconds
        self._entries.move_to_end(number)
        return entry.query

    def seconds_left(self, query: StoredQuery) -> float:
        """How long it stays if nobody uses it."""
        entry = self._entries.get(query.id)
        return 0.0 if entry is None else max(0.0, entry.until - self._clock())

    def remove(self, number: str, key: str) -> None:
        """Forget it and all that was made of it. Raises ProblemError as `get` does."""
        self._drop(self._entry(number, key))

    def made(self, query: StoredQuery, key: Hashable) -> Any:
        """What was made of its picture, None for nothing."""
        entry = self._entries.get(query.id)
        if entry is None or key not in entry.made:
            return None
        entry.made.move_to_end(key)
        return entry.made[key][0]

    def add_made(self, query: StoredQuery, key: Hashable, value: Any, n_bytes: int, n_most: int) -> None:
        """Store it beside its picture, as long as the query is stored; of the same kind, key[0], the last n_most."""
        entry = self._entries.get(query.id)
        if entry is None:
            return
        before = entry.n_bytes
        entry.made[key] = value, n_bytes
        entry.made.move_to_end(key)
        alike = [known for known in entry.made if _kind(known) == _kind(key)]
        for known in alike[:-n_most]:
            del entry.made[known]
        self.used += entry.n_bytes - before
        self._limit_all()

    def close(self) -> None:
        """Forget all."""
        self._entries.clear()
        self.used = 0
        self._watch()

    # -- Limits -------------------------------------------------------------------------------------------------------

    def _entry(self, number: str, key: str) -> _Entry:
        self._forget_old()
        entry = self._entries.get(number)
        if entry is not None and secrets.compare_digest(entry.query.sender.key or key, key):
            return entry
        if not _ID.fullmatch(number):
            raise ProblemError("not-found", f"expected the id of a query, found {number[:50]!r}")
        # No more than this: who guesses learns nothing of the queries of others.
        advice = (
            "it was not used for long, made room for others, or the server was started again; send the picture again"
        )
        raise ProblemError("query-gone", f"expected a query that is stored, found none of this id: {advice}")

    def _forget_old(self) -> None:
        now = self._clock()
        for entry in [entry for entry in self._entries.values() if entry.until <= now]:
            self._drop(entry)

    def _drop(self, entry: _Entry) -> None:
        del self._entries[entry.query.id]
        self.used -= entry.n_bytes

    def _limit_sender(self, address: str) -> None:
        own = [entry for entry in self._entries.values() if entry.query.sender.address == address]
        n_bytes, most = sum(entry.n_bytes for entry in own), max(1, math.floor(self._most * self._share))
        while len(own) > 1 and (len(own) > most or n_bytes > self._most_bytes * self._share):
            oldest = own.pop(0)
            n_bytes -= oldest.n_bytes
            self._drop(oldest)

    def _limit_all(self) -> None:
        """What can be made again leaves first, then queries."""
        for entry in list(self._entries.values())[:-1]:
            if self.used <= self._most_bytes:
                break
            before = entry.n_bytes
            entry.made.clear()
            self.used -= before - entry.n_bytes
        while len(self._entries) > 1 and (len(self._entries) > self._most or self.used > self._most_bytes):
            self._drop(next(iter(self._entries.values())))

    def _watch(self) -> None:
        """Nothing stays in memory beyond its time, though nobody comes."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if self._entries:
            soonest = min(entry.until for entry in self._entries.values()) - self._clock()
            self._timer = asyncio.get_running_loop().call_later(max(1.0, soonest), self._look)

    def _look(self) -> None:
        self._forget_old()
        self._watch()


def _kind(key: Hashable) -> Hashable:
    return key[0] if isinstance(key, tuple) else key
