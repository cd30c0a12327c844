"""JSON as it is sent, and what several answers are made of."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from starlette.responses import Response

NO_STORE = {"Cache-Control": "no-store"}


def to_json(value: object) -> bytes:
    """Compact JSON in UTF-8; NaN and infinity are mistakes."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer, which no cache keeps."""
    return Response(to_json(value), status, {**NO_STORE, **(headers or {})}, "application/json")


def when(seconds: float) -> str:
    """A time as ISO 8601 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(min(max(seconds, 0.0), 253402300799.0)))
