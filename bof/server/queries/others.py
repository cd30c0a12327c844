"""Pictures that are one query with another: stored ones by their ids, those of the index by their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from bof.server.decoding import Pose, Prepared, QueryNeeds
from bof.server.http.parameters import MAX_ID, Values
from bof.server.http.problems import not_found
from bof.server.queries.preparing import prepare_stored
from bof.server.queries.store import StoredQuery
from bof.server.service import Service
from bof.store.catalog import ImageRecord


@dataclass(frozen=True, slots=True)
class OtherPictures:
    """What else is searched with, each all of it and as it stands; stored queries and pictures of the index."""

    pictures: Sequence[StoredQuery | ImageRecord] = ()

    @property
    def key(self) -> tuple[str, ...]:
        """What an answer is remembered by."""
        return tuple(f"{type(picture).__name__} {picture.id}" for picture in self.pictures)

    async def own_ids(self, service: Service) -> list[int]:
        """The pictures of the index that have the very contents of these."""
        contents = {picture.sha256 for picture in self.pictures}
        found = await service.in_file_thread(service.collection.ids_of_contents, contents)
        return [number for number, _ in found]

    async def joined(self, service: Service, first: Prepared, needs: QueryNeeds) -> Prepared:
        """A query that is ready, and these, as one."""
        return first.together([await _prepare(service, picture, needs) for picture in self.pictures])


async def _prepare(service: Service, picture: StoredQuery | ImageRecord, needs: QueryNeeds) -> Prepared:
    if isinstance(picture, StoredQuery):
        return await prepare_stored(service, picture, Pose(), needs)
    content = await service.in_file_thread(service.collection.content, picture)
    return await service.prepare(content, Pose(), needs, picture.sha256)


async def other_pictures(service: Service, request: Request, values: Values) -> OtherPictures:
    """Those that a request names. Raises ProblemError for one that is not there."""
    identity = service.guard.identity(request)
    found: list[StoredQuery | ImageRecord] = []
    for name in dict.fromkeys(values["other"]):
        if name.isdecimal():
            found.append(await service.in_file_thread(service.collection.record, _number(name)))
        else:
            found.append(service.stored.get(name, identity))
    return OtherPictures(found)


def _number(name: str) -> int:
    number = int(name)
    if number > MAX_ID:
        raise not_found(f"image {name[:50]}")
    return number
