"""A picture is searched with: prepared in a process, searched in a thread, its seconds counted."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bof.engine import Engine
from bof.retrieval.query import Query
from bof.server.decoding import Pose, Prepared, QueryNeeds
from bof.server.queries.others import OtherPictures
from bof.server.queries.preparing import prepare_stored
from bof.server.queries.store import StoredQuery
from bof.server.search import DatedAnswer, FoundPage, PageRequest, needs_of, search_page
from bof.server.service import Service
from bof.types import Features

Prepares = Callable[[QueryNeeds], Awaitable[Prepared]]
"""Makes a query ready, with what the rankers need of it."""


NO_OTHERS = OtherPictures()


async def find_page(
    service: Service,
    picture: bytes,
    pose: Pose,
    page_request: PageRequest,
    version: str = "",
    others: OtherPictures = NO_OTHERS,
) -> FoundPage:
    """A page of the answer to a picture, or to it and others as one query.

    version: its hash, if it is in the index; its last answers are remembered.
    """
    key = version, pose, page_request.options, others.key
    known = service.answers.get(key) if version else None

    async def prepare(needs: QueryNeeds) -> Prepared:
        return await others.joined(service, await service.prepare(picture, pose, needs, version), needs)

    found, dated = await _find(service, page_request, prepare, known)
    if version:
        service.answers.put(key, dated)
    return found


async def find_joint_page(
    service: Service, pictures: Sequence[bytes], pose: Pose, page_request: PageRequest
) -> tuple[FoundPage, list[Prepared]]:
    """A page of the answer to several pictures as one query, and each of them as it was made ready."""
    parts: list[Prepared] = []

    async def prepare(needs: QueryNeeds) -> Prepared:
        parts.extend([await service.prepare(picture, pose, needs) for picture in pictures])
        return parts[0].together(parts[1:])

    found, _ = await _find(service, page_request, prepare, None)
    return found, parts


async def find_features_page(service: Service, features: Features, page_request: PageRequest) -> FoundPage:
    """A page of the answer to features that a client extracted. Raises MismatchError for an index of pictures."""
    engine = await service.engine()

    async def prepare(_: QueryNeeds) -> Prepared:
        query = await service.in_search_thread(engine.query_of_features, features)
        return Prepared(query, features.geometry.width, features.geometry.height, None, 0.0)

    found, _ = await _find(service, page_request, prepare, None)
    return found


async def find_stored_page(
    service: Service,
    query: StoredQuery,
    pose: Pose,
    page_request: PageRequest,
    others: OtherPictures = NO_OTHERS,
) -> FoundPage:
    """A page of the answer to a stored query, or to it and others as one; the last answer is remembered."""
    key = "answer", pose, page_request.options, others.key
    known: DatedAnswer | None = service.stored.made(query, key)

    async def prepare(needs: QueryNeeds) -> Prepared:
        return await others.joined(service, await prepare_stored(service, query, pose, needs), needs)

    found, dated = await _find(service, page_request, prepare, known)
    service.stored.add_made(query, key, dated, dated.n_bytes, 1)
    return found


async def _find(
    service: Service, page_request: PageRequest, prepare: Prepares, known: DatedAnswer | None
) -> tuple[FoundPage, DatedAnswer]:
    start = time.perf_counter()
    engine = await service.engine()
    needs = await service.in_file_thread(needs_of, engine, page_request.options)
    prepared = await prepare(needs)
    judged = await service.in_file_thread(_judged_of, engine, prepared.query)
    state = service.collection.commit_of(engine), judged
    answer = known.answer if known and known.holds(*state) else None
    found = await service.in_search_thread(search_page, service.collection, engine, prepared, page_request, answer)
    service.metrics.add_stages(found.seconds)
    waited = time.perf_counter() - start - sum(found.seconds.values())
    timed = replace(found, seconds={**found.seconds, "wait": max(0.0, waited)})
    return timed, DatedAnswer(found.answer, *state)


def _judged_of(engine: Engine, query: Query) -> dict[str, bool]:
    """What a person has said of each picture that is this query, by both contents."""
    contents = [part.judged_as for part in query.parts]
    return {f"{one} {other}": is_same for one in contents for other, is_same in engine.judgments_of(one).items()}


def answer_json(found: FoundPage) -> dict[str, Any]:
    """The whole answer."""
    return {**found.to_json(), "seconds": rounded(found.seconds)}


def rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    """To a tenth of a millisecond."""
    return {stage: round(spent, 4) for stage, spent in seconds.items()}
