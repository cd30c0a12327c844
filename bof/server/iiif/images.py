"""Handlers: the pictures of the index as image services of the IIIF Image API 3.0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bof.annotations.places import PREFIX, Fields
from bof.iiif.naming import CANVAS
from bof.options.option import Option
from bof.server.api.endpoint import Endpoint
from bof.server.decoding import CutOut, Measure
from bof.server.http.accept import Offer, best_of
from bof.server.http.answers import to_json
from bof.server.http.parameters import ID, Parameter, Values
from bof.server.http.problems import not_found
from bof.server.iiif.answers import server_of
from bof.server.iiif.image_request import CONTEXT, LEVEL, ImageRequest, describe_image, read_request
from bof.server.service import Service
from bof.store.catalog import ImageRecord

_LINKED, _PLAIN = Offer("application/ld+json"), Offer("application/json")


async def go_to_description(service: Service, request: Request, values: Values) -> Response:
    """The base of a service leads to its description."""
    image = await service.in_file_thread(service.collection.record, values["id"])
    url = f"{service_url(request, image.id)}/info.json"
    return Response(status_code=303, headers={"Location": url, "Cache-Control": "private, no-cache"})


async def describe_service(service: Service, request: Request, values: Values) -> Response:
    """The info.json."""
    image, fields = await record_of(service, values["id"])
    full = await _full_size(service, request, image, fields)
    return linked(service, request, describe_image(service_url(request, image.id), full), CONTEXT)


async def send_image(service: Service, request: Request, values: Values) -> Response:
    """A region in a size, as a JPEG."""
    image, fields = await record_of(service, values["id"])
    full = await _full_size(service, request, image, fields)
    wish = read_request(full, *(values[name] for name in _PARTS))
    headers = _headers(service, request, image, wish)
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    key = "iiif", image.sha256, wish.canonical
    made = service.thumbnails.get(key)
    if made is None:
        async with service.place(request):
            data = await service.in_file_thread(service.collection.content, image)
            made = await service.in_worker(CutOut(data, full, wish.region, wish.size, image.sha256))
        service.thumbnails.put(key, made)
    return Response(made, 200, headers, "image/jpeg")


async def record_of(service: Service, number: int) -> tuple[ImageRecord, Fields]:
    """A picture and its fields. Raises ProblemError, not-found."""
    found = await service.in_file_thread(lambda: service.collection.select(ids=[number]))
    if not found.records:
        raise not_found(f"image {number}")
    return found.records[0], found.fields.get(number, {})


def service_url(request: Request, number: int) -> str:
    """The id of the image service of a picture."""
    return f"{server_of(request)}{PREFIX}/images/{number}"


def linked(service: Service, request: Request, value: Mapping[str, Any], profile: str) -> Response:
    """JSON-LD, or plain JSON for who would rather have that; profile: its context."""
    offer = best_of(request.headers.get("accept", ""), (Offer(_LINKED.kind, profile), _PLAIN))
    kind = offer.kind if offer == _PLAIN else f'{offer.kind};profile="{profile}"'
    headers = {"Cache-Control": "private, no-cache", "Vary": "Accept", **shared(service)}
    return Response(to_json(value), 200, headers, kind)


def shared(service: Service) -> dict[str, str]:
    """Viewers on the sites that are named show pictures in elements that say nothing of their site."""
    return {"Cross-Origin-Resource-Policy": "cross-origin"} if service.is_shared else {}


async def _full_size(service: Service, request: Request, image: ImageRecord, fields: Fields) -> tuple[int, int]:
    """Width and height of what the server has: of a harvested picture that may be a smaller version."""
    if CANVAS not in fields:
        return image.width, image.height
    size = service.sizes.get(image.sha256)
    if size is None:
        async with service.place(request):
            data = await service.in_file_thread(service.collection.content, image)
            size = await service.in_worker(Measure(data))
        service.sizes.put(image.sha256, size)
    return size


def _headers(service: Service, request: Request, image: ImageRecord, wish: ImageRequest) -> dict[str, str]:
    canonical = f'<{service_url(request, image.id)}/{wish.canonical}>;rel="canonical"'
    return {
        "Cache-Control": "private, no-cache",  # an id may come to mean another file
        "ETag": f'"{image.sha256[:32]}-{wish.canonical.replace("/", "_")}"',
        "Link": f'{canonical}, <{LEVEL}>;rel="profile"',
        **shared(service),
    }


def _part(name: str, meaning: str) -> Parameter:
    return Parameter(Option(name, "", meaning), place="path", more={"maxLength": 100})


_PARTS = ("region", "size", "rotation", "quality", "format")
_PROBLEMS = ("gone", "bad-picture", "too-large", "not-a-picture", "busy")

ENDPOINTS = (
    Endpoint(
        "GET", "/images/{id}", "Go to the description of a picture's image service", go_to_description, {303: ""},
        parameters=(ID,), prefix=PREFIX,
    ),
    Endpoint(
        "GET", "/images/{id}/info.json", "Describe a picture's image service", describe_service, {200: "Document"},
        parameters=(ID,), problems=_PROBLEMS, others={"application/ld+json": "Document"}, prefix=PREFIX,
    ),
    Endpoint(
        "GET", "/images/{id}/{region}/{size}/{rotation}/{quality}.{format}", "Send a region of a picture in a size",
        send_image, {200: "image/jpeg", 304: ""},
        parameters=(
            ID, _part("region", "full, square, x,y,w,h or pct:x,y,w,h"),
            _part("size", "max, w,, ,h, w,h, !w,h or pct:n"), _part("rotation", "0"), _part("quality", "default"),
            _part("format", "jpg"),
        ),
        problems=(*_PROBLEMS, "not-implemented"), prefix=PREFIX,
    ),
)  # fmt: skip
