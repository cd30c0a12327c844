"""What a change of the region costs: python -m scripts.server.region_change --index DIR --queries DIR [--soak MINUTES]

Every query is enlarged to a photograph of 12 megapixels. Three ways answer the same regions in turns: the photograph is
sent again to a server that remembers no pixels of hits, as before there were stored queries; it is sent again to one
that does; its stored query is searched with. Answers must be equal.
--soak: stores, searches with, changes, shows and forgets queries for so long, and ends some searches before their
answer; memory and handles as they go. The page sends smaller photographs; what is measured here is the server alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from bof.cli.command import run
from bof.images.listing import walk_images
from scripts.common.arguments import make_parser
from scripts.server.process import ServerProcess
from scripts.server.shrinking import photograph

HEADERS = {"Content-Type": "image/jpeg"}
REGIONS = 4
SMALL = ("--stored-queries", "6", "--query-megabytes", "12", "--query-share", "100", "--hit-megabytes", "8")
"""Limits that a soak reaches."""


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = make_parser(
        __doc__,
        number=(8, "queries"),
        soak=(0.0, "minutes of stored queries that come and go; 0: compare"),
    )
    parser.add_argument("--index", type=Path, required=True, metavar="DIR")
    parser.add_argument("--queries", type=Path, required=True, metavar="DIR", help="the pictures to ask with")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    paths = sorted(walk_images(arguments.queries))
    chosen = paths[:: max(1, len(paths) // arguments.number)][: arguments.number]
    if arguments.soak:
        return soak(arguments.index, [path.read_bytes() for path in chosen], arguments.soak)
    compare(arguments.index, [photograph(path, seed) for seed, path in enumerate(chosen)])
    return 0


class Asking:
    """A client on one connection."""

    def __init__(self, server: ServerProcess) -> None:
        self._connection = HTTPConnection(server.address, timeout=120)

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status and body of an answer."""
        self._connection.request(method, f"/api/v1{path}", body, HEADERS if body else {})
        response = self._connection.getresponse()
        return response.status, response.read()

    def found(self, path: str, body: bytes = b"") -> tuple[Any, float]:
        """An answer and its seconds."""
        start = time.perf_counter()
        status, content = self.ask("POST", path, body)
        spent = time.perf_counter() - start
        if status >= 300:
            raise RuntimeError(f"{path}: {status} {content[:300]!r}")
        return json.loads(content), spent


# -- Compared ---------------------------------------------------------------------------------------------------------


def compare(index: Path, photos: Sequence[bytes]) -> None:
    """The seconds of each way, and their ratios."""
    spent: dict[str, list[float]] = {"sent again, as before": [], "sent again": [], "stored": []}
    with (
        ServerProcess(index, "--rate", "0", "--hit-megabytes", "0") as before,
        ServerProcess(index, "--rate", "0") as now,
    ):
        old, new = Asking(before), Asking(now)
        for seed, photo in enumerate(photos):
            query, _ = new.found("/queries", photo)
            for first in (new.found("/search", photo), old.found("/search", photo)):  # as a reader begins
                del first
            new.found(f"/search/query/{query['id']}")
            for region in regions_of(query["width"], query["height"], seed):
                ways = [
                    old.found(f"/search?{region}", photo),
                    new.found(f"/search?{region}", photo),
                    new.found(f"/search/query/{query['id']}?{region}"),
                ]
                for name, (answer, seconds) in zip(spent, ways, strict=True):
                    assert without_seconds(answer) == without_seconds(ways[0][0]), region
                    spent[name].append(seconds)
    middle = {name: 1000 * median(values) for name, values in spent.items()}
    base = middle["sent again, as before"]
    print(
        f"{len(photos)} photographs of {median(map(len, photos)) / 1e6:.1f} MB, {REGIONS} regions each, equal answers"
    )
    for name, value in middle.items():
        print(f"  {name}: median {value:.0f} ms, {100 * value / base:.0f} %")


def regions_of(width: int, height: int, seed: int) -> Iterator[str]:
    """Regions of a picture, as parameters of a search."""
    random = Random(seed)
    for _ in range(REGIONS):
        x, y = random.random() * 0.4 * width, random.random() * 0.4 * height
        yield f"top=24&box={x:.0f},{y:.0f},{x + 0.55 * width:.0f},{y + 0.55 * height:.0f}"


def without_seconds(answer: dict[str, Any]) -> dict[str, Any]:
    """What two ways must have in common."""
    return {key: value for key, value in answer.items() if key != "seconds"}


# -- Soak -------------------------------------------------------------------------------------------------------------


def soak(index: Path, pictures: Sequence[bytes], minutes: float) -> int:
    """Stored queries that come and go; 1 where memory or handles grow."""
    statuses: Counter[int] = Counter()
    with ServerProcess(index, "--rate", "0", *SMALL) as server:
        end, sizes, files = time.time() + 60 * minutes, list[int](), list[int]()
        n, next_look = 0, time.time() + 6 * minutes / 4
        while time.time() < end:
            live_with_one(server, pictures[n % len(pictures)], n, statuses)
            n += 1
            if time.time() >= next_look:
                next_look += 6 * minutes
                sizes.append(server.memory() >> 20)
                files.append(server.n_files())
                print(f"  {sizes[-1]} MB in all processes, {files[-1]} handles, {n} queries", flush=True)
    half = len(sizes) // 2
    is_flat = max(sizes[half:]) <= 1.1 * max(sizes[:half]) and max(files[half:]) <= max(files[:half]) + 4
    print(f"soak of {minutes:g} minutes: {n} queries, statuses {dict(statuses)}, {'flat' if is_flat else 'GROWS'}")
    return 0 if is_flat and not any(status >= 500 for status in statuses) else 1


def live_with_one(server: ServerProcess, picture: bytes, number: int, statuses: Counter[int]) -> None:
    """One query: stored, searched with, changed, shown; some are deleted, some searches are left unanswered."""
    asking = Asking(server)
    query, _ = asking.found("/queries", picture)
    path = f"/search/query/{query['id']}"
    region = next(regions_of(query["width"], query["height"], number))
    requests = [
        ("POST", path), ("POST", f"{path}?{region}"), ("POST", f"{path}?offset=24&{region}"),
        ("POST", f"{path}?turn={number % 4 * 90}"), ("GET", f"/queries/{query['id']}/picture?size=640"),
    ]  # fmt: skip
    for method, address in [*requests, *([("DELETE", f"/queries/{query['id']}")] if number % 3 == 0 else [])]:
        statuses[asking.ask(method, address)[0]] += 1
    if number % 5 == 0:
        left = HTTPConnection(server.address, timeout=120)
        left.request("POST", f"/api/v1{path}?flip=1")
        left.close()
    asking._connection.close()


if __name__ == "__main__":
    sys.exit(main())
