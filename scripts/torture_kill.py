"""SIGKILL at random moments of indexing, then resume to the end: the index must equal an undisturbed one."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from torture_common import (
    Finding,
    children_of,
    contents,
    index_command,
    is_alive,
    is_sound,
    link_all,
    n_images,
    start,
    terminate,
)

_PATIENCE_S = 5.0
_COMMIT_IMAGES = 20


def run(pictures: Sequence[Path], scratch: Path, arguments: argparse.Namespace) -> list[Finding]:
    """Kill, look, resume, compare."""
    folder = link_all(pictures, scratch / "photos")
    more = ("--commit-images", _COMMIT_IMAGES)
    begin = time.perf_counter()
    start(index_command(folder, scratch / "calm", arguments.vocabulary, *more)).wait()
    seconds = time.perf_counter() - begin
    rng = np.random.default_rng(arguments.seed)
    progress, n_unsound, n_orphans, n_late = [], 0, 0, 0
    for _ in range(arguments.kills):
        process = start(index_command(folder, scratch / "index", arguments.vocabulary, *more))
        time.sleep(_moment(rng, seconds, arguments.kills))
        children = children_of(process.pid)
        n_late += process.poll() is not None
        terminate(process)
        n_orphans += _wait_for_end(children)
        n_unsound += not is_sound(scratch / "index")
        progress.append(n_images(scratch / "index"))
    start(index_command(folder, scratch / "index", arguments.vocabulary, *more)).wait()
    queries = pictures[:: max(1, len(pictures) // 20)]
    is_equal = contents(scratch / "index", queries) == contents(scratch / "calm", queries)
    went_back = sum(after < before for before, after in pairwise(progress))
    return [
        Finding("undisturbed", f"{n_images(scratch / 'calm')} pictures in {seconds:.1f} s"),
        Finding("kills", f"{arguments.kills}, of which {n_late} came after the run had ended"),
        Finding("pictures committed after each kill", " ".join(map(str, progress))),
        Finding("times that a commit was lost", went_back, went_back > 0),
        Finding("times that the index was unsound", n_unsound, n_unsound > 0),
        Finding("processes left behind", n_orphans, n_orphans > 0),
        Finding("resumed to the end, equal to the undisturbed index", is_equal, not is_equal),
    ]


def _moment(rng: np.random.Generator, seconds: float, n_kills: int) -> float:
    """Start-up takes about a second; beyond it the kills share the work of about one run."""
    return float(rng.uniform(0.0, 1.5 + 2.0 * seconds / n_kills))


def _wait_for_end(processes: set[int]) -> int:
    """How many still run after a few seconds."""
    end = time.monotonic() + _PATIENCE_S
    while (left := sum(is_alive(pid) for pid in processes)) and time.monotonic() < end:
        time.sleep(0.05)
    return left
