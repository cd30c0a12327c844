"""Handlers: jobs, their events, and looking into the folders again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bof.options.option import Option
from bof.server.api.changing import accepted
from bof.server.api.endpoint import Endpoint
from bof.server.http.answers import NO_STORE, answer, to_json
from bof.server.http.parameters import Parameter, Values, choice, whole
from bof.server.http.problems import busy
from bof.server.jobs.queue import Job
from bof.server.service import Service

_LOOK_SECONDS = 0.2
_BEAT_SECONDS = 15.0


async def list_jobs(service: Service, request: Request, values: Values) -> Response:
    """The newest first."""
    known, offset = service.jobs.all(), values["offset"]
    jobs = [job.as_json() for job in known[offset : offset + values["limit"]]]
    return answer({"total": len(known), "offset": offset, "jobs": jobs})


async def show_job(service: Service, request: Request, values: Values) -> Response:
    """One job."""
    return answer(service.jobs.get(values["job"]).as_json())


async def follow_job(service: Service, request: Request, values: Values) -> Response:
    """Its events, until it is over."""
    job = service.jobs.get(values["job"])
    if service.streams.taken >= service.streams.n:
        raise busy("expected at most --streams followers at once, found as many; ask for the job instead", 2)
    return StreamingResponse(_events(service, job), headers=NO_STORE, media_type="text/event-stream")


async def _events(service: Service, job: Job) -> AsyncIterator[bytes]:
    """The job as often as it changes; a comment now and then, so that nobody in between takes it for dead."""
    async with service.streams.hold():
        sent, quiet = b"", 0.0
        while not service.is_draining:
            is_over, text = job.is_over, to_json(job.as_json())
            if text != sent:
                yield b"data: " + text + b"\n\n"
                sent, quiet = text, 0.0
            elif quiet >= _BEAT_SECONDS:
                yield b": still here\n\n"
                quiet = 0.0
            if is_over:
                return
            await asyncio.sleep(_LOOK_SECONDS)
            quiet += _LOOK_SECONDS


async def cancel_job(service: Service, request: Request, values: Values) -> Response:
    """End it."""
    job = await service.in_file_thread(service.jobs.cancel, values["job"])
    return answer(job.as_json())


async def sync(service: Service, request: Request, values: Values) -> Response:
    """Look into the index's folders again."""
    job = service.jobs.submit("sync", service.changes.sync(delete=bool(values["delete"])))
    return accepted(job)


_JOB = Parameter(Option("job", None, "a job"), place="path", more={"maxLength": 100})

ENDPOINTS = (
    Endpoint(
        "GET", "/jobs", "List the changes that were asked for", list_jobs, {200: "Jobs"},
        parameters=(
            whole("offset", 0, 0, 1_000_000, "jobs to pass over"),
            whole("limit", 100, 1, 500, "jobs in this answer"),
        ),
        needs_index=False,
    ),
    Endpoint(
        "GET", "/jobs/{job}", "Show how far a change is", show_job, {200: "Job"}, parameters=(_JOB,),
        needs_index=False,
    ),
    Endpoint(
        "GET", "/jobs/{job}/events", "Follow a change", follow_job, {200: "text/event-stream"}, parameters=(_JOB,),
        problems=("busy",), needs_index=False,
    ),
    Endpoint(
        "POST", "/jobs/{job}/cancel", "Cancel a change", cancel_job, {200: "Job"}, "write", parameters=(_JOB,),
        problems=("busy", "too-many-requests"), needs_index=False,
    ),
    Endpoint(
        "POST", "/sync", "Look into the index's folders again", sync, {202: "Accepted"}, "write",
        (choice("delete", 0, (0, 1), "take pictures out whose files are gone"),), is_heavy=True,
        problems=("busy", "too-many-requests"),
    ),
)  # fmt: skip
