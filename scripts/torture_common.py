"""What the parts of scripts/torture.py share: findings, commands, processes, and when two indexes are equal."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bof.engine import Engine
from bof.images.decode import read_image
from bof.store import catalog
from bof.store.check import check


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table."""

    what: str
    value: object
    is_wrong: bool = False

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self)


def index_command(folder: Path, index: Path, vocabulary: Path | None, *more: object) -> list[str]:
    """The command that a user would give."""
    command = [sys.executable, "-m", "bof.index", folder, "--index", index, *more]
    return [str(part) for part in [*command, *(["--vocabulary", vocabulary] if vocabulary else [])]]


def start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start it, silently."""
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def link_all(pictures: Sequence[Path], folder: Path) -> Path:
    """A folder of links to the pictures."""
    folder.mkdir(parents=True)
    for picture in pictures:
        (folder / picture.name).symlink_to(picture)
    return folder


def children_of(pid: int) -> set[int]:
    """The processes below one, by their numbers."""
    parents = dict(_parents())
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def _parents() -> Iterator[tuple[int, int]]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            yield int(path.parent.name), int(path.read_text(encoding="utf-8").rpartition(")")[2].split()[1])


def is_alive(pid: int) -> bool:
    """Does it run, and is no zombie?"""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def private_memory(pid: int) -> int:
    """Bytes of resident memory of a process and those below it that are not pages of files."""
    total = 0
    for one in (pid, *children_of(pid)):
        with contextlib.suppress(OSError, ValueError):
            lines = Path(f"/proc/{one}/status").read_text(encoding="utf-8").splitlines()
            total += sum(int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon:"))
    return total


def is_sound(index: Path) -> bool:
    """Does it open, and is every byte what was written?"""
    return not catalog.stands(index) or not check(index, Engine.open(index).index.n_words).damages


def contents(index: Path, queries: Sequence[Path]) -> object:
    """All that an index answers with, by name: of each image its content and features; of each query the ranking."""
    engine = Engine.open(index)
    facts = {record.id: record for record in catalog.read_records(index)}
    images = {}
    for image, row in enumerate(engine.images):
        if not row.deleted:
            word, signature = engine.searcher().collection.words(image)
            xy = engine.searcher().collection.geometry(image).xy_px
            images[row.name] = (facts[row.id].sha256, word.tobytes(), signature.tobytes(), xy.tobytes())
    return images, [ranking(engine, query) for query in queries]


def ranking(engine: Engine, query: Path) -> list[tuple[str, float]]:
    """Names and scores."""
    picture = read_image(query, grey=True, max_side=engine.features.max_side)
    answer = engine.answer(engine.prepare(picture))
    rows = engine.images
    return [(rows[i].name, s) for i, s in zip(answer.images.tolist(), answer.scores.tolist(), strict=True)]


def n_images(index: Path) -> int:
    """Pictures in an index, 0 where there is none yet."""
    return catalog.count_images(index) if catalog.stands(index) else 0


def terminate(process: subprocess.Popen[bytes]) -> None:
    """End a process that may have ended."""
    with contextlib.suppress(OSError):
        os.kill(process.pid, 9)
    process.wait()
