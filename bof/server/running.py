"""uvicorn with what it lacks: a limit on the time of a head, a log without tokens, a word when it is stopped."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from types import FrameType
from typing import Any
from urllib.parse import unquote

import h11
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from bof.options import ServeOptions
from bof.server.app import Application
from bof.server.http.gate import HEAD_BYTES
from bof.server.http.problems import ProblemError

_KEEP_ALIVE_SECONDS = 10


def protocol_with(head_seconds: float, n_connections: int) -> type[H11Protocol]:
    """uvicorn's protocol, which ends a connection whose next request does not arrive in time.

    A client that sends a head byte by byte costs a socket, and only for so long. More than n_connections are told that
    the server is busy.
    """

    class Protocol(H11Protocol):
        _late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > n_connections:
                self.app = _say_busy
            self._watch()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._watch()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_watching()
            super().connection_lost(exc)

        def _watch(self) -> None:
            """While no answer is made there is a clock: between requests, in a head, in a body that nobody reads."""
            if self.conn.our_state in (h11.SEND_RESPONSE, h11.SEND_BODY):
                self._stop_watching()
            elif self._late is None:
                self._late = self.loop.call_later(head_seconds, self.transport.close)

        def _stop_watching(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

    return Protocol


async def _say_busy(scope: Scope, receive: Receive, send: Send) -> None:
    detail = "expected at most --connections connections at once, found as many; try again in a moment"
    await ProblemError("busy", detail, {"Retry-After": "1", "Connection": "close"}).response()(scope, receive, send)


class Server(uvicorn.Server):
    """Tells the application as soon as it is asked to stop, so that streams end and nobody waits for them."""

    def __init__(self, config: uvicorn.Config, application: Application) -> None:
        super().__init__(config)
        self._application = application

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On SIGTERM and SIGINT."""
        self._application.drain()
        super().handle_exit(sig, frame)


class WithoutTokens(logging.Filter):
    """Hides the value of every parameter called a token in the lines of uvicorn's access log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Its arguments: who, the method, the path with its query, the version of HTTP, the status."""
        if isinstance(record.args, tuple):
            record.args = tuple(_without_tokens(each) if isinstance(each, str) else each for each in record.args)
        return True


def _without_tokens(path: str) -> str:
    start, mark, query = path.partition("?")
    parts = (part.partition("=") for part in query.split("&"))
    return (
        start
        + mark
        + "&".join(
            f"{name}=***" if equals and "token" in unquote(name).lower() else name + equals + value
            for name, equals, value in parts
        )
    )


_WITHOUT_TOKENS = WithoutTokens()


def make_server(application: Application, host: str, port: int, **more: Any) -> Server:
    """A server that is ready to `run`. more: of uvicorn.Config."""
    options: ServeOptions = application.service.options
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        http=protocol_with(options.header_seconds, options.connections),
        ws="none",
        lifespan="on",
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=options.drain_seconds,
        h11_max_incomplete_event_size=HEAD_BYTES,
        **more,
    )
    logging.getLogger("uvicorn.access").addFilter(_WITHOUT_TOKENS)
    return Server(config, application)


def is_loopback(host: str) -> bool:
    """Can only this machine reach it?"""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
