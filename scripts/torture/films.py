"""Broken films through the reader and through indexing: what kills, hangs or fills a process is named."""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from bof.engine import Engine
from bof.errors import ImageError
from bof.images.address import file_of
from bof.images.films.film import Film
from bof.system.workers import Limits, LostItem, run_in_workers
from scripts.torture.documents import index_watched
from scripts.torture.hostile_films import make_hostile, sound_films
from scripts.torture.index import Finding, index_command

_LIMITS = Limits(30.0, 1 << 30)
_SECONDS = 30
_N_SEEKS = 5


def run(pictures: Sequence[Path], scratch: Path, arguments: argparse.Namespace) -> list[Finding]:
    """Read them all, frame by frame and at some times, then index them with a limit of memory."""
    folder, index, skipped = scratch / "films", scratch / "index", scratch / "skipped"
    kinds = _write(folder, pictures[0], arguments)
    paths = [str(folder / name) for name in kinds]
    outcomes = list(run_in_workers(f"{__name__}:read_whole", None, paths, 2, _LIMITS))
    lost = [outcome.reason for outcome in outcomes if isinstance(outcome, LostItem)]
    counts = Counter(_WORDS[type(outcome)] for outcome in outcomes)
    flags = ("--memory", arguments.memory, "--skipped", skipped, "--picture-seconds", _SECONDS)
    status, peak, seconds = index_watched(index_command(folder, index, arguments, *flags), scratch)
    lines = skipped.read_text(encoding="utf-8").splitlines() if skipped.exists() else []
    indexed = {file_of(record.path) for record in Engine.open(index).records()}
    silent = [name for name in kinds if str(folder / name) not in indexed and not any(name in line for line in lines)]
    return [
        Finding("films", f"{len(kinds)} of {len(set(kinds.values()))} kinds"),
        Finding("read by the reader, refused by name, lost with their process", dict(counts)),
        Finding("why processes were lost", dict(Counter(lost))),
        Finding("frames read", sum(outcome for outcome in outcomes if isinstance(outcome, int))),
        Finding("indexing", f"exit status {status} after {seconds:.0f} s", status not in (0, 1)),
        Finding("films of which frames are in the index", len(indexed)),
        Finding("films and parts of films named as skipped", len(lines)),
        Finding("films neither indexed nor named", silent[:9] or 0, bool(silent)),
        Finding("memory of all processes, and the cap", f"{peak >> 20} MB, {arguments.memory} MB",
                peak >> 20 > arguments.memory),
    ]  # fmt: skip


_WORDS = {int: "read", str: "refused", LostItem: "lost"}


def read_whole(_shared: None, path: str) -> int | str:
    """How many frames a film has, in a process of its own; why none can be read."""
    try:
        with Film(path) as film:
            times = [frame.time for frame in film.decoded() if frame.grey(64).size and frame.rgb(32).size]
            end = max(film.facts.duration, *times, Fraction(1))
            for _ in range(_N_SEEKS):
                time = Fraction(random.Random(path).random()) * end
                next(film.frames(time, max_side=64), None)
            return len(times)
    except ImageError as error:
        return str(error)


def _write(folder: Path, picture: Path, arguments: argparse.Namespace) -> dict[str, str]:
    """The kind of each film by its name."""
    folder.mkdir()
    sound, kinds = sound_films(picture), {}
    for number in range(arguments.films):
        kind, suffix, data = make_hostile(number, arguments.seed, sound)
        name = f"{number:05d}-{kind.replace(' ', '-')}{suffix}"
        (folder / name).write_bytes(data)
        kinds[name] = kind
    return kinds
