"""Handlers: groups of duplicates, looking for them, and pairs that are none."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bof.options import KIND, KINDS
from bof.server.api.changing import accepted
from bof.server.api.endpoint import Endpoint
from bof.server.http.answers import answer
from bof.server.http.bodies import JSON_BYTES, body_of, json_object
from bof.server.http.parameters import MAX_ID, Parameter, Values, whole
from bof.server.http.problems import ProblemError
from bof.server.service import Service


async def list_groups(service: Service, request: Request, values: Values) -> Response:
    """Groups as the last look found them."""
    page = (values["kind"], values["offset"], values["limit"])
    return answer(await service.in_file_thread(service.duplicates.page, *page))


async def find_duplicates(service: Service, request: Request, values: Values) -> Response:
    """Look for them."""
    async with body_of(request, JSON_BYTES, service.options.body_seconds, service.byte_limit) as body:
        value = json_object(request, body)
    if set(value) != {"kind"} or value["kind"] not in KINDS:
        raise ProblemError("bad-request", f'expected {{"kind": ...}} of {", ".join(KINDS)}, found something else')
    job = service.jobs.submit("duplicates", service.duplicates.look(value["kind"]))
    return accepted(job)


async def reject_pair(service: Service, request: Request, values: Values) -> Response:
    """These two are none, now and in every later look."""
    async with body_of(request, JSON_BYTES, service.options.body_seconds, service.byte_limit) as body:
        value = json_object(request, body)
    if set(value) != {"a", "b"} or not all(type(v) is int and 0 <= v <= MAX_ID for v in value.values()):
        raise ProblemError("bad-request", 'expected {"a": ID, "b": ID}, found something else')
    if value["a"] == value["b"]:
        raise ProblemError("bad-request", "expected two pictures, found one twice")
    await service.in_file_thread(service.duplicates.reject, value["a"], value["b"])
    return answer({"a": value["a"], "b": value["b"]})


_CHANGE = ("conflict", "too-large", "time-out", "busy", "too-many-requests")

ENDPOINTS = (
    Endpoint(
        "GET", "/duplicates", "List groups of duplicates", list_groups, {200: "Groups"},
        parameters=(
            Parameter(KIND),
            whole("offset", 0, 0, 1_000_000, "groups to pass over"),
            whole("limit", 20, 1, 100, "groups in this answer"),
        ),
    ),
    Endpoint(
        "POST", "/duplicates", "Look for duplicates", find_duplicates, {202: "Accepted"}, "write", body="json",
        schema={"$ref": "#/components/schemas/Look"}, is_heavy=True, problems=_CHANGE,
    ),
    Endpoint(
        "POST", "/duplicates/reject", "Two pictures are no duplicates", reject_pair, {200: "Rejected"}, "write",
        body="json", schema={"$ref": "#/components/schemas/Pair"}, is_heavy=True, problems=_CHANGE,
    ),
)  # fmt: skip
