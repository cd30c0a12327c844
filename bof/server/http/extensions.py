"""Browser extensions as clients: an extension that is paired may read, with its own token, and no other may ask.

The operator's `--allow-origin` names sites for good. Who is paired changes while the server runs, so Starlette's
CORSMiddleware, which knows one set of origins, cannot answer for them.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bof.errors import ServerError
from bof.server.pairing import Pairing, PairingFile, is_extension

log = logging.getLogger("bof")

PAIRING_ADDRESS = "/api/v1/pairing"
"""Any extension may ask here: for a token, which takes the code; and whether its token still is one."""

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-Bof",
    "Access-Control-Max-Age": "60",
}


class Extensions:
    """Who is paired. named: origins that the operator has named, for whom the rules of named sites hold."""

    def __init__(self, file: PairingFile, named: Collection[str]) -> None:
        self.file, self._named = file, named

    def has_sent(self, request: Request) -> bool:
        """Does a request come from an extension that nobody has named?"""
        return self._is_one(request.headers.get("origin", ""))

    def may_ask(self, origin: str, path: str) -> bool:
        """May an extension ask at all? What its token is good for is checked where every token is."""
        return self._is_one(origin) and (path == PAIRING_ADDRESS or self._is_paired(origin))

    def pairing_of(self, request: Request) -> Pairing | None:
        """The pairing whose token a request brings, from the extension that was given it."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        found = self.file.pairing_of(token.strip()) if kind.lower() == "bearer" and token else None
        return found if found and request.headers.get("origin", found.origin) == found.origin else None

    def _is_one(self, origin: str) -> bool:
        return is_extension(origin) and origin not in self._named

    def _is_paired(self, origin: str) -> bool:
        try:
            return any(each.origin == origin for each in self.file.state().paired)
        except ServerError as error:
            log.warning("no extension may ask: %s", error)
            return False


class ExtensionCors:
    """Middleware: a browser lets a paired extension read what it is answered."""

    def __init__(self, app: ASGIApp, extensions: Extensions) -> None:
        self._app, self._extensions = app, extensions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight, or mark the answer as readable."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        origin = headers.get("origin", "")
        if not origin or not self._extensions.may_ask(origin, scope["path"]):
            await self._app(scope, receive, send)
            return
        readable = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await Response(status_code=204, headers={**readable, **_PREFLIGHT})(scope, receive, send)
            return

        async def send_readable(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                answered["Access-Control-Allow-Origin"] = origin
                answered.add_vary_header("Origin")
            await send(message)

        await self._app(scope, receive, send_readable)
