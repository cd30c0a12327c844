"""A client of the HTTP API (docs/api.md): every endpoint is a method, every answer the JSON that was sent.

with Client("http://127.0.0.1:8000") as client:
    for hit in client.search(Path("query.jpg"), top=5)["hits"]:
        print(hit["name"], hit["verdict"])
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from bof import api_types as api
from bof.connection import TOKEN_VARIABLE as TOKEN_VARIABLE
from bof.connection import Connection, Json, Named, Picture, _body, _files, batches
from bof.connection import RefusedError as RefusedError

if TYPE_CHECKING:
    from bof.types import Features

Kind = Literal["exact", "copy", "crop", "scene"]


class Client(Connection):
    """Talks to one server. Too many requests and a busy server are waited for a few times.

    url: the server's, with or without /api/v1; token: default $BOF_TOKEN; transport: of httpx, for tests. Every method
    raises RefusedError where the server refuses, and ServerError where it cannot be reached. parameters are as
    docs/api.md has them: top=5, box="auto", tag=["museum"].
    """

    # -- Searching ----------------------------------------------------------------------------------------------------

    def search(self, picture: Picture | None = None, **parameters: Unpack[api.SearchParameters]) -> api.Answer:
        """The answer to a picture. Without one, to what the server fetches from url=."""
        return self._json("POST", "/search", parameters, **_body(picture))

    def search_image(self, image: int, **parameters: Unpack[api.SearchImageParameters]) -> api.Answer:
        """The answer to a picture of the index."""
        return self._json("POST", f"/search/image/{image}", parameters)

    # -- Stored queries -----------------------------------------------------------------------------------------------

    def send_query(
        self, picture: Picture | None = None, **parameters: Unpack[api.SendQueryParameters]
    ) -> api.StoredQuery:
        """Store a picture on the server, which forgets it some time after its last use; its `id` is for what follows.

        Of a smaller copy frame=(width, height) and sha256 say what it is a copy of. name: default its file's.
        """
        named = {"name": picture.name} if isinstance(picture, Path) else {}
        return self._json("POST", "/queries", {**named, **parameters}, **_body(picture))

    def query(self, query: str) -> api.StoredQuery:
        """A stored query."""
        return self._json("GET", f"/queries/{query}")

    def query_picture(self, query: str, size: int = 1600) -> bytes:
        """An upright JPEG of a stored query."""
        return self._request("GET", f"/queries/{query}/picture", {"size": size}).content

    def forget_query(self, query: str) -> api.RemovedQuery:
        """The server forgets a stored query."""
        return self._json("DELETE", f"/queries/{query}")

    def search_query(self, query: str, **parameters: Unpack[api.SearchQueryParameters]) -> api.Answer:
        """The answer to a stored query."""
        return self._json("POST", f"/search/query/{query}", parameters)

    def match_query(self, query: str, image: int, **parameters: Unpack[api.MatchQueryParameters]) -> api.Match:
        """How a stored query lies in a picture of the index."""
        return self._json("GET", f"/matches/query/{query}/{image}", parameters)

    def subject_of_query(self, query: str, **parameters: Unpack[api.SubjectOfQueryParameters]) -> api.Subject:
        """The box of what a stored query shows most prominently."""
        return self._json("GET", f"/subject/query/{query}", parameters)

    # -- Several at once ----------------------------------------------------------------------------------------------

    def search_batch(
        self, pictures: Sequence[Picture | Named], **parameters: Unpack[api.SearchBatchParameters]
    ) -> list[api.NamedAnswer | api.NamedProblem]:
        """The answers to several pictures, or the `problem` that there was with one, in their order.

        As many as fit into a body are sent at a time.
        """
        sent = (_files(part) for part in self._batches(pictures))
        answers = [self._json("POST", "/search/batch", parameters, **part)["answers"] for part in sent]
        return [one for part in answers for one in part]

    def search_together(
        self, pictures: Sequence[Picture | Named], **parameters: Unpack[api.SearchTogetherParameters]
    ) -> api.JointAnswer:
        """The answer to several pictures of one thing as one query; a hit says which proves it."""
        return self._json("POST", "/search/together", parameters, **_files(pictures))

    def search_features(self, features: Features, **parameters: Unpack[api.SearchFeaturesParameters]) -> api.Answer:
        """The answer to features that were extracted here, of an index of such features (`Engine.add_features`)."""
        from bof.features.encoding import encode_features

        return self._json("POST", "/search/features", parameters, json=encode_features(features))

    def subject(self, picture: Picture | None = None, **parameters: Unpack[api.SubjectParameters]) -> api.Subject:
        """The box of what a picture shows most prominently."""
        return self._json("POST", "/subject", parameters, **_body(picture))

    def match(self, image: int, picture: Picture | None = None, **parameters: Unpack[api.MatchParameters]) -> api.Match:
        """How a picture lies in one of the index."""
        return self._json("POST", f"/matches/{image}", parameters, **_body(picture))

    def match_images(self, a: int, b: int, **parameters: Unpack[api.MatchImagesParameters]) -> api.Match:
        """How picture a of the index lies in picture b."""
        return self._json("GET", f"/matches/{a}/{b}", parameters)

    # -- The collection -----------------------------------------------------------------------------------------------

    def images(self, **parameters: Unpack[api.ListImagesParameters]) -> Iterator[api.Image]:
        """Every picture that meets the conditions, from `offset` on, read page by page of `limit`."""
        offset = parameters.get("offset", 0)
        while True:
            page = self._json("GET", "/images", {"limit": 500, **parameters, "offset": offset})
            yield from page["images"]
            offset += len(page["images"])
            if not page["images"] or offset >= page["total"]:
                return

    def image(self, image: int) -> api.Image:
        """One picture's facts."""
        return self._json("GET", f"/images/{image}")

    def file(self, image: int) -> bytes:
        """The original."""
        return self._request("GET", f"/images/{image}/file").content

    def save_file(self, image: int, path: Path) -> None:
        """Write the original to a path, piece by piece; a file appears whole or not at all."""
        self._save("GET", f"/images/{image}/file", path)

    def save_container(self, image: int, path: Path) -> None:
        """The same of the file that a page, a frame or another part lies in."""
        self._save("GET", f"/images/{image}/container", path)

    def _save(self, method: str, address: str, path: Path) -> None:
        handle, fresh = tempfile.mkstemp(prefix=".", suffix=".partial", dir=path.parent)
        try:
            with open(handle, "wb") as file, self._streamed(method, address) as response:
                for piece in response.iter_bytes():
                    file.write(piece)
            os.replace(fresh, path)
        except BaseException:
            Path(fresh).unlink(missing_ok=True)
            raise

    def thumbnail(self, image: int, size: int = 320, t: str = "") -> bytes:
        """A small JPEG. t: of a frame of a film, the frame at so many seconds instead."""
        return self._request("GET", f"/images/{image}/thumbnail", {"size": size, **({"t": t} if t else {})}).content

    # -- The server ---------------------------------------------------------------------------------------------------

    def index(self) -> api.Index:
        """The index in figures."""
        return self._json("GET", "/index")

    def rankers(self) -> api.Rankers:
        """How pictures can be ranked."""
        return self._json("GET", "/rankers")

    def health(self) -> api.Health:
        """Is the server running?"""
        return self._json("GET", "/health")

    def metrics(self) -> str:
        """Counters, in Prometheus' format."""
        return self._request("GET", "/metrics").text

    def openapi(self) -> Json:
        """The OpenAPI document."""
        document: Json = self._json("GET", "/openapi.json")
        return document

    def session(self) -> api.Session:
        """What this client may do."""
        return self._json("GET", "/session")

    def open_session(self, token: str) -> api.Session:
        """Get a cookie for a token, as a browser does; it is sent with what is asked next."""
        return self._json("POST", "/session", json={"token": token})

    def close_session(self) -> api.Session:
        """Forget the cookie."""
        return self._json("DELETE", "/session")

    # -- Changes ------------------------------------------------------------------------------------------------------

    def add(self, pictures: Sequence[Picture | Named]) -> api.Job:
        """Add pictures, as many as fit into one body; returns the job, see `wait`."""
        return self._job("POST", "/images", **_files(pictures))

    def add_all(self, pictures: Sequence[Picture | Named]) -> Iterator[api.Job]:
        """Add any number of pictures, as many at a time as fit into a body; each job once it is over."""
        for part in self._batches(pictures):
            yield self.wait(self.add(part)["id"])

    def update(self, image: int, picture: Picture) -> api.Job:
        """Replace an uploaded picture; returns the job."""
        return self._job("PUT", f"/images/{image}/file", **_body(picture))

    def remove(self, image: int) -> api.Removed:
        """Take a picture out."""
        return self._changed("DELETE", f"/images/{image}") or api.Removed(id=image)

    def remove_images(self, images: Sequence[int]) -> api.Annotated:
        """Take up to 1,000 pictures out, all or none."""
        return self._changed("POST", "/images/remove", json={"images": list(images)}) or api.Annotated(
            images=list(images)
        )

    def tag(self, image: int, tags: Sequence[str]) -> api.Image:
        """Give a picture these tags instead of those that it has."""
        return self._changed("PUT", f"/images/{image}/tags", json={"tags": list(tags)}) or self.image(image)

    def set_fields(self, image: int, fields: Mapping[str, Sequence[str]]) -> api.Image:
        """Give a picture these fields instead of those that it has; its tags stay."""
        sent = {"fields": _lists(fields)}
        return self._changed("PUT", f"/images/{image}/fields", json=sent) or self.image(image)

    def annotate(
        self,
        images: Sequence[int],
        add: Mapping[str, Sequence[str]] | None = None,
        remove: Mapping[str, Sequence[str]] | None = None,
    ) -> api.Annotated:
        """Take values from fields of up to 1,000 pictures and add others, all or none; tags are the field `tag`."""
        body = {"images": list(images), "add": _lists(add or {}), "remove": _lists(remove or {})}
        return self._changed("POST", "/images/annotate", json=body) or api.Annotated(images=list(images))

    def sync(self, *, delete: bool = False) -> api.Job:
        """Look into the index's folders again; returns the job."""
        return self._job("POST", "/sync", {"delete": int(delete)})

    def find_duplicates(self, kind: Kind = "crop") -> api.Job:
        """Look for duplicates: exact, copy, crop or scene; returns the job."""
        return self._job("POST", "/duplicates", json={"kind": kind})

    def duplicates(
        self,
        kind: Kind = "crop",
        *,
        offset: int = 0,
        limit: int = 20,
        sort: Literal["frees", "pictures", "kind", "name"] = "frees",
        only: Sequence[Kind] = (),
        folder: str | None = None,
    ) -> api.Groups:
        """A page of groups, as the last look found them; only: groups of these kinds; folder: with a picture in it."""
        page = {"offset": offset, "limit": limit, "sort": sort, "only": list(only), "folder": folder}
        return self._json("GET", "/duplicates", {"kind": kind, **page})

    def reject(self, a: int, b: int) -> api.Rejected:
        """These two are no duplicates."""
        return self._json("POST", "/duplicates/reject", json={"a": a, "b": b})

    # -- Duplicates, decided on ---------------------------------------------------------------------------------------

    def duplicate_group(self, group: str, kind: Kind = "crop") -> api.Group:
        """One group by its address."""
        return self._json("GET", f"/duplicates/groups/{group}", {"kind": kind})

    def accept_duplicates(
        self,
        kind: Kind = "crop",
        action: Literal["remove", "move", "trash"] = "remove",
        *,
        only: Sequence[Kind] | None = None,
        folder: str | None = None,
        groups: Sequence[str] | None = None,
        keep: int | None = None,
        pictures: int | None = None,
    ) -> api.Job:
        """Let duplicates go, of all groups or of some, if they are as many as `pictures`; the job.

        keep: the picture that stays of the one group of `groups`, in the place of the suggested one.
        """
        wish = {"only": only, "folder": folder, "groups": groups, "keep": keep, "pictures": pictures}
        sent = {name: value for name, value in wish.items() if value is not None}
        return self._job("POST", "/duplicates/accept", json={"kind": kind, "action": action, **sent})

    def duplicate_actions(self) -> list[api.Action]:
        """What was done with duplicates and can be undone, the newest first."""
        actions: list[api.Action] = self._json("GET", "/duplicates/actions")["actions"]
        return actions

    def undo_duplicates(self, action: str) -> api.Job:
        """Undo it; returns the job."""
        return self._job("POST", f"/duplicates/actions/{action}/undo")

    def rejected(self) -> list[api.RejectedPair]:
        """Pairs that are no duplicates."""
        pairs: list[api.RejectedPair] = self._json("GET", "/duplicates/rejected")["pairs"]
        return pairs

    def forget(self, a: int, b: int) -> api.Rejected:
        """These two may be duplicates again."""
        return self._json("POST", "/duplicates/forget", json={"a": a, "b": b})

    # -- Judgments, values, pairing -----------------------------------------------------------------------------------

    def judge(self, query: int | str, image: int | str, judgment: Literal["same", "different"]) -> api.Judgment:
        """Two pictures, each by its id or the SHA-256 of its file, show the "same" thing, or a "different" one."""
        return self._json("PUT", "/judgments", json={"query": query, "image": image, "judgment": judgment})

    def withdraw_judgment(self, query: int | str, image: int | str) -> api.Withdrawn:
        """Forget what was judged of two pictures."""
        return self._json("DELETE", "/judgments", {"query": query, "image": image})

    def judgments(self, image: int | str | None = None, *, offset: int = 0, limit: int = 50) -> api.Judgments:
        """A page of what was judged, the last first; image: of one picture, by its id or the SHA-256 of its file."""
        return self._json("GET", "/judgments", {"image": image, "offset": offset, "limit": limit})

    def values(self, field: str = "tag", *, contains: str = "", offset: int = 0, limit: int = 50) -> api.FieldValues:
        """A page of the values that pictures have of a field, the most frequent first; contains: that hold this."""
        parameters = {"contains": contains, "offset": offset, "limit": limit}
        return self._json("GET", "/values", {"field": field, **parameters})

    # -- Watched pictures ---------------------------------------------------------------------------------------------

    def watches(self, *, offset: int = 0, limit: int = 100) -> api.Watches:
        """The watch-list, the last added first."""
        return self._json("GET", "/watches", {"offset": offset, "limit": limit})

    def watch(self, picture: Picture, name: str = "", note: str = "") -> api.Watch:
        """Watch a picture: what comes into the index from now on is compared with it. name: default its file's."""
        name = name or (picture.name if isinstance(picture, Path) else "picture")
        return self._json("POST", "/watches", {"name": name, "note": note}, **_body(picture))

    def watched(self, watch: int) -> api.Watch:
        """One watched picture."""
        return self._json("GET", f"/watches/{watch}")

    def watched_file(self, watch: int) -> bytes:
        """The watched picture itself."""
        return self._request("GET", f"/watches/{watch}/file").content

    def unwatch(self, watch: int) -> api.Removed:
        """Watch a picture no more, and forget what it found."""
        return self._json("DELETE", f"/watches/{watch}")

    def watch_hits(self, watch: int | None = None, *, since: int = 0, limit: int = 100, wait: int = 0) -> api.WatchHits:
        """What was found after the hit of number `since`; wait: seconds to wait for the first."""
        parameters = {"since": since, "limit": limit, "wait": wait}
        if watch is None:
            return self._json("GET", "/watches/hits", parameters)
        return self._json("GET", f"/watches/{watch}/hits", parameters)

    # -- Jobs ---------------------------------------------------------------------------------------------------------

    def jobs(self, *, offset: int = 0, limit: int = 100) -> api.Jobs:
        """The last changes, newest first."""
        return self._json("GET", "/jobs", {"offset": offset, "limit": limit})

    def job(self, job: str) -> api.Job:
        """How far a change is."""
        return self._json("GET", f"/jobs/{job}")

    def cancel(self, job: str) -> api.Job:
        """End a job, with what is done committed."""
        return self._json("POST", f"/jobs/{job}/cancel")

    def follow(self, job: str) -> Iterator[api.Job]:
        """A job as often as it changes, until it is over."""
        with self._streamed("GET", f"/jobs/{job}/events") as response:
            for line in response.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line[6:])

    def wait(self, job: str) -> api.Job:
        """A job once it is over. Raises RefusedError where it failed."""
        *_, last = self.follow(job)
        if error := last.get("error"):
            raise RefusedError(error["status"], dict(error))
        return last

    def _changed(self, method: str, path: str, **more: Any) -> Any:
        """What a small change is answered with; None where it waited for another and is done now."""
        found = self._json(method, path, **more)
        if "job" not in found:
            return found
        self.wait(found["job"]["id"])
        return None

    # -- Batches ------------------------------------------------------------------------------------------------------

    @cached_property
    def _limits(self) -> dict[str, float]:
        return dict(self.index()["limits"])

    def _batches(self, pictures: Sequence[Picture | Named]) -> Iterator[Sequence[Picture | Named]]:
        n_bytes = int(self._limits["batch_megabytes"]) << 20
        return batches(pictures, int(self._limits["batch_images"]), n_bytes)


def _lists(fields: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {name: list(values) for name, values in fields.items()}
