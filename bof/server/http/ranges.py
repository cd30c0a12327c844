"""Parts of an answer (RFC 9110, section 14): one range of bytes of what does not change under its ETag."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from bof.server.http.problems import ProblemError

_ONE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")


def in_ranges(request: Request, data: bytes, headers: Mapping[str, str], media_type: str) -> Response:
    """The whole of data, or the range of it that the request names: see `range_of`."""
    first, stop, status, sent = range_of(request, len(data), headers)
    return Response(data[first:stop], status, sent, media_type)


def range_of(request: Request, n_bytes: int, headers: Mapping[str, str]) -> tuple[int, int, int, dict[str, str]]:
    """What of n_bytes to send: from where until where, with which status and headers. headers: with their strong ETag.

    Several ranges, units other than bytes and what is no range are answered with the whole, as the RFC allows. Raises
    ProblemError, wrong-range, where nothing is in the range.
    """
    headers = {**headers, "Accept-Ranges": "bytes"}
    found = _ONE.fullmatch(request.headers.get("range", ""))
    if found is None or not _is_range(found[1], found[2]) or not _is_of_this(request, headers["ETag"]):
        return 0, n_bytes, 200, headers
    first, stop = _bounds(found[1], found[2], n_bytes)
    if first >= stop:
        detail = f"expected a range within {n_bytes} bytes, found {found[0].strip()}"
        raise ProblemError("wrong-range", detail, {"Content-Range": f"bytes */{n_bytes}"})
    return first, stop, 206, {**headers, "Content-Range": f"bytes {first}-{stop - 1}/{n_bytes}"}


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
