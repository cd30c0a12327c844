"""Dask's workers, their scheduler and the coordinator are killed while they index and while eight clients search.

What is committed stays, no answer differs from that of one process, and one that is not whole names what is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from bof.engine import Engine
from bof.errors import BofError
from bof.options import IndexOptions
from scripts.torture.cluster_front import OPTIONS, digest_of
from scripts.torture.index import Finding

_WORKERS = 2
_QUERIES = 6
_MOST_S, _MOST_S_A_PICTURE = 240.0, 0.3
"""A run of a command that takes longer than this hangs."""

_BETWEEN_S = 2.0, 6.0
"""From one kill to the next, about what a worker needs to start again."""


class Machines:
    """A scheduler and workers with nannies, as processes of this machine."""

    def __init__(self, scratch: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        self._port, self._scratch = port, scratch
        self._scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        self._nannies = [self._start_worker() for _ in range(_WORKERS)]

    def _start(self, kind: str, *flags: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{kind}", *flags],
            cwd=self._scratch,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

    def _start_worker(self) -> subprocess.Popen[bytes]:
        return self._start("worker", self.address, "--nthreads", "1", "--no-dashboard")

    def kill_worker(self, chance: random.Random) -> None:
        """A worker process; its nanny starts another."""
        nannies = [one for one in self._nannies if one.poll() is None]
        for nanny in chance.sample(nannies, len(nannies)):
            if children := [
                one for one in psutil.Process(nanny.pid).children() if "spawn_main" in " ".join(one.cmdline())
            ]:
                children[0].send_signal(signal.SIGKILL)
                return

    def kill_scheduler(self) -> None:
        """The scheduler, which is started again on its port; workers that ended with it too."""
        self._scheduler.kill()
        self._scheduler.wait()
        self._scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(self._port), "--no-dashboard")
        self.mend()

    def mend(self) -> None:
        """Start what has ended."""
        self._nannies = [one if one.poll() is None else self._start_worker() for one in self._nannies]

    def close(self) -> None:
        """End everything."""
        for one in (*self._nannies, self._scheduler):
            for child in psutil.Process(one.pid).children(recursive=True) if one.poll() is None else ():
                child.kill()
            one.kill()
            one.wait()


def run(pictures: Sequence[Path], scratch: Path, arguments: argparse.Namespace) -> list[Finding]:
    """Half of the kills while pictures are indexed, half while clients search."""
    machines, chance = Machines(scratch), random.Random(arguments.seed)
    try:
        folder = scratch / "pictures"
        folder.mkdir()
        for number, path in enumerate(pictures):
            (folder / f"{number:05d}{path.suffix}").symlink_to(path)
        n_kills = -(-arguments.kills // 2)
        found = _index(machines, folder, scratch / "index", n_kills, chance)
        return [*found, *_search(machines, scratch / "index", list(pictures[:_QUERIES]), n_kills, chance)]
    finally:
        machines.close()


def _index(machines: Machines, folder: Path, index: Path, n_kills: int, chance: random.Random) -> list[Finding]:
    command = [sys.executable, "-m", "bof.index", str(folder), "--index", str(index), "--dask", machines.address]

    killed: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    counts, problems, n_files = [0], list[str](), len(list(folder.iterdir()))
    most_s = _MOST_S + _MOST_S_A_PICTURE * n_files
    while True:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        began = time.monotonic()
        while process.poll() is None and time.monotonic() - began < most_s:
            time.sleep(chance.uniform(*_BETWEEN_S))
            if sum(killed.values()) < n_kills and process.poll() is None:
                killed[_kill(machines, process, chance)] += 1
            machines.mend()
        if process.poll() is None:
            problems.append("a run hangs")
            process.kill()
        _, errors = process.communicate()
        problems += _wrong_index(index, counts)
        if process.returncode == 0 or len(counts) > 4 * n_kills:
            break
        if process.returncode > 0:
            lines = errors.decode(errors="replace").strip().splitlines() or [""]
            ended[lines[-1][-100:]] += 1
            problems += [line for line in lines if "Traceback" in line]
            problems += [] if lines[-1].startswith("error: ") else [f"ended with {lines[-1]}"]
    return [
        Finding("kills while indexing", f"{sum(killed.values())}: {dict(sorted(killed.items()))}"),
        Finding("runs until all was indexed", len(counts) - 1),
        Finding("runs that ended in words", dict(ended) or 0),
        Finding("pictures indexed", f"{counts[-1]} of {n_files}", counts[-1] != n_files),
        Finding("problems", "; ".join(problems[:5]) or 0, bool(problems)),
    ]


def _kill(machines: Machines, coordinator: subprocess.Popen[bytes], chance: random.Random) -> str:
    victim = chance.choice(("worker", "worker", "scheduler", "coordinator"))
    if victim == "worker":
        machines.kill_worker(chance)
    elif victim == "scheduler":
        machines.kill_scheduler()
    else:
        coordinator.kill()
    return victim


def _wrong_index(index: Path, counts: list[int]) -> list[str]:
    """What is wrong with an index after a run; counts: of its pictures after those before, to which this is added."""
    try:
        with Engine.open(index) as engine:
            counts.append(engine.count())
            report = engine.check()
    except BofError as error:
        counts.append(counts[-1])
        return [str(error)] if counts[-1] else []
    wrong = [] if report.is_sound else [f"{len(report.damages)} segments are damaged"]
    return wrong + ([f"{counts[-2] - counts[-1]} committed pictures are lost"] if counts[-1] < counts[-2] else [])


def _search(machines: Machines, index: Path, queries: list[Path], n_kills: int, chance: random.Random) -> list[Finding]:
    with Engine.open(index) as engine:
        engine.add([], IndexOptions(workers=1))
        expected = [digest_of(engine.answer(engine.query(path, OPTIONS), OPTIONS), engine) for path in queries]
    command = [sys.executable, "-m", "scripts.torture.cluster_front", str(index), machines.address, *map(str, queries)]
    lines: list[dict[str, Any]] = []
    killed: Counter[str] = Counter()
    front = _start_front(command, lines)
    deadline = time.monotonic() + _MOST_S
    while not lines and time.monotonic() < deadline:
        time.sleep(0.5)
        front = front if front.poll() is None else _start_front(command, lines)
    for _ in range(n_kills):
        time.sleep(chance.uniform(*_BETWEEN_S))
        killed[_kill(machines, front, chance)] += 1
        machines.mend()
        front = front if front.poll() is None else _start_front(command, lines)
    n_before = len(lines)
    until = time.monotonic() + 60
    while len(lines) < n_before + 2 * len(queries) and time.monotonic() < until:
        time.sleep(1.0)
        machines.mend()
        front = front if front.poll() is None else _start_front(command, lines)
    front.kill()
    answers = [line for line in list(lines) if "digest" in line]
    whole = [line for line in answers if not line["missing"]]
    different = [line for line in whole if line["digest"] != expected[line["query"]]]
    errors = Counter(line["error"].split(";")[0][-90:] for line in list(lines) if "error" in line)
    return [
        Finding("kills while 8 clients search", f"{sum(killed.values())}: {dict(sorted(killed.items()))}"),
        Finding("whole answers", len(whole), not whole),
        Finding("of these different from one process", len(different), bool(different)),
        Finding("partial answers that name what is missing", len(answers) - len(whole)),
        Finding("answers after the last kill", len(lines) - n_before, len(lines) == n_before),
        Finding("refused, in words", f"{sum(errors.values())}: {dict(errors.most_common(3))}"),
    ]


def _start_front(command: Sequence[str], lines: list[dict[str, Any]]) -> subprocess.Popen[bytes]:
    """The front, whose lines are gathered until it ends."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def gather() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            try:
                lines.append(json.loads(line))
            except ValueError:  # cut short by the kill
                continue

    threading.Thread(target=gather, daemon=True).start()
    return process
