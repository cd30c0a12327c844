"""`python -m bof.search` from nothing to the printed table; and the first run ever, when everything is compiled."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence

from bench_process import run_measured
from bench_setup import Bench
from bench_table import Row

GROUP = "start-up"


def measure(bench: Bench) -> Iterator[Row]:
    """A row for a search as users know it, and one for the first after installation beside the second."""
    command = bench.by_command.search
    run_measured(command)
    seconds = [run_measured(command).seconds for _ in range(bench.runs)]
    yield Row(GROUP, "search, from nothing to the table", "s", seconds)
    pairs = [_twice(bench, command) for _ in range(bench.runs)]
    first, second = (list(column) for column in zip(*pairs, strict=True))
    note = "all caches empty, those of Python's libraries too, which pip would have filled"
    yield Row(GROUP, "the first search ever", "s", first, "the second", second, is_limit=True, note=note)


def _twice(bench: Bench, command: Sequence[str]) -> tuple[float, float]:
    """Seconds of the first and the second run on a machine that has compiled nothing."""
    with tempfile.TemporaryDirectory(prefix="fresh-", dir=bench.workshop.scratch) as folder:
        fresh = {"PYTHONPYCACHEPREFIX": f"{folder}/python"}
        return run_measured(command, fresh).seconds, run_measured(command, fresh).seconds
