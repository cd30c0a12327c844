"""Who may read and who may change: tokens, and sessions for browsers, which send no headers with pictures."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request

from bof.server.http.bodies import Body, is_named
from bof.server.http.extensions import Extensions
from bof.server.http.limits import Rate
from bof.server.http.problems import ProblemError

Access = Literal["open", "read", "write"]

COOKIE = "bof_session"
SESSION_SECONDS = 12 * 3600
MIN_TOKEN = 16
"""Characters: what is shorter can be guessed."""

_MAX_SESSIONS = 1000
_GUESSES, _GUESSES_A_SECOND = 8, 0.2
"""Wrong tokens that one address may try at once, and after that; more are 429. A right token is never refused."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What a client may do."""

    read: bool
    write: bool


def _digest(token: str) -> bytes:
    """Of one length whatever the token's, so that no comparison tells it; of no token: of nothing that can be sent."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest() if token else secrets.token_bytes(32)


class Guard:
    """Compares tokens and remembers sessions. No tokens: everybody may do everything that the server may.

    An extension of a browser may read, with the token of its pairing alone, whatever others may.
    """

    def __init__(self, read_token: str, write_token: str, extensions: Extensions, *, read_only: bool) -> None:
        self.is_required = bool(read_token or write_token)
        """Is a token needed?"""
        self.read_only = read_only
        self._extensions = extensions
        self._read, self._write = _digest(read_token), _digest(write_token)
        self._sessions: OrderedDict[str, tuple[Rights, float]] = OrderedDict()
        self._guesses = Rate(_GUESSES_A_SECOND, most=_GUESSES)

    def rights_of(self, token: str) -> Rights:
        """What a token is good for; both are compared whatever the first says, each in constant time."""
        given = _digest(token)
        reads, writes = hmac.compare_digest(given, self._read), hmac.compare_digest(given, self._write)
        return Rights(reads or writes, writes and not self.read_only)

    def _compare(self, token: str, request: Request) -> Rights:
        """What a request's token is good for. Raises ProblemError, too-many-requests, for one wrong token too many."""
        rights = self.rights_of(token)
        if token and not rights.read:
            self.count_guess(request)
        return rights

    def count_guess(self, request: Request) -> None:
        """A wrong token or code came. Raises ProblemError, too-many-requests, for one too many."""
        self._guesses.take(request.client.host if request.client else "")

    def rights(self, request: Request) -> Rights:
        """What the client of a request may do. Raises ProblemError for one wrong token too many."""
        if self._extensions.has_sent(request):
            return Rights(self._extensions.pairing_of(request) is not None, False)
        if not self.is_required:
            return Rights(True, not self.read_only)
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._compare(token.strip(), request)
        known, until = self._sessions.get(request.cookies.get(COOKIE, ""), (Rights(False, False), 0.0))
        return known if time.monotonic() < until else Rights(False, False)

    def identity(self, request: Request) -> str:
        """What tells the client of an admitted request from others: its token or its session, hashed; else nothing.

        Of an extension nothing: what it sends is for the page, which has a session of its own.
        """
        if not self.is_required or self._extensions.has_sent(request):
            return ""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        given = f"token {token.strip()}" if kind.lower() == "bearer" else f"session {request.cookies.get(COOKIE, '')}"
        return hashlib.sha256(given.encode("utf-8", "surrogateescape")).hexdigest()

    def open_session(self, token: str, request: Request) -> tuple[str, Rights]:
        """A name for a cookie, which says nothing of the token. Raises ProblemError for a wrong token."""
        rights = self._compare(token, request)
        if not rights.read:
            raise ProblemError("unauthorised", "expected one of the server's tokens, found another")
        name = secrets.token_urlsafe(32)
        self._sessions[name] = rights, time.monotonic() + SESSION_SECONDS
        while len(self._sessions) > _MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return name, rights

    def close_session(self, name: str) -> None:
        """The cookie is worth nothing any more."""
        self._sessions.pop(name, None)

    def admit(self, request: Request, access: Access, body: Body = "") -> None:
        """Raises ProblemError unless the client may do this. body: what the endpoint takes."""
        if access == "open":
            return
        rights = self.rights(request)
        if not rights.read:
            detail = "expected Authorization: Bearer TOKEN, or a session, found neither or a wrong one"
            raise ProblemError("unauthorised", detail, {"WWW-Authenticate": 'Bearer realm="bof"'})
        if access == "write":
            self._admit_change(request, rights, body)

    def _admit_change(self, request: Request, rights: Rights, body: Body) -> None:
        if not rights.write:
            what = "a server that may change the index" if self.read_only else "the token for changes"
            raise ProblemError("forbidden", f"expected {what}, found one for reading only")
        if request.headers.get("x-bof", "1") != "1":
            raise ProblemError("bad-request", f"X-Bof: expected 1, found {request.headers['x-bof'][:50]!r}")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        # A form on any site can send what is none of these, and an old browser does not say from where.
        if not is_named(kind, body) and "x-bof" not in request.headers and "authorization" not in request.headers:
            raise ProblemError("forbidden", "expected the header X-Bof: 1 with a change, found none")
