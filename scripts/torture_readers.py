"""Readers search while a writer updates, removes and merges: no error, and every answer belongs to one commit."""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import numpy as np
from torture_common import Finding, is_sound

from bof.engine import Engine, Query
from bof.images.decode import read_image
from bof.ingest.extract import Described, Recipe, describe
from bof.store.index import Snapshot
from bof.store.segments import ImageColumns

GROUP = 5
"""Pictures that are always written in one commit, all of one version, which their width tells."""

_MAX_PICTURES = 100


def run(pictures: Sequence[Path], scratch: Path, arguments: argparse.Namespace) -> list[Finding]:
    """One writer here, the readers in processes of their own."""
    engine = Engine.create(scratch / "index", arguments.vocabulary)
    groups = _describe(engine, pictures[: min(_MAX_PICTURES, len(pictures)) // GROUP * GROUP])
    with engine.writer() as writer:
        writer.append([image for group in groups for image in _version(group, 0)])
    context = multiprocessing.get_context("spawn")
    stop, results = context.Event(), context.Queue()
    readers = [
        context.Process(target=_read, args=(scratch / "index", [str(p) for p in pictures[:10]], stop, results))
        for _ in range(arguments.readers)
    ]
    for reader in readers:
        reader.start()
    n_ready = sum(results.get(timeout=120) == "ready" for _ in readers)
    counts = _write(engine, groups, arguments.seconds, arguments.seed)
    stop.set()
    reports: list[dict[str, Any]] = [results.get(timeout=120) for _ in readers]
    for reader in readers:
        reader.join()
    errors = [error for report in reports for error in report["errors"]]
    n_searches = sum(report["searches"] for report in reports)
    sound = is_sound(scratch / "index")
    return [
        Finding("readers", n_ready),
        Finding("written", ", ".join(f"{n} {what}" for what, n in counts.items())),
        Finding("searches", n_searches, n_searches == 0),
        Finding("commits that readers saw", sum(report["commits"] for report in reports)),
        Finding("errors, and answers that mix commits", errors[:3] or 0, bool(errors)),
        Finding("sound in the end", sound, not sound),
    ]


def _describe(engine: Engine, pictures: Sequence[Path]) -> list[list[Described]]:
    recipe = Recipe(engine.vocabulary_folder, engine.features, 1 << 30)
    described = [describe((str(path), path.name), engine.vocabulary, recipe, 1 << 30) for path in pictures]
    images = [item for item in described if isinstance(item, tuple)]
    return [images[first : first + GROUP] for first in range(0, len(images), GROUP)]


def _version(group: Sequence[Described], version: int) -> list[Described]:
    """The pictures of a group, with a tenth of the features turned off in a way that depends on the version."""
    kept = [np.arange(len(columns)) % 10 != version % 10 for _, columns in group]
    return [
        (
            dataclasses.replace(facts, width=facts.width + version, n_features=int(keep.sum())),
            ImageColumns(*(column[keep] for column in (c.word, c.signature, c.xy, c.scale_angle))),
        )
        for (facts, c), keep in zip(group, kept, strict=True)
    ]


def _write(engine: Engine, groups: Sequence[Sequence[Described]], seconds: float, seed: int) -> dict[str, int]:
    rng, end, version = np.random.default_rng(seed), time.monotonic() + seconds, 0
    counts = {"updates": 0, "removals": 0, "whole merges": 0}
    while time.monotonic() < end:
        version += 1
        chosen = groups[int(rng.integers(len(groups)))]
        with engine.writer() as writer:
            act = rng.random()
            if act < 0.1:
                writer.merge()
                counts["whole merges"] += 1
            elif act < 0.3:
                writer.remove([facts.name for facts, _ in chosen])
                counts["removals"] += 1
            else:
                writer.append(_version(chosen, version))
                counts["updates"] += 1
    return counts


def _read(folder: Path, queries: list[str], stop: Any, results: Queue[Any]) -> None:
    """Search until told to stop, and report."""
    engine, errors, n_searches, n_commits = Engine.open(folder), [], 0, 0
    side = engine.features.max_side
    prepared = [engine.prepare(read_image(Path(query), grey=True, max_side=side)) for query in queries]
    engine.answer(prepared[0])
    results.put("ready")
    while not stop.is_set():
        try:
            n_commits += engine.refresh()
            errors += _search(engine, prepared[n_searches % len(prepared)])
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")
        n_searches += 1
    results.put({"errors": errors, "searches": n_searches, "commits": n_commits})


def _search(engine: Engine, query: Query) -> list[str]:
    answer = engine.answer(query)
    rows = engine.images
    dead = [rows[image].name for image in answer.images.tolist() if rows[image].deleted]
    return [f"{name} was removed and is found" for name in dead] + _mixed(engine.searcher().collection)


def _mixed(snapshot: Snapshot) -> list[str]:
    """Groups that are there in part, or in two versions."""
    live = sorted((row.name, row.width) for row in snapshot.rows if not row.deleted)
    versions: dict[str, list[int]] = {}
    for name, width in live:
        versions.setdefault(group_of(name), []).append(width)
    return [f"group {group} in versions {found}" for group, found in versions.items() if len(found) != GROUP]


def group_of(name: str) -> str:
    """Pictures are numbered; five in a row are a group."""
    digits = "".join(character for character in name if character.isdigit())
    return str(int(digits) // GROUP)
