"""What a client may take of a server, and where it listens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bof.options.option import Checked, Option, declare

PORT = Option("port", 8000, "port to listen on; 0: any free one", 0, 65535)
MAPPED_MEMORY = Option(
    "memory", 0, "index files to keep in memory; 0: half of the machine's", 0, 1 << 30, unit="megabytes"
)


def _megabytes(default: int, meaning: str, low: int = 1) -> Any:
    return declare(default, meaning, low, 1 << 20, unit="megabytes")


def _seconds(default: float, meaning: str) -> Any:
    return declare(default, meaning, 0.1, 3600.0, unit="seconds")


@dataclass(frozen=True, slots=True)
class ServeOptions(Checked):
    """What a client may take of a server."""

    upload_megabytes: int = _megabytes(32, "the largest picture file that is taken")
    upload_pixels: int = declare(
        64_000_000, "the most that a picture may have, by its header", 1, 1 << 40, unit="pixels"
    )
    batch_megabytes: int = _megabytes(128, "the largest body with several pictures")
    batch_images: int = declare(64, "the most pictures in one body", 1, 10_000)
    buffered_megabytes: int = _megabytes(512, "memory for all bodies together; more is refused for a while")
    decode_megabytes: int = _megabytes(1536, "memory that reading one picture may take", 64)
    decode_seconds: float = _seconds(15.0, "time that reading one picture may take")
    header_seconds: float = _seconds(10.0, "time in which the head of a request must arrive")
    body_seconds: float = _seconds(30.0, "time in which the body of a request must arrive, and 1 more for each 64 KB")
    request_seconds: float = _seconds(60.0, "time for an answer, and for sending a piece of it")
    drain_seconds: int = declare(
        30, "time that requests have to end when the server is stopped", 1, 3600, unit="seconds"
    )
    connections: int = declare(512, "connections at once", 1, 1 << 16)
    waiting: int = declare(64, "searches and uploads that may wait for their turn", 0, 1 << 16)
    rate: float = declare(50.0, "searches and changes a second from one address, for long; 0: any number", 0.0, 1e6)
    streams: int = declare(32, "followers of jobs (server-sent events) at once", 1, 1 << 16)
    jobs: int = declare(100, "changes that may wait for their turn", 1, 1 << 16)
    thumbnail_megabytes: int = _megabytes(64, "memory for thumbnails that were made already", 0)
    hit_megabytes: int = _megabytes(64, "memory for small copies of hits, to be compared with the next query", 0)
    stored_queries: int = declare(512, "queries stored at once; the one unused for longest leaves", 1, 1 << 16)
    query_megabytes: int = _megabytes(256, "memory for stored queries")
    query_share: int = declare(
        50, "share of both that one address may have; then its own oldest leaves", 1, 100, unit="percent"
    )
    query_minutes: int = declare(60, "time that a query stays stored after its last use", 1, 1440, unit="minutes")
    cached_queries: int = declare(64, "queries whose features are kept for the next page of answers", 0, 1 << 16)
