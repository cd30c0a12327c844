"""What every request and answer passes, whatever the address: the names we answer to, other sites, safe headers.

Starlette's TrustedHostMiddleware answers 400 in plain text where a problem document is due, and takes the first of two
Host headers; so the host is checked here. Its CORSMiddleware, inside the gate, answers the sites that are named.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bof.server.http.extensions import ExtensionCors, Extensions
from bof.server.http.problems import ProblemError

log = logging.getLogger("bof")

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
}
HEAD_BYTES = 32 << 10
"""Of an address and headers together."""

_METHODS = ("GET", "POST", "PUT", "DELETE")
_REQUEST_HEADERS = ("Authorization", "Content-Type", "X-Bof")
"""What the pages of other sites may send, if the site is named."""

SHARE = "/share"
"""Where the page, as an app of the system, is given a picture by the user: a form that no page has sent, so that it has
no origin. A browser says of such a request alone that it comes from no site; pages cannot."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Gate:
    """Middleware. hosts: the names to answer to, none: any; origins: other sites whose pages may ask, none by default;
    extensions: those of browsers, which may ask while they are paired.

    A page on another site can point its own name at this machine's loopback address; its requests then look like ours
    but for the Host header.
    """

    def __init__(
        self,
        app: ASGIApp,
        hosts: Collection[str],
        origins: Collection[str],
        extensions: Extensions,
        send_seconds: float,
    ) -> None:
        self._hosts, self._origins, self._send_seconds = hosts, origins, send_seconds
        self._extensions = extensions
        named = set(origins) - {"*"}  # which Starlette takes for any site
        self._app: ASGIApp = CORSMiddleware(app, named, _METHODS, _REQUEST_HEADERS) if named else app
        self._app = ExtensionCors(self._app, extensions)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add_headers(message)
            async with asyncio.timeout(self._send_seconds):
                await send(message)

        try:
            self._check(scope, Headers(scope=scope))
            await self._app(scope, receive, send_safely)
        except ProblemError as problem:
            await problem.response()(scope, receive, send_safely)
        except TimeoutError:
            log.info("a client took its answer too slowly")  # uvicorn hangs up where an answer is not whole

    def _check(self, scope: Scope, headers: Headers) -> None:
        size = len(scope["query_string"]) + sum(len(name) + len(value) for name, value in scope["headers"])
        if size > HEAD_BYTES:
            detail = f"expected at most {HEAD_BYTES} bytes of headers, found {size}"
            raise ProblemError("head-too-large", detail, {"Connection": "close"})
        if "content-length" in headers and "transfer-encoding" in headers:
            # One proxy believes the one, the next the other: what is a body for us may be a request for them.
            detail = "expected Content-Length or Transfer-Encoding, found both"
            raise ProblemError("bad-request", detail, {"Connection": "close"})
        host = headers.get("host", "")
        if len(headers.getlist("host")) != 1 or (self._hosts and host_name(host) not in self._hosts):
            known = ", ".join(sorted(self._hosts)) or "one"
            raise ProblemError("wrong-host", f"expected a Host of {known}, found {host[:100]!r}; see --allow-host")
        if scope["method"] in _SAFE_METHODS:
            return
        origin = headers.get("origin")
        if scope["path"] == SHARE and origin == "null" and headers.get("sec-fetch-site") == "none":
            return
        if (
            origin is not None
            and not self._is_ours(origin, host)
            and not self._extensions.may_ask(origin, scope["path"])
        ):
            raise ProblemError("forbidden", f"expected a request of this site, found one of {origin[:100]!r}")
        if origin is None and headers.get("sec-fetch-site", "same-origin") in ("cross-site", "same-site"):
            raise ProblemError("forbidden", "expected a request of this site, found one of another")

    def _is_ours(self, origin: str, host: str) -> bool:
        return origin in self._origins or urlsplit_netloc(origin) == host.lower()


def host_name(host: str) -> str:
    """A Host header without its port."""
    name, colon, port = host.rpartition(":")
    if colon and port.isdecimal() and (":" not in name or name.endswith("]")):
        host = name
    return host.strip("[]").lower()


def urlsplit_netloc(origin: str) -> str:
    """Host and port of an origin; empty where it is none."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _add_headers(message: MutableMapping[str, Any]) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    if "access-control-allow-origin" in headers:
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
