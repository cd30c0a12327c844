"""A soak of the server with changes: python -m scripts.server.soak [--minutes 30] [--clients 2]

A server of its own, over a small index of its own. Clients search without end; beside them pictures are added and
removed, duplicates are searched for, accepted and put back, and jobs are cancelled while they wait and while they run.
It fails unless every answer is one that such a client may get, and memory and open files stay flat: the lower quartile
of the last third of the time at most --margin percent, and 8 files, above that of the second third. In the first third
caches fill; the lower quartile, because child processes that read pictures come and go, and peaks are theirs.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import cv2

from bof.cli.command import run
from bof.client import Client, RefusedError
from bof.engine import Engine
from bof.options import IndexOptions
from scripts.common.arguments import make_parser, require_positive
from scripts.demo.art import draw_poster
from scripts.server.process import ServerProcess

FLAGS = ("--rate", "0", "--jobs", "50", "--cached-queries", "16")
N_INDEXED, N_UPLOADED = 30, 12
_MOST_FILES_MORE = 8
_ALLOWED = frozenset({404, 409, 503})
"""Another change took the picture, or the figures, first; too much at once."""


@dataclass(frozen=True)
class Load:
    """What clients do, and how often each thing was done, or refused for a reason that is none."""

    url: str
    pictures: Sequence[bytes]
    end: float
    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def repeat(self, act: Callable[[Client, random.Random], str], seed: int) -> None:
        """Act until the end."""
        rng = random.Random(seed)
        with Client(self.url) as client:
            while time.monotonic() < self.end:
                try:
                    self.done[act(client, rng)] += 1
                except RefusedError as error:
                    self.done[f"refused {error.status}"] += 1
                    if error.status not in _ALLOWED:
                        self.wrong.append(str(error))
                except Exception as error:  # the server hung up, or the client is wrong
                    self.wrong.append(f"{type(error).__name__}: {error}")

    def search(self, client: Client, rng: random.Random) -> str:
        """A picture of the index, or one of its duplicates."""
        client.search(rng.choice(self.pictures), top=5)
        return "search"

    def change(self, client: Client, rng: random.Random) -> str:
        """One kind of change, and most often the end of its job."""
        act = rng.choice(
            [self._add, self._remove, self._look, self._accept, self._cancel_waiting, self._cancel_running]
        )
        act(client, rng)
        return act.__name__.removeprefix("_")

    def _add(self, client: Client, rng: random.Random) -> None:
        client.wait(client.add(rng.sample(self.pictures, 4))["id"])

    def _remove(self, client: Client, rng: random.Random) -> None:
        uploads = [image["id"] for image in client.images() if image["uploaded"]]
        for image in rng.sample(uploads, min(4, len(uploads))):
            client.remove(image)

    def _look(self, client: Client, rng: random.Random) -> None:
        client.wait(client.find_duplicates(rng.choice(["exact", "copy", "crop"]))["id"])

    def _accept(self, client: Client, rng: random.Random) -> None:
        client.wait(client.find_duplicates("copy")["id"])
        client.wait(client.accept_duplicates("copy")["id"])
        for action in client.duplicate_actions():
            client.wait(client.undo_duplicates(action["id"])["id"])

    def _cancel_waiting(self, client: Client, rng: random.Random) -> None:
        jobs = [client.add(rng.sample(self.pictures, 4)) for _ in range(3)]
        for job in reversed(jobs):
            client.cancel(job["id"])

    def _cancel_running(self, client: Client, rng: random.Random) -> None:
        job = client.find_duplicates("crop")
        time.sleep(rng.uniform(0, 0.2))
        client.cancel(job["id"])


def main(argv: list[str] | None = None) -> int:
    """Soak and judge."""
    parser = make_parser(
        __doc__,
        minutes=(30.0, "of load"),
        clients=(2, "that search at once"),
        margin=(10.0, "percent that memory may be higher in the last third than in the second"),
        seed=(0, "of what is done"),
    )
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    require_positive(arguments, "clients")
    with tempfile.TemporaryDirectory() as folder:
        index, pictures = _collection(Path(folder), arguments.seed)
        with ServerProcess(index, *FLAGS) as server:
            return _soak(server, pictures, arguments)


def _collection(folder: Path, seed: int) -> tuple[Path, list[bytes]]:
    """An index of some pictures; pictures to send: some of it as other files, and others."""
    photos = folder / "photos"
    photos.mkdir()
    drawn = [draw_poster(number, seed) for number in range(N_INDEXED + N_UPLOADED)]
    for number, pixels in enumerate(drawn[:N_INDEXED]):
        (photos / f"{number:02d}.jpg").write_bytes(_jpeg(pixels, 92))
    with Engine.create(folder / "index") as engine:
        engine.add([photos], IndexOptions(workers=1))
    return folder / "index", [_jpeg(pixels, 70) for pixels in drawn[N_INDEXED - N_UPLOADED :]]


def _jpeg(pixels: cv2.typing.MatLike, quality: int) -> bytes:
    return bytes(cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


def _soak(server: ServerProcess, pictures: Sequence[bytes], arguments: argparse.Namespace) -> int:
    seconds = 60 * arguments.minutes
    load = Load(server.url, pictures, time.monotonic() + seconds)
    acts = [*[load.search] * arguments.clients, load.change]
    threads = [
        threading.Thread(target=load.repeat, args=(act, arguments.seed + number), daemon=True)
        for number, act in enumerate(acts)
    ]
    for thread in threads:
        thread.start()
    memory, files = list[float](), list[int]()
    while time.monotonic() < load.end:
        time.sleep(min(2.0, seconds / 60))
        memory.append(server.memory() / 1e6)
        files.append(server.n_files())
    for thread in threads:
        thread.join(60)
    print(", ".join(f"{n} {what}" for what, n in sorted(load.done.items())))
    ends = [_is_flat("memory in MB", memory, arguments.margin / 100, 0.0)]
    ends.append(_is_flat("open files", files, 0.0, _MOST_FILES_MORE))
    for words in load.wrong[:10]:
        print(f"wrong: {words}")
    return 0 if all(ends) and not load.wrong else 1


def _is_flat(what: str, values: Sequence[float], share: float, more: float) -> bool:
    """Is the lower quartile of the last third not above that of the second by more than this?"""
    third = len(values) // 3
    parts = values[:third], values[third : 2 * third], values[2 * third :]
    first, second, last = (quantiles(part, n=4)[0] for part in parts)
    is_flat = last <= second * (1 + share) + more
    figures = f"{first:.0f}, {second:.0f}, {last:.0f}: {'flat' if is_flat else 'NOT FLAT'}"
    print(f"{what}, lower quartile of each third (highest {max(values):.0f}): {figures}")
    return is_flat


if __name__ == "__main__":
    sys.exit(main())
