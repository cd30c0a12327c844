"""A picture is searched with: prepared in a process, searched in a thread, its seconds counted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bof.server.decoding import Pose
from bof.server.search import FoundPage, PageRequest, needs_of, search_page
from bof.server.service import Service


async def find_page(
    service: Service, picture: bytes, pose: Pose, page_request: PageRequest, version: str = ""
) -> FoundPage:
    """A page of the answer to a picture; version: its hash, if known."""
    start = time.perf_counter()
    engine = await service.engine()
    needs = await service.in_file_thread(needs_of, engine, page_request.options)
    prepared = await service.prepare(picture, pose, needs, version)
    found = await service.in_search_thread(search_page, service.collection, engine, prepared, page_request)
    service.metrics.add_stages(found.seconds)
    waited = time.perf_counter() - start - sum(found.seconds.values())
    return replace(found, seconds={**found.seconds, "wait": max(0.0, waited)})


def answer_json(found: FoundPage) -> dict[str, Any]:
    """The whole answer."""
    return {**found.to_json(), "seconds": rounded(found.seconds)}


def rounded(seconds: Mapping[str, float]) -> dict[str, float]:
    """To a tenth of a millisecond."""
    return {stage: round(spent, 4) for stage, spent in seconds.items()}
