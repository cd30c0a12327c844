"""Load and soak of the server on loopback: python scripts/serve_load.py --index DIR --queries DIR [--seconds 60]

The engine in a process of its own, on all cores, is measured before and after; both answer the same queries in the
same order. Queries are not cached. Seconds of processor are told too: other work on the machine changes them less.
--soak MINUTES: the same load for long, with memory and handles as they go.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
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

from server_process import ServerProcess

TOP = 10
HEADERS = {"Content-Type": "application/octet-stream"}


# -- The engine alone, in a process of its own ------------------------------------------------------------------------


def engine_alone(index: Path, queries: Sequence[Path], seconds: float, n_threads: int) -> dict[str, float]:
    """Queries a second of the engine, as n_threads ask it, and the median seconds of an answer."""
    import cv2

    from bof.engine import Engine
    from bof.images.decode import decode
    from bof.system.threads import set_threads

    engine = Engine.open(index)
    pictures = [path.read_bytes() for path in queries]
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
    return {"per_second": len(latencies) / seconds, "median": statistics.median(latencies), "cpu": cpu}


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


def measured_alone(arguments: argparse.Namespace, seconds: float) -> dict[str, dict[str, float]]:
    """`engine_alone` in a process of its own, by one thread that shares out its work, and by one a core."""
    found = {}
    for n_threads in sorted({1, os.cpu_count() or 1}):
        command = [sys.executable, __file__, "--index", str(arguments.index), "--queries", str(arguments.queries)]
        command += ["--seconds", str(seconds), "--alone", str(n_threads)]
        found[f"{n_threads} asking"] = json.loads(subprocess.check_output(command))
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
    clients = Clients(server.address, pictures)
    cpu = server.cpu_seconds()
    latencies = _run(clients.ask, n_clients, seconds)
    cpu = (server.cpu_seconds() - cpu) / len(latencies)
    per_second = len(latencies) / seconds
    print(f"{n_clients} clients, {seconds:g} s: {per_second:.2f} a second, statuses {dict(clients.statuses)}")
    print(f"  an answer, median / 95 % / 99 %: {percentiles(latencies)}; {1000 * cpu:.0f} ms of processor")
    return per_second


def overhead(server: ServerProcess, pictures: Sequence[bytes], seconds: float) -> None:
    """One client after another: what HTTP, the pipe to the worker and JSON add to the stages of a search."""
    clients = Clients(server.address, pictures)
    latencies = _run(clients.ask, 1, seconds)
    print(
        f"1 client: answer {percentiles(latencies)}, of it beside the search's stages {percentiles(clients.overheads)}"
    )


def soak(server: ServerProcess, pictures: Sequence[bytes], n_clients: int, minutes: float) -> None:
    """The load for long; memory and handles every tenth of the time."""
    clients = Clients(server.address, pictures)
    end, rows = time.time() + 60 * minutes, []
    worker = threading.Thread(target=_run, args=(clients.ask, n_clients, 60 * minutes), daemon=True)
    worker.start()
    while time.time() < end:
        time.sleep(max(1.0, 6 * minutes))
        rows.append((server.memory() >> 20, server.n_files(), sum(clients.statuses.values())))
        print(f"  {rows[-1][0]} MB in all processes, {rows[-1][1]} handles, {rows[-1][2]} answers", flush=True)
    worker.join()
    print(f"soak of {minutes:g} minutes: statuses {dict(clients.statuses)}, memory {rows[0][0]} -> {rows[-1][0]} MB")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--queries", type=Path, required=True, help="a folder of pictures to ask with")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--soak", type=float, default=0.0, metavar="MINUTES")
    parser.add_argument("--alone", type=int, default=0, help=argparse.SUPPRESS)
    return parser


def main() -> int:
    """Measure and print."""
    arguments = _parser().parse_args()
    queries = sorted(path for path in arguments.queries.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    queries = queries[:: max(1, len(queries) // 200)]  # of every folder some
    if arguments.alone:
        print(json.dumps(engine_alone(arguments.index, queries, arguments.seconds, arguments.alone)))
        return 0
    pictures = [path.read_bytes() for path in queries]
    flags = ("--rate", "0", "--cached-queries", "0", "--waiting", "1000")
    if arguments.soak:
        with ServerProcess(arguments.index, *flags) as server:
            soak(server, pictures, arguments.clients, arguments.soak)
        return 0
    before = measured_alone(arguments, arguments.seconds / 3)
    with ServerProcess(arguments.index, *flags) as server:
        under_load(server, pictures, 4, 5.0)
        overhead(server, pictures, arguments.seconds / 3)
        per_second = under_load(server, pictures, arguments.clients, arguments.seconds)
        print(f"  memory of all processes {server.memory() >> 20} MB, handles {server.n_files()}")
    after = measured_alone(arguments, arguments.seconds / 3)
    for name in before:
        rates = before[name]["per_second"], after[name]["per_second"]
        median = 1000 * before[name]["median"], 1000 * after[name]["median"]
        cpu = 1000 * before[name]["cpu"], 1000 * after[name]["cpu"]
        print(f"engine alone, {name}: {rates[0]:.2f} and {rates[1]:.2f} a second")
        print(f"  an answer: {median[0]:.0f} and {median[1]:.0f} ms; {cpu[0]:.0f} and {cpu[1]:.0f} ms of processor")
    best = max((before[name]["per_second"] + after[name]["per_second"]) / 2 for name in before)
    print(f"the server answers {100 * per_second / best:.0f} % of what the engine alone does")
    return 0


if __name__ == "__main__":
    sys.exit(main())
