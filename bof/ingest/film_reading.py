"""The chunks of films are read side by side, and taken in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bof.images.listing import Skipped
from bof.images.opening import sha256_of_part
from bof.ingest.extract import Extracted, thread_megabytes
from bof.ingest.film_chunks import EXTRACT, FilmChunk, FilmSpec, memory_of
from bof.ingest.film_files import CHANGED, OpenedFilm, part_of, time_span
from bof.options import IndexOptions
from bof.scheduling.connection import Cluster
from bof.scheduling.shares import run_on_workers
from bof.store.catalog import ImageRecord
from bof.system.memory import WORKER_BYTES, WRITER_BYTES, limit_memory
from bof.system.steps import Progress, Stage
from bof.system.workers import Limits, LostItem, run_in_workers
from bof.video.chunks import Chunk

_PATIENCE = 8
"""A chunk may take so many times as long as a picture."""

_MOST_LOST = 3
"""After so many lost chunks one after another the rest of a film is not read: each may take its full time to hang."""


@dataclass(eq=False, slots=True)
class FilmReading:
    """A film that is read, and how far it is.

    records: what the index had of its path; chunks: those to read; fields: what its pictures are annotated with;
    n_taken: chunks that were read, or cannot be; n_lost: of these, the last ones in a row that were lost; n_read: those
    that were read.
    """

    film: OpenedFilm
    records: Sequence[ImageRecord]
    chunks: Sequence[Chunk]
    fields: Mapping[str, Sequence[str]]
    n_taken: int = 0
    n_lost: int = 0
    n_read: int = 0
    has_changed: bool = False
    paths: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.paths |= {one.path for one in self.records if self.has_content(one)}

    def has_content(self, record: ImageRecord) -> bool:
        """Is this a picture of the film as it is now?"""
        return record.sha256 == sha256_of_part(self.film.sha256, part_of(record.path))

    @property
    def is_given_up(self) -> bool:
        """Is the rest not worth reading?"""
        return self.has_changed or self.n_lost >= _MOST_LOST

    @property
    def is_complete(self) -> bool:
        """Is all read that can be, of the film as it is?"""
        is_through = self.n_taken >= len(self.chunks) or self.n_lost >= _MOST_LOST
        return is_through and not self.has_changed and bool(self.n_read or self.paths or not self.chunks)

    def take(self, chunk: Chunk, found: Sequence[Extracted] | Skipped | LostItem) -> Sequence[Extracted] | Skipped:
        """What became of the next chunk: its pictures, or why there are none."""
        self.n_taken += 1
        if isinstance(found, LostItem | Skipped):
            self.n_lost += 1
            self.has_changed |= found.reason == CHANGED
            return Skipped(self.film.path, self._reason(chunk, found.reason))
        self.n_lost, self.n_read = 0, self.n_read + 1
        return [one for one in found if one[0].path not in self.paths]

    def _reason(self, chunk: Chunk, reason: str) -> str:
        if reason == CHANGED:
            return reason
        rest = "; the rest is not read" if self.n_lost >= _MOST_LOST and self.n_taken < len(self.chunks) else ""
        return f"{time_span(chunk)}: {reason}{rest}"


def read_chunks(
    readings: Sequence[FilmReading],
    spec: FilmSpec,
    options: IndexOptions,
    progress: Progress | None,
    cluster: Cluster | None = None,
) -> Iterator[tuple[FilmReading, Sequence[Extracted] | Skipped]]:
    """What becomes of each chunk of each film, in order; a film whose frames do not fit into memory is skipped.

    progress: is told of seconds of film; cluster: whose workers read them, None: processes of this machine.
    """
    fitting, limits, n_workers = _limits(readings, spec, options, cluster)
    for reading in readings:
        if reading not in fitting:
            yield reading, Skipped(reading.film.path, _too_large(reading, spec))
    total = sum(one.film.seconds_of(chunk) for one in fitting for chunk in one.chunks)
    stage = Stage(progress, "reading films, seconds", max(1, round(total)) if fitting else 0, total)
    in_work: deque[tuple[FilmReading, Chunk]] = deque()
    done = 0.0
    items = _items(fitting, in_work.append)
    if cluster is not None:
        results = run_on_workers(cluster, EXTRACT, spec, items, limits)
    else:
        results = run_in_workers(EXTRACT, spec, items, n_workers, limits)
    for found in results:
        reading, chunk = in_work.popleft()
        if not reading.is_given_up:
            yield reading, reading.take(chunk, found)
        seconds = reading.film.seconds_of(chunk)
        stage.advance(round(done + seconds) - round(done), seconds)
        done += seconds


def _items(readings: Sequence[FilmReading], note: Callable[[tuple[FilmReading, Chunk]], None]) -> Iterator[FilmChunk]:
    """The chunks that are worth reading; each is noted before it is begun."""
    for reading in readings:
        for chunk in reading.chunks:
            if not reading.is_given_up:
                note((reading, chunk))
                yield FilmChunk(reading.film, chunk)


def _limits(
    readings: Sequence[FilmReading], spec: FilmSpec, options: IndexOptions, cluster: Cluster | None
) -> tuple[list[FilmReading], Limits, int]:
    """The films whose frames fit into memory, what one chunk may take, and how many processes work."""
    features, n_chunks = spec.extract.features, sum(len(one.chunks) for one in readings)
    n_workers = min(options.n_workers, max(1, n_chunks)) if cluster is None else 1
    memory = options.memory if cluster is None else thread_megabytes(cluster, options, features)
    limit = limit_memory(memory, n_workers, features)
    total = limit.bytes * limit.n_workers
    fitting = [one for one in readings if memory_of(one.film.facts, features) <= total]
    needed = max((memory_of(one.film.facts, features) for one in fitting), default=total)
    n_workers = min(limit.n_workers, total // needed)
    seconds = options.picture_seconds * _PATIENCE
    return fitting, Limits(seconds, total // n_workers + spec.extract.column_spec.model_bytes), n_workers


def _too_large(reading: FilmReading, spec: FilmSpec) -> str:
    facts = reading.film.facts
    needed = -(-(memory_of(facts, spec.extract.features) + WRITER_BYTES + WORKER_BYTES) >> 20)
    return f"its frames of {facts.width} x {facts.height} pixels need --memory {needed} or more"
