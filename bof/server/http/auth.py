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

from bof.server.http.problems import ProblemError

Access = Literal["open", "read", "write"]

COOKIE = "bof_session"
SESSION_SECONDS = 12 * 3600
MIN_TOKEN = 16
"""Characters: what is shorter can be guessed."""

_MAX_SESSIONS = 1000
_SIMPLE_TYPES = ("", "multipart/form-data", "application/x-www-form-urlencoded", "text/plain")
"""What a form on any site can send without being asked whether it may."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What a client may do."""

    read: bool
    write: bool


def _digest(token: str) -> bytes:
    """Of one length whatever the token's, so that no comparison tells it; of no token: of nothing that can be sent."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest() if token else secrets.token_bytes(32)


class Guard:
    """Compares tokens and remembers sessions. No tokens: everybody may do everything that the server may."""

    def __init__(self, read_token: str, write_token: str, *, read_only: bool) -> None:
        self.is_required = bool(read_token or write_token)
        """Is a token needed?"""
        self.read_only = read_only
        self._read, self._write = _digest(read_token), _digest(write_token)
        self._sessions: OrderedDict[str, tuple[Rights, float]] = OrderedDict()

    def rights_of(self, token: str) -> Rights:
        """What a token is good for; both are compared whatever the first says, each in constant time."""
        given = _digest(token)
        reads, writes = hmac.compare_digest(given, self._read), hmac.compare_digest(given, self._write)
        return Rights(reads or writes, writes and not self.read_only)

    def rights(self, request: Request) -> Rights:
        """What the client of a request may do."""
        if not self.is_required:
            return Rights(True, not self.read_only)
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self.rights_of(token.strip())
        known, until = self._sessions.get(request.cookies.get(COOKIE, ""), (Rights(False, False), 0.0))
        return known if time.monotonic() < until else Rights(False, False)

    def open_session(self, token: str) -> tuple[str, Rights]:
        """A name for a cookie, which says nothing of the token. Raises ProblemError for a wrong token."""
        rights = self.rights_of(token)
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

    def admit(self, request: Request, access: Access) -> None:
        """Raises ProblemError unless the client may do this."""
        if access == "open":
            return
        rights = self.rights(request)
        if not rights.read:
            detail = "expected Authorization: Bearer TOKEN, or a session, found neither or a wrong one"
            raise ProblemError("unauthorised", detail, {"WWW-Authenticate": 'Bearer realm="bof"'})
        if access == "write":
            self._admit_change(request, rights)

    def _admit_change(self, request: Request, rights: Rights) -> None:
        if not rights.write:
            what = "a server that may change the index" if self.read_only else "the token for changes"
            raise ProblemError("forbidden", f"expected {what}, found one for reading only")
        if request.headers.get("x-bof", "1") != "1":
            raise ProblemError("bad-request", f"X-Bof: expected 1, found {request.headers['x-bof'][:50]!r}")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in _SIMPLE_TYPES and "x-bof" not in request.headers and "authorization" not in request.headers:
            raise ProblemError("forbidden", "expected the header X-Bof: 1 with a change, found none")
