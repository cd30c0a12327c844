"""The application: endpoints, page and gate around one service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bof.annotations.places import PREFIX as IIIF
from bof.options import ServeOptions
from bof.server.api import (
    annotating,
    containers,
    duplicates,
    images,
    index,
    jobs,
    judgments,
    pairing,
    queries,
    search,
    sharing,
    values,
    watches,
)
from bof.server.api.endpoint import routes_of
from bof.server.api.openapi import document
from bof.server.http.gate import Gate
from bof.server.http.problems import ProblemError, not_found
from bof.server.iiif import collections, manifests
from bof.server.iiif import images as services
from bof.server.pages import Pages
from bof.server.service import Service, Settings

ENDPOINTS = (
    *index.ENDPOINTS,
    *search.ENDPOINTS,
    *queries.ENDPOINTS,
    *annotating.ENDPOINTS,
    *images.ENDPOINTS,
    *containers.ENDPOINTS,
    *jobs.ENDPOINTS,
    *duplicates.ENDPOINTS,
    *judgments.ENDPOINTS,
    *values.ENDPOINTS,
    *pairing.ENDPOINTS,
    *watches.ENDPOINTS,
)

IIIF_ENDPOINTS = (*services.ENDPOINTS, *manifests.ENDPOINTS, *collections.ENDPOINTS)


class Application:
    """An ASGI application with its service, which `drain` tells that the server is being stopped."""

    def __init__(self, settings: Settings, options: ServeOptions | None = None, *, reload: bool = False) -> None:
        self.service = service = Service(settings, options or ServeOptions())
        pages = Pages(reload=reload)
        routes = [
            *routes_of(service, (*ENDPOINTS, *IIIF_ENDPOINTS, *sharing.ENDPOINTS)),
            Route("/", pages.home),
            Route("/docs", pages.docs),
            Route("/static/{name:path}", pages.file),
        ]
        handlers = {404: _no_such_address, 405: _no_such_method}
        app = Starlette(routes=routes, lifespan=self._lifespan, exception_handlers=handlers)
        app.router.redirect_slashes = False
        app.state.openapi = document(ENDPOINTS)
        app.state.openapi_of_iiif = document(IIIF_ENDPOINTS, IIIF)
        self._gate: ASGIApp = Gate(
            app, settings.hosts, settings.origins, service.extensions, service.options.request_seconds
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        await self._gate(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await self.service.close()

    def drain(self) -> None:
        """The server is being stopped: streams end, and new requests are refused."""
        self.service.is_draining = True


async def _no_such_address(request: Request, error: Exception) -> Response:
    return not_found(f"address {request.url.path[:100]!r}").response()


async def _no_such_method(request: Request, error: Exception) -> Response:
    allowed = getattr(error, "headers", None) or {}
    return ProblemError("method-not-allowed", f"expected GET, found {request.method[:20]!r}", allowed).response()
