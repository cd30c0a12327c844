"""Opens one collection of `scale_bench` in a fresh process and asks it; prints what that took as JSON.

python scripts/scale_query.py INDEX VOCABULARY [--cold] [--memory MB] [--queries FILE --runs N]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.engine import Engine, Query
from bof.options import VerifyOptions
from bof.options import SearchOptions
from bof.retrieval.searcher import Answer
from bof.types import Features, Geometry
from bof.vocabulary.vocabulary import load_vocabulary

VARIANTS = {
    "default": SearchOptions(),
    "verify 200": SearchOptions(verify=VerifyOptions(depth=200), mirror="never"),
}
"""How is asked: as everybody asks, and with a fixed amount of geometry."""

WHOLE = "query"
"""The name of all stages together, beside theirs."""

FIRST_PASS = "first pass"
"""The name of the default way of asking while the file cache fills."""

_TOP = 50
"""Answers that are looked at for pictures called the same."""

Seconds = Mapping[str, float]


def main(argv: list[str] | None = None) -> int:
    """Measure; the result is one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("index", type=Path)
    parser.add_argument("vocabulary", type=Path)
    parser.add_argument("--cold", action="store_true", help="drop the index's files from the file cache first")
    parser.add_argument("--memory", type=int, default=0, metavar="MB", help="of mapped files that may stay in memory")
    parser.add_argument("--queries", type=Path, metavar="FILE", help="ask these; without: only open")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="warm passes over the queries")
    arguments = parser.parse_args(argv)
    if arguments.cold:
        drop_from_cache(arguments.index)
    print(json.dumps(_measure(arguments)))
    return 0


def drop_from_cache(folder: Path) -> None:
    """The next read of these files comes from the disk."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        file = os.open(path, os.O_RDONLY)
        try:
            os.fsync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)


def memory() -> dict[str, int]:
    """Resident bytes of this process: all, of mapped files, of its own."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return {name: 1024 * int(fields[name].split()[0]) for name in ("VmRSS", "RssFile", "RssAnon")}


def _measure(arguments: argparse.Namespace) -> dict[str, object]:
    memories = {"before": memory()}
    start = time.perf_counter()
    load_vocabulary(arguments.vocabulary)
    middle = time.perf_counter()
    engine = Engine.open(arguments.index, arguments.vocabulary, memory=arguments.memory)
    n_segments = len(engine.searcher().collection.segments)
    seconds = {"vocabulary": middle - start, "index": time.perf_counter() - middle}
    memories["opened"] = memory()
    result: dict[str, object] = {"open": seconds, "segments": n_segments, "memory": memories}
    if arguments.queries:
        result |= _ask(engine, load_queries(arguments.queries), arguments.runs)
        memories["asked"] = memory()
    return result


def _ask(engine: Engine, queries: Sequence[tuple[Query, str]], runs: int) -> dict[str, object]:
    """Milliseconds by stage, medians: the first pass apart, each way of asking warm; and what was found."""
    first = [_time(engine, query, VARIANTS["default"])[0] for query, _ in queries]
    milliseconds, found = {FIRST_PASS: _medians(first)}, {}
    for name, options in VARIANTS.items():
        warm = [_time(engine, query, options)[0] for _ in range(runs) for query, _ in queries]
        milliseconds[name] = _medians(warm)
        found[name] = _recall(engine, queries, options)
    return {"milliseconds": milliseconds, "slowest_first": 1e3 * max(s[WHOLE] for s in first), "found": found}


def _time(engine: Engine, query: Query, options: SearchOptions) -> tuple[Seconds, Answer]:
    start = time.perf_counter()
    answer = engine.answer(query, options)
    return {**answer.seconds, WHOLE: time.perf_counter() - start}, answer


def _medians(spent: Sequence[Seconds]) -> dict[str, float]:
    stages = list(dict.fromkeys(stage for seconds in spent for stage in seconds))
    return {stage: 1e3 * median(seconds.get(stage, 0.0) for seconds in spent) for stage in stages}


def _recall(engine: Engine, queries: Sequence[tuple[Query, str]], options: SearchOptions) -> dict[str, float]:
    """Shares of queries: target first, target called the same; and others called the same, a query."""
    first = same = others = 0
    for query, target in queries:
        hits = engine.hits(query, engine.answer(query, options), options, _TOP)
        called = [hit.name for hit in hits if hit.verdict == "same"]
        first += bool(hits) and hits[0].name == target
        same += target in called
        others += len(set(called) - {target})
    return {"first": first / len(queries), "same": same / len(queries), "others_same": others / len(queries)}


def load_queries(file: Path) -> list[tuple[Query, str]]:
    """Queries and the names of their targets, as `scale_build.save_queries` wrote them."""
    with np.load(file, allow_pickle=False) as opened:
        columns = {name: opened[name] for name in opened.files}
    return list(zip(_queries(columns), columns["target"].tolist(), strict=True))


def _queries(columns: Mapping[str, NDArray[Any]]) -> Iterator[Query]:
    bounds = zip(columns["indptr"][:-1].tolist(), columns["indptr"][1:].tolist(), strict=True)
    for (first, stop), (width, height) in zip(bounds, columns["size"].tolist(), strict=True):
        xy, scale, angle = (columns[name][first:stop] for name in ("xy_px", "scale_px", "angle_deg"))
        outline = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64) - 0.5
        yield Query(Features(Geometry(xy, scale, angle, width, height), columns["descriptors"][first:stop]), outline)


if __name__ == "__main__":
    sys.exit(main())
