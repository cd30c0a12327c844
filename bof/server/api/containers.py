"""Handler: the file that holds a picture (a PDF, a film): browsers show its page, or play it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bof.images.address import Address
from bof.images.regular import MAGIC_BYTES, open_regular
from bof.server.api.endpoint import Endpoint
from bof.server.http.answers import is_known
from bof.server.http.media_types import media_type_of
from bof.server.http.parameters import ID, Values
from bof.server.http.problems import ProblemError
from bof.server.http.ranges import range_of
from bof.server.service import Service
from bof.store.catalog import ImageRecord

_PIECE = 256 << 10


@dataclass(frozen=True, slots=True)
class _OpenedFile:
    """A file that is what was indexed. head: its first bytes."""

    stream: io.BufferedReader
    opened: contextlib.ExitStack
    head: bytes


async def send_container(service: Service, request: Request, values: Values) -> Response:
    """The file that a page, a frame or another part lies in."""
    image = await service.in_file_thread(service.collection.record, values["id"])
    if not Address.parse(image.path).part:
        raise ProblemError(
            "not-found", f"expected a part of a file, found image {image.id}, which is a file of its own"
        )
    headers = {"ETag": f'"{image.n_bytes:x}-{image.mtime_ns:x}"', "Cache-Control": "private, no-cache"}
    if is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    first, stop, status, headers = range_of(request, image.n_bytes, headers)
    file = await service.in_file_thread(_open, image)
    media_type = media_type_of(file.head)
    where = "attachment" if media_type == "application/octet-stream" else "inline"
    headers |= {"Content-Disposition": where, "Content-Length": str(stop - first)}
    if request.method == "HEAD":
        file.opened.close()
        return Response(None, status, headers, media_type)
    return StreamingResponse(_pieces(file, first, stop), status, headers, media_type)


def _open(image: ImageRecord) -> _OpenedFile:
    """Raises ProblemError, gone, where it is not what was indexed."""
    path = Path(Address.parse(image.path).file)
    with contextlib.ExitStack() as opened:
        try:
            stream = opened.enter_context(open_regular(path))
            found = os.fstat(stream.fileno())
            head = stream.read(MAGIC_BYTES)
        except (OSError, ValueError):
            found, head = None, b""
        if found is None or (found.st_size, found.st_mtime_ns) != (image.n_bytes, image.mtime_ns):
            detail = f"expected the file of image {image.id} as it was indexed, found it gone or changed"
            raise ProblemError("gone", detail)
        return _OpenedFile(stream, opened.pop_all(), head)


async def _pieces(file: _OpenedFile, first: int, stop: int) -> AsyncIterator[bytes]:
    """The bytes from first until stop; fewer where the file became shorter meanwhile."""
    with file.opened:
        file.stream.seek(first)
        left = stop - first
        while left and (piece := await asyncio.to_thread(file.stream.read, min(_PIECE, left))):
            left -= len(piece)
            yield piece


ENDPOINTS = (
    Endpoint(
        "GET", "/images/{id}/container", "Send the file that holds a picture", send_container,
        {200: "application/octet-stream", 206: "application/octet-stream", 304: ""}, parameters=(ID,),
        problems=("gone", "wrong-range"),
    ),
)  # fmt: skip
