"""The copies benchmark: attacked photographs are searched for among the originals, by bof and by perceptual hashes.

python -m scripts.copies --data DIR (the folder that holds ukbench1000/ and train/). The hashes need the extra
bof-search[peers] (imagehash) and `pip install imagededup`, which brings PyTorch; a method that is not installed is
named and left out. Recall is measured at zero false accepts; the queries and their truth are left in --out, where
`python -m bof.evaluate OUT/copies.json --root OUT` finds them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bof.cli.command import run
from bof.evaluation.benchmarks.types import Benchmark
from scripts.common.arguments import cache_or_temporary, make_parser, optional, write_figures
from scripts.copies.build import build
from scripts.copies.methods import FAMILIES, MethodReport, as_json, lines, run_family


def main(argv: list[str] | None = None) -> int:
    """Build the benchmark, run the methods, print the table."""
    parser = make_parser(
        __doc__,
        "data json",
        out=(None, "where the copies go and stay (default: a folder that is deleted)"),
        only=(list(FAMILIES), "these methods"),
        queries=(60, "copies of each attack"),
        seed=(0, "of the attacks"),
    )
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    with cache_or_temporary(arguments.out) as out:
        start = time.perf_counter()
        benchmark = build(arguments.data, out, arguments.queries, arguments.seed)
        n_copies = sum(bool(query.positives) for query in benchmark.queries)
        made = f"{n_copies} copies and {len(benchmark.queries) - n_copies} queries without a source"
        print(
            f"{made}, made in {time.perf_counter() - start:.0f} s\n{len(benchmark.database)} references\n", flush=True
        )
        found = [each for family in arguments.only for each in _run_family(family, benchmark)]
        if found:
            print("\n".join(lines(found)))
            write_figures(arguments.json, as_json(benchmark, found))
    return 0


def _run_family(name: str, benchmark: Benchmark) -> Iterator[MethodReport]:
    with optional(name, name), tempfile.TemporaryDirectory(prefix="bof-copies-index-") as scratch:
        yield from run_family(name, benchmark, Path(scratch) / "index")


if __name__ == "__main__":
    sys.exit(main())
