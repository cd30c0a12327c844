"""Handlers: the index in figures, rankers, health, metrics, sessions, and the description of all this."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from bof import __version__
from bof.retrieval.remote.latencies import PartCounts
from bof.retrieval.remote.searching import SearchWorkers
from bof.server.api.endpoint import Endpoint
from bof.server.http import metrics
from bof.server.http.answers import answer
from bof.server.http.auth import COOKIE, SESSION_SECONDS, Rights
from bof.server.http.bodies import JSON_BYTES, body_of, json_object
from bof.server.http.parameters import Values
from bof.server.http.problems import ProblemError, busy
from bof.server.http.received import fields_received
from bof.server.rankers import rankers_of
from bof.server.service import Service
from bof.server.statistics import statistics


async def health(service: Service, request: Request, values: Values) -> Response:
    """Is it running, and can it read its index?"""
    if service.is_draining:
        raise busy("expected a running server, found one that is being stopped", 5)
    await service.engine()
    return answer({"status": "ok", "version": __version__})


async def index(service: Service, request: Request, values: Values) -> Response:
    """The index in figures."""
    engine = await service.engine()
    found = await service.in_search_thread(statistics, engine)
    rights = service.guard.rights(request)
    limits = dataclasses.asdict(service.options)
    own = {"version": __version__, "writable": rights.write, "duplicates": True, "limits": limits}
    return answer({**own, **found})


async def rankers(service: Service, request: Request, values: Values) -> Response:
    """How pictures can be ranked, and what each is for."""
    engine = await service.engine()
    return answer({"default": "bof", "rankers": await service.in_file_thread(rankers_of, engine)})


async def show_metrics(service: Service, request: Request, values: Values) -> Response:
    """For Prometheus."""
    engine = await service.engine()
    waiting = max(0, service.places.taken - service.places.n)
    gauges: metrics.Gauges = {
        "bof_pictures": ("pictures in the index", float(len(engine))),
        "bof_features": ("features in the index", float(engine.n_features)),
        "bof_generation": ("the number of the commit that is searched", float(engine.generation)),
        "bof_busy": ("searches and uploads in work", float(service.places.taken - waiting)),
        "bof_waiting": ("searches and uploads that wait for their turn", float(waiting)),
        "bof_body_bytes": ("bytes of bodies in memory", float(service.byte_limit.used)),
        "bof_thumbnail_bytes": ("bytes of thumbnails in memory", float(service.thumbnails.used)),
        "bof_stored_queries": ("queries that are stored", float(len(service.stored))),
        "bof_stored_query_bytes": ("bytes of stored queries in memory", float(service.stored.used)),
        "bof_jobs": ("changes that wait or run", float(sum(not job.is_over for job in service.jobs.all()))),
        **metrics.process_gauges(),
        **_part_gauges(engine.workers),
    }
    return Response(service.metrics.text(gauges), 200, {"Cache-Control": "no-store"}, metrics.MEDIA_TYPE)


def _part_gauges(workers: SearchWorkers | None) -> metrics.Gauges:
    """Of each part of the index on workers: how it answers."""
    if workers is None:
        return {}
    counts = workers.counts()

    def of_parts(value: Callable[[PartCounts], float]) -> metrics.Samples:
        return [({"part": name}, value(one)) for name, one in counts.items()]

    return {
        "bof_part_requests": ("requests that the part has answered", of_parts(lambda one: one.n_answered)),
        "bof_part_seconds": ("seconds that its answers took", of_parts(lambda one: one.seconds)),
        "bof_part_asked_again": ("requests that another worker was given too", of_parts(lambda one: one.n_again)),
        "bof_part_missing": ("requests that it did not answer", of_parts(lambda one: one.n_missing)),
    }


def _session(service: Service, rights: Rights) -> dict[str, bool]:
    return {"required": service.guard.is_required, **dataclasses.asdict(rights)}


async def show_session(service: Service, request: Request, values: Values) -> Response:
    """What this client may do."""
    return answer(_session(service, service.guard.rights(request)))


async def open_session(service: Service, request: Request, values: Values) -> Response:
    """A cookie for a token."""
    async with body_of(request, JSON_BYTES, service.options.body_seconds, service.byte_limit) as body:
        value = json_object(request, body)
    if set(value) != {"token"} or not isinstance(value["token"], str):
        raise ProblemError("bad-request", f'expected {{"token": "..."}}, found {fields_received(value)}')
    if not service.guard.is_required:
        return answer(_session(service, service.guard.rights(request)))
    name, rights = service.guard.open_session(value["token"], request)
    response = answer(_session(service, rights))
    is_secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, name, SESSION_SECONDS, httponly=True, samesite="strict", secure=is_secure)
    return response


async def close_session(service: Service, request: Request, values: Values) -> Response:
    """Forget the cookie."""
    service.guard.close_session(request.cookies.get(COOKIE, ""))
    response = answer({"required": service.guard.is_required, "read": False, "write": False})
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


async def describe(service: Service, request: Request, values: Values) -> Response:
    """This API for programs."""
    return answer(request.app.state.openapi)


ENDPOINTS = (
    Endpoint("GET", "/health", "Is the server running?", health, {200: "Health"}, "open"),
    Endpoint("GET", "/openapi.json", "Describe this API", describe, {200: "Document"}, "open"),
    Endpoint(
        "GET", "/session", "What may this client do?", show_session, {200: "Session"}, "open",
        problems=("too-many-requests",),
    ),
    Endpoint(
        "POST", "/session", "Get a cookie for a token", open_session, {200: "Session"}, "open", body="json",
        schema={"$ref": "#/components/schemas/Token"},
        problems=("unauthorised", "too-large", "time-out", "too-many-requests", "busy"),
    ),
    Endpoint("DELETE", "/session", "Forget the cookie", close_session, {200: "Session"}, "open"),
    Endpoint("GET", "/metrics", "Counters for Prometheus", show_metrics, {200: "text/plain"}),
    Endpoint("GET", "/rankers", "List the rankers", rankers, {200: "Rankers"}),
    Endpoint("GET", "/index", "The index in figures", index, {200: "Index"}),
)  # fmt: skip
