"""Errors as problem documents (RFC 9457)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from starlette.responses import Response

from bof.errors import BofError, ClusterError, ImageError, OptionError, display_name
from bof.images.decode import NotAPictureError, PictureTooLargeError
from bof.server.http.answers import to_json
from bof.system.files import is_disk_full

MEDIA_TYPE = "application/problem+json"

TITLES: Mapping[str, tuple[int, str]] = {
    "bad-request": (400, "The request cannot be understood"),
    "unauthorised": (401, "A token is needed"),
    "forbidden": (403, "This is not allowed"),
    "not-found": (404, "There is no such thing"),
    "method-not-allowed": (405, "This address knows other methods"),
    "time-out": (408, "The request came too slowly"),
    "conflict": (409, "The change is not possible"),
    "not-available": (409, "Not available in this index"),
    "gone": (410, "The file is gone or has changed"),
    "query-gone": (410, "The query is not stored any more"),
    "too-large": (413, "Too large"),
    "not-a-picture": (415, "Not a picture"),
    "wrong-range": (416, "There are no such bytes"),
    "bad-picture": (422, "The picture cannot be read"),
    "not-fetched": (422, "The picture cannot be fetched"),
    "wrong-host": (421, "Not a name of this server"),
    "too-many-requests": (429, "Too many requests"),
    "head-too-large": (431, "The head of the request is too large"),
    "internal": (500, "A mistake of the server"),
    "not-implemented": (501, "This server does not offer that"),
    "busy": (503, "Too much at once"),
    "no-index": (503, "The index cannot be read"),
    "no-space": (507, "The disk is full"),
}
"""Kind -> status and title: a kind is the last part of a problem's type."""

_KINDS: tuple[tuple[type[BofError], str], ...] = (
    (OptionError, "bad-request"),
    (NotAPictureError, "not-a-picture"),
    (PictureTooLargeError, "too-large"),
    (ImageError, "bad-picture"),
    (ClusterError, "no-index"),
    (BofError, "conflict"),
)
"""What an error of the library is, the first that fits."""


@dataclass(eq=False)
class ProblemError(Exception):
    """What a handler raises; it becomes the answer."""

    kind: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, object] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return TITLES[self.kind][0]

    def document(self) -> dict[str, object]:
        """The problem document."""
        status, title = TITLES[self.kind]
        return {
            "type": f"/problems/{self.kind}", "title": title, "status": status, "detail": self.detail, **self.more,
        }  # fmt: skip

    def response(self) -> Response:
        """The answer."""
        return Response(to_json(self.document()), self.status, dict(self.headers), MEDIA_TYPE)


def busy(detail: str, seconds: int = 1) -> ProblemError:
    """Come back later."""
    return ProblemError("busy", detail, {"Retry-After": str(seconds)})


def not_found(what: str) -> ProblemError:
    """There is no such thing."""
    return ProblemError("not-found", f"expected one that exists, found no {what}")


def as_problem(error: BofError, folder: str = "") -> ProblemError:
    """The problem that an error of the library is. folder: the index's; it shows no path outside of it."""
    kind = next(kind for known, kind in _KINDS if isinstance(error, known))
    if kind == "bad-picture" and error.option:  # such as a box outside the picture
        kind = "bad-request"
    detail = ": ".join(part for part in (error.option or _reported_path(error.path, folder), error.reason()) if part)
    return ProblemError(kind, detail, more={"parameter": error.option} if error.option else {})


def problem_of(error: Exception, folder: str = "") -> ProblemError | None:
    """The problem that an error is, None for a mistake of ours. folder: as in `as_problem`."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, BofError):
        return as_problem(error, folder)
    if isinstance(error, OSError) and is_disk_full(error):
        return ProblemError("no-space", "expected space on the server's disk, found none; free some and try again")
    return None


def _reported_path(path: str, folder: str) -> str:
    """A path as clients may see it: inside the index from its folder on, elsewhere not; a plain name as it is."""
    if folder and PurePath(path).is_relative_to(folder):
        return display_name(PurePath("the index", PurePath(path).relative_to(folder)))
    return "" if os.path.dirname(path) else display_name(path)
