"""A picture is searched with: prepared in a process, searched in a thread, its seconds counted."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from bof.retrieval.answer import Answer
from bof.server.decoding import Pose, Prepared, QueryNeeds
from bof.server.queries.preparing import prepare_stored
from bof.server.queries.store import StoredQuery
from bof.server.search import FoundPage, PageRequest, needs_of, search_page
from bof.server.service import Service

Prepares = Callable[[QueryNeeds], Awaitable[Prepared]]
"""Makes a query ready, with what the rankers need of it."""

Knows = Callable[[int], Answer | None]
"""The answer as of a commit, by its number, where it is known."""

_ENTRY_BYTES = 500
"""Of what an answer holds of an image that geometry or pixels have verified; a hundred or so are."""


async def find_page(
    service: Service, picture: bytes, pose: Pose, page_request: PageRequest, version: str = ""
) -> FoundPage:
    """A page of the answer to a picture; version: its hash, if known."""
    return await _find(service, page_request, lambda needs: service.prepare(picture, pose, needs, version))


async def find_stored_page(service: Service, query: StoredQuery, pose: Pose, page_request: PageRequest) -> FoundPage:
    """A page of the answer to a stored query; the next page of the last answer is not searched for again."""
    key = "answer", pose, page_request.options

    def known(generation: int) -> Answer | None:
        found: tuple[int, Answer] | None = service.stored.made(query, key)
        return found[1] if found and found[0] == generation else None

    found = await _find(service, page_request, lambda needs: prepare_stored(service, query, pose, needs), known)
    answer = found.answer
    n_bytes = answer.images.nbytes + answer.scores.nbytes + _ENTRY_BYTES * len(answer.evidence)
    service.stored.add_made(query, key, (found.generation, answer), n_bytes, 1)
    return found


async def _find(
    service: Service, page_request: PageRequest, prepare: Prepares, known: Knows = lambda generation: None
) -> FoundPage:
    start = time.perf_counter()
    engine = await service.engine()
    needs = await service.in_file_thread(needs_of, engine, page_request.options)
    prepared = await prepare(needs)
    rest = engine, prepared, page_request, known(engine.generation)
    found = await service.in_search_thread(search_page, service.collection, *rest)
    service.metrics.add_stages(found.seconds)
    waited = time.perf_counter() - start - sum(found.seconds.values())
    return replace(found, seconds={**found.seconds, "wait": max(0.0, waited)})


def answer_json(found: FoundPage) -> dict[str, Any]:
    """The whole answer."""
    return {**found.to_json(), "seconds": rounded(found.seconds)}


def rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    """To a tenth of a millisecond."""
    return {stage: round(spent, 4) for stage, spent in seconds.items()}
