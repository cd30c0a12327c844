"""Forms (multipart/form-data, RFC 7578), taken apart in time that grows with their size alone, whatever is in them.

python-multipart reads the header fields of a part here, but not the form: it steps through all that looks like a
boundary byte by byte, and searches a body in one go, which no other thread can interrupt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from python_multipart.multipart import parse_options_header

from bof.server.http.problems import ProblemError

_MAX_BOUNDARY = 200
_MAX_HEAD_BYTES = 8 << 10
_MAX_PADDING = 100
"""Empty lines before the first boundary, and blanks behind any."""

_PIECE = 256 << 10
"""Bytes that are searched before other threads have their turn: some milliseconds at the worst."""

_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\r]*)")


@dataclass(frozen=True, slots=True)
class FormPart:
    """One field `image` of a form: the file name that it was given, and its content."""

    file_name: str
    content: memoryview


def parts_of(body: bytes, boundary: bytes, n_most: int) -> list[FormPart]:
    """The fields `image` of a form, one to n_most. Raises ProblemError."""
    if not 0 < len(boundary) <= _MAX_BOUNDARY:
        raise ProblemError("bad-request", "expected a boundary in the content type, found none")
    delimiter = b"\r\n--" + boundary
    parts: list[FormPart] = []
    place = _first_boundary(body, delimiter[2:])
    while not body.startswith(b"--", place):
        file_name, start = _head(body, _next_line(body, place))
        if len(parts) == n_most:
            raise _too_many(n_most)
        end = _find(body, delimiter, start)
        parts.append(FormPart(file_name, memoryview(body)[start:end]))
        place = end + len(delimiter)
    if not parts:
        raise ProblemError("bad-request", "expected a form with a field named image, found none")
    return parts


def _too_many(n_most: int) -> ProblemError:
    """Where one picture is asked for, several are a mistake, and no matter of size."""
    if n_most == 1:
        return ProblemError("bad-request", "expected one field named image, found several")
    return ProblemError("too-large", f"expected at most {n_most} fields named image, found more")


def _not_whole(what: str) -> ProblemError:
    return ProblemError("bad-request", f"expected a whole form: {what}")


def _first_boundary(body: bytes, boundary: bytes) -> int:
    """Where what follows it begins."""
    start = len(body[:_MAX_PADDING]) - len(body[:_MAX_PADDING].lstrip(b"\r\n"))
    if not body.startswith(boundary, start):
        raise _not_whole(f"expected its boundary first, found {body[start : start + 20]!r}")
    return start + len(boundary)


def _next_line(body: bytes, place: int) -> int:
    """Where the line behind a boundary begins. RFC 2046 forbids parts in which a line begins like the boundary."""
    rest = body[place : place + _MAX_PADDING].lstrip(b" \t")
    if not rest.startswith(b"\r\n"):
        raise _not_whole(f"expected the end of a line behind a boundary, found {rest[:20]!r}")
    return place + len(body[place : place + _MAX_PADDING]) - len(rest) + 2


def _head(body: bytes, start: int) -> tuple[str, int]:
    """The file name in a part's header fields, and where its content begins. Raises ProblemError for another field."""
    block = body[start - 2 : start + _MAX_HEAD_BYTES + 4]
    stop = block.find(b"\r\n\r\n")
    if stop < 0 and len(block) > _MAX_HEAD_BYTES:
        raise ProblemError("too-large", f"expected at most {_MAX_HEAD_BYTES} bytes of headers in a part")
    fields = [_HEADER.fullmatch(line) for line in block[2:stop].split(b"\r\n")] if stop > 0 else []
    if stop < 0 or not all(fields):
        raise _not_whole(f"expected the header fields of a part, found {block[2:22]!r}")
    reported = {field[1].lower(): field[2].strip() for field in fields if field}
    _, options = parse_options_header(reported.get(b"content-disposition", b""))
    name, file_name = (options.get(key, b"").decode("utf-8", "replace") for key in (b"name", b"filename"))
    if name != "image":
        expected = "expected only fields named image, and parameters in the address (?top=5)"
        raise ProblemError("bad-request", f"{expected}, found the field {name[:50]!r}")
    return file_name, start + stop + 2


def _find(body: bytes, delimiter: bytes, start: int) -> int:
    """Where it begins."""
    for low in range(start, len(body), _PIECE):
        found = body.find(delimiter, low, low + _PIECE + len(delimiter) - 1)
        if found >= 0:
            return found
    raise _not_whole("expected a boundary at its end, found none")
