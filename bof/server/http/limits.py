"""How much at once: places that are waited for, requests a second from one address, and bytes of bodies in memory."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from bof.server.http.problems import ProblemError, busy

V = TypeVar("V")

_MAX_ADDRESSES = 10_000
_BURST = 2.0
"""A client may save up so many seconds of its rate."""


class Places:
    """n may work at a time, and so many more may wait for their turn."""

    def __init__(self, n: int, n_waiting: int) -> None:
        self.n, self.n_waiting = n, n_waiting
        self.taken = 0
        self._free = asyncio.Semaphore(n)

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """A place for as long as this lasts. Raises ProblemError, busy, where too many wait already."""
        if self.taken >= self.n + self.n_waiting:
            raise busy(f"expected at most {self.n_waiting} requests that wait, found as many; try again in a moment")
        self.taken += 1
        try:
            async with self._free:
                yield
        finally:
            self.taken -= 1


class Rate:
    """A bucket of tokens an address: `rate` a second, and two seconds' worth (or `most`) saved up; 0: any number."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic, *, most: float = 0.0) -> None:
        self._rate, self._clock = rate, clock
        self._most = most or max(1.0, _BURST * rate)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> None:
        """One request. Raises ProblemError, too-many-requests, with the seconds to wait."""
        if not self._rate:
            return
        now = self._clock()
        left, since = self._left.pop(address, (self._most, now))
        left = min(self._most, left + (now - since) * self._rate)
        allowed = left >= 1.0
        self._left[address] = (left - allowed, now)
        while len(self._left) > _MAX_ADDRESSES:
            self._left.popitem(last=False)
        if not allowed:
            wait = math.ceil((1.0 - left) / self._rate)
            detail = f"expected at most {self._rate:g} a second from one address, found more; wait {wait} s"
            raise ProblemError("too-many-requests", detail, {"Retry-After": str(wait)})


@dataclass
class ByteLimit:
    """Bytes that all bodies together may take in memory."""

    limit: int
    used: int = 0

    def take(self, n_bytes: int) -> None:
        """Raises ProblemError, busy, where there is no room; what was taken is given back by the caller."""
        if self.used + n_bytes > self.limit:
            raise busy("expected room for another body in memory, found none; try again in a moment")
        self.used += n_bytes

    def give_back(self, n_bytes: int) -> None:
        """The caller is done with them."""
        self.used -= n_bytes


class Cache(Generic[V]):
    """What was used last, within a limit on the sum of sizes."""

    def __init__(self, limit: int, size: Callable[[V], int] = lambda value: 1) -> None:
        self._limit, self._size = limit, size
        self._values: OrderedDict[Hashable, V] = OrderedDict()
        self.used = 0

    def get(self, key: Hashable) -> V | None:
        """What was kept, which is now the last used."""
        if key in self._values:
            self._values.move_to_end(key)
        return self._values.get(key)

    def put(self, key: Hashable, value: V) -> None:
        """Keep it; what was not used for longest makes room."""
        if key in self._values:
            self.used -= self._size(self._values.pop(key))
        self._values[key] = value
        self.used += self._size(value)
        while self.used > self._limit:
            self.used -= self._size(self._values.popitem(last=False)[1])
