"""Bodies of requests: read within limits of bytes and time, before any worker is taken; multipart taken apart."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from bof.server.http.limits import Budget
from bof.server.http.problems import ProblemError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

JSON_BYTES = 1 << 20
_FORM = "multipart/form-data"
_PICTURE = re.compile(r"image/[\w.+-]+|application/octet-stream")
_MAX_HEADER_BYTES = 8 << 10


@dataclass(slots=True)
class Part:
    """One field of a form: its name, the file name that it was given, and its content."""

    name: str = ""
    file_name: str = ""
    content: bytearray = field(default_factory=bytearray)


@asynccontextmanager
async def body_of(request: Request, limit: int, seconds: float, budget: Budget) -> AsyncIterator[bytes]:
    """The whole body, counted in the budget for as long as this lasts. Raises ProblemError."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > limit:
        raise _too_large(limit, f"{declared[:30]} bytes")
    chunks: list[bytes] = []
    try:
        await _gather(request, chunks, limit, seconds, budget)
        yield b"".join(chunks) if len(chunks) > 1 else chunks[0]
    finally:
        budget.give_back(sum(map(len, chunks)))


async def _gather(request: Request, chunks: list[bytes], limit: int, seconds: float, budget: Budget) -> None:
    """Append the body piece by piece; the last is empty."""
    taken = 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                taken += len(chunk)
                if taken > limit:
                    raise _too_large(limit, "more")
                budget.take(len(chunk))
                chunks.append(chunk)
    except TimeoutError:
        detail = f"expected the body within {seconds:g} s, found {taken} bytes by then"
        raise ProblemError("time-out", detail, {"Connection": "close"}) from None
    except ClientDisconnect:
        raise ProblemError("bad-request", "expected a whole body, found that the client went away") from None


def _too_large(limit: int, found: str) -> ProblemError:
    # What was not read would be taken for the next request.
    return ProblemError("too-large", f"expected at most {limit} bytes, found {found}", {"Connection": "close"})


def one_picture(request: Request, body: bytes) -> bytes:
    """The picture that a body is, or that its field `image` holds."""
    kind, boundary = _content_type(request)
    if kind == _FORM:
        return bytes(parts_of(body, boundary, 1)[0].content)
    if kind and not _PICTURE.fullmatch(kind):
        raise ProblemError("not-a-picture", f"expected image/..., application/octet-stream or {_FORM}, found {kind!r}")
    return body


def pictures(request: Request, body: bytes, n_most: int) -> list[Part]:
    """The pictures in the fields `image` of a form."""
    kind, boundary = _content_type(request)
    if kind != _FORM:
        raise ProblemError("not-a-picture", f"expected {_FORM} with fields named image, found {kind!r}")
    return parts_of(body, boundary, n_most)


def json_object(request: Request, body: bytes) -> dict[str, Any]:
    """The JSON object that a body is."""
    kind, _ = _content_type(request)
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if kind != "application/json" or not isinstance(value, dict):
        raise ProblemError("bad-request", "expected a JSON object, sent as application/json; found something else")
    return value


def _content_type(request: Request) -> tuple[str, bytes]:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    return kind.decode("latin-1").lower()[:100], options.get(b"boundary", b"")


def parts_of(body: bytes, boundary: bytes, n_most: int) -> list[Part]:
    """The fields `image` of a form, one to n_most. Raises ProblemError."""
    if not boundary or len(boundary) > 200:
        raise ProblemError("bad-request", "expected a boundary in the content type, found none")
    form = _Form(n_most)
    try:
        parser = MultipartParser(boundary, form.callbacks())
        parser.write(body)
        parser.finalize()
    except MultipartParseError as error:
        raise ProblemError("bad-request", f"expected a whole form: {str(error)[:200]}") from None
    if not form.is_whole or not form.parts:
        raise ProblemError("bad-request", "expected a form with a field named image, found none")
    return form.parts


class _Form:
    """What the parser of forms tells, gathered."""

    def __init__(self, n_most: int) -> None:
        self.parts: list[Part] = []
        self.is_whole = False
        self._n_most = n_most
        self._n_header_bytes = 0
        self._key, self._value = bytearray(), bytearray()

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._gather(lambda: self._key),
            "on_header_value": self._gather(lambda: self._value),
            "on_header_end": self._header,
            "on_headers_finished": self._require_image,
            "on_part_data": lambda data, start, end: self.parts[-1].content.extend(data[start:end]),
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.parts) == self._n_most:
            raise ProblemError("too-large", f"expected at most {self._n_most} fields named image, found more")
        self._n_header_bytes = 0
        self.parts.append(Part())

    def _gather(self, target: Callable[[], bytearray]) -> Callable[[bytes, int, int], None]:
        def add(data: bytes, start: int, end: int) -> None:
            self._n_header_bytes += end - start
            if self._n_header_bytes > _MAX_HEADER_BYTES:
                raise ProblemError("too-large", f"expected at most {_MAX_HEADER_BYTES} bytes of headers in a part")
            target().extend(data[start:end])

        return add

    def _header(self) -> None:
        if self._key.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            part = self.parts[-1]
            part.name = options.get(b"name", b"").decode("utf-8", "replace")
            part.file_name = options.get(b"filename", b"").decode("utf-8", "replace")
        self._key, self._value = bytearray(), bytearray()

    def _require_image(self) -> None:
        if self.parts[-1].name != "image":
            found = self.parts[-1].name[:50]
            raise ProblemError("bad-request", f"expected only fields named image, found {found!r}")

    def _end(self) -> None:
        self.is_whole = True
