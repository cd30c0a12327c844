"""Asking archives politely: one connection a host, kept open; who is asked to wait waits, and not for ever."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import h11

from bof.errors import ImageError, OptionError
from bof.iiif.request import Patience
from bof.web.addresses import Source, Target
from bof.web.reach import (
    MAX_HEAD_BYTES,
    MAX_REDIRECTS,
    REDIRECTS,
    Headers,
    Reach,
    Streams,
    head_of_answer,
    header,
    location_of,
    next_event,
    request,
    require_plain,
)

_MOST_FAILURES = 3
_BUSY = frozenset({429, 502, 503, 504})
_MOST_FIELD = 1000
_NAMES_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """What a URL answered: its content, empty where status is 304 (as it was); ETag and Last-Modified, or ""."""

    status: int
    data: bytes
    etag: str
    modified: str


class BusyError(ImageError):
    """A host has asked to be left alone for longer than is waited."""


class UnansweredError(ImageError):
    """A URL answers with another status than 200; status: with which."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(path=url, expected="status 200", found=status)
        self.status = status


@dataclass(slots=True)
class _Line:
    """The connection to one host: who holds the lock may use it.

    closed: why the host is asked nothing more; n_failures: requests in a row that it has not answered.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    streams: Streams | None = None
    connection: h11.Connection | None = None
    closed: str = ""
    n_failures: int = 0

    def fail(self, authority: str) -> None:
        """A request was given up. A host that answers none in a row is asked nothing more."""
        self.n_failures += 1
        if self.n_failures >= _MOST_FAILURES:
            self.closed = f"{authority} has left {_MOST_FAILURES} requests in a row without an answer"

    def end_exchange(self, *, whole: bool) -> None:
        """Make the connection ready for the next request, or end it where it can take none."""
        connection = self.connection
        if whole and connection and connection.our_state is h11.DONE and connection.their_state is h11.DONE:
            connection.start_next_cycle()
        else:
            self.drop()

    def drop(self) -> None:
        """End the connection."""
        if self.streams is not None:
            self.streams[1].transport.abort()
        self.streams = self.connection = None


class Hosts:
    """The hosts that were named; none other is asked. All methods run in one event loop."""

    def __init__(self, sources: Collection[Source], patience: Patience | None = None) -> None:
        self._reach = Reach(sources, _NAMES_AT_ONCE)
        self._patience = patience or Patience()
        self._lines: dict[str, _Line] = {}
        self.n_requests = 0

    def target(self, url: str) -> Target:
        """A URL that may be asked. Raises ImageError where it is none, or its host was not named."""
        try:
            target = Target.of(url)
        except OptionError as error:
            raise ImageError(path=url, expected=error.expected, found="another one") from None
        if not self._reach.has(target):
            advice = f"{{allow_urls}} {target.authority} allows it"
            raise ImageError(path=url, expected="a host that is allowed", found=target.authority, advice=advice)
        return target

    async def get(self, url: str, most: int, accept: str, headers: Sequence[tuple[str, str]] = ()) -> HostAnswer:
        """The content at a URL, at most so many bytes. headers: further ones, such as If-None-Match.

        Raises ImageError for all that may go wrong over there: UnansweredError, BusyError among them.
        """
        target = self.target(url)
        for _ in range(1 + MAX_REDIRECTS):
            try:
                found = await self._try(url, target, most, [("Accept", accept), *headers])
                if isinstance(found, HostAnswer):
                    return found
                target = self._reach.redirected(target, found)
            except (OptionError, ValueError) as error:
                raise ImageError(f"not fetched: {error}", path=url) from error
        raise ImageError(path=url, expected=f"at most {MAX_REDIRECTS} redirects", found="more")

    async def close(self) -> None:
        """End all connections."""
        for line in self._lines.values():
            line.drop()
        self._reach.close()

    async def _try(self, url: str, target: Target, most: int, headers: Headers) -> HostAnswer | str:
        """An answer, or where it leads; the line is held while it waits, so that nobody else disturbs the host."""
        line = self._lines.setdefault(f"{target.scheme}://{target.authority}", _Line())
        wait = self._patience.first_wait_seconds
        async with line.lock:
            for attempt in range(1, self._patience.tries + 1):
                if line.closed:
                    raise BusyError(line.closed, path=url)
                is_last = attempt == self._patience.tries
                try:
                    found = await self._exchange(line, target, most, headers)
                except (OSError, h11.ProtocolError) as error:  # TimeoutError and the mistakes of TLS are OSErrors
                    if is_last or isinstance(error, TimeoutError):
                        line.fail(target.authority)
                        raise ImageError(f"not fetched: {_in_words(error)}", path=url) from error
                    await asyncio.sleep(wait)
                else:
                    if not isinstance(found, _Refused):
                        line.n_failures = 0
                        return found
                    await self._obey(line, target, found, wait, is_last=is_last, url=url)
                wait *= 2
        raise AssertionError

    async def _obey(
        self, line: _Line, target: Target, refused: _Refused, wait: float, *, is_last: bool, url: str
    ) -> None:
        """Wait as long as a busy host asks for. Raises where that is too long, or the status is another one."""
        if refused.status not in _BUSY:
            line.n_failures = 0
            raise UnansweredError(url, refused.status)
        seconds = wait if refused.seconds is None else refused.seconds
        if seconds > self._patience.most_wait_seconds:
            line.closed = f"{target.authority} asks to be left alone for {seconds:.0f} s; the same command goes on then"
            raise BusyError(line.closed, path=url)
        if is_last:
            line.fail(target.authority)
            raise UnansweredError(url, refused.status)
        await asyncio.sleep(seconds)

    async def _exchange(self, line: _Line, target: Target, most: int, headers: Headers) -> HostAnswer | str | _Refused:
        """One request, on the connection that is open if it still is."""
        is_fresh = line.streams is None
        try:
            return await self._exchange_once(line, target, most, headers)
        except (OSError, h11.ProtocolError) as error:
            if is_fresh or isinstance(error, TimeoutError):
                raise
            return await self._exchange_once(line, target, most, headers)  # the host had closed it meanwhile

    async def _exchange_once(
        self, line: _Line, target: Target, most: int, headers: Headers
    ) -> HostAnswer | str | _Refused:
        whole = False
        try:
            async with asyncio.timeout(self._patience.request_seconds):
                if line.streams is None:
                    line.streams = await self._reach.connect(target)
                    line.connection = h11.Connection(h11.CLIENT, MAX_HEAD_BYTES)
                reader, writer = line.streams
                assert line.connection is not None
                self.n_requests += 1
                writer.write(request(line.connection, target, headers))
                head = await head_of_answer(reader, line.connection)
                data = await _content(reader, line.connection, most)
                whole = True
        finally:
            line.end_exchange(whole=whole)
        return _understood(head, data)


@dataclass(frozen=True, slots=True)
class _Refused:
    """A status that is no answer; seconds: how long the host asks to wait, if it says."""

    status: int
    seconds: float | None


def _understood(head: h11.Response, data: bytes) -> HostAnswer | str | _Refused:
    if head.status_code in REDIRECTS:
        return location_of(head)
    if head.status_code not in (200, 304):
        return _Refused(head.status_code, seconds_of(header(head, b"retry-after")))
    require_plain(head)
    etag, modified = (header(head, name) for name in (b"etag", b"last-modified"))
    fits = [len(text) <= _MOST_FIELD and text.isascii() and text.isprintable() for text in (etag, modified)]
    content = data if head.status_code == 200 else b""
    return HostAnswer(head.status_code, content, etag if fits[0] else "", modified if fits[1] else "")


async def _content(reader: asyncio.StreamReader, connection: h11.Connection, most: int) -> bytes:
    """All of it. Raises ValueError where it is more than `most` bytes."""
    chunks, n_bytes = [], 0
    while isinstance(event := await next_event(reader, connection), h11.Data):
        n_bytes += len(event.data)
        if n_bytes > most:
            raise ValueError(f"expected at most {most} bytes, found more")
        chunks.append(bytes(event.data))
    return b"".join(chunks)


def seconds_of(text: str) -> float | None:
    """What Retry-After says, in seconds from now; None where it says nothing that can be understood."""
    if re.fullmatch(r"[0-9]{1,9}", text.strip()):
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _in_words(error: Exception) -> str:
    return "it took too long" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
