"""One run's talk with archives, in a thread of its own: pictures are fetched while others are read and committed."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from bof.errors import ImageError
from bof.iiif.answers import Answers
from bof.iiif.archive import Archive, CanvasToFetch, Fetched, Unchanged, Walked
from bof.iiif.hosts import Hosts
from bof.images.listing import Skipped

T = TypeVar("T")

_AHEAD = 16
"""Pictures that are fetched before they are read."""

_HOSTS_AT_ONCE = 16

Answered = Fetched | Unchanged | Skipped


class Session:
    """Runs an archive's coroutines in a loop of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop, archive: Archive, hosts: Hosts) -> None:
        self._loop, self._archive, self._hosts = loop, archive, hosts

    @property
    def n_requests(self) -> int:
        """Requests that were sent."""
        return self._hosts.n_requests

    def walk(self, sources: Sequence[str]) -> Walked:
        """The manifests that sources lead to: see `Archive.walk`."""
        return _result(_submit(self._loop, self._archive.walk(sources)))

    def fetch(self, canvases: Sequence[CanvasToFetch], side: int) -> Iterator[Answered]:
        """The pictures as they come: those of one host in order, several hosts at a time."""
        found: SimpleQueue[Answered | None] = SimpleQueue()
        room = asyncio.Semaphore(_AHEAD)
        running = _submit(self._loop, self._fetch_all(canvases, side, found, room))
        try:
            while (one := _next(found)) is not None:
                yield one
                self._loop.call_soon_threadsafe(room.release)
            _result(running)
        finally:
            running.cancel()

    async def _fetch_all(
        self, canvases: Sequence[CanvasToFetch], side: int, found: SimpleQueue[Answered | None], room: asyncio.Semaphore
    ) -> None:
        by_host: dict[str, list[CanvasToFetch]] = defaultdict(list)
        for canvas in canvases:
            by_host[self._host_of(canvas)].append(canvas)
        places = asyncio.Semaphore(_HOSTS_AT_ONCE)

        async def serve(some: Sequence[CanvasToFetch]) -> None:
            async with places:
                for canvas in some:
                    await room.acquire()
                    found.put(await self._archive.fetch(canvas, side))

        try:
            await asyncio.gather(*map(serve, by_host.values()))
        finally:
            found.put(None)

    def _host_of(self, canvas: CanvasToFetch) -> str:
        """What is asked for the picture; "" where that cannot be asked, which `fetch` then says."""
        with suppress(ImageError):
            return self._hosts.target(canvas.picture.source).authority
        return ""


@contextmanager
def talking(hosts: Hosts, folder: Path | None) -> Iterator[Session]:
    """A session with these hosts. folder: of the index that remembers answers; None: nothing is remembered.

    Raises IndexStoreError where they cannot be remembered.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="bof-iiif", daemon=True)
    thread.start()
    answers: Answers | None = None
    try:
        # SQLite's connection belongs to the thread that has opened it.
        answers = _result(_submit(loop, _open(folder))) if folder else None
        yield Session(loop, Archive(hosts, answers), hosts)
    finally:
        _result(_submit(loop, _close(hosts, answers)))
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _open(folder: Path) -> Answers:
    return Answers.open(folder)


async def _close(hosts: Hosts, answers: Answers | None) -> None:
    """Give up what is still asked, then end all."""
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await hosts.close()
    if answers:
        answers.__exit__()


def _submit(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> Future[T]:
    return asyncio.run_coroutine_threadsafe(work, loop)


def _result(future: Future[T]) -> T:
    """Wait in steps: on some systems Ctrl-C does not end a wait."""
    while True:
        with suppress(TimeoutError):
            return future.result(timeout=1.0)
        if future.done():
            return future.result()


def _next(found: SimpleQueue[T]) -> T:
    while True:
        with suppress(Empty):
            return found.get(timeout=1.0)
