"""Opens one synthetic collection in a fresh process and asks it; prints what that took as JSON.

python -m scripts.scale.query INDEX VOCABULARY [--cold] [--memory MB] [--queries FILE --targets FILE --runs N]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from bof.engine import Engine, Query
from bof.options import SearchOptions, VerifyOptions
from bof.system.files import read_json
from bof.vocabulary.vocabulary import load_vocabulary
from scripts.common.arguments import make_parser
from scripts.common.features import load_features, query_of
from scripts.common.process import memory

VARIANTS = {
    "default": SearchOptions(),
    "verify 200": SearchOptions(verify=VerifyOptions(depth=200), mirror="never"),
}
"""How is asked: as everybody asks, and with a fixed amount of geometry."""

WHOLE = "query"  # the name of all stages together, beside theirs
FIRST_PASS = "first pass"  # the name of the default way of asking while the file cache fills
_TOP = 50  # answers that are looked at for pictures called the same
Seconds = Mapping[str, float]


def main(argv: list[str] | None = None) -> int:
    """Measure; the result is one line of JSON."""
    parser = make_parser(
        __doc__,
        memory=(0, "megabytes of mapped files that may stay in memory"),
        queries=(None, "ask these; without: only open"),
        targets=(None, "the names of their targets"),
        runs=(3, "warm passes over the queries"),
    )
    parser.add_argument("index", type=Path)
    parser.add_argument("vocabulary", type=Path)
    parser.add_argument("--cold", action="store_true", help="drop the index's files from the file cache first")
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


def _measure(arguments: argparse.Namespace) -> dict[str, object]:
    memories = {"before": memory()}
    start = time.perf_counter()
    load_vocabulary(arguments.vocabulary)
    middle = time.perf_counter()
    engine = Engine.open(arguments.index, arguments.vocabulary, memory=arguments.memory)
    n_segments = engine.facts().n_segments
    seconds = {"vocabulary": middle - start, "index": time.perf_counter() - middle}
    memories["opened"] = memory()
    result: dict[str, object] = {"open": seconds, "segments": n_segments, "memory": memories}
    if arguments.queries:
        queries = zip(map(query_of, load_features(arguments.queries)), read_json(arguments.targets), strict=True)
        result |= _ask(engine, list(queries), arguments.runs)
        memories["asked"] = memory()
    return result


def _ask(engine: Engine, queries: Sequence[tuple[Query, str]], runs: int) -> dict[str, object]:
    """Milliseconds by stage, medians: the first pass apart, each way of asking warm; and what was found."""
    first = [_time(engine, query, VARIANTS["default"]) for query, _ in queries]
    milliseconds, found = {FIRST_PASS: _medians(first)}, {}
    for name, options in VARIANTS.items():
        milliseconds[name] = _medians([_time(engine, query, options) for _ in range(runs) for query, _ in queries])
        found[name] = _recall(engine, queries, options)
    return {"milliseconds": milliseconds, "slowest_first": 1e3 * max(s[WHOLE] for s in first), "found": found}


def _time(engine: Engine, query: Query, options: SearchOptions) -> Seconds:
    start = time.perf_counter()
    stages = engine.answer(query, options).seconds
    return {**stages, WHOLE: time.perf_counter() - start}


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


if __name__ == "__main__":
    sys.exit(main())
