"""Requests to a server: tried again where it is busy, pictures streamed from their files, refusals as errors."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from bof.errors import ServerError

if TYPE_CHECKING:
    import httpx

TOKEN_VARIABLE = "BOF_TOKEN"

_TRIES = 4
_MAX_WAIT_SECONDS = 30.0
_API = "/api/v1"
_PART_BYTES = 1024
"""Of a form, for what is written around a picture."""

Json = dict[str, Any]
Picture = Path | bytes
"""A picture file, or what one holds."""

Named = tuple[str, bytes]
"""A name and what the picture file of that name holds."""


class RefusedError(ServerError):
    """The server answered with a problem document, which `problem` is; `status` is the HTTP status."""

    problem: Json  # type: ignore[assignment]

    def __init__(self, status: int, problem: Json) -> None:
        super().__init__()
        self.status, self.problem = status, problem

    def reason(self, spell: Callable[[str], str] = str) -> str:
        """As the server said it."""
        return f"{self.status} {self.problem.get('title', 'refused')}: {self.problem.get('detail', '')}"


class Connection:
    """Talks to one server. Too many requests and a busy server are waited for a few times.

    url: the server's, with or without /api/v1; token: default $BOF_TOKEN; transport: of httpx, for tests. Every method
    raises RefusedError where the server refuses, and ServerError where it cannot be reached.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        token: str = "",
        *,
        timeout: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        try:
            import httpx
        except ImportError as error:
            advice = 'install it with: pip install "bof-search[client]"'
            raise ServerError(expected="httpx", found="none", advice=advice) from error
        token = token or os.environ.get(TOKEN_VARIABLE, "")
        headers = {"X-Bof": "1", **({"Authorization": f"Bearer {token}"} if token else {})}
        base = url.rstrip("/").removesuffix(_API) + _API
        self._httpx = httpx
        self._http = httpx.Client(base_url=base, headers=headers, timeout=timeout, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _json(self, method: str, path: str, parameters: Mapping[str, object] | None = None, **more: Any) -> Any:
        return self._request(method, path, parameters, **more).json()

    def _job(self, method: str, path: str, parameters: Mapping[str, object] | None = None, **more: Any) -> Any:
        return self._json(method, path, parameters, **more)["job"]

    def _request(
        self, method: str, path: str, parameters: Mapping[str, object] | None = None, **more: Any
    ) -> httpx.Response:
        """more: of httpx's request, and what `_body` and `_files` return, whose files are opened for each try."""
        for left in reversed(range(_TRIES)):
            with self._reaching(), _opened(more) as content:
                response = self._http.request(method, path, params=_shown(parameters or {}), **content)
            if response.status_code not in (429, 503) or not left:
                break
            time.sleep(min(float(response.headers.get("retry-after", "1")), _MAX_WAIT_SECONDS))
        if response.status_code >= 400:
            raise _refused(response)
        return response

    @contextmanager
    def _streamed(self, method: str, path: str, **more: Any) -> Iterator[httpx.Response]:
        """An answer that is read while it comes."""
        with self._reaching(), self._http.stream(method, path, timeout=None, **more) as response:
            if response.status_code != 200:
                response.read()
                raise _refused(response)
            yield response

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except self._httpx.HTTPError as error:
            reason = f"{type(error).__name__}: {error}".removesuffix(": ")
            where, advice = str(self._http.base_url), "is bof serve running there?"
            raise ServerError(path=where, expected="an answer", found=reason, advice=advice) from error


def _refused(response: httpx.Response) -> RefusedError:
    try:
        problem = response.json()
    except ValueError:
        problem = {"detail": response.text[:200]}
    return RefusedError(response.status_code, problem)


def _shown(parameters: Mapping[str, object]) -> Json:
    """Values as a query has them: a box as x0,y0,x1,y1, several tags one by one, yes and no as 1 and 0."""
    return {name: _value(name, value) for name, value in parameters.items() if value is not None}


def _value(name: str, value: Any) -> Any:
    if name in ("box", "frame") and not isinstance(value, str):
        return ",".join(f"{each:g}" for each in value)
    return int(value) if isinstance(value, bool) else value


# -- Pictures ---------------------------------------------------------------------------------------------------------


def _body(picture: Picture | None) -> Json:
    """A picture as the body of a request; none where the server fetches it."""
    return {} if picture is None else {"picture": picture}


def _files(pictures: Sequence[Picture | Named]) -> Json:
    """Pictures as the fields of a form."""
    return {"pictures": pictures}


@contextmanager
def _opened(more: Mapping[str, Any]) -> Iterator[Json]:
    """The same with the pictures' files open, so that they are sent as they are read."""
    content = dict(more)
    with ExitStack() as files:
        if "picture" in content:
            content["content"] = _stream(content.pop("picture"), files)
            content["headers"] = {"Content-Type": "application/octet-stream"}
        if "pictures" in content:
            content["files"] = [("image", _part(one, files)) for one in content.pop("pictures")]
        yield content


def _part(picture: Picture | Named, files: ExitStack) -> tuple[str, Any]:
    if isinstance(picture, tuple):
        return picture
    return ("picture" if isinstance(picture, bytes) else picture.name), _stream(picture, files)


def _stream(picture: Picture, files: ExitStack) -> Any:
    return picture if isinstance(picture, bytes) else files.enter_context(open(picture, "rb"))


def size_of(picture: Picture | Named) -> int:
    """Bytes that a picture takes in a form, with what is written around it."""
    if isinstance(picture, Path):
        return picture.stat().st_size + _PART_BYTES
    return len(picture[1] if isinstance(picture, tuple) else picture) + _PART_BYTES


def batches(pictures: Sequence[Picture | Named], n_most: int, n_bytes: int) -> Iterator[Sequence[Picture | Named]]:
    """Pictures in order, in parts of at most n_most and about n_bytes; one that is larger is a part of its own."""
    part: list[Picture | Named] = []
    room = n_bytes
    for picture in pictures:
        size = size_of(picture)
        if part and (len(part) == n_most or size > room):
            yield part
            part, room = [], n_bytes
        part.append(picture)
        room -= size
    if part:
        yield part
