"""Pictures that the server fetches by URL: from hosts that its operator named, and nowhere else.

`bof.web.reach` checks and connects; one clock runs over all of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import h11

from bof.errors import OptionError
from bof.options import ServeOptions
from bof.server.http.limits import ByteLimit, Places
from bof.server.http.problems import ProblemError
from bof.web.addresses import Source, Target
from bof.web.reach import (
    MAX_HEAD_BYTES,
    MAX_REDIRECTS,
    REDIRECTS,
    Reach,
    head_of_answer,
    header,
    location_of,
    next_event,
    request,
    require_plain,
)

log = logging.getLogger("bof")

N_AT_ONCE = 8

_HEADERS = [("Accept", "image/*"), ("Connection", "close")]


def not_fetched() -> ProblemError:
    """The one answer to all that may go wrong over there, so that nobody learns what other machines say."""
    return ProblemError("not-fetched", "url: expected a picture at this address, found none that can be used")


class Fetcher:
    """Fetches from these sources alone. The log says why something was not fetched; the client is not told."""

    def __init__(self, sources: Collection[Source], options: ServeOptions, byte_limit: ByteLimit) -> None:
        self._limit, self._seconds, self._byte_limit = options.upload_megabytes << 20, options.body_seconds, byte_limit
        self._places = Places(N_AT_ONCE, options.waiting)
        self._reach = Reach(sources, N_AT_ONCE)

    def target(self, url: str) -> Target:
        """What a client asks for. Raises OptionError for what is no plain URL, ProblemError where it may not."""
        if not self._reach:
            detail = "url: expected a server that may fetch pictures, found one without --allow-urls"
            raise ProblemError("forbidden", detail, more={"parameter": "url"})
        target = Target.of(url)
        if not self._reach.has(target):
            detail = f"url: expected a host that --allow-urls names, found {target.authority!r}"
            raise ProblemError("forbidden", detail, more={"parameter": "url"})
        return target

    @asynccontextmanager
    async def fetch(self, target: Target) -> AsyncIterator[bytes]:
        """The content, counted in the byte limit while this lasts; what is no picture counts as not fetched."""
        chunks: list[bytes] = []
        try:
            await self._gather(target, chunks)
            yield b"".join(chunks)
        except ProblemError as problem:
            if problem.kind not in ("not-a-picture", "bad-picture"):
                raise
            log.warning("not fetched from %s: %s", target.authority, problem.detail)
            raise not_fetched() from None
        finally:
            self._byte_limit.give_back(sum(map(len, chunks)))

    def close(self) -> None:
        """Look no more names up."""
        self._reach.close()

    async def _gather(self, target: Target, chunks: list[bytes]) -> None:
        try:
            async with self._places.hold(), asyncio.timeout(self._seconds):
                await self._follow(target, chunks)
        # TimeoutError and the mistakes of TLS are OSErrors.
        except (OSError, h11.ProtocolError, ValueError, OptionError) as error:
            log.warning("not fetched from %s: %r", target.authority, error)
            raise not_fetched() from None

    async def _follow(self, target: Target, chunks: list[bytes]) -> None:
        for _ in range(1 + MAX_REDIRECTS):
            location = await self._ask(target, chunks)
            if not location:
                return
            target = self._reach.redirected(target, location)
        raise ValueError(f"expected at most {MAX_REDIRECTS} redirects, found more")

    async def _ask(self, target: Target, chunks: list[bytes]) -> str:
        """One request; the content goes to chunks. Returns where it is redirected to, empty if it is not."""
        reader, writer = await self._reach.connect(target)
        try:
            connection = h11.Connection(h11.CLIENT, MAX_HEAD_BYTES)
            writer.write(request(connection, target, _HEADERS))
            return await self._receive(reader, connection, chunks)
        finally:
            writer.transport.abort()

    async def _receive(self, reader: asyncio.StreamReader, connection: h11.Connection, chunks: list[bytes]) -> str:
        head = await head_of_answer(reader, connection)
        if head.status_code in REDIRECTS:
            return location_of(head)
        if head.status_code != 200:
            raise ValueError(f"expected status 200, found {head.status_code}")
        require_plain(head)
        self._require_room(int(header(head, b"content-length") or 0))
        taken = 0
        while isinstance(event := await next_event(reader, connection), h11.Data):
            taken += len(event.data)
            self._require_room(taken)
            self._byte_limit.take(len(event.data))
            chunks.append(bytes(event.data))
        return ""

    def _require_room(self, n_bytes: int) -> None:
        if n_bytes > self._limit:
            raise ProblemError("too-large", f"url: expected at most {self._limit} bytes, found more")
