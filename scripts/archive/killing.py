"""A harvest that is killed with SIGKILL again and again, and what comes of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bof.engine import Engine
from bof.store import catalog

_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Harvested:
    """A harvest: its seconds, and how many pictures the index had at each kill."""

    seconds: float
    at_kills: Sequence[int]


def harvest(url: str, host: str, index: Path, *, n_pictures: int, kills: int, commit: int) -> Harvested:
    """Harvest by the command, which is killed so many times on the way, at even distances."""
    command = [
        sys.executable, "-m", "bof.index", "--index", str(index), "--iiif", url, "--allow-urls", host,
        "--commit-images", str(commit),
    ]  # fmt: skip
    start, at_kills = time.perf_counter(), []
    for number in range(1, kills + 1):
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while _count(index) < n_pictures * number // (kills + 1) and run.poll() is None:
            time.sleep(_POLL_S)
        run.kill()
        run.wait()
        at_kills.append(_count(index))
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return Harvested(time.perf_counter() - start, at_kills)


def _count(index: Path) -> int:
    return catalog.count_images(index) if catalog.exists(index) else 0


def differences(one: Engine, other: Engine, queries: Sequence[Path]) -> list[str]:
    """What two indexes differ in: names, contents, features, fields, answers."""
    found = []
    for what, of in (("names and contents", _contents), ("fields", _fields), ("features", _features)):
        if of(one) != of(other):
            found.append(what)
    for query in queries:
        hits = [
            [(hit.name, hit.verdict, round(hit.score, 6)) for hit in engine.search(query)] for engine in (one, other)
        ]
        if sorted(hits[0]) != sorted(hits[1]):
            found.append(f"answer to {query.name}")
    return found


def _contents(engine: Engine) -> list[tuple[str, str, int, int]]:
    return [(record.name, record.sha256, record.width, record.height) for record in engine.records()]


def _fields(engine: Engine) -> dict[str, dict[str, list[str]]]:
    selection = engine.select()
    return {
        record.name: {key: sorted(values) for key, values in selection.fields[record.id].items()}
        for record in selection.records
    }


def _features(engine: Engine) -> dict[str, int]:
    """Of each picture a number that its words, signatures and positions decide."""
    collection = engine.searcher().collection
    found = {}
    for image in np.flatnonzero(~engine.images.deleted).tolist():
        words, signatures = collection.words(image)
        xy = collection.geometry(image).xy_px
        found[engine.images[image].name] = hash((words.tobytes(), signatures.tobytes(), xy.tobytes()))
    return found
