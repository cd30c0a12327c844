"""bof beside its peers, in one run, on the same pictures and, where they take features, on the very same features.

python -m scripts.peers --data DIR asks UKBench among its own 1,000 pictures, and DVD covers among ukbench1000/ and
train/. python -m scripts.peers --benchmark FILE.json --root DIR asks any other benchmark that `bof evaluate` reads.
Every peer trains its own vocabulary of --words words on --train; --cache keeps what takes minutes. The peers need the
extra bof-search[peers]. `exhaustive`, which matches every query with every picture, runs only when --only names it.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bof.cli.command import run
from bof.cli.progress import progress_bar
from bof.errors import OptionError
from bof.evaluation.benchmarks import Benchmark, load_benchmark
from bof.evaluation.run import Report, evaluate_ranker
from bof.system.units import human_bytes
from scripts.common.arguments import cache_or_temporary, make_parser, optional, write_figures
from scripts.common.data import SETS, TRAIN, load_set, with_distractors, with_queries
from scripts.common.features import Collection
from scripts.common.tables import figure, table
from scripts.peers.peer import Peer, Workshop

PEERS = {
    "bof": ("engine", ""),
    "colmap": ("colmap", "pycolmap"),
    "asmk": ("asmk", "asmk"),
    "phash": ("hashes", "ImageHash"),
    "exhaustive": ("exhaustive", ""),
}
"""Name on the command line: module of this folder, and the package that it needs beyond bof's own."""

HEAD = ("method", "N-S", "mAP", "recall@1", "index s", "ms/image", "query ms", "bytes")

Measured = Mapping[str, tuple[Peer, Report]]  # by the peer's name


def main(argv: list[str] | None = None) -> int:
    """Run the comparison."""
    parser = make_parser(
        __doc__,
        "data cache json",
        words=(16384, "words of every vocabulary"),
        queries=(0, "ask an even subset only; 0: all"),
        train=(None, "the photographs that vocabularies are trained on (default: train/ of the data)"),
        root=(None, "where the photographs of --benchmark lie"),
    )
    quick = [name for name in PEERS if name != "exhaustive"]
    parser.add_argument(
        "--only", nargs="+", choices=PEERS, default=quick, help="these peers (default: all but the last)"
    )
    what = f"{', '.join(SETS)}; with --root: a JSON file, or a data set that bof evaluate knows"
    parser.add_argument("--benchmark", nargs="+", default=list(SETS), metavar="NAME", help=f"{what} (default: both)")
    others = "with --root: folders of pictures that join the database"
    parser.add_argument("--distractors", nargs="+", type=Path, default=[], metavar="DIR", help=others)
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    figures = {}
    with cache_or_temporary(arguments.cache) as cache, TemporaryDirectory(prefix="bof-peers-") as scratch:
        workshop = Workshop(arguments.words, arguments.train or arguments.data / TRAIN, cache, Path(scratch))
        for name in arguments.benchmark:
            benchmark = _load(name, arguments)
            features = Collection.extract(benchmark, cache)
            benchmark = with_queries(benchmark, arguments.queries)
            collection = replace(features, queries=benchmark.queries)
            found = {k: v for name in arguments.only for k, v in measure(name, benchmark, collection, workshop).items()}
            print(f"\n{benchmark.name}, {len(collection.database)} pictures, {workshop.words} words, ", end="")
            print("\n".join([f"{len(benchmark.queries)} queries\n", *lines(found)]), flush=True)
            figures[name] = {
                name: {**asdict(report), "cost": peer.cost, "trained_on": peer.trained_on}
                for name, (peer, report) in found.items()
            }
    write_figures(arguments.json, figures)
    return 0


def _load(name: str, arguments: argparse.Namespace) -> Benchmark:
    """A benchmark with its distractors."""
    if arguments.root:
        return with_distractors(load_benchmark(name, arguments.root), arguments.distractors)
    if name not in SETS:
        raise OptionError(f"--benchmark: expected {', '.join(SETS)}, or another with --root, found {name}")
    return load_set(name, arguments.data)


def measure(name: str, benchmark: Benchmark, collection: Collection, workshop: Workshop) -> Measured:
    """A peer's rankers by their names, each over all queries; none where its package is missing."""
    found = {}
    for peer in peers_of(name, workshop, collection):
        with progress_bar(" queries", f"{benchmark.name}: {peer.name}") as show:
            found[peer.name] = peer, evaluate_ranker(peer, benchmark, len(collection.database), show)
    return found


def peers_of(name: str, workshop: Workshop, collection: Collection) -> Iterator[Any]:
    """A peer's rankers, index and all; none, and a line that says so, where its package is missing."""
    module, package = PEERS[name]
    with optional(name, package):
        yield from importlib.import_module(f"scripts.peers.{module}").index(workshop, collection)


def lines(found: Measured) -> Iterator[str]:
    """The table, and what each vocabulary was trained on; the query is the median without extraction."""
    rows = []
    for name, (peer, report) in found.items():
        accuracy = figure(report.ns, 3), figure(report.map, 4), figure(report.recall_at_1, 4)
        milliseconds = 1e3 * peer.cost.seconds / report.n_database, report.query_milliseconds["after_extract"]
        cost = figure(peer.cost.seconds, 1), *(figure(ms, 2) for ms in milliseconds)
        rows.append((name, *accuracy, *cost, human_bytes(peer.cost.n_bytes)))
    yield from table(HEAD, rows)
    for source in dict.fromkeys(peer.trained_on for peer, _ in found.values() if peer.trained_on):
        names = [name for name, (peer, _) in found.items() if peer.trained_on == source]
        yield f"words of {', '.join(names)}: trained on {source}"


if __name__ == "__main__":
    sys.exit(main())
