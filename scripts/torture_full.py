"""A disk that fills up in the middle of indexing: an error, an index that is sound, and the same command goes on."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from torture_common import Finding, contents, index_command, is_sound, link_all, n_images, start


def run(pictures: Sequence[Path], scratch: Path, arguments: argparse.Namespace) -> list[Finding]:
    """Index on a small file system, make it larger, go on."""
    folder = link_all(pictures, scratch / "photos")
    start(index_command(folder, scratch / "calm", arguments.vocabulary)).wait()
    n_bytes = sum(path.stat().st_size for path in (scratch / "calm").rglob("*") if path.is_file())
    with _small_disk(scratch / "disk", n_bytes // 4) as disk:
        if disk is None:
            return [Finding("left out", "no small file system can be mounted here (needs root on Linux)")]
        command = index_command(folder, disk / "index", arguments.vocabulary, "--commit-images", 20)
        full = subprocess.run(command, capture_output=True, text=True)
        n_committed, sound = n_images(disk / "index"), is_sound(disk / "index")
        subprocess.run(["mount", "-o", f"remount,size={16 * n_bytes}", str(disk)], check=True)
        again = subprocess.run(command, capture_output=True, text=True)
        queries = pictures[:: max(1, len(pictures) // 10)]
        is_equal = contents(disk / "index", queries) == contents(scratch / "calm", queries)
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
