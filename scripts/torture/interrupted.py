"""Indexing that is interrupted, by SIGKILL and by a full disk, and resumed: the index must equal an undisturbed one."""

from __future__ import annotations

import argparse
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np

from scripts.common.process import is_alive, tree_of
from scripts.torture.index import Finding, contents, index_command, is_sound, link_all, n_images, start

_PATIENCE_S = 5.0
_COMMIT_IMAGES = 20


def kill(pictures: Sequence[Path], scratch: Path, arguments: argparse.Namespace) -> list[Finding]:
    """SIGKILL at random moments of indexing: kill, look, resume, compare."""
    return kill_indexing(link_all(pictures, scratch / "photos"), pictures, scratch, arguments)


def kill_indexing(
    folder: Path, queries: Sequence[Path], scratch: Path, arguments: argparse.Namespace, runs: float = 1.0
) -> list[Finding]:
    """The same of any folder. queries: pictures with which the indexes are compared; runs: so many times as long as one
    takes all that are killed go on, together.
    """
    calm, index = scratch / "calm", scratch / "index"
    calm_command, command = (
        index_command(folder, target, arguments, "--commit-images", _COMMIT_IMAGES) for target in (calm, index)
    )
    begin = time.perf_counter()
    start(calm_command).wait()
    seconds = time.perf_counter() - begin
    rng = np.random.default_rng(arguments.seed)
    progress, n_unsound, n_orphans, n_late = [], 0, 0, 0
    for _ in range(arguments.kills):
        process = start(command)
        # Start-up takes about a second; beyond it the kills share the work of some runs.
        time.sleep(float(rng.uniform(0.0, 1.5 + 2.0 * runs * seconds / arguments.kills)))
        children = tree_of(process.pid) - {process.pid}
        n_late += process.poll() is not None
        process.kill()
        process.wait()
        n_orphans += _wait_for_end(children)
        n_unsound += not is_sound(index)
        progress.append(n_images(index))
    start(command).wait()
    is_equal = contents(index, queries, 20) == contents(calm, queries, 20)
    went_back = sum(after < before for before, after in pairwise(progress))
    return [
        Finding("undisturbed", f"{n_images(calm)} pictures in {seconds:.1f} s"),
        Finding("kills", f"{arguments.kills}, of which {n_late} came after the run had ended"),
        Finding("pictures committed after each kill", " ".join(map(str, progress))),
        Finding("times that a commit was lost", went_back, went_back > 0),
        Finding("times that the index was unsound", n_unsound, n_unsound > 0),
        Finding("processes left behind", n_orphans, n_orphans > 0),
        Finding("resumed to the end, equal to the undisturbed index", is_equal, not is_equal),
    ]


def _wait_for_end(processes: set[int]) -> int:
    """How many still run after a few seconds."""
    end = time.monotonic() + _PATIENCE_S
    while (left := sum(is_alive(pid) for pid in processes)) and time.monotonic() < end:
        time.sleep(0.05)
    return left


def full(pictures: Sequence[Path], scratch: Path, arguments: argparse.Namespace) -> list[Finding]:
    """A disk that fills up in the middle of indexing: an error, a sound index, and with more space it goes on."""
    folder, calm = link_all(pictures, scratch / "photos"), scratch / "calm"
    start(index_command(folder, calm, arguments)).wait()
    n_bytes = sum(path.stat().st_size for path in calm.rglob("*") if path.is_file())
    with _small_disk(scratch / "disk", n_bytes // 4) as disk:
        if disk is None:
            return [Finding("left out", "no small file system can be mounted here (needs root on Linux)")]
        index = disk / "index"
        command = index_command(folder, index, arguments, "--commit-images", 20)
        full = subprocess.run(command, capture_output=True, text=True)
        n_committed, sound = n_images(index), is_sound(index)
        subprocess.run(["mount", "-o", f"remount,size={16 * n_bytes}", str(disk)], check=True)
        again = subprocess.run(command, capture_output=True, text=True)
        is_equal = contents(index, pictures, 10) == contents(calm, pictures, 10)
    error = full.stderr.strip().splitlines()[-1:]
    return [
        Finding("full", f"exit status {full.returncode}: {error}", full.returncode != 1 or "Traceback" in full.stderr),
        Finding("pictures committed, sound", f"{n_committed}, {sound}", not sound),
        Finding("with more space", f"exit status {again.returncode}", again.returncode != 0),
        Finding("equal to an undisturbed index", is_equal, not is_equal),
    ]


@contextmanager
def _small_disk(place: Path, n_bytes: int) -> Iterator[Path | None]:
    """A file system in memory; None where it may not be mounted."""
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={n_bytes}", "none", str(place)], capture_output=True)
    try:
        yield place if mounted.returncode == 0 else None
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", "-l", str(place)], check=True)
