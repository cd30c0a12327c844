"""Handlers: queries that the server stores for a while, and what can be done with them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bof.errors import OptionError
from bof.retrieval.query import WholePicture
from bof.server import uploads
from bof.server.api.endpoint import PREFIX, Endpoint
from bof.server.api.given import given_picture
from bof.server.api.search import ANNOTATED, ANSWERS, PICTURE, match_json, subject_answer
from bof.server.decoding import Pose, QueryNeeds, Shrink
from bof.server.http.answers import answer
from bof.server.http.parameters import (
    CONTENT,
    FLIP,
    FRAME,
    ID,
    NAME,
    OTHER,
    QUERY,
    SEARCH,
    STORED,
    TURN,
    URL,
    Values,
    choice,
)
from bof.server.iiif.answers import negotiated
from bof.server.queries.others import other_pictures
from bof.server.queries.preparing import find_subject, prepare_stored, read_upright, remember_upright
from bof.server.queries.reading import SentPicture
from bof.server.queries.store import Sender, StoredQuery, new_id
from bof.server.search import PageRequest, pose_of
from bof.server.searching import find_stored_page
from bof.server.service import Service
from bof.system.units import when

PICTURE_SIZES = (320, 640, 1600)
_SENT_NAME = "picture"


async def send_query(service: Service, request: Request, values: Values) -> Response:
    """Store a picture, ready to be searched with."""
    if values["sha256"] and not values["frame"]:
        raise OptionError(option="sha256", expected="frame beside it, for a smaller copy", found="none")
    async with given_picture(service, request, values) as given, service.place(request):
        picture = SentPicture(bytes(given.content), values["frame"], values["sha256"] or "")
        query = await stored_query(service, request, picture, values["name"] or given.file_name)
    headers = {"Location": f"{PREFIX}/queries/{query.id}"}
    return answer(_query_json(service, query), 201, headers)


async def stored_query(service: Service, request: Request, picture: SentPicture, name: str) -> StoredQuery:
    """The query that a picture is from now on. Raises ProblemError for one that cannot be read."""
    whole: WholePicture = await read_upright(service, picture)
    sender = Sender(service.guard.identity(request), request.client.host if request.client else "")
    n_features = 0 if whole.features is None else len(whole.features)
    size = whole.picture.width, whole.picture.height
    digest = await asyncio.to_thread(lambda: picture.sha256)
    shown = uploads.shown_name(name) if name else _SENT_NAME
    query = StoredQuery(new_id(), shown, picture, digest, *size, n_features, sender)
    service.stored.put(query)
    remember_upright(service, query, whole)
    return query


def _query_json(service: Service, query: StoredQuery) -> dict[str, Any]:
    return {
        "id": query.id, "name": query.name, "version": query.sha256[:16], "width": query.width, "height": query.height,
        "n_features": query.n_features, "n_bytes": len(query.picture.data),
        "expires": when(time.time() + service.stored.seconds_left(query)),
    }  # fmt: skip


def _stored(service: Service, request: Request, values: Values) -> StoredQuery:
    return service.stored.get(values["query"], service.guard.identity(request))


async def show_query(service: Service, request: Request, values: Values) -> Response:
    """What is known of a stored query."""
    return answer(_query_json(service, _stored(service, request, values)))


async def send_query_picture(service: Service, request: Request, values: Values) -> Response:
    """An upright JPEG of it, made once."""
    query, size = _stored(service, request, values), values["size"]
    headers = {"Cache-Control": "private, no-cache", "ETag": f'"{query.id}-{size}"'}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    made: bytes | None = service.stored.made(query, ("picture", size))
    if made is None:
        async with service.place(request):
            made = await service.in_worker(Shrink(query.picture.data, size))
        service.stored.add_made(query, ("picture", size), made, len(made), len(PICTURE_SIZES))
    return Response(made, 200, headers, "image/jpeg")


async def remove_query(service: Service, request: Request, values: Values) -> Response:
    """Forget a stored query."""
    service.stored.remove(values["query"], service.guard.identity(request))
    return answer({"id": values["query"]})


async def search_query(service: Service, request: Request, values: Values) -> Response:
    """With a stored query, alone or with others as one."""
    page_request, pose = PageRequest.of(values), pose_of(values)
    query, others = _stored(service, request, values), await other_pictures(service, request, values)
    if values["exclude_self"]:
        own = await service.in_file_thread(service.collection.ids_of_content, query.sha256)
        page_request = page_request.without_self(values, [*own, *await others.own_ids(service)])
    async with service.place(request):
        found = await find_stored_page(service, query, pose, page_request, others)
        return await negotiated(service, request, found, query.picture.data)


async def match_query(service: Service, request: Request, values: Values) -> Response:
    """A stored query with a picture of the index."""
    pose, query = pose_of(values), _stored(service, request, values)
    await service.in_file_thread(service.collection.record, values["id"])
    async with service.place(request):
        prepared = await prepare_stored(service, query, pose, QueryNeeds())
        return answer(await match_json(service, prepared, values["id"], values))


async def subject_of_query(service: Service, request: Request, values: Values) -> Response:
    """Where a stored query has its subject."""
    query = _stored(service, request, values)
    async with service.place(request):
        return subject_answer(await find_subject(service, query, Pose(values["turn"], bool(values["flip"]))))


_OF_QUERY = (*PICTURE, "query-gone")

ENDPOINTS = (
    Endpoint(
        "POST", "/queries", "Store a picture to search with", send_query, {201: "StoredQuery"},
        parameters=(URL, NAME, FRAME, CONTENT), body="picture", is_heavy=True, problems=(*PICTURE, "not-fetched"),
    ),
    Endpoint(
        "GET", "/queries/{query}", "One stored query", show_query, {200: "StoredQuery"}, parameters=(STORED,),
        problems=("query-gone",),
    ),
    Endpoint(
        "DELETE", "/queries/{query}", "Forget a stored query", remove_query, {200: "RemovedQuery"},
        parameters=(STORED,), problems=("query-gone",),
    ),
    Endpoint(
        "GET", "/queries/{query}/picture", "The picture of a stored query", send_query_picture,
        {200: "image/jpeg", 304: ""},
        parameters=(STORED, choice("size", 1600, PICTURE_SIZES, "its long side in pixels, at most")),
        problems=("query-gone", "bad-picture", "busy"),
    ),
    Endpoint(
        "POST", "/search/query/{query}", "Search with a stored query", search_query, ANSWERS,
        parameters=(STORED, OTHER, *SEARCH), is_heavy=True, problems=(*_OF_QUERY, "gone"), others=ANNOTATED,
    ),
    Endpoint(
        "GET", "/matches/query/{query}/{id}", "Match a stored query with a picture of the index", match_query,
        {200: "Match"}, parameters=(STORED, ID, *QUERY), is_heavy=True, problems=_OF_QUERY,
    ),
    Endpoint(
        "GET", "/subject/query/{query}", "Find the subject of a stored query", subject_of_query, {200: "Subject"},
        parameters=(STORED, TURN, FLIP), is_heavy=True, problems=_OF_QUERY,
    ),
)  # fmt: skip
