"""From a picture's file to its answer: python -m scripts.extraction.query --index DIR... --queries DIR [--number 24]

Every query is put to each index with one thread and with all, in turn, so that the machine's load falls on all of them
alike; milliseconds, medians, and the ratio of the whole to that of the first row. With one index of OpenCV's features
(`bof index --extractor opencv`) and one of bof's own it says what the extractor is worth to who waits for one answer.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bof.cli.command import run
from bof.engine import Engine
from bof.images.listing import walk_images
from bof.options import SearchOptions
from bof.system.threads import n_threads, set_threads
from bof.types import F64
from scripts.common.arguments import make_parser, n_cores
from scripts.common.tables import table

HEAD = ["index", "extractor", "threads", "to features, ms", "from there, ms", "all, ms", "of the first row"]
TOP = 20


def main(argv: list[str] | None = None) -> int:
    """Time and print."""
    parser = make_parser(__doc__, number=(24, "queries"), rounds=(5, "times that each is put"))
    parser.add_argument("--index", type=Path, required=True, nargs="+", metavar="DIR")
    parser.add_argument("--queries", type=Path, required=True, metavar="DIR", help="the pictures to ask with")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    paths = sorted(walk_images(arguments.queries))
    chosen = paths[:: max(1, len(paths) // arguments.number)][: arguments.number]
    engines = [Engine.open(folder) for folder in arguments.index]
    spent = np.median(list(_rounds(engines, chosen, arguments.rounds)), axis=0)
    print("\n".join(table(HEAD, _rows(engines, spent))))
    return 0


def _rounds(engines: Sequence[Engine], paths: Sequence[Path], n: int) -> Iterator[F64]:
    """Of each query milliseconds f64 (engines, 2, 2): with one thread and all, to its features and from there.

    The first round is not counted.
    """
    before = n_threads()
    try:
        for number in range(n + 1):
            for path in paths:
                spent = [[_time(engine, path, threads) for threads in (1, n_cores())] for engine in engines]
                if number:
                    yield np.array(spent)
    finally:
        set_threads(before)


def _time(engine: Engine, path: Path, threads: int) -> tuple[float, float]:
    set_threads(threads)
    start, options = time.perf_counter(), SearchOptions()
    query = engine.query(path)
    extracted = time.perf_counter()
    engine.hits(query, engine.answer(query, options), options, TOP)
    return 1e3 * (extracted - start), 1e3 * (time.perf_counter() - extracted)


def _rows(engines: Sequence[Engine], spent: F64) -> Iterator[list[str]]:
    first = float(spent[0, 0].sum())
    for engine, by_threads in zip(engines, spent, strict=True):
        for threads, (before, after) in zip((1, n_cores()), by_threads.tolist(), strict=True):
            figures = [f"{before:.0f}", f"{after:.0f}", f"{before + after:.0f}", f"{(before + after) / first:.2f}"]
            yield [engine.folder.name, engine.features.extractor, str(threads), *figures]


if __name__ == "__main__":
    sys.exit(main())
