"""Handlers: search, batches, pairs, the subject."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bof.errors import BofError
from bof.options import VARIANTS, SearchOptions
from bof.server import uploads
from bof.server.api.endpoint import Endpoint
from bof.server.api.given import given_picture
from bof.server.decoding import FindSubject, Pose, Prepared, QueryNeeds, Subject
from bof.server.http.answers import PARTIAL, answer
from bof.server.http.bodies import body_of, json_object, pictures
from bof.server.http.feature_body import MOST_BYTES, features_of
from bof.server.http.parameters import (
    FLIP,
    ID,
    OTHER,
    QUERY,
    SEARCH,
    SEARCH_FEATURES,
    TURN,
    URL,
    Values,
    number_in_path,
)
from bof.server.http.problems import ProblemError, problem_of
from bof.server.iiif.answers import negotiated
from bof.server.queries.others import other_pictures
from bof.server.search import PageRequest, match_pair, pose_of, query_json
from bof.server.searching import answer_json, find_features_page, find_joint_page, find_page, rounded
from bof.server.service import Service


async def search(service: Service, request: Request, values: Values) -> Response:
    """With a picture that is sent or fetched."""
    page_request, pose = PageRequest.of(values), pose_of(values)
    async with given_picture(service, request, values) as given, service.place(request):
        picture = bytes(given.content)
        page_request = await without_self(service, page_request, values, picture)
        found = await find_page(service, picture, pose, page_request)
        return await negotiated(service, request, found, picture)


async def without_self(service: Service, page_request: PageRequest, values: Values, picture: bytes) -> PageRequest:
    """The same, but without the pictures of the index whose files are this one, where the parameters say so."""
    if not values["exclude_self"]:
        return page_request
    digest = await asyncio.to_thread(lambda: hashlib.sha256(picture).hexdigest())
    own = await service.in_file_thread(service.collection.ids_of_content, digest)
    return page_request.without_self(values, own)


async def search_image(service: Service, request: Request, values: Values) -> Response:
    """With a picture of the index, alone or with others as one query."""
    pose, others = pose_of(values), await other_pictures(service, request, values)
    page_request = PageRequest.of(values).without_self(values, [values["id"], *await others.own_ids(service)])
    fact = await service.in_file_thread(service.collection.record, values["id"])
    async with service.place(request):
        picture = await service.in_file_thread(service.collection.content, fact)
        found = await find_page(service, picture, pose, page_request, fact.sha256, others)
        return await negotiated(service, request, found, fact)


async def search_batch(service: Service, request: Request, values: Values) -> Response:
    """With several pictures: each is answered, or told what is wrong with it."""
    page_request, pose = PageRequest.of(values), pose_of(values)
    answers: list[dict[str, Any]] = []
    async with service.body(request, many=True) as body:
        for part in await pictures(request, body, service.options.batch_images):
            async with service.place(request):
                picture = bytes(part.content)
                one_request = await without_self(service, page_request, values, picture)
                found = await _page_or_problem(service, picture, pose, one_request)
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
    async with given_picture(service, request, values) as given, service.place(request):
        prepared = await service.prepare(bytes(given.content), pose, QueryNeeds())
        return answer(await match_json(service, prepared, values["id"], values))


async def match_images(service: Service, request: Request, values: Values) -> Response:
    """Two pictures of the index."""
    pose = pose_of(values)
    fact = await service.in_file_thread(service.collection.record, values["a"])
    await service.in_file_thread(service.collection.record, values["b"])
    async with service.place(request):
        picture = await service.in_file_thread(service.collection.content, fact)
        prepared = await service.prepare(picture, pose, QueryNeeds(), fact.sha256)
        return answer(await match_json(service, prepared, values["b"], values))


async def match_json(service: Service, prepared: Prepared, number: int, values: Values) -> dict[str, Any]:
    """How a query lies in a picture of the index."""
    engine = await service.engine()
    options = SearchOptions(**{name: values[name] for name in VARIANTS})
    found = await service.in_search_thread(match_pair, service.collection, engine, prepared, number, options)
    return {**found, "seconds": rounded(found["seconds"])}


async def subject(service: Service, request: Request, values: Values) -> Response:
    """Where a picture that is sent or fetched has its subject."""
    pose = Pose(values["turn"], bool(values["flip"]))
    async with given_picture(service, request, values) as given, service.place(request):
        return subject_answer(await service.in_worker(FindSubject(bytes(given.content), pose)))


def subject_answer(found: Subject) -> Response:
    """Where a subject is."""
    box = None if found.box is None else [round(value, 2) for value in found.box]
    return answer({"box": box, "width": found.width, "height": found.height})


PICTURE = ("not-a-picture", "bad-picture", "too-large", "time-out", "busy", "not-available", "too-many-requests")
ANNOTATED = {"application/ld+json": "AnnotationPage"}


async def search_together(service: Service, request: Request, values: Values) -> Response:
    """With several pictures as one query."""
    page_request, pose = PageRequest.of(values), pose_of(values)
    async with service.body(request, many=True) as body:
        sent = [bytes(part.content) for part in await pictures(request, body, service.options.batch_images)]
        if values["exclude_self"]:
            contents = await asyncio.to_thread(lambda: {hashlib.sha256(one).hexdigest() for one in sent})
            own = await service.in_file_thread(service.collection.ids_of_contents, contents)
            page_request = page_request.without_self(values, [number for number, _ in own])
        async with service.place(request):
            found, parts = await find_joint_page(service, sent, pose, page_request)
    whole = answer_json(found)
    joint = {"queries": [query_json(part) for part in parts]} | {k: v for k, v in whole.items() if k != "query"}
    return answer(joint, PARTIAL if found.missing_parts else 200)


async def search_features(service: Service, request: Request, values: Values) -> Response:
    """With features that the client extracted, of an index of such features; there are no pixels to compare."""
    page_request = PageRequest.of(values)
    if not page_request.options.local or page_request.options.whole:
        raise ProblemError("bad-request", f"expected one ranker of features, found {page_request.options.ranker!r:.80}")
    async with body_of(request, MOST_BYTES, service.options.body_seconds, service.byte_limit) as body:
        features = await asyncio.to_thread(lambda: features_of(json_object(request, body)))
    async with service.place(request):
        found = await find_features_page(service, features, page_request)
    return answer(answer_json(found), PARTIAL if found.missing_parts else 200)


ANSWERS = {200: "Answer", 206: "Answer"}
"""Of the whole index, or of the parts of it that answered."""

ENDPOINTS = (
    Endpoint(
        "POST", "/search", "Search with a picture", search, ANSWERS, parameters=(URL, *SEARCH), body="picture",
        is_heavy=True, problems=(*PICTURE, "not-fetched"), others=ANNOTATED,
    ),
    Endpoint(
        "POST", "/search/image/{id}", "Search with a picture of the index", search_image, ANSWERS,
        parameters=(ID, OTHER, *SEARCH), is_heavy=True, problems=(*PICTURE, "gone", "query-gone"), others=ANNOTATED,
    ),
    Endpoint(
        "POST", "/search/batch", "Search with several pictures", search_batch, {200: "Answers"}, parameters=SEARCH,
        body="pictures", is_heavy=True, problems=PICTURE,
    ),
    Endpoint(
        "POST", "/search/features", "Search with features that the client extracted", search_features, ANSWERS,
        parameters=SEARCH_FEATURES, body="json", schema={"$ref": "#/components/schemas/SentFeatures"}, is_heavy=True,
        problems=("too-large", "time-out", "busy", "too-many-requests", "conflict"),
    ),
    Endpoint(
        "POST", "/search/together", "Search with several pictures of one thing", search_together,
        {200: "JointAnswer", 206: "JointAnswer"},
        parameters=SEARCH, body="pictures", is_heavy=True, problems=PICTURE,
    ),
    Endpoint(
        "POST", "/matches/{id}", "Match a picture with one of the index", match, {200: "Match"},
        parameters=(ID, URL, *QUERY), body="picture", is_heavy=True, problems=(*PICTURE, "not-fetched"),
    ),
    Endpoint(
        "GET", "/matches/{a}/{b}", "Match two pictures of the index", match_images, {200: "Match"},
        parameters=(number_in_path("a", "the query"), number_in_path("b", "the other"), *QUERY), is_heavy=True,
        problems=(*PICTURE, "gone"),
    ),
    Endpoint(
        "POST", "/subject", "Find the subject of a picture", subject, {200: "Subject"},
        parameters=(URL, TURN, FLIP), body="picture", is_heavy=True,
        problems=(*PICTURE, "not-fetched"),
    ),
)  # fmt: skip
