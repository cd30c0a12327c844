"""Handlers: fields of one picture, tags and fields of many, and many that leave; each change whole or not at all."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bof.server.api.changing import done_or_accepted
from bof.server.api.endpoint import Endpoint
from bof.server.http.answers import answer
from bof.server.http.bodies import JSON_BYTES, body_of, json_object
from bof.server.http.fields import all_fields_of, annotation_of, ids_of
from bof.server.http.parameters import ID, Values
from bof.server.http.problems import ProblemError
from bof.server.http.received import as_received
from bof.server.service import Service


async def _json(service: Service, request: Request) -> dict[str, Any]:
    async with body_of(request, JSON_BYTES, service.options.body_seconds, service.byte_limit) as body:
        return json_object(request, body)


async def set_fields(service: Service, request: Request, values: Values) -> Response:
    """All fields of a picture but its tags: those that are not named leave."""
    image = await service.in_file_thread(service.collection.record, values["id"])
    fields = all_fields_of(await _json(service, request))
    job = service.jobs.submit("annotate", service.changes.set_fields(image.id, fields), total=1)
    waiting = await done_or_accepted(job)
    return waiting or answer(await service.in_file_thread(service.collection.show, image.id))


async def annotate_images(service: Service, request: Request, values: Values) -> Response:
    """Take values from fields of many pictures, and add others; tags are values of the field `tag`.

    One commit: where one of the pictures is not there, nothing is changed.
    """
    ids, add, remove = annotation_of(await _json(service, request))
    await service.in_file_thread(service.collection.records, ids)
    job = service.jobs.submit("annotate", service.changes.annotate(ids, add, remove), total=len(ids))
    return await done_or_accepted(job) or answer({"images": ids})


async def remove_images(service: Service, request: Request, values: Values) -> Response:
    """Take many pictures out, as one commit: where one of them is not there, none leaves."""
    value = await _json(service, request)
    if set(value) != {"images"}:
        raise ProblemError("bad-request", f'expected {{"images": [ID, ...]}}, found {as_received(value)}')
    ids = ids_of(value)
    await service.in_file_thread(service.collection.records, ids)
    job = service.jobs.submit("remove", service.changes.remove(ids), total=len(ids))
    return await done_or_accepted(job) or answer({"images": ids})


_CHANGE = ("conflict", "busy", "time-out", "too-large", "too-many-requests")

ENDPOINTS = (
    Endpoint(
        "POST", "/images/annotate", "Change tags and fields of many pictures", annotate_images,
        {200: "Annotated", 202: "Accepted"}, "write", body="json",
        schema={"$ref": "#/components/schemas/Annotation"}, is_heavy=True, problems=_CHANGE,
    ),
    Endpoint(
        "POST", "/images/remove", "Remove many pictures", remove_images, {200: "Annotated", 202: "Accepted"}, "write",
        body="json", schema={"$ref": "#/components/schemas/ImageIds"}, is_heavy=True, problems=_CHANGE,
    ),
    Endpoint(
        "PUT", "/images/{id}/fields", "Set a picture's fields", set_fields, {200: "Image", 202: "Accepted"}, "write",
        (ID,), body="json", schema={"$ref": "#/components/schemas/Fields"}, is_heavy=True, problems=_CHANGE,
    ),
)  # fmt: skip
