"""Handlers: a browser extension pairs with the server, asks whether it is paired, and ends that."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bof.server.api.endpoint import Endpoint
from bof.server.http.answers import answer
from bof.server.http.bodies import JSON_BYTES, body_of, json_object
from bof.server.http.parameters import Values
from bof.server.http.problems import ProblemError
from bof.server.http.received import fields_received
from bof.server.pairing import MAX_NAME
from bof.server.service import Service

_MAX_CODE = 40


async def show(service: Service, request: Request, values: Values) -> Response:
    """Is this client's token one of a paired extension?"""
    return answer({"paired": service.extensions.pairing_of(request) is not None})


async def pair(service: Service, request: Request, values: Values) -> Response:
    """A token for the code that a terminal shows."""
    if not service.extensions.has_sent(request):
        raise ProblemError("forbidden", "expected a browser extension, found a request without the Origin of one")
    async with body_of(request, JSON_BYTES, service.options.body_seconds, service.byte_limit) as body:
        value = json_object(request, body)
    if set(value) != {"code", "name"} or not all(isinstance(each, str) for each in value.values()):
        raise ProblemError("bad-request", f'expected {{"code": "...", "name": "..."}}, found {fields_received(value)}')
    code, name, origin = value["code"][:_MAX_CODE], value["name"][:MAX_NAME], request.headers["origin"]
    found = await service.in_file_thread(service.extensions.file.redeem, code, origin, name)
    if found is None:
        service.guard.count_guess(request)
        detail = "expected the code that the terminal shows, found another, or one that is too old or was used"
        raise ProblemError("unauthorised", f"{detail}; `bof pair` shows a new one")
    pairing, token = found
    return answer({"id": pairing.id, "token": token}, 201)


async def end(service: Service, request: Request, values: Values) -> Response:
    """The token that this request brings is worth nothing any more."""
    pairing = service.extensions.pairing_of(request)
    if pairing is None:
        raise ProblemError("unauthorised", "expected the token of a paired extension, found none or another")
    await service.in_file_thread(service.extensions.file.revoke, frozenset({pairing.id}))
    return answer({"paired": False})


ENDPOINTS = (
    Endpoint("GET", "/pairing", "Is this extension paired?", show, {200: "Paired"}, "open"),
    Endpoint(
        "POST", "/pairing", "Pair a browser extension by a code", pair, {201: "PairingToken"}, "open", body="json",
        schema={"$ref": "#/components/schemas/PairingRequest"},
        problems=("unauthorised", "forbidden", "conflict", "too-large", "time-out", "too-many-requests", "busy"),
    ),
    Endpoint("DELETE", "/pairing", "End this extension's pairing", end, {200: "Paired"}, "open",
        problems=("unauthorised", "conflict"),
    ),
)  # fmt: skip
