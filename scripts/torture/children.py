"""Work in forked children: one that dies, hangs or takes too much says how far it came, and takes nothing with it."""

from __future__ import annotations

import io
import os
import pickle
import resource
import select
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Say = Callable[[object], None]


@dataclass(frozen=True, slots=True)
class Ended:
    """reported: what a child said, in order; problem: how it ended, "" where well; peak: its peak memory in bytes."""

    reported: list[Any]
    problem: str
    peak: int


def in_child(work: Callable[[Say], None], seconds: float, more_memory: int = 0) -> Ended:
    """Run work(say) in a forked child, which is ended when it has said nothing for so many seconds.

    more_memory: bytes of addresses beyond what it has at first, 0: any.

    This process has no threads: they would be missing in the child.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _run(work, writing, more_memory)
    os.close(writing)
    content, is_late = _read(reading, seconds)
    if is_late:
        os.kill(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    problem = f"took more than {seconds:.0f} s" if is_late else _ending(os.waitstatus_to_exitcode(status))
    return Ended(_unpickled(content), problem, usage.ru_maxrss << 10)


def _run(work: Callable[[Say], None], writing: int, more_memory: int) -> None:
    """The child's life."""
    status = 70
    try:
        if more_memory:
            limit = _address_space() + more_memory
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        work(lambda value: _write(writing, pickle.dumps(value)))
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _address_space() -> int:
    with open("/proc/self/statm", encoding="ascii") as stream:
        return int(stream.read().split()[0]) * resource.getpagesize()


def _read(descriptor: int, seconds: float) -> tuple[bytes, bool]:
    """All that comes until the end, and whether it stopped coming."""
    parts = []
    with open(descriptor, "rb", buffering=0) as stream:
        while select.select([stream], [], [], seconds)[0]:
            part = stream.read(1 << 16)
            if not part:
                return b"".join(parts), False
            parts.append(part)
    return b"".join(parts), True


def _unpickled(content: bytes) -> list[Any]:
    stream, values = io.BytesIO(content), []
    while stream.tell() < len(content):
        try:
            values.append(pickle.load(stream))
        except (EOFError, pickle.UnpicklingError):  # it died while it wrote
            break
    return values


def _ending(status: int) -> str:
    if status < 0:
        return signal.Signals(-status).name
    return f"exit status {status}" if status else ""
