"""Readers search while a writer updates, removes and merges: no error, and every answer belongs to one commit."""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import numpy as np

from bof.engine import Engine
from bof.ingest.extract import Extracted, ExtractSpec, extract_file
from bof.store.segments import ImageColumns
from scripts.common.features import prepare
from scripts.torture.index import Finding, is_sound

GROUP = 5  # pictures that are always written in one commit, all of one version, which their width tells
_MAX_PICTURES = 100


def run(pictures: Sequence[Path], scratch: Path, arguments: argparse.Namespace) -> list[Finding]:
    """One writer here, the readers in processes of their own."""
    engine = Engine.create(scratch / "index", arguments.vocabulary)
    spec = ExtractSpec(engine.vocabulary_folder, engine.features, 1 << 30)
    chosen = [(str(path), path.name) for path in pictures[: min(_MAX_PICTURES, len(pictures)) // GROUP * GROUP]]
    extracted = [extract_file(file, engine.vocabulary, spec, 1 << 30) for file in chosen]
    images = [image for image in extracted if isinstance(image, tuple)]
    groups = [images[first : first + GROUP] for first in range(0, len(images), GROUP)]
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


def _version(group: Sequence[Extracted], version: int) -> list[Extracted]:
    """The pictures of a group, with a tenth of the features turned off in a way that depends on the version."""
    rows = [np.arange(len(columns)) % 10 != version % 10 for _, columns in group]
    return [
        (
            dataclasses.replace(facts, width=facts.width + version, n_features=int(keep.sum())),
            ImageColumns(*(column[keep] for column in (c.word, c.signature, c.xy, c.scale_angle))),
        )
        for (facts, c), keep in zip(group, rows, strict=True)
    ]


def _write(engine: Engine, groups: Sequence[Sequence[Extracted]], seconds: float, seed: int) -> Counter[str]:
    rng, end, version = np.random.default_rng(seed), time.monotonic() + seconds, 0
    counts = Counter[str]()
    while time.monotonic() < end:
        version += 1
        chosen, act = groups[int(rng.integers(len(groups)))], rng.random()
        with engine.writer() as writer:
            if act < 0.1:
                writer.merge()
            elif act < 0.3:
                writer.remove([facts.name for facts, _ in chosen])
            else:
                writer.append(_version(chosen, version))
        counts["whole merges" if act < 0.1 else "removals" if act < 0.3 else "updates"] += 1
    return counts


def _read(folder: Path, queries: list[str], stop: Any, results: Queue[Any]) -> None:
    """Search until told to stop, and report."""
    engine, errors, n_searches, n_commits = Engine.open(folder), [], 0, 0
    prepared = [prepare(engine, Path(query)) for query in queries]
    engine.answer(prepared[0])
    results.put("ready")
    while not stop.is_set():
        try:
            n_commits += engine.refresh()
            answer = engine.answer(prepared[n_searches % len(prepared)])
            errors += _mixed(engine, answer.images.tolist())
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")
        n_searches += 1
    results.put({"errors": errors, "searches": n_searches, "commits": n_commits})


def _mixed(engine: Engine, found: Sequence[int]) -> list[str]:
    """What an answer of one commit cannot hold: removed pictures, and groups in part or in two versions."""
    rows, versions = engine.images, defaultdict[int, list[int]](list)
    for row in rows:
        if not row.deleted:
            number = int("".join(filter(str.isdigit, row.name)))  # five in a row are a group
            versions[number // GROUP].append(row.width)
    dead = [f"{rows[image].name} was removed and is found" for image in found if rows[image].deleted]
    return dead + [f"group {group} in versions {some}" for group, some in versions.items() if len(some) != GROUP]
