"""How a change is answered: by what it did, if it is done soon, else by its job."""

from __future__ import annotations

import asyncio

from starlette.responses import Response

from bof.server.api.endpoint import PREFIX
from bof.server.http.answers import answer
from bof.server.jobs.queue import Job

PATIENCE_SECONDS = 5.0
"""Seconds that a request waits for a small change; after them the answer is its job."""


async def done_or_accepted(job: Job) -> Response | None:
    """None once a small change is done, else the answer that names its job. Raises its problem where it failed."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE_SECONDS
    pause = 0.005
    while not job.is_over and loop.time() < end:
        await asyncio.sleep(pause)
        pause = min(2 * pause, 0.1)
    if job.state == "failed" and job.error is not None:
        raise job.error
    return None if job.state == "done" else accepted(job)


def accepted(job: Job) -> Response:
    """202, and where to follow the job."""
    return answer({"job": job.as_json()}, 202, {"Location": f"{PREFIX}/jobs/{job.id}"})
