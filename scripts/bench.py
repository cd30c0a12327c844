"""Speed and size as one table of ratios, measured in one run on the same features and cores.

python scripts/bench.py --data DIR (the folder that holds ukbench1000/, dvd_covers/ and train/). bof stands beside
COLMAP's VisualIndex and asmk (both from the extra bof[peers], left out where missing), and each stage beside its
limit. Who is compared is asked in turn, question by question; ratios are medians of the pairs' own ratios. Peers train
their own vocabulary on train/, which takes minutes: --cache keeps it. How accurate the peers are says
scripts/compare_peers.py, which asks the same indexes.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench_setup import Bench
from bench_table import Row, as_json, table
from peer_common import Workshop

from bof.cli.command import run
from bof.errors import BofError, OptionError
from bof.system.files import write_json

GROUPS = {
    "colmap": ("bench_colmap", "pycolmap"),
    "asmk": ("bench_asmk", "asmk"),
    "stages": ("bench_stages", ""),
    "assignment": ("bench_assignment", "faiss-cpu"),
    "batch": ("bench_batch", ""),
    "extraction": ("bench_extraction", ""),
    "start": ("bench_start", ""),
    "size": ("bench_size", ""),
}
"""Name on the command line: the module that measures it, and the package that it needs beyond bof's own."""


def main(argv: list[str] | None = None) -> int:
    """Run every group, or those that --only names."""
    return run(_command, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="photographs and training pictures")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep features and trained vocabularies here")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=list(GROUPS), help="these groups (default: all)")
    parser.add_argument("--queries", type=int, default=100, metavar="N", help="ask so many (default 100; 0: all)")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="runs of each timing (default 3)")
    parser.add_argument("--words", type=int, default=16384, metavar="N", help="words of every vocabulary of a peer")
    parser.add_argument(
        "--vocabulary", nargs="+", type=Path, default=[], metavar="DIR", help="assign with these vocabularies too"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write machine, rows and raw values here")
    parser.add_argument("--svg", type=Path, metavar="DIR", help="draw ratios.svg and stages.svg here")
    return parser


def _command(arguments: argparse.Namespace) -> int:
    if arguments.runs < 1:
        raise OptionError(f"--runs: expected 1 or more, found {arguments.runs}")
    if arguments.svg:
        draw = _drawing()
    with TemporaryDirectory(prefix="bof-bench-") as folder:
        cache = arguments.cache or Path(folder)
        cache.mkdir(parents=True, exist_ok=True)
        n_cores = os.cpu_count() or 1
        workshop = Workshop(arguments.words, arguments.data / "train", cache, Path(folder), n_cores)
        bench = Bench(arguments.data, workshop, arguments.queries, arguments.runs, arguments.vocabulary)
        rows = [row for name in arguments.only for row in _measure(name, bench)]
    print("\n".join(table(rows)))
    print("\nAccuracy of the same indexes: make compare-peers")
    if arguments.json:
        write_json(arguments.json, as_json(rows, _settings(arguments)))
    if arguments.svg:
        draw(rows, arguments.svg)
    return 0


def _measure(name: str, bench: Bench) -> Iterator[Row]:
    """A group's rows; none, and a line that says so, where its package is missing."""
    module, package = GROUPS[name]
    start = time.perf_counter()
    try:
        group = importlib.import_module(module)
    except ImportError as error:
        if not package:
            raise
        how = f"pip install {package} (or all peers: pip install 'bof[peers]')"
        print(f"{name}: left out; {error}; install it with: {how}", file=sys.stderr, flush=True)
        return
    yield from group.measure(bench)
    print(f"{name}: measured in {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)


def _drawing() -> Callable[[Sequence[Row], Path], object]:
    """Asked for before anything is measured."""
    try:
        draw: Callable[[Sequence[Row], Path], object] = importlib.import_module("bench_draw").draw
    except ImportError as error:
        raise BofError(f"--svg: {error}; install it with: pip install matplotlib") from error
    return draw


def _settings(arguments: argparse.Namespace) -> dict[str, object]:
    return {"queries": arguments.queries, "runs": arguments.runs, "words": arguments.words, "only": arguments.only}


if __name__ == "__main__":
    sys.exit(main())
