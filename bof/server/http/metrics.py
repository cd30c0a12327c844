"""Counters of the server in Prometheus' text format (version 0.0.4)."""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the histogram of durations, in seconds."""

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]
Samples = Sequence[tuple[Labels, float]]
"""What one metric has under different labels: all its lines stand together, as the format wants it."""

Gauges = Mapping[str, tuple[str, float | Samples]]
"""name -> meaning and value, or the values of one that has labels."""


class Metrics:
    """Counts requests and the seconds of stages; all from the thread of the event loop."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str, int], int] = defaultdict(int)
        self._durations: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0] * (len(BUCKETS) + 2))
        self._stages: dict[str, float] = defaultdict(float)

    def count(self, method: str, path: str, status: int, seconds: float) -> None:
        """One request, by the path of its endpoint."""
        self._requests[method, path, status] += 1
        row = self._durations[method, path]
        row[bisect_left(BUCKETS, seconds)] += 1
        row[-1] += seconds

    def add_stages(self, seconds: Mapping[str, float]) -> None:
        """Where the time of a search went."""
        for stage, spent in seconds.items():
            self._stages[stage] += spent

    def text(self, gauges: Gauges) -> str:
        """All counters, and gauges."""
        lines = [*self._request_lines(), *self._duration_lines(), *self._stage_lines()]
        for name, (meaning, value) in gauges.items():
            samples = [({}, value)] if isinstance(value, int | float) else value
            lines += [*_head(name, "gauge", meaning), *(_line(name, labels, one) for labels, one in samples)]
        return "\n".join(lines) + "\n"

    def _request_lines(self) -> Iterator[str]:
        yield from _head("bof_requests_total", "counter", "requests answered")
        for (method, path, status), n in sorted(self._requests.items()):
            yield _line("bof_requests_total", {"method": method, "path": path, "status": str(status)}, n)

    def _duration_lines(self) -> Iterator[str]:
        name = "bof_request_seconds"
        yield from _head(name, "histogram", "seconds until an answer was ready")
        for (method, path), row in sorted(self._durations.items()):
            labels = {"method": method, "path": path}
            total = 0.0
            for bound, n in zip((*map(str, BUCKETS), "+Inf"), row[:-1], strict=True):
                total += n
                yield _line(f"{name}_bucket", {**labels, "le": bound}, total)
            yield _line(f"{name}_sum", labels, row[-1])
            yield _line(f"{name}_count", labels, total)

    def _stage_lines(self) -> Iterator[str]:
        yield from _head("bof_search_stage_seconds_total", "counter", "seconds that searches spent in a stage")
        for stage, spent in sorted(self._stages.items()):
            yield _line("bof_search_stage_seconds_total", {"stage": stage}, spent)


def _head(name: str, kind: str, meaning: str) -> Iterable[str]:
    return f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"


def _line(name: str, labels: Labels, value: float) -> str:
    inside = ",".join(f'{key}="{text}"' for key, text in labels.items())
    return f"{name}{{{inside}}} {value:g}" if inside else f"{name} {value:g}"


def process_gauges() -> dict[str, tuple[str, float]]:
    """What this process takes, where the system tells."""
    gauges = {"process_threads": ("threads", float(threading.active_count()))}
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        gauges["process_resident_memory_bytes"] = "memory in use", float(pages * os.sysconf("SC_PAGE_SIZE"))
        gauges["process_open_fds"] = "open files and sockets", float(len(os.listdir("/proc/self/fd")))
    except (OSError, ValueError):
        pass
    return gauges
