"""Speed and size as one table of ratios, measured in one run on the same features and cores.

python -m scripts.bench --data DIR (the folder that holds ukbench1000/, dvd_covers/ and train/). bof stands beside
COLMAP's VisualIndex and asmk (both from the extra bof-search[peers], left out where missing), and each stage beside its
limit. Who is compared is asked in turn, question by question; ratios are medians of the pairs' own ratios. Peers train
their own vocabulary on train/, which takes minutes: --cache keeps it. The group appearance needs no photographs.
python -m scripts.peers says how accurate the same indexes are.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bof.cli.command import run
from bof.evaluation.report.figures import require_matplotlib
from scripts.bench import appearance, assignment, batch, commands, extraction, peers, stages
from scripts.bench.draw import draw
from scripts.bench.setup import Bench
from scripts.bench.table import Row, as_json, lines
from scripts.common.arguments import cache_or_temporary, make_parser, optional, require_positive, write_figures
from scripts.common.data import TRAIN
from scripts.peers.peer import Workshop

GROUPS: dict[str, tuple[Callable[[Bench], Iterator[Row]], str]] = {
    "colmap": (peers.measure_colmap, "pycolmap"),
    "asmk": (peers.measure_asmk, "asmk"),
    "stages": (stages.measure, ""),
    "assignment": (assignment.measure, "faiss-cpu"),
    "batch": (batch.measure, ""),
    "extraction": (extraction.measure, ""),
    "start": (commands.measure_start, ""),
    "size": (commands.measure_size, ""),
    "appearance": (appearance.measure, "faiss-cpu"),
}
"""Name on the command line: what measures it, and the package that it needs beyond bof's own."""


def main(argv: list[str] | None = None) -> int:
    """Run every group, or those that --only names."""
    parser = make_parser(
        __doc__,
        "data cache json",
        only=(list(GROUPS), "these groups"),
        queries=(100, "ask so many; 0: all"),
        runs=(3, "runs of each timing"),
        words=(16384, "words of every vocabulary of a peer"),
        svg=(None, "a folder: draw ratios.svg and stages.svg there"),
    )
    what = "assign with these vocabularies too"
    parser.add_argument("--vocabulary", nargs="+", type=Path, default=[], metavar="DIR", help=what)
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    require_positive(arguments, "runs")
    if arguments.svg:
        require_matplotlib()  # before anything is measured
    with cache_or_temporary(arguments.cache) as cache, TemporaryDirectory(prefix="bof-bench-") as scratch:
        workshop = Workshop(arguments.words, arguments.data / TRAIN, cache, Path(scratch))
        bench = Bench(arguments.data, workshop, arguments.queries, arguments.runs, arguments.vocabulary)
        rows = [row for name in arguments.only for row in measure(name, bench)]
    print("\n".join(lines(rows)))
    print("\nAccuracy of the same indexes: make compare-peers")
    settings = {name: getattr(arguments, name) for name in ("queries", "runs", "words", "only")}
    write_figures(arguments.json, as_json(rows, settings))
    if arguments.svg:
        draw(rows, arguments.svg)
    return 0


def measure(name: str, bench: Bench) -> Iterator[Row]:
    """A group's rows; none, and a line that says so, where its package is missing."""
    group, package = GROUPS[name]
    start = time.perf_counter()
    with optional(name, package):
        yield from group(bench)
        print(f"{name}: measured in {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
