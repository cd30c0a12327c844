"""Bodies of requests: read within limits of bytes and time, before any worker is taken; and what an endpoint takes."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request

from bof.server.http.forms import FormPart, parts_of
from bof.server.http.limits import ByteLimit
from bof.server.http.problems import ProblemError
from bof.server.http.received import why_no_json

Body = Literal["", "picture", "pictures", "json"]
"""What an endpoint takes."""

JSON_BYTES = 1 << 20
BYTES_A_SECOND = 64 << 10
"""A body may take so much longer as it has more bytes than this: half of what a slow telephone sends."""

_MAX_TYPE = 1000
_FORM = "multipart/form-data"
_PICTURE = re.compile(r"image/[\w.+-]+|application/octet-stream")


def is_named(kind: str, body: Body) -> bool:
    """Is this content type one that an endpoint with such a body names, and none that a form can have?"""
    if body == "json":
        return kind == "application/json"
    return body == "picture" and _PICTURE.fullmatch(kind) is not None


@asynccontextmanager
async def body_of(request: Request, limit: int, seconds: float, byte_limit: ByteLimit) -> AsyncIterator[bytes]:
    """The whole body, counted in the byte limit while this lasts. Raises ProblemError."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > limit:
        raise _too_large(limit, f"{declared[:30]} bytes")
    chunks: list[bytes] = []
    try:
        await _gather(request, chunks, limit, seconds, byte_limit)
        yield await asyncio.to_thread(b"".join, chunks) if len(chunks) > 2 else b"".join(chunks)
    finally:
        byte_limit.give_back(sum(map(len, chunks)))


async def _gather(request: Request, chunks: list[bytes], limit: int, seconds: float, byte_limit: ByteLimit) -> None:
    """Append the body piece by piece; the last is empty."""
    taken, start = 0, asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(seconds) as clock:
            async for chunk in request.stream():
                taken += len(chunk)
                clock.reschedule(start + seconds + taken / BYTES_A_SECOND)
                if taken > limit:
                    raise _too_large(limit, "more")
                byte_limit.take(len(chunk))
                chunks.append(chunk)
    except TimeoutError:
        rate = f"{seconds:g} s and one more for each {BYTES_A_SECOND} bytes"
        detail = f"expected the body within {rate}, found {taken} bytes by then"
        raise ProblemError("time-out", detail, {"Connection": "close"}) from None
    except ClientDisconnect:
        raise ProblemError("bad-request", "expected a whole body, found that the client went away") from None


def _too_large(limit: int, found: str) -> ProblemError:
    # What was not read would be taken for the next request.
    return ProblemError("too-large", f"expected at most {limit} bytes, found {found}", {"Connection": "close"})


async def one_picture(request: Request, body: bytes) -> bytes:
    """The picture that a body is, or that its field `image` holds."""
    return bytes((await one_part(request, body)).content)


async def one_part(request: Request, body: bytes) -> FormPart:
    """The same with its file name, which only the field of a form has."""
    kind, boundary = _content_type(request)
    if kind == _FORM:
        (part,) = await asyncio.to_thread(parts_of, body, boundary, 1)
        return part
    if kind and not _PICTURE.fullmatch(kind):
        raise ProblemError("not-a-picture", f"expected image/..., application/octet-stream or {_FORM}, found {kind!r}")
    return FormPart("", memoryview(body))


async def pictures(request: Request, body: bytes, n_most: int) -> list[FormPart]:
    """The pictures in the fields `image` of a form."""
    kind, boundary = _content_type(request)
    if kind != _FORM:
        raise ProblemError("not-a-picture", f"expected {_FORM} with fields named image, found {kind!r}")
    return await asyncio.to_thread(parts_of, body, boundary, n_most)


def json_object(request: Request, body: bytes) -> dict[str, Any]:
    """The JSON object that a body is."""
    kind, _ = _content_type(request)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if kind != "application/json" or not isinstance(value, dict):
        found = why_no_json(kind, body)
        raise ProblemError("bad-request", f"expected a JSON object, sent as application/json; found {found}")
    return value


def _content_type(request: Request) -> tuple[str, bytes]:
    # Cut, because its parameters are taken apart in time that grows with the square of their number.
    kind, options = parse_options_header(request.headers.get("content-type", "")[:_MAX_TYPE])
    return kind.decode("latin-1").lower()[:100], options.get(b"boundary", b"")
