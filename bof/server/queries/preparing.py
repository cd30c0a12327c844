"""A stored query made ready for a search: its picture is read once for each way to look at it, every box is cut out."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import replace

from bof.retrieval.query import WholePicture
from bof.server.decoding import FindSubject, Pose, Prepared, QueryNeeds, Subject
from bof.server.queries.reading import CutQuery, ReadWhole, SentPicture
from bof.server.queries.store import StoredQuery
from bof.server.service import Service

N_POSES = 2
"""Ways to look at a picture, the last used, in which it stays read."""


async def prepare_stored(service: Service, query: StoredQuery, pose: Pose, needs: QueryNeeds) -> Prepared:
    """The query, or a box of it, with the very values that sending the picture again would give."""
    start = time.perf_counter()
    upright = replace(pose, box=None)
    box = (await find_subject(service, query, upright)).box if isinstance(pose.box, str) else pose.box
    whole = await _whole(service, query, upright, needs)
    if needs.column_spec.groups:
        cut = await service.in_worker(CutQuery(whole, box, needs))
    else:
        cut = await service.in_search_thread(whole.query, box)
    prepared = Prepared(cut, whole.picture.width, whole.picture.height, box, time.perf_counter() - start)
    return service.rereadable(prepared.judged_as(query.sha256), query.picture, pose)


async def read_upright(service: Service, picture: SentPicture) -> WholePicture:
    """A picture as most searches look at it, before it is a query. Raises ProblemError where it cannot be read."""
    found: WholePicture = await service.in_worker(ReadWhole(picture, Pose(), QueryNeeds()))
    return found


def remember_upright(service: Service, query: StoredQuery, whole: WholePicture) -> None:
    """Store what `read_upright` has read, for the first search."""
    service.stored.add_made(query, _key(Pose(), QueryNeeds()), whole, whole.n_bytes, N_POSES)


def _key(upright: Pose, needs: QueryNeeds) -> Hashable:
    return "whole", upright, needs.features, bool(needs.column_spec.groups)


async def _whole(service: Service, query: StoredQuery, upright: Pose, needs: QueryNeeds) -> WholePicture:
    key = _key(upright, needs)
    known: WholePicture | None = service.stored.made(query, key)
    if known is not None:
        return known
    found: WholePicture = await service.in_worker(ReadWhole(query.picture, upright, needs))
    service.stored.add_made(query, key, found, found.n_bytes, N_POSES)
    return found


async def find_subject(service: Service, query: StoredQuery, upright: Pose) -> Subject:
    """Where a stored query has its subject, in pixels of the picture as it is turned."""
    key = "subject", upright
    known: Subject | None = service.stored.made(query, key)
    if known is not None:
        return known
    found: Subject = await service.in_worker(FindSubject(query.picture.data, upright, query.picture.frame))
    service.stored.add_made(query, key, found, 100, N_POSES)
    return found
