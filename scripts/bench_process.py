"""A command in a process of its own: what it prints, how long it takes, how much memory."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.errors import BofError

_WAITER = """
import os, sys, time
start = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
print(time.perf_counter() - start, usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""Stands between, because Linux counts what a process held before it became the command: here a bare interpreter."""

_BYTES_PER_RSS = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds from nothing to the end, the peak memory of its largest process in bytes, what it printed."""

    seconds: float
    peak_bytes: int
    stdout: str


def run_measured(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Measured:
    """Run a command; environment: variables to set for it. Raises BofError where it fails."""
    variables = {**os.environ, **(environment or {})}
    waiter = [sys.executable, "-S", "-E", "-c", _WAITER, *command]
    done = subprocess.run(waiter, capture_output=True, text=True, env=variables)
    *errors, figures = done.stderr.splitlines() or [""]
    if done.returncode:
        raise BofError(f"{' '.join(command)}: exit status {done.returncode}; {' '.join(errors[-3:])}")
    seconds, peak = figures.split()
    return Measured(float(seconds), int(peak) * _BYTES_PER_RSS, done.stdout)


def bof_command(verb: str, *arguments: str | Path) -> list[str]:
    """`python -m bof.VERB ARGUMENTS` with this interpreter."""
    return [sys.executable, "-m", f"bof.{verb}", *map(str, arguments)]
