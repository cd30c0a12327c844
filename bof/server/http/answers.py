"""JSON as it is sent, and what several answers are made of."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

NO_STORE = {"Cache-Control": "no-store"}


def to_json(value: object) -> bytes:
    """Compact JSON in UTF-8; NaN and infinity are mistakes."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


PARTIAL = 206
"""The status of an answer of some parts of the index alone."""


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer, which no cache keeps."""
    return Response(to_json(value), status, {**NO_STORE, **(headers or {})}, "application/json")


def is_known(request: Request, tag: str) -> bool:
    """Has the client what this ETag stands for, by If-None-Match?"""
    header = request.headers.get("if-none-match", "")
    return header.strip() == "*" or tag in re.findall(r'"[^"]*"', header)


def validated(request: Request, response: Response) -> Response:
    """The JSON that a GET is answered with, with an ETag of its content: 304 for whoever has it.

    It may be stored, and is asked for again each time: what a client may see can end with its session.
    """
    is_reading = request.method in ("GET", "HEAD") and response.status_code == 200
    if not is_reading or response.media_type != "application/json" or "etag" in response.headers:
        return response
    tag = f'"{hashlib.sha256(bytes(response.body)).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if is_known(request, tag):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response
