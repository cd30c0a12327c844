"""A page of hits as what the client accepts: the JSON of the API, a Web Annotation page, or one of Content Search 2."""

from __future__ import annotations

import asyncio
import hashlib
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from bof.annotations.matches import AnnotatedQuery, PlacedHit, content_url
from bof.annotations.pages import CONTENT_SEARCH, WEB_ANNOTATION, PageLinks, Profile, annotation_page
from bof.annotations.pages import MEDIA_TYPE as LINKED_DATA
from bof.annotations.places import PREFIX, Fields, Place, harvested_place, served_place
from bof.server.http.accept import Offer, best_of
from bof.server.http.answers import NO_STORE, PARTIAL, answer, to_json
from bof.server.search import FoundPage
from bof.server.searching import answer_json
from bof.server.service import Service
from bof.store.catalog import ImageRecord

_JSON = Offer("application/json")
_PROFILES: tuple[Profile, ...] = (WEB_ANNOTATION, CONTENT_SEARCH)
_ANNOTATED = tuple(Offer(LINKED_DATA, profile) for profile in _PROFILES)


async def negotiated(service: Service, request: Request, found: FoundPage, query: bytes | ImageRecord) -> Response:
    """The answer as the client accepts it, JSON by default. query: the picture, or its record in the index."""
    offer = best_of(request.headers.get("accept", ""), (_JSON, *_ANNOTATED))
    if offer == _JSON:
        return answer(answer_json(found), PARTIAL if found.missing_parts else 200, {"Vary": "Accept"})
    profile = _PROFILES[_ANNOTATED.index(offer)]
    if isinstance(query, ImageRecord):
        links = links_of(request, query.id, found)
        return annotated(found, await known_query(service, request, query, found), links, profile)
    digest = await asyncio.to_thread(lambda: hashlib.sha256(query).hexdigest())
    # Nobody can fetch this page again, whose query was in the body: its id says which query that was.
    url = f"{request.url}#query={digest}"
    sent = AnnotatedQuery(content_url(digest), "Image", "query", _sent_region(found))
    return annotated(
        found, sent, PageLinks(url, f"{url}&all", marked="&", context=context_url(server_of(request))), profile
    )


def annotated(found: FoundPage, query: AnnotatedQuery, links: PageLinks, profile: Profile) -> Response:
    """A page of annotations."""
    placed = placed_hits(found, links.url)
    page = annotation_page(placed, query, links, found.total, found.request.offset, profile)
    headers = {**NO_STORE, "Vary": "Accept"}
    return Response(to_json(page), 200, headers, f'{LINKED_DATA};profile="{profile}"')


def server_of(request: Request) -> str:
    """The server as the client sees it: its URL without a slash at the end."""
    return f"{request.url.scheme}://{request.url.netloc}"


def context_url(server: str) -> str:
    """Where the names of bof's own are explained to programs."""
    return f"{server}{PREFIX}/context.json"


def origin_of(server: str, number: int, fields: Fields, size: tuple[int, int]) -> Place:
    """Where a picture stands: in its archive, if it was harvested, else on the server."""
    return harvested_place(fields, size) or served_place(server, number, size)


def placed_hits(found: FoundPage, url: str) -> list[PlacedHit]:
    """The hits, each with its rank and its place. url: any of the server."""
    server = "/".join(url.split("/", 3)[:3])
    rows = enumerate(zip(found.hits, found.numbers, found.names, strict=True), found.request.offset + 1)
    return [
        PlacedHit(hit, rank, name, origin_of(server, number, found.fields.get(number, {}), (hit.width, hit.height)))
        for rank, (hit, number, name) in rows
    ]


async def known_query(service: Service, request: Request, record: ImageRecord, found: FoundPage) -> AnnotatedQuery:
    """A picture of the index as the query."""
    selection = await service.in_file_thread(lambda: service.collection.select(ids=[record.id]))
    fields = selection.fields.get(record.id, {})
    place = origin_of(server_of(request), record.id, fields, (record.width, record.height))
    prepared, is_posed = found.prepared, _is_posed(request)
    region = None if is_posed else place.region_in((prepared.width, prepared.height), prepared.box)
    return AnnotatedQuery(place.source, place.kind, service.collection.name_of(record, fields), region)


def links_of(request: Request, number: int, found: FoundPage) -> PageLinks:
    """The pages of the answer to a picture of the index, each of which can be fetched."""
    offset, top = found.request.offset, found.request.top
    last = offset + top < found.total and offset + top
    first = max(0, offset - top) if offset else None
    previous = "" if first is None else search_url(request, number, "annotations", first)
    following = search_url(request, number, "annotations", last) if last else ""
    whole = search_url(request, number, "annotations", 0)
    url, context = search_url(request, number, "annotations", offset), context_url(server_of(request))
    return PageLinks(url, f"{whole}#all", previous, following, context=context)


def search_url(request: Request, number: int, what: str, offset: int) -> str:
    """Where the answer to a picture of the index is, with the parameters of a request. what: manifest, annotations."""
    items = [(name, value) for name, value in request.query_params.multi_items() if name != "offset"]
    items += [("offset", str(offset))] if offset else []
    parameters = f"?{urlencode(items)}" if items else ""
    return f"{server_of(request)}{PREFIX}/search/{number}/{what}{parameters}"


def _is_posed(request: Request) -> bool:
    """Was the query turned or mirrored, so that its box is in another frame than its picture's?"""
    return any(request.query_params.get(name, "0") != "0" for name in ("turn", "flip"))


def _sent_region(found: FoundPage) -> tuple[int, int, int, int] | None:
    """The box of a picture that was sent, in the frame that it was searched in."""
    prepared = found.prepared
    if prepared.box is None:
        return None
    return served_place("", 0, (prepared.width, prepared.height)).region(prepared.box)
