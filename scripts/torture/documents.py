"""Broken documents through indexing and as queries, and SIGKILLs while a book is indexed."""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bof.engine import Engine
from bof.errors import ImageError
from bof.images.address import file_of
from bof.images.opening import read_picture
from scripts.book.composing import compose
from scripts.common.process import memory, tree_of
from scripts.torture.hostile_documents import OUTSIDE, make_hostile, sound_documents
from scripts.torture.index import Finding, index_command, start
from scripts.torture.interrupted import kill_indexing
from scripts.torture.watching import differences, facts_of

_SECONDS, _HANG_S = 20, 60.0
"""What one document may take, and a read of one of its parts."""

_PAGES, _PICTURES = 300, 200
_QUERIES = 50


def run(pictures: Sequence[Path], scratch: Path, arguments: argparse.Namespace) -> list[Finding]:
    """Index them all with a limit of memory, then read parts again as a query does."""
    folder, index, skipped, canary = (scratch / name for name in ("documents", "index", "skipped", "canary"))
    canary.mkdir()
    (canary / "nobody's").write_bytes(b"business")
    kinds = _write(folder, pictures, arguments)
    before = {**facts_of(folder), **facts_of(canary)}
    flags = ("--memory", arguments.memory, "--skipped", skipped, "--picture-seconds", _SECONDS)
    status, peak, seconds = index_watched(index_command(folder, index, arguments, *flags), canary)
    touched = [*differences(before, {**facts_of(folder), **facts_of(canary)}), *_strays(scratch)]
    lines = skipped.read_text(encoding="utf-8").splitlines() if skipped.exists() else []
    indexed = {file_of(record.path) for record in Engine.open(index).records()}
    silent = [name for name in kinds if str(folder / name) not in indexed and not any(name in line for line in lines)]
    lost = [line for line in lines if "the process that read it" in line or "needs more memory" in line]
    read, slowest = _read_again(index)
    return [
        Finding("documents", f"{len(kinds)} of {len(set(kinds.values()))} kinds"),
        Finding("indexing", f"exit status {status} after {seconds:.0f} s", status not in (0, 1)),
        Finding("documents of which pictures are in the index", len(indexed)),
        Finding("documents and parts named as skipped", len(lines)),
        Finding("documents neither indexed nor named", silent[:9] or 0, bool(silent)),
        Finding("that took a process down, too long or too much memory", _by_kind(lost, kinds)),
        Finding("memory of all processes, and the cap", f"{peak >> 20} MB, {arguments.memory} MB",
                peak >> 20 > arguments.memory),
        Finding("files touched or made", touched or 0, bool(touched)),
        Finding("parts read again", dict(read), read["another error"] > 0),
        Finding("slowest read", f"{slowest:.1f} s", slowest > _HANG_S),
    ]  # fmt: skip


def kill(pictures: Sequence[Path], scratch: Path, arguments: argparse.Namespace) -> list[Finding]:
    """SIGKILL at random moments while a book is indexed."""
    folder = scratch / "book"
    folder.mkdir()
    n_pictures = min(_PICTURES, len(pictures))
    pages = _PAGES * n_pictures // _PICTURES
    compose(folder / "book.pdf", pictures[:n_pictures], pages, np.random.default_rng(arguments.seed))
    return [Finding("book", f"{pages} pages"), *kill_indexing(folder, pictures[:n_pictures], scratch, arguments)]


def _write(folder: Path, pictures: Sequence[Path], arguments: argparse.Namespace) -> dict[str, str]:
    """The kind of each document by its name."""
    folder.mkdir()
    sound, kinds = sound_documents(pictures), {}
    for number in range(arguments.documents):
        kind, suffix, data = make_hostile(number, arguments.seed, sound)
        name = f"{number:05d}-{kind.replace(' ', '-')}{suffix}"
        (folder / name).write_bytes(data)
        kinds[name] = kind
    return kinds


def index_watched(command: list[str], inside: Path) -> tuple[int, int, float]:
    """Exit status, peak of the memory of all processes that is not pages of files, seconds."""
    begin, peak = time.perf_counter(), 0
    here = Path.cwd()
    os.chdir(inside)
    try:
        process = start(command)
    finally:
        os.chdir(here)
    while process.poll() is None:
        peak = max(peak, sum(memory(pid)["RssAnon"] for pid in tree_of(process.pid)))
        time.sleep(0.1)
    return process.returncode, peak, time.perf_counter() - begin


def _strays(scratch: Path) -> list[str]:
    """What a name that leaves its folder would have made."""
    around = {scratch, *scratch.parents, Path.cwd(), Path.cwd().parent, Path.home()}
    return [str(place / OUTSIDE) for place in around if (place / OUTSIDE).exists()]


def _by_kind(lines: Sequence[str], kinds: dict[str, str]) -> dict[str, int]:
    found = Counter(kind for line in lines for name, kind in kinds.items() if name in line)
    return dict(found.most_common())


def _read_again(index: Path) -> tuple[Counter[str], float]:
    """Parts read by this process, which must survive it; seconds of the slowest."""
    outcomes, slowest = Counter[str](), 0.0
    records = Engine.open(index).records()
    for record in records[:: max(1, len(records) // _QUERIES)]:
        begin = time.perf_counter()
        try:
            read_picture(record.path, max_side=256)
            outcomes["read"] += 1
        except ImageError:
            outcomes["refused by name"] += 1
        except Exception:
            outcomes["another error"] += 1
        slowest = max(slowest, time.perf_counter() - begin)
    return outcomes, slowest
