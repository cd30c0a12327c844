"""Connections to the hosts that were named, at addresses that were checked, and to no others.

asyncio opens the connection, and h11 speaks HTTP on it. http.client would hold a thread for as long as a host likes to
be slow, and looks names up itself; httpx would need a transport of our own to stop it from doing so, and brings
proxies, cookies and decompression that had to be turned off. Here the address that was checked is the one that is
connected to, and the rest does not exist.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

import h11

from bof.system.version import VERSION
from bof.web.addresses import Address, Source, Target, is_public, literal_of

MAX_REDIRECTS = 3
REDIRECTS = frozenset({301, 302, 303, 307, 308})
CONNECT_SECONDS = 5.0
"""For each address of a host."""

MAX_HEAD_BYTES = 32 << 10
_MAX_ADDRESSES = 4
_PIECE = 64 << 10

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Reach:
    """The hosts that may be asked. n_at_once: names that are looked up at a time."""

    def __init__(self, sources: Collection[Source], n_at_once: int) -> None:
        self._sources = frozenset(sources)
        self._tls = ssl.create_default_context() if sources else None
        # Not the threads for files, nor the loop's own: a resolver that hangs holds up nobody else.
        self._threads = ThreadPoolExecutor(n_at_once, "bof-names")

    def __bool__(self) -> bool:
        """Was any host named?"""
        return bool(self._sources)

    def has(self, target: Target) -> bool:
        """Was this host named?"""
        return self._is_named(target.host, target.port, target.usual_port)

    def redirected(self, target: Target, location: str) -> Target:
        """Where a redirect leads. Raises ValueError where that is no host that was named, OptionError for no URL."""
        found = target.redirected(location)
        if not self.has(found):
            raise ValueError(f"expected a redirect to a host that --allow-urls names, found {found.authority}")
        return found

    async def connect(self, target: Target) -> Streams:
        """To an address that was checked; the name is for the certificate and the Host header only.

        Raises OSError, ValueError where a name stands for an address that is not public.
        """
        tls, name = (self._tls, target.host) if target.scheme == "https" else (None, None)
        failure = OSError("no address")
        for address in (await self._addresses(target))[:_MAX_ADDRESSES]:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await asyncio.open_connection(str(address), target.port, ssl=tls, server_hostname=name)
            except OSError as error:
                failure = error
        raise failure

    def close(self) -> None:
        """Look no more names up."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _is_named(self, host: str, port: int, usual: int) -> bool:
        return any(source.has(host, port, usual) for source in self._sources)

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


def look_up(host: str, port: int) -> list[str]:
    """The addresses of a name, each once, in the resolver's order. Raises OSError."""
    rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


# -- Requests and answers ---------------------------------------------------------------------------------------------


Headers = list[tuple[str, str]]


def request(connection: h11.Connection, target: Target, headers: Headers) -> bytes:
    """A request for a target, as it is sent; it tells nothing of who asks but that it is bof."""
    always = [("Host", target.authority), ("User-Agent", f"bof/{VERSION}"), ("Accept-Encoding", "identity")]
    head = connection.send(h11.Request(method="GET", target=target.path, headers=[*always, *headers]))
    return (head or b"") + (connection.send(h11.EndOfMessage()) or b"")


async def next_event(reader: asyncio.StreamReader, connection: h11.Connection) -> object:
    """What comes next: an answer's head, a piece of its content, its end. h11 raises where it ends too soon."""
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(_PIECE))
    return event


async def head_of_answer(reader: asyncio.StreamReader, connection: h11.Connection) -> h11.Response:
    """The head of an answer, once what is not final has gone by. Raises ValueError where there is none."""
    head = await next_event(reader, connection)
    while isinstance(head, h11.InformationalResponse):
        head = await next_event(reader, connection)
    if not isinstance(head, h11.Response):
        raise ValueError("expected an answer, found none")
    return head


def header(head: h11.Response, name: bytes) -> str:
    """A header, empty where it is not there; several are joined."""
    return ", ".join(value.decode("utf-8", "replace") for known, value in head.headers if known == name)


def location_of(head: h11.Response) -> str:
    """Where an answer redirects to. Raises ValueError where it does not say."""
    if location := header(head, b"location"):
        return location
    raise ValueError("expected a redirect that says where to, found none")


def require_plain(head: h11.Response) -> None:
    """Raises ValueError for content that was compressed on the way."""
    if (encoding := header(head, b"content-encoding").lower()) not in ("", "identity"):
        raise ValueError(f"expected content as it is, found it compressed: {encoding[:50]}")
