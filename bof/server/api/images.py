"""Handlers: the pictures of the index, their files and thumbnails; add, update, remove, tag."""

from __future__ import annotations

import dataclasses
import functools

from starlette.requests import Request
from starlette.responses import Response

from bof.images.address import Address, is_part
from bof.images.decode import kind_of
from bof.images.opening import sha256_of_part
from bof.server import uploads
from bof.server.api.changing import accepted, done_or_accepted
from bof.server.api.endpoint import Endpoint
from bof.server.collection import all_of, version_of
from bof.server.decoding import Check, Shrink, ToPng
from bof.server.http.answers import answer, is_known
from bof.server.http.bodies import JSON_BYTES, body_of, json_object, one_picture, pictures
from bof.server.http.fields import tags_of
from bof.server.http.forms import FormPart
from bof.server.http.parameters import FILTERS, ID, TIME, VERSION, Values, choice, whole
from bof.server.http.problems import ProblemError
from bof.server.http.ranges import in_ranges
from bof.server.service import Service
from bof.store.catalog import ImageRecord

THUMBNAIL_SIZES = (160, 320, 640)


async def list_images(service: Service, request: Request, values: Values) -> Response:
    """A page of the collection."""
    where = all_of(values["where"], values["tag"], values["folder"])
    page = {"order": values["sort"], "offset": values["offset"], "limit": values["limit"]}
    select = functools.partial(service.collection.select, where, values["text"], **page)
    found = await service.in_file_thread(select)
    images = service.collection.show_all(found)
    return answer({"total": found.total, "offset": values["offset"], "images": images})


async def show_image(service: Service, request: Request, values: Values) -> Response:
    """What is known of one image."""
    return answer(await service.in_file_thread(service.collection.show, values["id"]))


async def _record(service: Service, values: Values) -> ImageRecord:
    return await service.in_file_thread(service.collection.record, values["id"])


async def send_file(service: Service, request: Request, values: Values) -> Response:
    """The original, as what its first bytes say that it is, whatever its name."""
    image = await _record(service, values)
    headers = _cached(image, values["v"], image.sha256[:32])
    if is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    data = await service.in_file_thread(service.collection.content, image)
    if is_part(image.path) and kind_of(data) == "PNM":
        data = await service.in_worker(ToPng(data))  # a browser shows no PNM
    kind = kind_of(data, image.path)
    if kind is None:
        raise ProblemError("gone", "expected a picture, found something else")
    # An SVG is a document that may hold scripts: shown as a picture it runs none, opened as a page it could.
    where = "attachment" if kind == "SVG" else "inline"
    headers["Content-Disposition"] = f'{where}; filename="{image.id}-{version_of(image)}"'
    return in_ranges(request, data, headers, uploads.content_type(kind))


async def send_thumbnail(service: Service, request: Request, values: Values) -> Response:
    """A small upright JPEG, made once."""
    image = _at_time(await _record(service, values), values["t"])
    headers = _cached(image, values["v"], f"{image.sha256[:32]}-{values['size']}")
    if is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    key = image.sha256, values["size"]
    made = service.thumbnails.get(key)
    if made is None:
        async with service.place(request):
            data = await service.in_file_thread(service.collection.content, image)
            made = await service.in_worker(Shrink(data, values["size"]))
        service.thumbnails.put(key, made)
    return Response(made, 200, headers, "image/jpeg")


def _at_time(image: ImageRecord, seconds: str | None) -> ImageRecord:
    """Another frame of the film that an image is a frame of; without a time the image. Raises ProblemError."""
    if seconds is None:
        return image
    address, part = Address.parse(image.path), f"t={seconds}"
    if not address.is_frame:
        raise ProblemError("bad-request", f"t: expected a frame of a film, found image {image.id}, which is none")
    content = sha256_of_part(image.sha256, part)
    return dataclasses.replace(image, path=str(dataclasses.replace(address, part=part)), sha256=content)


def _cached(image: ImageRecord, version: str, tag: str) -> dict[str, str]:
    """An id may come to mean another file; a version cannot."""
    is_this = version == version_of(image)
    control = "private, max-age=31536000, immutable" if is_this else "private, no-cache"
    return {"Cache-Control": control, "ETag": f'"{tag}"'}


async def add_images(service: Service, request: Request, values: Values) -> Response:
    """Keep the pictures of a form, and add them. What cannot be used beside others is named in the job."""
    given: dict[str, str] = {}
    skipped: list[tuple[str, ProblemError]] = []
    async with service.body(request, many=True) as body:
        parts = await pictures(request, body, service.options.batch_images)
        for part in parts:
            async with service.place(request):
                await _keep(service, part, given, skipped)
    if not given:
        raise skipped[0][1]
    reasons = [(name, problem.detail) for name, problem in skipped]
    work, ended = service.changes.add(given, reasons), service.changes.add_ended(given)
    return accepted(service.jobs.submit("add", work, len(given), ended))


async def _keep(
    service: Service, part: FormPart, given: dict[str, str], skipped: list[tuple[str, ProblemError]]
) -> None:
    """Store one picture, or say why not."""
    _refuse_large(service, part.content)
    name, data = uploads.shown_name(part.file_name), bytes(part.content)
    try:
        kind = await service.in_worker(Check(data))
    except ProblemError as problem:
        skipped.append((name, problem))
        return
    path = await service.in_file_thread(uploads.store, service.collection.uploads, data, kind)
    given.setdefault(str(path), name)


def _refuse_large(service: Service, data: memoryview) -> None:
    limit = service.options.upload_megabytes << 20
    if len(data) > limit:
        raise ProblemError("too-large", f"expected at most {limit} bytes a picture, found {len(data)}")


async def replace_image(service: Service, request: Request, values: Values) -> Response:
    """Another picture in the place of an uploaded one."""
    image = await _record(service, values)
    service.changes.require_uploaded(image)
    async with service.body(request) as body:
        data = await one_picture(request, body)
        async with service.place(request):
            await service.in_worker(Check(data))
    return accepted(service.jobs.submit("update", service.changes.update(image.id, data), total=1))


async def remove_image(service: Service, request: Request, values: Values) -> Response:
    """Out of the index."""
    image = await _record(service, values)
    job = service.jobs.submit("remove", service.changes.remove([image.id]), total=1)
    return await done_or_accepted(job) or answer({"id": image.id})


async def tag_image(service: Service, request: Request, values: Values) -> Response:
    """All tags of an image."""
    image = await _record(service, values)
    async with body_of(request, JSON_BYTES, service.options.body_seconds, service.byte_limit) as body:
        tags = tags_of(json_object(request, body))
    job = service.jobs.submit("tag", service.changes.tag(image.id, tags), total=1)
    waiting = await done_or_accepted(job)
    return waiting or await show_image(service, request, values)


_UPLOAD = ("not-a-picture", "bad-picture", "too-large", "time-out", "busy", "no-space", "too-many-requests")

ENDPOINTS = (
    Endpoint(
        "GET", "/images", "List the pictures of the index", list_images, {200: "Images"},
        parameters=(
            whole("offset", 0, 0, 1_000_000_000, "pictures to pass over"),
            whole("limit", 50, 1, 500, "pictures in this answer"),
            choice("sort", "name", ("name", "newest"), "by name, or the last added first"),
            *FILTERS,
        ),
    ),
    Endpoint(
        "POST", "/images", "Add pictures", add_images, {202: "Accepted"}, "write", body="pictures", is_heavy=True,
        problems=_UPLOAD,
    ),
    Endpoint("GET", "/images/{id}", "Show a picture's facts", show_image, {200: "Image"}, parameters=(ID,)),
    Endpoint(
        "DELETE", "/images/{id}", "Remove a picture", remove_image, {200: "Removed", 202: "Accepted"}, "write", (ID,),
        is_heavy=True, problems=("conflict", "busy", "too-many-requests"),
    ),
    Endpoint(
        "GET", "/images/{id}/file", "Send the original file", send_file, {200: "image/*", 206: "image/*", 304: ""},
        parameters=(ID, VERSION), problems=("gone", "wrong-range"),
    ),
    Endpoint(
        "PUT", "/images/{id}/file", "Replace an uploaded picture", replace_image, {202: "Accepted"}, "write", (ID,),
        body="picture", is_heavy=True, problems=(*_UPLOAD, "conflict"),
    ),
    Endpoint(
        "GET", "/images/{id}/thumbnail", "Send a small JPEG", send_thumbnail, {200: "image/jpeg", 304: ""},
        parameters=(ID, choice("size", 320, THUMBNAIL_SIZES, "the long side in pixels"), TIME, VERSION),
        problems=("gone", "bad-picture", "too-large", "not-a-picture", "busy"),
    ),
    Endpoint(
        "PUT", "/images/{id}/tags", "Set a picture's tags", tag_image, {200: "Image", 202: "Accepted"}, "write", (ID,),
        body="json", schema={"$ref": "#/components/schemas/Tags"}, is_heavy=True,
        problems=("conflict", "busy", "time-out", "too-large", "too-many-requests"),
    ),
)  # fmt: skip
