"""Handlers: watched pictures, and what was found to show them, also for those who wait for the next."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bof.images.decode import kind_of
from bof.options.option import Option
from bof.server import uploads
from bof.server.api.endpoint import PREFIX, Endpoint
from bof.server.decoding import Pose, QueryNeeds
from bof.server.http.answers import answer
from bof.server.http.bodies import one_picture
from bof.server.http.parameters import MAX_ID, Parameter, Values, number_in_path, whole
from bof.server.http.problems import busy, not_found
from bof.server.service import Service
from bof.standing_queries.matching import StandingQueries
from bof.standing_queries.storage import MAX_NAME, MAX_NOTE, WatchList
from bof.standing_queries.types import WatchedPicture, WatchHit
from bof.system.units import when

_LOOK_SECONDS = 0.3


async def list_watches(service: Service, request: Request, values: Values) -> Response:
    """The watch-list, the last added first."""
    found = await service.in_file_thread(WatchList(service.folder).pictures)
    page = found[values["offset"] : values["offset"] + values["limit"]]
    return answer({"total": len(found), "offset": values["offset"], "watches": list(map(_watch_json, page))})


async def add_watch(service: Service, request: Request, values: Values) -> Response:
    """Watch a picture: what comes into the index from now on is compared with it."""
    async with service.body(request) as body, service.place(request):
        picture = await one_picture(request, body)
        prepared = await service.prepare(picture, Pose(), QueryNeeds())
        queries = StandingQueries(await service.engine(), lambda _: prepared.query)
        name = uploads.shown_name(values["name"])
        watched = await service.in_file_thread(queries.add, picture, name, values["note"].strip())
    return answer(_watch_json(watched), 201, {"Location": f"{PREFIX}/watches/{watched.id}"})


async def show_watch(service: Service, request: Request, values: Values) -> Response:
    """One watched picture."""
    return answer(_watch_json(await _watched(service, values["id"])))


async def send_watch_file(service: Service, request: Request, values: Values) -> Response:
    """The watched picture itself."""
    await _watched(service, values["id"])
    data = await service.in_file_thread(WatchList(service.folder).picture, values["id"])
    kind = kind_of(data or b"")
    if data is None or kind is None:
        raise not_found(f"watched picture {values['id']}")
    disposition = "attachment" if kind == "SVG" else "inline"  # see images.send_file
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'{disposition}; filename="{values["id"]}"'}
    return Response(data, 200, headers, uploads.content_type(kind))


async def remove_watch(service: Service, request: Request, values: Values) -> Response:
    """Watch a picture no more, and forget what it found."""
    if not await service.in_file_thread(WatchList(service.folder).remove, [values["id"]]):
        raise not_found(f"watched picture {values['id']}")
    return answer({"id": values["id"]})


async def list_all_watch_hits(service: Service, request: Request, values: Values) -> Response:
    """What was found to show any watched picture, in the order in which it was found."""
    return await _hits(service, values, None)


async def list_watch_hits(service: Service, request: Request, values: Values) -> Response:
    """What was found to show one watched picture, in the order in which it was found."""
    await _watched(service, values["id"])
    return await _hits(service, values, values["id"])


async def _hits(service: Service, values: Values, watched: int | None) -> Response:
    """Those after a number; where there are none, the answer waits for some, as long as it may."""
    call = WatchList(service.folder).hits, values["since"], values["limit"], watched
    found: list[WatchHit] = await service.in_file_thread(*call)
    if not found and values["wait"]:
        if service.streams.taken >= service.streams.n:
            raise busy("expected at most --streams who wait, found as many; ask without wait", 2)
        async with service.streams.hold():
            end = asyncio.get_running_loop().time() + values["wait"]
            while not found and not service.is_draining and asyncio.get_running_loop().time() < end:
                await asyncio.sleep(_LOOK_SECONDS)
                found = await service.in_file_thread(*call)
    names = await service.in_file_thread(_names, service, {hit.image for hit in found})
    last = found[-1].number if found else values["since"]
    return answer({"last": last, "hits": [_hit_json(hit, names.get(hit.image, hit.name)) for hit in found]})


def _names(service: Service, images: set[int]) -> dict[int, str]:
    """What the pictures that are still in the index are called."""
    shown = service.collection.show_all(service.collection.select(ids=images)) if images else []
    return {image["id"]: image["name"] for image in shown}


async def _watched(service: Service, number: int) -> WatchedPicture:
    found = await service.in_file_thread(WatchList(service.folder).get, number)
    if found is None:
        raise not_found(f"watched picture {number}")
    return found


def _watch_json(watched: WatchedPicture) -> dict[str, Any]:
    return {
        "id": watched.id, "name": watched.name, "note": watched.note, "version": watched.sha256[:16],
        "created": when(watched.created), "n_hits": watched.n_hits,
    }  # fmt: skip


def _hit_json(hit: WatchHit, name: str) -> dict[str, Any]:
    return {
        "number": hit.number, "watch": hit.watched, "image": hit.image, "name": name, "version": hit.sha256[:16],
        "verdict": hit.verdict, "score": round(hit.score, 4), "probability": hit.probability,
        "n_inliers": hit.n_inliers, "found": when(hit.found),
    }  # fmt: skip


_ID = number_in_path("id", "a watched picture")
_HITS = (
    whole("since", 0, 0, MAX_ID, "only hits with higher numbers: `last` of the answer before"),
    whole("limit", 100, 1, 1000, "hits in this answer"),
    whole("wait", 0, 0, 30, "seconds that the answer waits for a hit where there is none"),
)
_PICTURE = ("not-a-picture", "bad-picture", "too-large", "time-out", "busy", "too-many-requests", "conflict")

ENDPOINTS = (
    Endpoint(
        "GET", "/watches", "List the watched pictures", list_watches, {200: "Watches"},
        parameters=(
            whole("offset", 0, 0, 1_000_000, "watched pictures to pass over"),
            whole("limit", 100, 1, 1000, "watched pictures in this answer"),
        ),
    ),
    Endpoint(
        "POST", "/watches", "Watch a picture", add_watch, {201: "Watch"}, "write",
        (
            Parameter(Option("name", "picture", "what to call it"), more={"maxLength": MAX_NAME}),
            Parameter(Option("note", "", "why it is watched"), more={"maxLength": MAX_NOTE}),
        ),
        body="picture", is_heavy=True, problems=_PICTURE,
    ),
    Endpoint(
        "GET", "/watches/hits", "List what all watched pictures found", list_all_watch_hits, {200: "WatchHits"},
        parameters=_HITS, problems=("busy",),
    ),
    Endpoint("GET", "/watches/{id}", "Show a watched picture", show_watch, {200: "Watch"}, parameters=(_ID,)),
    Endpoint(
        "DELETE", "/watches/{id}", "Watch a picture no more", remove_watch, {200: "Removed"}, "write", (_ID,),
        is_heavy=True, problems=("conflict", "too-many-requests"),
    ),
    Endpoint(
        "GET", "/watches/{id}/file", "Send a watched picture", send_watch_file, {200: "image/*"}, parameters=(_ID,),
    ),
    Endpoint(
        "GET", "/watches/{id}/hits", "List what a watched picture found", list_watch_hits, {200: "WatchHits"},
        parameters=(_ID, *_HITS), problems=("busy",),
    ),
)  # fmt: skip
