"""The share target of the page as an app: "share to bof" sends a picture here, and leads to the search with it."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bof.server.api.endpoint import Endpoint
from bof.server.api.queries import stored_query
from bof.server.http.bodies import pictures
from bof.server.http.gate import SHARE
from bof.server.http.parameters import Values
from bof.server.http.problems import ProblemError
from bof.server.queries.reading import SentPicture
from bof.server.service import Service


async def share(service: Service, request: Request, values: Values) -> Response:
    """Store the first picture of a form and open the page at it; what goes wrong is said there."""
    try:
        return _to_page(await _shared(service, request))
    except ProblemError as problem:
        return _to_page({"problem": problem.kind})


async def _shared(service: Service, request: Request) -> dict[str, str]:
    service.guard.admit(request, "read")
    async with service.body(request, many=True) as body:
        first, *others = await pictures(request, body, service.options.batch_images)
        async with service.place(request):
            query = await stored_query(service, request, SentPicture(bytes(first.content)), first.file_name)
    return {"query": query.id, **({"more": str(len(others))} if others else {})}


def _to_page(query: dict[str, str]) -> Response:
    return RedirectResponse(f"/#/search?{urlencode(query)}", 303, {"Cache-Control": "no-store"})


ENDPOINTS = (
    Endpoint(
        "POST", SHARE, "Search with a picture that is shared to the page", share, {303: ""}, "open", body="pictures",
        is_heavy=True, prefix="",
    ),
)  # fmt: skip
