"""Parts of an answer (RFC 9110, section 14): one range of bytes of what does not change under its ETag."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from bof.server.http.problems import ProblemError

_ONE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")


def in_ranges(request: Request, data: bytes, headers: Mapping[str, str], media_type: str) -> Response:
    """The whole of data, or the range of it that the request names. headers: with the strong ETag of data.

    Several ranges, units other than bytes and what is no range are answered with the whole, as the RFC allows. Raises
    ProblemError, wrong-range, where nothing of data is in the range.
    """
    headers = {**headers, "Accept-Ranges": "bytes"}
    found = _ONE.fullmatch(request.headers.get("range", ""))
    if found is None or not _is_range(found[1], found[2]) or not _is_of_this(request, headers["ETag"]):
        return Response(data, 200, headers, media_type)
    first, stop = _bounds(found[1], found[2], len(data))
    if first >= stop:
        detail = f"expected a range within {len(data)} bytes, found {found[0].strip()}"
        raise ProblemError("wrong-range", detail, {"Content-Range": f"bytes */{len(data)}"})
    headers["Content-Range"] = f"bytes {first}-{stop - 1}/{len(data)}"
    return Response(data[first:stop], 206, headers, media_type)


def _is_of_this(request: Request, tag: str) -> bool:
    """Is the client's beginning one of this content? Dates are never, as none was given."""
    return request.headers.get("if-range", tag).strip() == tag


def _is_range(first: str, last: str) -> bool:
    """Does it begin before it ends, as far as it says?"""
    return bool(first or last) and not (first and last and int(last) < int(first))


def _bounds(first: str, last: str, n_bytes: int) -> tuple[int, int]:
    """Where a range begins, and where it has ended; of `-n` the last n bytes. Empty where it holds nothing."""
    if not first:
        return max(0, n_bytes - int(last)), n_bytes
    return int(first), min(int(last) + 1, n_bytes) if last else n_bytes
