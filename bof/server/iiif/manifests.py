"""Handlers: canvases, manifests and collections of the IIIF Presentation API 3.0, and answers as such."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from bof.annotations.matches import PlacedHit, annotation_of, in_words
from bof.annotations.pages import MEDIA_TYPE as LINKED_DATA
from bof.annotations.pages import WEB_ANNOTATION
from bof.annotations.places import PREFIX, Fields, served_place
from bof.annotations.presentation import (
    PRESENTATION,
    Json,
    ShownPicture,
    canvas,
    in_english,
    in_no_language,
    manifest,
    metadata_of,
    pair,
)
from bof.server.api.endpoint import Endpoint
from bof.server.collection import all_of
from bof.server.http.parameters import FILTERS, ID, SEARCH, Values, whole
from bof.server.http.problems import not_found
from bof.server.iiif.answers import annotated, context_url, known_query, links_of, origin_of, search_url, server_of
from bof.server.iiif.images import linked, record_of
from bof.server.search import FoundPage, PageRequest, pose_of
from bof.server.searching import find_page
from bof.server.service import Service
from bof.store.catalog import ImageRecord

PICTURES_A_MANIFEST = 100
_PROBLEMS = ("gone", "bad-picture", "too-large", "not-a-picture", "busy", "not-available", "too-many-requests")


async def show_canvas(service: Service, request: Request, values: Values) -> Response:
    """The canvas of a picture."""
    image, fields = await record_of(service, values["id"])
    shown = _shown(service, server_of(request), image, fields)
    return linked(service, request, {"@context": PRESENTATION, **canvas(shown)}, PRESENTATION)


async def show_picture(service: Service, request: Request, values: Values) -> Response:
    """A manifest of one picture."""
    image, fields = await record_of(service, values["id"])
    server = server_of(request)
    shown = _shown(service, server, image, fields)
    url = f"{server}{PREFIX}/images/{image.id}/manifest"
    more = _with_homepage(server, f"/collection?show={image.id}", {"metadata": metadata_of(fields)})
    found = manifest(url, in_no_language(shown.label), [canvas(shown)], more)
    return linked(service, request, found, PRESENTATION)


async def show_pictures(service: Service, request: Request, values: Values) -> Response:
    """A manifest of some pictures of the index, in the order of their names."""
    where = all_of(values["where"], values["tag"], values["folder"])
    page = {"offset": values["offset"], "limit": values["limit"]}
    found = await service.in_file_thread(lambda: service.collection.select(where, values["text"], **page))
    if not found.records:
        raise not_found("picture to show: a manifest has one or more")
    server = server_of(request)
    shown = [_shown(service, server, image, found.fields.get(image.id, {})) for image in found.records]
    first, last = values["offset"] + 1, values["offset"] + len(shown)
    label = in_english(f"Pictures {first} to {last} of {found.total}")
    document = manifest(own_url(request), label, list(map(canvas, shown)), _with_homepage(server, "/collection", {}))
    return linked(service, request, document, PRESENTATION)


async def show_answer(service: Service, request: Request, values: Values) -> Response:
    """A manifest of what a picture of the index finds: a canvas a hit, in order."""
    query, found = await _search(service, request, values)
    if not found.hits:
        raise not_found("hit to show: a manifest has one or more")
    server, url = server_of(request), search_url(request, query.id, "manifest", found.request.offset)
    about = await known_query(service, request, query, found)
    rows = enumerate(zip(found.hits, found.numbers, found.names, strict=True), found.request.offset + 1)
    canvases = []
    for rank, (hit, number, name) in rows:
        fields, size = found.fields.get(number, {}), (hit.width, hit.height)
        own = served_place(server, number, size)
        placed = PlacedHit(hit, rank, name, own)
        annotations = {
            "id": f"{url}#page-{rank}",
            "type": "AnnotationPage",
            "items": [annotation_of(placed, about, f"{url}#hit-{rank}")],
        }
        shown = ShownPicture(own, origin_of(server, number, fields, size), name, fields)
        canvases.append(canvas(shown, {**_about_hit(placed, fields), "annotations": [annotations]}))
    more = _with_homepage(server, f"/search?image={query.id}", _about_answer(request, query, found, about.label))
    label = in_english(f"Pictures that show what {about.label} shows")
    more = {**more, "@context": [context_url(server), PRESENTATION]}
    return linked(service, request, manifest(url, label, canvases, more), PRESENTATION)


async def annotate_answer(service: Service, request: Request, values: Values) -> Response:
    """The same as a page of annotations."""
    query, found = await _search(service, request, values)
    about = await known_query(service, request, query, found)
    return annotated(found, about, links_of(request, query.id, found), WEB_ANNOTATION)


async def _search(service: Service, request: Request, values: Values) -> tuple[ImageRecord, FoundPage]:
    page_request, pose = PageRequest.of(values).without_self(values, [values["id"]]), pose_of(values)
    query = await service.in_file_thread(service.collection.record, values["id"])
    async with service.place(request):
        picture = await service.in_file_thread(service.collection.content, query)
        return query, await find_page(service, picture, pose, page_request, query.sha256)


def _shown(service: Service, server: str, image: ImageRecord, fields: Fields) -> ShownPicture:
    size = image.width, image.height
    label = service.collection.name_of(image, fields)
    return ShownPicture(served_place(server, image.id, size), origin_of(server, image.id, fields, size), label, fields)


def _about_hit(placed: PlacedHit, fields: Fields) -> Json:
    """What a canvas says of its hit, in its label and its metadata."""
    hit = placed.hit
    figures = [pair("Rank", str(placed.rank)), pair("Verdict", hit.verdict), pair("Score", f"{hit.score:.4f}")]
    figures += [pair("Probability", f"{hit.probability:.4f}")] if hit.probability is not None else []
    figures += [pair("Inliers", str(hit.verification.n_inliers))] if hit.verification else []
    label = in_no_language(f"{placed.rank}. {placed.label}: {in_words(hit)}")
    return {"label": label, "metadata": [*figures, *metadata_of(fields)]}


def _about_answer(request: Request, query: ImageRecord, found: FoundPage, label: str) -> Json:
    offset = found.request.offset
    shown = f"{offset + 1} to {offset + len(found.hits)} of {found.total}"
    page = search_url(request, query.id, "annotations", offset)
    return {
        "metadata": [pair("Query", label), pair("Hits", shown), pair("Ranker", found.request.options.ranker)],
        "seeAlso": [{"id": page, "type": "Dataset", "format": LINKED_DATA, "profile": WEB_ANNOTATION}],
    }


def _with_homepage(server: str, place: str, more: Json) -> Json:
    """place: in the page of the server."""
    label = in_english("The same in bof")
    return {**more, "homepage": [{"id": f"{server}/#{place}", "type": "Text", "label": label, "format": "text/html"}]}


def own_url(request: Request) -> str:
    """The address of a request, as it was asked for."""
    items = urlencode(request.query_params.multi_items())
    return f"{server_of(request)}{request.url.path}{f'?{items}' if items else ''}"


_LINKED = {"application/ld+json": "Document"}

ENDPOINTS = (
    Endpoint(
        "GET", "/images/{id}/canvas", "The canvas of a picture", show_canvas, {200: "Document"},
        parameters=(ID,), others=_LINKED, prefix=PREFIX,
    ),
    Endpoint(
        "GET", "/images/{id}/manifest", "A manifest of one picture", show_picture, {200: "Document"},
        parameters=(ID,), others=_LINKED, prefix=PREFIX,
    ),
    Endpoint(
        "GET", "/manifest", "A manifest of pictures of the index", show_pictures, {200: "Document"},
        parameters=(
            whole("offset", 0, 0, 1_000_000_000, "pictures to pass over"),
            whole("limit", PICTURES_A_MANIFEST, 1, 500, "pictures in this manifest"),
            *FILTERS,
        ),
        others=_LINKED, prefix=PREFIX,
    ),
    Endpoint(
        "GET", "/search/{id}/manifest", "A manifest of what a picture of the index finds", show_answer,
        {200: "Document"}, parameters=(ID, *SEARCH), is_heavy=True, problems=_PROBLEMS, others=_LINKED, prefix=PREFIX,
    ),
    Endpoint(
        "GET", "/search/{id}/annotations", "What a picture of the index finds, as annotations", annotate_answer,
        {200: "application/ld+json"}, parameters=(ID, *SEARCH), is_heavy=True, problems=_PROBLEMS, prefix=PREFIX,
    ),
)  # fmt: skip
