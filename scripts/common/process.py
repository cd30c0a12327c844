"""Commands in processes of their own: what they print, how long they take, their memory and their children."""

from __future__ import annotations

import contextlib
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


def python_command(module: str, *arguments: object) -> list[str]:
    """`python -m MODULE ARGUMENTS` with this interpreter."""
    return [sys.executable, "-m", module, *map(str, arguments)]


def tree_of(pid: int) -> set[int]:
    """A process and all processes below it, by their numbers."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, IndexError):  # it ended meanwhile
            parents[int(path.name)] = int(_fields(int(path.name))[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _fields(pid: int) -> list[str]:
    """Of /proc/PID/stat those behind the name; the state is the first."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def is_alive(pid: int) -> bool:
    """Does it run, and is no zombie?"""
    try:
        return _fields(pid)[0] != "Z"
    except OSError:
        return False


def cpu_seconds(pid: int) -> float:
    """Seconds of processor that a process took so far."""
    fields = _fields(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int | str = "self") -> dict[str, int]:
    """Resident bytes of a process: all (VmRSS), of mapped files (RssFile), of its own (RssAnon); none once it ended."""
    names = ("VmRSS", "RssFile", "RssAnon")
    with contextlib.suppress(OSError, KeyError):
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        fields = dict(line.split(":", 1) for line in lines)
        return {name: 1024 * int(fields[name].split()[0]) for name in names}
    return dict.fromkeys(names, 0)
