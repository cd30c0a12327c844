"""Pictures that the server fetches by URL: from hosts that its operator named, and nowhere else.

asyncio opens the connection, and h11, which uvicorn brings, speaks HTTP on it. http.client would hold a thread for as
long as a host likes to be slow, and looks names up itself; httpx would need a transport of our own to stop it from
doing so, and brings proxies, cookies and decompression that had to be turned off. Here the address that was checked is
the one that is connected to, one clock runs over all of it, and the rest does not exist.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import h11

from bof import __version__
from bof.errors import OptionError
from bof.options import ServeOptions
from bof.server.http.addresses import Address, Source, Target, is_public, literal_of
from bof.server.http.limits import ByteLimit, Places
from bof.server.http.problems import ProblemError

log = logging.getLogger("bof")

MAX_REDIRECTS = 3
CONNECT_SECONDS = 5.0
"""For each address of a host."""

N_AT_ONCE = 8

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_ADDRESSES = 4
_MAX_HEAD_BYTES = 32 << 10
_PIECE = 64 << 10


def not_fetched() -> ProblemError:
    """The one answer to all that may go wrong over there, so that nobody learns what other machines say."""
    return ProblemError("not-fetched", "url: expected a picture at this address, found none that can be used")


class Fetcher:
    """Fetches from these sources alone. The log says why something was not fetched; the client is not told."""

    def __init__(self, sources: Collection[Source], options: ServeOptions, byte_limit: ByteLimit) -> None:
        self._sources = frozenset(sources)
        self._limit, self._seconds, self._byte_limit = options.upload_megabytes << 20, options.body_seconds, byte_limit
        self._places = Places(N_AT_ONCE, options.waiting)
        self._tls = ssl.create_default_context() if sources else None
        # Not the threads for files, nor the loop's own: a resolver that hangs holds up nobody else.
        self._threads = ThreadPoolExecutor(N_AT_ONCE, "bof-names")

    def target(self, url: str) -> Target:
        """What a client asks for. Raises OptionError for what is no plain URL, ProblemError where it may not."""
        if not self._sources:
            detail = "url: expected a server that may fetch pictures, found one without --allow-urls"
            raise ProblemError("forbidden", detail, more={"parameter": "url"})
        target = Target.of(url)
        if not self._is_named(target.host, target.port, target.usual_port):
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
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _is_named(self, host: str, port: int, usual: int) -> bool:
        return any(source.has(host, port, usual) for source in self._sources)

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
            target = target.redirected(location)
            if not self._is_named(target.host, target.port, target.usual_port):
                raise ValueError(f"expected a redirect to a host that --allow-urls names, found {target.authority}")
        raise ValueError(f"expected at most {MAX_REDIRECTS} redirects, found more")

    async def _ask(self, target: Target, chunks: list[bytes]) -> str:
        """One request; the content goes to chunks. Returns where it is redirected to, empty if it is not."""
        reader, writer = await self._connect(target)
        try:
            connection = h11.Connection(h11.CLIENT, _MAX_HEAD_BYTES)
            writer.write(_request(connection, target))
            return await self._receive(reader, connection, chunks)
        finally:
            writer.transport.abort()

    async def _connect(self, target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To an address that was checked; the name is for the certificate and the Host header only."""
        tls, name = (self._tls, target.host) if target.scheme == "https" else (None, None)
        failure = OSError("no address")
        for address in (await self._addresses(target))[:_MAX_ADDRESSES]:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await asyncio.open_connection(str(address), target.port, ssl=tls, server_hostname=name)
            except OSError as error:
                failure = error
        raise failure

    async def _addresses(self, target: Target) -> list[Address]:
        """What a host's name stands for, looked up once. Raises ValueError where any of it is not public."""
        if literal := literal_of(target.host):
            return [literal]  # which was named itself
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, look_up, target.host, target.port)
        addresses = [ipaddress.ip_address(each) for each in found]
        for address in addresses:
            if not self._may_connect(target, address):
                raise ValueError(f"expected public addresses of {target.host}, found {address}")
        return addresses

    def _may_connect(self, target: Target, address: Address) -> bool:
        if target.host == "localhost":
            return address.is_loopback
        return is_public(address) or self._is_named(str(address), target.port, target.usual_port)

    async def _receive(self, reader: asyncio.StreamReader, connection: h11.Connection, chunks: list[bytes]) -> str:
        head = await _next(reader, connection)
        while isinstance(head, h11.InformationalResponse):
            head = await _next(reader, connection)
        if not isinstance(head, h11.Response):
            raise ValueError("expected an answer, found none")
        if head.status_code in _REDIRECTS:
            return _location(head)
        _check_head(head)
        length = _field(head, b"content-length")
        self._require_room(int(length or 0))
        taken = 0
        while isinstance(event := await _next(reader, connection), h11.Data):
            taken += len(event.data)
            self._require_room(taken)
            self._byte_limit.take(len(event.data))
            chunks.append(bytes(event.data))
        return ""

    def _require_room(self, n_bytes: int) -> None:
        if n_bytes > self._limit:
            raise ProblemError("too-large", f"url: expected at most {self._limit} bytes, found more")


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name, each once, in the resolver's order. Raises OSError."""
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


def _request(connection: h11.Connection, target: Target) -> bytes:
    headers = [
        ("Host", target.authority), ("User-Agent", f"bof/{__version__}"), ("Accept", "image/*"),
        ("Accept-Encoding", "identity"), ("Connection", "close"),
    ]  # fmt: skip
    head = connection.send(h11.Request(method="GET", target=target.path, headers=headers))
    return (head or b"") + (connection.send(h11.EndOfMessage()) or b"")


async def _next(reader: asyncio.StreamReader, connection: h11.Connection) -> object:
    """What comes next: an answer's head, a piece of its content, its end. h11 raises where it ends too soon."""
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(_PIECE))
    return event


def _field(head: h11.Response, name: bytes) -> str:
    """A header, empty where it is not there; several are joined."""
    return ", ".join(value.decode("utf-8", "replace") for known, value in head.headers if known == name)


def _location(head: h11.Response) -> str:
    if location := _field(head, b"location"):
        return location
    raise ValueError("expected a redirect that says where to, found none")


def _check_head(head: h11.Response) -> None:
    if head.status_code != 200:
        raise ValueError(f"expected status 200, found {head.status_code}")
    if (encoding := _field(head, b"content-encoding").lower()) not in ("", "identity"):
        raise ValueError(f"expected content as it is, found it compressed: {encoding[:50]}")
