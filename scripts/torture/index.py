"""What the parts of the torture share: findings, the index command, and when two indexes are equal."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.engine import Engine
from bof.store import catalog
from scripts.common.features import prepare, ranked
from scripts.common.process import python_command


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table."""

    what: str
    value: object
    is_wrong: bool = False


def index_command(folder: Path, index: Path, arguments: argparse.Namespace, *more: object) -> list[str]:
    """The command that a user would give."""
    vocabulary = ["--vocabulary", arguments.vocabulary] if arguments.vocabulary else []
    return python_command("bof.index", folder, "--index", index, *more, *vocabulary)


def start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start it, silently."""
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def link_all(pictures: Sequence[Path], folder: Path) -> Path:
    """A folder of links to the pictures."""
    folder.mkdir(parents=True)
    for picture in pictures:
        (folder / picture.name).symlink_to(picture)
    return folder


def is_sound(index: Path) -> bool:
    """Does it open, and is every byte what was written?"""
    return not catalog.exists(index) or not Engine.open(index).check().damages


def contents(index: Path, pictures: Sequence[Path], n_queries: int) -> object:
    """All that an index answers with, by name: of each image its content and features; of some queries the ranking."""
    engine, images = Engine.open(index), {}
    facts, collection = {record.id: record for record in engine.records()}, engine.searcher().collection
    for image, row in enumerate(engine.images):
        if not row.deleted:
            word, signature = collection.words(image)
            xy = collection.geometry(image).xy_px
            images[row.name] = (facts[row.id].sha256, word.tobytes(), signature.tobytes(), xy.tobytes())
    queries = pictures[:: max(1, len(pictures) // n_queries)]
    return images, [ranked(engine, engine.answer(prepare(engine, query))) for query in queries]


def n_images(index: Path) -> int:
    """Pictures in an index, 0 where there is none yet."""
    return catalog.count_images(index) if catalog.exists(index) else 0
