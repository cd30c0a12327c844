"""An endpoint: what it is asked and answers, declared; and what every request goes through before its handler."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from bof.server.http.answers import validated
from bof.server.http.auth import Access
from bof.server.http.bodies import Body
from bof.server.http.parameters import Parameter, Values, read_all
from bof.server.http.problems import ProblemError, busy

if TYPE_CHECKING:
    from bof.server.service import Service

log = logging.getLogger("bof")

PREFIX = "/api/v1"

Handler = Callable[["Service", Request, Values], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """method and path below prefix; answers: status -> name of a schema, or a media type where it has a slash.

    others: media types that the first answer may have instead, by what the client accepts -> name of a schema; body:
    what is sent; schema: of a JSON body; is_heavy: counted against the rate of its client; problems: kinds that it may
    answer with besides those that every endpoint may; needs_index: it answers no-index where there is none any more.
    """

    method: str
    path: str
    summary: str
    handle: Handler
    answers: Mapping[int, str]
    access: Access = "read"
    parameters: Sequence[Parameter] = ()
    body: Body = ""
    schema: Mapping[str, Any] = field(default_factory=dict)
    is_heavy: bool = False
    problems: Sequence[str] = ()
    others: Mapping[str, str] = field(default_factory=dict)
    prefix: str = PREFIX
    needs_index: bool = True


def routes_of(service: Service, endpoints: Sequence[Endpoint]) -> list[Route]:
    """One route a path, so that a known path with another method says which it knows."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.prefix + endpoint.path, {})[endpoint.method] = endpoint
    return [Route(path, _OfOnePath(service, known), methods=None) for path, known in by_path.items()]


class _OfOnePath:
    """The endpoints of one path, as an ASGI application: Starlette then passes every method on."""

    def __init__(self, service: Service, known: Mapping[str, Endpoint]) -> None:
        self._service, self._known = service, known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        method = "GET" if request.method == "HEAD" and "GET" in self._known else request.method
        endpoint = self._known.get(method)
        response = await (_serve(self._service, endpoint, request) if endpoint else self._refuse(request))
        await response(scope, receive, send)

    async def _refuse(self, request: Request) -> Response:
        allowed = ", ".join(sorted(self._known))
        detail = f"expected {allowed}, found {request.method[:20]!r}"
        return ProblemError("method-not-allowed", detail, {"Allow": allowed}).response()


async def _serve(service: Service, endpoint: Endpoint, request: Request) -> Response:
    """One request: admitted, read, handled within its time; every error becomes a problem document."""
    start = time.perf_counter()
    try:
        response = validated(request, await _handle(service, endpoint, request))
    except TimeoutError:
        response = busy(f"expected an answer within {service.options.request_seconds:g} s, found none yet").response()
    except Exception as error:
        response = (await _problem(service, error)).response()
    path = endpoint.path if endpoint.prefix == PREFIX else endpoint.prefix + endpoint.path
    service.metrics.count(endpoint.method, path, response.status_code, time.perf_counter() - start)
    return response


async def _handle(service: Service, endpoint: Endpoint, request: Request) -> Response:
    if service.is_draining and endpoint.access != "open":
        raise busy("expected a running server, found one that is being stopped", 5)
    service.guard.admit(request, endpoint.access, endpoint.body)
    if endpoint.is_heavy:
        service.rate.take(request.client.host if request.client else "")
    values = read_all(request, endpoint.parameters)
    if endpoint.needs_index and endpoint.access != "open":
        await service.require_index()
    patience = service.options.request_seconds + (service.body_patience(endpoint.body) if endpoint.body else 0.0)
    async with asyncio.timeout(patience):
        return await endpoint.handle(service, request, values)


async def _problem(service: Service, error: Exception) -> ProblemError:
    """What a request failed with: the fault of the index, of the request, or ours."""
    if isinstance(error, ProblemError):
        return error
    return await service.in_file_thread(service.problem_after, error) or _internal(error)


def _internal(error: Exception) -> ProblemError:
    log.error("a request failed: %s", error, exc_info=error)
    return ProblemError("internal", "expected an answer, found a mistake of the server; its log has the details")
