"""The picture of a request: in its body, or fetched where its parameter `url` says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote, urlsplit

from starlette.requests import Request

from bof.errors import OptionError
from bof.server.http.bodies import one_part
from bof.server.http.forms import FormPart
from bof.server.http.parameters import Values
from bof.server.service import Service


@asynccontextmanager
async def given_picture(service: Service, request: Request, values: Values) -> AsyncIterator[FormPart]:
    """The picture in the body, or the one that the server fetches for it, with the name that it came with."""
    url = values["url"]
    target = None if url is None else service.fetcher.target(url)
    async with service.body(request) as body:
        if target is None:
            yield await one_part(request, body)
            return
    if body:
        raise OptionError(option="url", expected="an empty body beside it", found=f"{len(body)} bytes")
    async with service.fetcher.fetch(target) as picture:
        yield FormPart(unquote(urlsplit(url).path).rpartition("/")[2], memoryview(picture))
