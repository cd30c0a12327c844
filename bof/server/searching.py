"""A picture is searched with: prepared in a process, searched in a thread, its seconds counted."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bof.retrieval.query import together
from bof.server.decoding import Pose, Prepared, QueryNeeds
from bof.server.queries.preparing import prepare_stored
from bof.server.queries.store import StoredQuery
from bof.server.search import DatedAnswer, FoundPage, PageRequest, needs_of, search_page
from bof.server.service import Service
from bof.types import Features

Prepares = Callable[[QueryNeeds], Awaitable[Prepared]]
"""Makes a query ready, with what the rankers need of it."""


async def find_page(
    service: Service, picture: bytes, pose: Pose, page_request: PageRequest, version: str = ""
) -> FoundPage:
    """A page of the answer to a picture. version: its hash, if it is in the index; its last answers are remembered."""
    key = version, pose, page_request.options
    known = service.answers.get(key) if version else None
    found, dated = await _find(
        service, page_request, lambda needs: service.prepare(picture, pose, needs, version), known
    )
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
        seconds = sum(part.seconds for part in parts)
        return replace(parts[0], query=together([part.query for part in parts]), seconds=seconds)

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


async def find_stored_page(service: Service, query: StoredQuery, pose: Pose, page_request: PageRequest) -> FoundPage:
    """A page of the answer to a stored query, whose last answer is remembered."""
    key = "answer", pose, page_request.options
    known: DatedAnswer | None = service.stored.made(query, key)
    found, dated = await _find(service, page_request, lambda needs: prepare_stored(service, query, pose, needs), known)
    service.stored.add_made(query, key, dated, dated.n_bytes, 1)
    return found


async def _find(
    service: Service, page_request: PageRequest, prepare: Prepares, known: DatedAnswer | None
) -> tuple[FoundPage, DatedAnswer]:
    start = time.perf_counter()
    engine = await service.engine()
    needs = await service.in_file_thread(needs_of, engine, page_request.options)
    prepared = await prepare(needs)
    judged = await service.in_file_thread(engine.judgments_of, prepared.query.judged_as)
    state = service.collection.commit_of(engine), judged
    answer = known.answer if known and known.holds(*state) else None
    found = await service.in_search_thread(search_page, service.collection, engine, prepared, page_request, answer)
    service.metrics.add_stages(found.seconds)
    waited = time.perf_counter() - start - sum(found.seconds.values())
    timed = replace(found, seconds={**found.seconds, "wait": max(0.0, waited)})
    return timed, DatedAnswer(found.answer, *state)


def answer_json(found: FoundPage) -> dict[str, Any]:
    """The whole answer."""
    return {**found.to_json(), "seconds": rounded(found.seconds)}


def rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    """To a tenth of a millisecond."""
    return {stage: round(spent, 4) for stage, spent in seconds.items()}
