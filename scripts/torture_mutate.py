"""Broken picture files through indexing and search: none may crash, hang or take more memory than was allowed."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from torture_common import Finding, index_command, link_all, n_images, private_memory, start
from torture_mutants import write_mutants

from bof.engine import Engine
from bof.errors import ImageError
from bof.images.decode import read_image
from bof.options import VerifyOptions
from bof.options import SearchOptions

_HANG_S = 30.0
_SEARCH = SearchOptions(verify=VerifyOptions(depth=20), mirror="never")
"""The mutants are copies of four pictures: to verify every copy for every copy would take an hour."""


def run(pictures: Sequence[Path], scratch: Path, arguments: argparse.Namespace) -> list[Finding]:
    """Index them all, then search with each."""
    folder = link_all(pictures[:3], scratch / "photos")
    kinds = write_mutants(pictures[:4], folder, arguments.mutants, arguments.seed)
    n_files = len(kinds) + 3
    command = index_command(folder, scratch / "index", arguments.vocabulary, "--memory", arguments.memory)
    command += ["--skipped", str(scratch / "skipped")]
    status, peak, seconds = _index(command)
    named = (scratch / "skipped").read_text(encoding="utf-8").splitlines()
    n_indexed = n_images(scratch / "index")
    lost = [line for line in named if "the process that read it" in line]
    searched, slowest = _search_with_all(scratch / "index", folder)
    is_whole = status == 0 and n_indexed + len(named) == n_files
    return [
        Finding("files", f"{n_files} ({', '.join(f'{n} {kind}' for kind, n in sorted(Counter(kinds).items()))})"),
        Finding("indexing", f"exit status {status} after {seconds:.0f} s", status != 0),
        Finding("indexed, and named as skipped", f"{n_indexed} + {len(named)} of {n_files}", not is_whole),
        Finding("pictures that took a process down or were given up", len(lost)),
        Finding(
            "memory of all processes, and the cap",
            f"{peak >> 20} MB, {arguments.memory} MB",
            peak >> 20 > arguments.memory,
        ),
        Finding("searches by outcome", dict(searched), searched["another error"] > 0),
        Finding("slowest search", f"{slowest:.1f} s", slowest > _HANG_S),
    ]


def _index(command: list[str]) -> tuple[int, int, float]:
    """Exit status, peak of private memory, seconds."""
    begin, peak = time.perf_counter(), 0
    process = start(command)
    while process.poll() is None:
        peak = max(peak, private_memory(process.pid))
        time.sleep(0.1)
    return process.returncode, peak, time.perf_counter() - begin


def _search_with_all(index: Path, folder: Path) -> tuple[Counter[str], float]:
    """Outcomes of one long-lived engine, and the seconds of the slowest search."""
    engine, outcomes, slowest = Engine.open(index), Counter[str](), 0.0
    for path in sorted(folder.iterdir()):
        begin = time.perf_counter()
        try:
            picture = read_image(path, grey=True, max_side=engine.features.max_side)
            engine.answer(engine.prepare(picture), _SEARCH)
            outcomes["answered"] += 1
        except ImageError:
            outcomes["refused by name"] += 1
        except Exception:
            outcomes["another error"] += 1
        slowest = max(slowest, time.perf_counter() - begin)
    return outcomes, slowest
