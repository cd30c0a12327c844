"""Handlers: search, batches, pairs, the subject."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bof.errors import BofError, OptionError
from bof.options import SearchOptions
from bof.server import uploads
from bof.server.api.endpoint import Endpoint
from bof.server.decoding import FindSubject, Pose, QueryNeeds, Subject
from bof.server.http.answers import answer
from bof.server.http.bodies import one_picture, pictures
from bof.server.http.parameters import FLIP, ID, QUERY, SEARCH, TURN, URL, Values, number_in_path
from bof.server.http.problems import ProblemError, problem_of
from bof.server.iiif.answers import negotiated
from bof.server.search import PageRequest, match_pair, pose_of
from bof.server.searching import answer_json, find_page, rounded
from bof.server.service import Service


@asynccontextmanager
async def _picture(service: Service, request: Request, values: Values) -> AsyncIterator[bytes]:
    """The picture in the body, or the one that the server fetches for it."""
    target = None if values["url"] is None else service.fetcher.target(values["url"])
    async with service.body(request) as body:
        if target is None:
            yield await one_picture(request, body)
            return
    if body:
        raise OptionError(option="url", expected="an empty body beside it", found=f"{len(body)} bytes")
    async with service.fetcher.fetch(target) as picture:
        yield picture


async def search(service: Service, request: Request, values: Values) -> Response:
    """With a picture that is sent or fetched."""
    page_request, pose = PageRequest.of(values), pose_of(values)
    async with _picture(service, request, values) as picture, service.place(request):
        found = await find_page(service, picture, pose, page_request)
        return await negotiated(service, request, found, picture)


async def search_image(service: Service, request: Request, values: Values) -> Response:
    """With a picture of the index."""
    page_request, pose = PageRequest.of(values), pose_of(values)
    fact = await service.in_file_thread(service.collection.record, values["id"])
    async with service.place(request):
        picture = await service.in_file_thread(service.collection.content, fact)
        found = await find_page(service, picture, pose, page_request, fact.sha256)
        return await negotiated(service, request, found, fact)


async def search_batch(service: Service, request: Request, values: Values) -> Response:
    """With several pictures: each is answered, or told what is wrong with it."""
    page_request, pose = PageRequest.of(values), pose_of(values)
    answers: list[dict[str, Any]] = []
    async with service.body(request, many=True) as body:
        for part in await pictures(request, body, service.options.batch_images):
            async with service.place(request):
                found = await _page_or_problem(service, bytes(part.content), pose, page_request)
            answers.append({"name": uploads.shown_name(part.file_name), **found})
    return answer({"answers": answers})


async def _page_or_problem(service: Service, picture: bytes, pose: Pose, page_request: PageRequest) -> dict[str, Any]:
    try:
        return answer_json(await find_page(service, picture, pose, page_request))
    except (ProblemError, BofError) as error:
        problem = problem_of(error, str(service.folder))
        if problem is None or problem.kind == "bad-request":
            raise
        return {"problem": problem.document()}


async def match(service: Service, request: Request, values: Values) -> Response:
    """A picture that is sent or fetched with one of the index."""
    pose = pose_of(values)
    await service.in_file_thread(service.collection.record, values["id"])
    async with _picture(service, request, values) as picture, service.place(request):
        return answer(await _match(service, picture, pose, values["id"], values["mirror"]))


async def match_images(service: Service, request: Request, values: Values) -> Response:
    """Two pictures of the index."""
    pose = pose_of(values)
    fact = await service.in_file_thread(service.collection.record, values["a"])
    await service.in_file_thread(service.collection.record, values["b"])
    async with service.place(request):
        picture = await service.in_file_thread(service.collection.content, fact)
        return answer(await _match(service, picture, pose, values["b"], values["mirror"], fact.sha256))


async def _match(
    service: Service, picture: bytes, pose: Pose, number: int, mirror: str, version: str = ""
) -> dict[str, Any]:
    engine = await service.engine()
    prepared = await service.prepare(picture, pose, QueryNeeds(), version)
    options = SearchOptions(mirror=mirror)
    found = await service.in_search_thread(match_pair, service.collection, engine, prepared, number, options)
    return {**found, "seconds": rounded(found["seconds"])}


async def subject(service: Service, request: Request, values: Values) -> Response:
    """Where a picture that is sent or fetched has its subject."""
    pose = Pose(values["turn"], bool(values["flip"]), "auto")
    async with _picture(service, request, values) as picture, service.place(request):
        found: Subject = await service.in_worker(FindSubject(picture, dataclasses.replace(pose, box=None)))
    box = None if found.box is None else [round(value, 2) for value in found.box]
    return answer({"box": box, "width": found.width, "height": found.height})


_PICTURE = ("not-a-picture", "bad-picture", "too-large", "time-out", "busy", "not-available", "too-many-requests")
_ANNOTATED = {"application/ld+json": "AnnotationPage"}

ENDPOINTS = (
    Endpoint(
        "POST", "/search", "Search with a picture", search, {200: "Answer"}, parameters=(URL, *SEARCH), body="picture",
        is_heavy=True, problems=(*_PICTURE, "not-fetched"), others=_ANNOTATED,
    ),
    Endpoint(
        "POST", "/search/image/{id}", "Search with a picture of the index", search_image, {200: "Answer"},
        parameters=(ID, *SEARCH), is_heavy=True, problems=(*_PICTURE, "gone"), others=_ANNOTATED,
    ),
    Endpoint(
        "POST", "/search/batch", "Search with several pictures", search_batch, {200: "Answers"}, parameters=SEARCH,
        body="pictures", is_heavy=True, problems=_PICTURE,
    ),
    Endpoint(
        "POST", "/matches/{id}", "Match a picture with one of the index", match, {200: "Match"},
        parameters=(ID, URL, *QUERY), body="picture", is_heavy=True, problems=(*_PICTURE, "not-fetched"),
    ),
    Endpoint(
        "GET", "/matches/{a}/{b}", "Match two pictures of the index", match_images, {200: "Match"},
        parameters=(number_in_path("a", "the query"), number_in_path("b", "the other"), *QUERY), is_heavy=True,
        problems=(*_PICTURE, "gone"),
    ),
    Endpoint(
        "POST", "/subject", "Find the subject of a picture", subject, {200: "Subject"},
        parameters=(URL, TURN, FLIP), body="picture", is_heavy=True,
        problems=(*_PICTURE, "not-fetched"),
    ),
)  # fmt: skip
