"""Everything that handlers share: the collection, workers, threads, limits, jobs; and how a picture becomes a query."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from starlette.requests import Request

from bof.engine import Engine
from bof.errors import ImageError, IndexStoreError, MismatchError
from bof.images.decode import Picture
from bof.options import PixelLimit, ServeOptions
from bof.retrieval.indexed_pictures import MAX_PIXELS
from bof.retrieval.query import QuerySource
from bof.retrieval.remote.searching import SearchWorkers
from bof.server import uploads
from bof.server.collection import ServedCollection
from bof.server.decoding import Check, Decode, DecodeSpec, PictureTask, Pose, Prepare, Prepared, QueryNeeds
from bof.server.http.auth import Guard
from bof.server.http.bodies import BYTES_A_SECOND, Body, body_of
from bof.server.http.extensions import Extensions
from bof.server.http.fetching import Fetcher
from bof.server.http.limits import ByteLimit, Cache, Places, Rate
from bof.server.http.metrics import Metrics
from bof.server.http.problems import ProblemError, as_problem, problem_of
from bof.server.jobs.changes import Changes
from bof.server.jobs.deciding import Decisions, require_moves
from bof.server.jobs.duplicates import Duplicates
from bof.server.jobs.queue import Jobs
from bof.server.pairing import PairingFile, pairing_path
from bof.server.poses import PosedPicture, RereadPicture
from bof.server.queries.reading import SentPicture
from bof.server.queries.store import QueryStore
from bof.server.search import DatedAnswer
from bof.server.standing import WatchFollower
from bof.system.workers import Limits, LostItem, Pool
from bof.web.addresses import Source

T = TypeVar("T")

N_FILE_THREADS = 4
_ANSWER_BYTES = 16 << 20
_MEASURED = 10_000
"""Pictures whose sizes are remembered."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server is started with, besides the limits of ServeOptions.

    hosts: names to answer to, empty: any; origins: sites whose pages may ask; sources: where pictures are fetched from;
    moves: where duplicates may be moved to, None: files are not touched; workers: who votes and verifies, None: this
    process.
    """

    index: Path
    vocabulary: Path | None = None
    uploads: Path | None = None
    read_token: str = field(default="", repr=False)
    write_token: str = field(default="", repr=False)
    read_only: bool = False
    hosts: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    memory: int = 0
    sources: frozenset[Source] = frozenset()
    moves: Path | None = None
    workers: SearchWorkers | None = None

    @property
    def uploads_folder(self) -> Path:
        """Where uploads are kept: beside the index, unless said otherwise."""
        index = Path(os.path.abspath(self.index))
        return self.uploads or index.with_name(f"{index.name}-uploads")


class Service:
    """One running server's parts. Made inside the event loop; `close` ends what it has started."""

    def __init__(self, settings: Settings, options: ServeOptions) -> None:
        self.options = options
        self.is_draining = False
        n = os.cpu_count() or 1
        engine = Engine.open(settings.index, settings.vocabulary, memory=settings.memory, workers=settings.workers)
        self.collection = ServedCollection(engine, settings.uploads_folder)
        self.extensions = Extensions(PairingFile(pairing_path(settings.index)), settings.origins)
        self.guard = Guard(settings.read_token, settings.write_token, self.extensions, read_only=settings.read_only)
        self.rate = Rate(options.rate)
        self.byte_limit = ByteLimit(options.buffered_megabytes << 20)
        self.fetcher = Fetcher(settings.sources, options, self.byte_limit)
        self.places = Places(2 * n, options.waiting)
        self.streams = Places(options.streams, 0)
        self.queries: Cache[Prepared] = Cache(options.cached_queries)
        self.stored = QueryStore(options)
        self.answers: Cache[DatedAnswer] = Cache(_ANSWER_BYTES, lambda dated: dated.n_bytes)
        """The last answers to pictures of the index."""
        self._hits: Cache[Picture] = Cache(options.hit_megabytes << 20, lambda picture: picture.pixels.nbytes)
        self._caching = threading.Lock()
        self.thumbnails: Cache[bytes] = Cache(options.thumbnail_megabytes << 20, len)
        self.sizes: Cache[tuple[int, int]] = Cache(_MEASURED)
        self.is_shared = bool(settings.origins)
        """May pages of other sites show pictures?"""
        self.metrics = Metrics()
        spec = DecodeSpec(engine.features, options.upload_pixels)
        limits = Limits(options.decode_seconds, options.decode_megabytes << 20)
        self._pool = Pool("bof.server.decoding:run_in_worker", spec, n, limits)
        for _ in range(n):  # so that the first who asks need not wait for processes to start
            self._pool.submit(Check(b""))
        engine.decoder = self._decode
        self._features = engine.features
        self._search_threads = ThreadPoolExecutor(n, "bof-search")
        self._file_threads = ThreadPoolExecutor(N_FILE_THREADS, "bof-files")
        self.changes = Changes(self.collection, engine.vocabulary_folder, options.upload_pixels)
        self.duplicates = Duplicates(self.collection, engine.vocabulary_folder)
        self.decisions = Decisions(self.collection, self.changes, require_moves(settings.moves, engine))
        self._follower: WatchFollower | None = None
        if not settings.read_only:
            self._follower = WatchFollower(self.folder, engine.vocabulary_folder, self._decode, self._run)
        self.jobs = Jobs(options.jobs, self.problem_after, self._after_job)
        uploads.sweep(self.collection.uploads)

    @property
    def folder(self) -> Path:
        """Where the index lies."""
        return self.collection.folder

    def _decode(self, data: bytes, max_side: PixelLimit) -> Picture:
        """A picture of the collection, decoded in a process of its own, or lately. Raises ImageError."""
        key = hashlib.sha256(data).digest(), max_side
        with self._caching:
            known = self._hits.get(key)
        if known:
            return known
        found: Picture = self._run(Decode(data, max_side))
        with self._caching:
            self._hits.put(key, found)
        return found

    def _run(self, task: PictureTask) -> Any:
        """What a picture gives in a process of its own, for who waits in a thread. Raises ImageError."""
        found = self._pool.submit(task).result()
        if isinstance(found, LostItem):
            raise ImageError(found.reason)
        if isinstance(found, ImageError):
            raise found
        return found

    def _after_job(self) -> None:
        self.collection.refresh()
        if self._follower:
            self._follower.poke()

    def body(self, request: Request, *, many: bool = False) -> AbstractAsyncContextManager[bytes]:
        """The body of a request, which is read before anything else is taken."""
        megabytes = self.options.batch_megabytes if many else self.options.upload_megabytes
        return body_of(request, megabytes << 20, self.options.body_seconds, self.byte_limit)

    def body_patience(self, body: Body) -> float:
        """Seconds that the largest body may take."""
        megabytes = self.options.batch_megabytes if body == "pictures" else self.options.upload_megabytes
        return self.options.body_seconds + (megabytes << 20) / BYTES_A_SECOND

    @asynccontextmanager
    async def place(self, request: Request) -> AsyncIterator[None]:
        """A turn for what takes a core; who has gone away meanwhile gets none."""
        async with self.places.hold():
            if await request.is_disconnected():
                raise ProblemError("bad-request", "expected somebody who waits for the answer, found nobody")
            yield

    async def in_search_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        """What lets go of the interpreter for most of its time."""
        return await asyncio.get_running_loop().run_in_executor(self._search_threads, work, *arguments)

    async def in_file_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        """What waits for disks and the catalogue."""
        return await asyncio.get_running_loop().run_in_executor(self._file_threads, work, *arguments)

    async def in_worker(self, item: PictureTask) -> Any:
        """One picture in a process of its own. Raises ProblemError for a picture that cannot be used."""
        result = await asyncio.wrap_future(self._pool.submit(item))
        if isinstance(result, LostItem):
            raise ProblemError("bad-picture", f"expected a picture that can be read; {result.reason}")
        if isinstance(result, ImageError):
            raise as_problem(result)
        return result

    async def prepare(self, data: bytes, pose: Pose, needs: QueryNeeds, version: str = "") -> Prepared:
        """A picture as a query; kept for the next page of its answer. version: its hash, if known."""
        version = version or await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        key = version, pose, needs.features, needs.column_spec.groups
        if known := self.queries.get(key):
            return self.rereadable(known, SentPicture(data), pose)
        read: Prepared = await self.in_worker(Prepare(data, pose, needs))
        prepared = read.judged_as(version)
        if self.options.cached_queries:
            self.queries.put(key, prepared)
        return self.rereadable(prepared, SentPicture(data), pose)

    def rereadable(self, prepared: Prepared, picture: SentPicture, pose: Pose) -> Prepared:
        """A query whose picture can be looked at more closely, where the first look finds nothing clear."""
        posed = PosedPicture(picture.data, replace(pose, box=None), MAX_PIXELS, picture.frame)
        source = QuerySource(RereadPicture(posed, self._decode), prepared.width, prepared.height, self._features)
        return replace(prepared, query=replace(prepared.query, source=source))

    async def engine(self) -> Engine:
        """The engine as of the newest commit, which the caller keeps for its request."""
        return await self.in_file_thread(self.collection.now)

    def problem_after(self, error: Exception) -> ProblemError | None:
        """What a request or a job failed with: the fault of the index, of the request; None for a mistake of ours."""
        if isinstance(error, IndexStoreError | OSError) and not isinstance(error, MismatchError):
            trouble = self.collection.trouble_after(error)
            if trouble is not None:
                return trouble
        return problem_of(error, str(self.folder))

    async def require_index(self) -> None:
        """Raises ProblemError, no-index, where the index was deleted or damaged."""
        if self.collection.is_due:
            await self.engine()
        self.collection.require()

    async def close(self) -> None:
        """Stop what runs: a job commits what it has done."""
        self.is_draining = True
        self.stored.close()
        await asyncio.to_thread(self.jobs.stop, float(self.options.drain_seconds))
        if self._follower:
            await asyncio.to_thread(self._follower.stop, float(self.options.drain_seconds))
        await asyncio.to_thread(self._pool.close)
        self.fetcher.close()
        self._search_threads.shutdown(wait=True, cancel_futures=True)
        self._file_threads.shutdown(wait=True, cancel_futures=True)
