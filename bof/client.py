"""A client of the HTTP API (docs/api.md): every endpoint is a method, every answer the JSON that was sent.

with Client("http://127.0.0.1:8000") as client:
    for hit in client.search(Path("query.jpg"), top=5)["hits"]:
        print(hit["name"], hit["verdict"])
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from bof.errors import ServerError

if TYPE_CHECKING:
    import httpx

TOKEN_VARIABLE = "BOF_TOKEN"

_TRIES = 4
_MAX_WAIT_SECONDS = 30.0

Json = dict[str, Any]
Picture = Path | bytes
"""A picture file, or what one holds."""


class RefusedError(ServerError):
    """The server answered with a problem document, which `problem` is; `status` is the HTTP status."""

    problem: Json  # type: ignore[assignment]

    def __init__(self, status: int, problem: Json) -> None:
        super().__init__()
        self.status, self.problem = status, problem

    def reason(self, spell: Callable[[str], str] = str) -> str:
        """As the server said it."""
        return f"{self.status} {self.problem.get('title', 'refused')}: {self.problem.get('detail', '')}"


class Client:
    """Talks to one server. Too many requests and a busy server are waited for a few times.

    token: default $BOF_TOKEN; transport: of httpx, for tests. Every method raises RefusedError where the server
    refuses, and ServerError where it cannot be reached.
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
        base = url.rstrip("/") + "/api/v1"
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

    # -- Searching ----------------------------------------------------------------------------------------------------

    def search(self, picture: Picture, **parameters: Any) -> Json:
        """The answer to a picture. parameters: as docs/api.md has them: top=5, box="auto", tag=["museum"]."""
        return self._json("POST", "/search", parameters, **_body(picture))

    def search_image(self, image: int, **parameters: Any) -> Json:
        """The answer to a picture of the index."""
        return self._json("POST", f"/search/image/{image}", parameters)

    def send_query(self, picture: Picture, **parameters: Any) -> Json:
        """Store a picture on the server, which forgets it some time after its last use; its `id` is for what follows.

        parameters: name, and of a smaller copy frame=(width, height) and sha256.
        """
        return self._json("POST", "/queries", parameters, **_body(picture))

    def query(self, query: str) -> Json:
        """A stored query."""
        return self._json("GET", f"/queries/{query}")

    def query_picture(self, query: str, size: int = 1600) -> bytes:
        """An upright JPEG of a stored query."""
        return self._request("GET", f"/queries/{query}/picture", {"size": size}).content

    def forget_query(self, query: str) -> Json:
        """The server forgets a stored query."""
        return self._json("DELETE", f"/queries/{query}")

    def search_query(self, query: str, **parameters: Any) -> Json:
        """The answer to a stored query."""
        return self._json("POST", f"/search/query/{query}", parameters)

    def match_query(self, query: str, image: int, **parameters: Any) -> Json:
        """How a stored query lies in a picture of the index."""
        return self._json("GET", f"/matches/query/{query}/{image}", parameters)

    def subject_of_query(self, query: str, **parameters: Any) -> Json:
        """The box of what a stored query shows most prominently."""
        return self._json("GET", f"/subject/query/{query}", parameters)

    def search_batch(self, pictures: Sequence[Picture], **parameters: Any) -> list[Json]:
        """The answers to several pictures, or the `problem` that there was with one, in their order."""
        answers: list[Json] = self._json("POST", "/search/batch", parameters, files=_files(pictures))["answers"]
        return answers

    def subject(self, picture: Picture, **parameters: Any) -> Json:
        """The box of what a picture shows most prominently."""
        return self._json("POST", "/subject", parameters, **_body(picture))

    def match(self, image: int, picture: Picture, **parameters: Any) -> Json:
        """How a picture lies in one of the index."""
        return self._json("POST", f"/matches/{image}", parameters, **_body(picture))

    def match_images(self, a: int, b: int, **parameters: Any) -> Json:
        """How picture a of the index lies in picture b."""
        return self._json("GET", f"/matches/{a}/{b}", parameters)

    # -- The collection -----------------------------------------------------------------------------------------------

    def images(self, **parameters: Any) -> Iterator[Json]:
        """Every picture that meets the conditions, read page by page."""
        offset = 0
        while True:
            page = self._json("GET", "/images", {"limit": 500, **parameters, "offset": offset})
            yield from page["images"]
            offset += len(page["images"])
            if not page["images"] or offset >= page["total"]:
                return

    def image(self, image: int) -> Json:
        """One picture's facts."""
        return self._json("GET", f"/images/{image}")

    def file(self, image: int) -> bytes:
        """The original."""
        return self._request("GET", f"/images/{image}/file").content

    def thumbnail(self, image: int, size: int = 320) -> bytes:
        """A small JPEG."""
        return self._request("GET", f"/images/{image}/thumbnail", {"size": size}).content

    def index(self) -> Json:
        """The index in figures."""
        return self._json("GET", "/index")

    def rankers(self) -> Json:
        """How pictures can be ranked."""
        return self._json("GET", "/rankers")

    def health(self) -> Json:
        """Is the server running?"""
        return self._json("GET", "/health")

    def metrics(self) -> str:
        """Counters, in Prometheus' format."""
        return self._request("GET", "/metrics").text

    # -- Changes ------------------------------------------------------------------------------------------------------

    def add(self, pictures: Sequence[Picture]) -> Json:
        """Add pictures, as many as fit into one body; returns the job, see `wait`."""
        return self._job("POST", "/images", files=_files(pictures))

    def update(self, image: int, picture: Picture) -> Json:
        """Replace an uploaded picture; returns the job."""
        return self._job("PUT", f"/images/{image}/file", **_body(picture))

    def remove(self, image: int) -> Json:
        """Take a picture out; `job` is in the answer where another change still runs."""
        return self._json("DELETE", f"/images/{image}")

    def tag(self, image: int, tags: Sequence[str]) -> Json:
        """Give a picture these tags instead of those that it has."""
        return self._json("PUT", f"/images/{image}/tags", json={"tags": list(tags)})

    def sync(self, *, delete: bool = False) -> Json:
        """Look into the index's folders again; returns the job."""
        return self._job("POST", "/sync", {"delete": int(delete)})

    def find_duplicates(self, kind: str = "crop") -> Json:
        """Look for duplicates: exact, copy, crop or scene; returns the job."""
        return self._job("POST", "/duplicates", json={"kind": kind})

    def duplicates(self, kind: str = "crop", **parameters: Any) -> Json:
        """A page of groups, as the last look found them."""
        return self._json("GET", "/duplicates", {"kind": kind, **parameters})

    def reject(self, a: int, b: int) -> Json:
        """These two are no duplicates."""
        return self._json("POST", "/duplicates/reject", json={"a": a, "b": b})

    def job(self, job: str) -> Json:
        """How far a change is."""
        return self._json("GET", f"/jobs/{job}")

    def follow(self, job: str) -> Iterator[Json]:
        """A job as often as it changes, until it is over."""
        try:
            with self._http.stream("GET", f"/jobs/{job}/events", timeout=None) as response:
                if response.status_code != 200:
                    response.read()
                    raise _refused(response)
                for line in response.iter_lines():
                    if line.startswith("data: "):
                        yield json.loads(line[6:])
        except self._httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def wait(self, job: str) -> Json:
        """A job once it is over. Raises RefusedError where it failed."""
        *_, last = self.follow(job)
        if last.get("error"):
            raise RefusedError(last["error"]["status"], last["error"])
        return last

    # -- Requests -----------------------------------------------------------------------------------------------------

    def _json(self, method: str, path: str, parameters: Json | None = None, **more: Any) -> Json:
        found: Json = self._request(method, path, parameters, **more).json()
        return found

    def _job(self, method: str, path: str, parameters: Json | None = None, **more: Any) -> Json:
        found: Json = self._json(method, path, parameters, **more)["job"]
        return found

    def _request(self, method: str, path: str, parameters: Json | None = None, **more: Any) -> httpx.Response:
        try:
            for left in reversed(range(_TRIES)):
                response = self._http.request(method, path, params=_shown(parameters or {}), **more)
                if response.status_code not in (429, 503) or not left:
                    break
                time.sleep(min(float(response.headers.get("retry-after", "1")), _MAX_WAIT_SECONDS))
        except self._httpx.HTTPError as error:
            raise self._unreachable(error) from error
        if response.status_code >= 400:
            raise _refused(response)
        return response

    def _unreachable(self, error: Exception) -> ServerError:
        reason = f"{type(error).__name__}: {error}".removesuffix(": ")
        where, advice = str(self._http.base_url), "is bof serve running there?"
        return ServerError(path=where, expected="an answer", found=reason, advice=advice)


def _refused(response: httpx.Response) -> RefusedError:
    try:
        problem = response.json()
    except ValueError:
        problem = {"detail": response.text[:200]}
    return RefusedError(response.status_code, problem)


def _shown(parameters: Json) -> Json:
    """Values as a query has them: a box as x0,y0,x1,y1, several tags one by one, yes and no as 1 and 0."""
    return {name: _value(name, value) for name, value in parameters.items() if value is not None}


def _value(name: str, value: Any) -> Any:
    if name in ("box", "frame") and not isinstance(value, str):
        return ",".join(f"{each:g}" for each in value)
    return int(value) if isinstance(value, bool) else value


def _content(picture: Picture) -> bytes:
    return picture if isinstance(picture, bytes) else picture.read_bytes()


def _body(picture: Picture) -> Json:
    return {"content": _content(picture), "headers": {"Content-Type": "application/octet-stream"}}


def _files(pictures: Sequence[Picture]) -> list[tuple[str, tuple[str, bytes]]]:
    names = ["picture" if isinstance(each, bytes) else each.name for each in pictures]
    return [("image", (name, _content(each))) for name, each in zip(names, pictures, strict=True)]
