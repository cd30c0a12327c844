"""Load and soak of the server on loopback: python -m scripts.server --index DIR --queries DIR [--seconds 60]

The engine in a process of its own, on all cores, is measured before and after; both answer the same queries in the
same order. Queries are not cached. Seconds of processor are reported too: other work on the machine changes them less.
--soak MINUTES: the same load for long, with memory and handles as they go.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from statistics import median

import cv2

from bof.cli.command import run
from bof.engine import Engine
from bof.images.decode import decode
from bof.images.listing import walk_images
from bof.system.threads import set_threads
from scripts.common.arguments import make_parser, n_cores
from scripts.common.process import python_command
from scripts.server.process import ServerProcess

TOP = 10
HEADERS = {"Content-Type": "application/octet-stream"}
FLAGS = ("--rate", "0", "--cached-queries", "0", "--waiting", "1000")


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = make_parser(
        __doc__,
        clients=(32, "that ask at once"),
        seconds=(60.0, "of load"),
        soak=(0.0, "minutes of the same load, with memory and handles; 0: none"),
        alone=(0, "threads: measure the engine alone in this process, and print that as JSON; 0: the server"),
    )
    parser.add_argument("--index", type=Path, required=True, metavar="DIR")
    parser.add_argument("--queries", type=Path, required=True, metavar="DIR", help="the pictures to ask with")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    paths = sorted(walk_images(arguments.queries))
    pictures = [path.read_bytes() for path in paths[:: max(1, len(paths) // 200)]]  # of every folder some
    if arguments.alone:
        print(json.dumps(engine_alone(arguments.index, pictures, arguments.seconds, arguments.alone)))
    elif arguments.soak:
        with ServerProcess(arguments.index, *FLAGS) as server:
            soak(server, pictures, arguments.clients, arguments.soak)
    else:
        _compare(arguments, pictures)
    return 0


def _compare(arguments: argparse.Namespace, pictures: Sequence[bytes]) -> None:
    """The server, and the engine alone before and after it."""
    before = _measured_alone(arguments)
    with ServerProcess(arguments.index, *FLAGS) as server:
        under_load(server, pictures, 4, 5.0)
        alone = Clients(server.address, pictures)  # what HTTP, the pipe to the worker and JSON add to a search's stages
        answers = percentiles(_run(alone.ask, 1, arguments.seconds / 3))
        print(f"1 client: answer {answers}, of it beside the search's stages {percentiles(alone.overheads)}")
        per_second = under_load(server, pictures, arguments.clients, arguments.seconds)
        print(f"  memory of all processes {server.memory() >> 20} MB, handles {server.n_files()}")
    after = _measured_alone(arguments)
    for name in before:
        rates, medians, cpu = ([run[name][what] for run in (before, after)] for what in ("per_second", "median", "cpu"))
        print(f"engine alone, {name}: {rates[0]:.2f} and {rates[1]:.2f} a second")
        print(f"  an answer: {1e3 * medians[0]:.0f} and {1e3 * medians[1]:.0f} ms; ", end="")
        print(f"{1e3 * cpu[0]:.0f} and {1e3 * cpu[1]:.0f} ms of processor")
    best = max((before[name]["per_second"] + after[name]["per_second"]) / 2 for name in before)
    print(f"the server answers {100 * per_second / best:.0f} % of what the engine alone does")


# -- The engine alone, in a process of its own ------------------------------------------------------------------------


def engine_alone(index: Path, pictures: Sequence[bytes], seconds: float, n_threads: int) -> dict[str, float]:
    """Queries a second of the engine, as n_threads ask it, and the median seconds of an answer."""
    engine = Engine.open(index)
    if n_threads > 1:  # the cores are taken by the threads
        cv2.setNumThreads(1)
        set_threads(1)

    def ask(number: int) -> None:
        picture = decode(pictures[number % len(pictures)], grey=True, max_side=engine.features.max_side)
        engine.search(picture, top=TOP)

    for number in range(4):
        ask(number)
    cpu = time.process_time()
    latencies = _run(ask, n_threads, seconds)
    cpu = (time.process_time() - cpu) / len(latencies)
    return {"per_second": len(latencies) / seconds, "median": median(latencies), "cpu": cpu}


def _run(ask: Callable[[int], None], n_threads: int, seconds: float) -> list[float]:
    """Ask with the numbers 0, 1, 2 and so on in threads until the time is over; the seconds of each."""
    numbers, end = count(), time.perf_counter() + seconds
    latencies: list[float] = []

    def work(_: int) -> None:
        while (start := time.perf_counter()) < end:
            ask(next(numbers))
            latencies.append(time.perf_counter() - start)

    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(work, range(n_threads)))
    return latencies


def _measured_alone(arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    """`engine_alone` in a process of its own, by one thread that shares out its work, and by one a core."""
    given = ("--index", arguments.index, "--queries", arguments.queries, "--seconds", arguments.seconds / 3)
    found = {}
    for n_threads in sorted({1, n_cores()}):
        output = subprocess.check_output(python_command("scripts.server", *given, "--alone", n_threads))
        found[f"{n_threads} asking"] = json.loads(output)
    return found


# -- Clients ----------------------------------------------------------------------------------------------------------


class Clients:
    """Threads that ask over HTTP, each on a connection of its own."""

    def __init__(self, address: str, pictures: Sequence[bytes]) -> None:
        self._address, self._pictures, self._local = address, pictures, threading.local()
        self.statuses: Counter[int] = Counter()
        self.overheads: list[float] = []

    def ask(self, number: int) -> None:
        """One search; what the answer's own stages did not take is overhead, of waiting for others too."""
        start = time.perf_counter()
        if not hasattr(self._local, "connection"):
            self._local.connection = HTTPConnection(self._address, timeout=120)
        connection: HTTPConnection = self._local.connection
        connection.request("POST", f"/api/v1/search?top={TOP}", self._pictures[number % len(self._pictures)], HEADERS)
        response = connection.getresponse()
        body = response.read()
        self.statuses[response.status] += 1
        if response.status == 200:
            stages = json.loads(body)["seconds"]
            spent = sum(value for stage, value in stages.items() if stage != "wait")
            self.overheads.append(time.perf_counter() - start - spent)


def percentiles(values: Sequence[float]) -> str:
    """Median, 95th and 99th percentile in milliseconds."""
    ordered = sorted(values)
    parts = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95, 0.99)]
    return " / ".join(f"{1000 * value:.1f}" for value in parts) + " ms"


def under_load(server: ServerProcess, pictures: Sequence[bytes], n_clients: int, seconds: float) -> float:
    """Queries a second of the server under many clients; prints what else there is to say."""
    clients, cpu = Clients(server.address, pictures), server.cpu_seconds()
    latencies = _run(clients.ask, n_clients, seconds)
    cpu = (server.cpu_seconds() - cpu) / len(latencies)
    per_second = len(latencies) / seconds
    print(f"{n_clients} clients, {seconds:g} s: {per_second:.2f} a second, statuses {dict(clients.statuses)}")
    print(f"  an answer, median / 95 % / 99 %: {percentiles(latencies)}; {1000 * cpu:.0f} ms of processor")
    return per_second


def soak(server: ServerProcess, pictures: Sequence[bytes], n_clients: int, minutes: float) -> None:
    """The load for long; memory and handles every tenth of the time."""
    clients, end, sizes = Clients(server.address, pictures), time.time() + 60 * minutes, list[int]()
    worker = threading.Thread(target=_run, args=(clients.ask, n_clients, 60 * minutes), daemon=True)
    worker.start()
    while time.time() < end:
        time.sleep(max(1.0, 6 * minutes))
        sizes.append(server.memory() >> 20)
        counts = f"{server.n_files()} handles, {sum(clients.statuses.values())} answers"
        print(f"  {sizes[-1]} MB in all processes, {counts}", flush=True)
    worker.join()
    print(f"soak of {minutes:g} minutes: statuses {dict(clients.statuses)}, memory {sizes[0]} -> {sizes[-1]} MB")


if __name__ == "__main__":
    sys.exit(main())
