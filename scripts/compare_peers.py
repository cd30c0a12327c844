"""bof beside its peers, in one run, on the same pictures and, where they take features, on the very same features.

python scripts/compare_peers.py --data DIR (the folder that holds ukbench1000/, dvd_covers/ and train/); needs the
extra bof[peers]. Every peer trains its own vocabulary of --words words on train/; --cache keeps what takes minutes.
UKBench is asked among its own 1,000 pictures, DVD covers among ukbench1000/ and train/. `exhaustive` matches a
query with every picture, so it answers an even subset of the queries only; a second table shows all on that subset.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from peer_common import Collection, Cost, Workshop, engine_features, extract_all
from peer_table import Row, figures, print_table

from bof.cli.command import run
from bof.cli.progress import progress_bar
from bof.errors import BofError, OptionError
from bof.evaluation.benchmarks import Benchmark, BenchmarkQuery, load_benchmark
from bof.evaluation.run import QueryResult, evaluate_ranker
from bof.images.listing import walk_images
from bof.types import Ranker


class Peer(Ranker, Protocol):
    """A ranker that knows what its index cost and what its words were trained on."""

    @property
    def cost(self) -> Cost:
        """Seconds and bytes."""

    @property
    def trained_on(self) -> str:
        """For the report."""


PEERS = {
    "bof": ("peer_bof", "BofPeer", ""),
    "colmap": ("peer_colmap", "ColmapPeer", "pycolmap"),
    "asmk": ("peer_asmk", "AsmkPeer", "asmk"),
    "phash": ("peer_hashes", "PhashPeer", "ImageHash"),
    "exhaustive": ("peer_exhaustive", "ExhaustivePeer", ""),
}
"""Name on the command line: module, class, and the package that it needs beyond bof's own."""

BENCHMARKS = {
    "ukbench": ("ukbench1000", ()),
    "dvd": ("dvd_covers", ("ukbench1000", "train")),
}
"""Where a benchmark's photographs lie, and the distractors that join its database."""

COLMAP_DEPTHS = (0, 50, 100)


def main(argv: list[str] | None = None) -> int:
    """Run the comparison, or with --timing only the queries of bof and COLMAP in turn."""
    return run(_command, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="photographs and training pictures")
    parser.add_argument("--only", nargs="+", choices=PEERS, default=list(PEERS), help="these peers (default: all)")
    parser.add_argument("--benchmarks", nargs="+", choices=BENCHMARKS, default=list(BENCHMARKS))
    parser.add_argument("--words", type=int, default=16384, metavar="N", help="words of every vocabulary")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep features and trained vocabularies here")
    parser.add_argument(
        "--exhaustive-queries", type=int, default=24, metavar="N", help="queries of exhaustive matching; 0: all"
    )
    parser.add_argument("--queries", type=int, default=0, metavar="N", help="ask an even subset only; 0: all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the tables and every query's figures here")
    parser.add_argument("--timing", action="store_true", help="only the time of a query, bof and COLMAP in turn")
    return parser


def _command(arguments: argparse.Namespace) -> int:
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="bof-peers-")))
        cache = arguments.cache or scratch
        cache.mkdir(parents=True, exist_ok=True)
        workshop = Workshop(arguments.words, arguments.data / "train", cache, scratch, os.cpu_count() or 1)
        if arguments.timing:
            return _time(arguments, workshop)
        tables = {name: _compare(name, arguments, workshop) for name in arguments.benchmarks}
    if arguments.json:
        arguments.json.write_text(json.dumps(_plain(tables), indent=2) + "\n", encoding="utf-8")
    return 0


def _time(arguments: argparse.Namespace, workshop: Workshop) -> int:
    _, collection = _load("ukbench", arguments, workshop)
    try:
        timing = importlib.import_module("peer_timing")
    except ImportError as error:
        raise BofError(f"--timing: {_how_to_install(error, 'pycolmap')}") from error
    for line in timing.compare(workshop, collection, arguments.queries or 100):
        print(line, flush=True)
    return 0


def _compare(name: str, arguments: argparse.Namespace, workshop: Workshop) -> dict[str, Row]:
    """One benchmark: every peer's row, printed as a table of all queries and one of exhaustive matching's subset."""
    benchmark, collection = _load(name, arguments, workshop)
    subset = even_subset(benchmark.queries, arguments.exhaustive_queries)
    rows: dict[str, Row] = {}
    for key in arguments.only:
        queries = subset if key == "exhaustive" else benchmark.queries
        for peer in _peers(key, workshop, collection):
            rows[peer.name] = _measure(peer, dataclasses.replace(benchmark, queries=queries), collection)
    title = f"{benchmark.name}, {len(collection.database)} pictures, {workshop.words} words"
    print_table(title, len(benchmark.queries), rows, len(collection.database))
    if "exhaustive" in rows and len(subset) < len(benchmark.queries):
        images = {str(query.image) for query in subset}
        print_table(title, len(subset), {key: row.only(images) for key, row in rows.items()}, len(collection.database))
    return rows


def _load(name: str, arguments: argparse.Namespace, workshop: Workshop) -> tuple[Benchmark, Collection]:
    """A benchmark, and the features of its pictures, of its queries and of the distractors."""
    folder, others = BENCHMARKS[name]
    benchmark = load_benchmark(name, arguments.data / folder)
    distractors = [path for other in others for path in walk_images(Path(os.path.abspath(arguments.data / other)))]
    database = list(dict.fromkeys([*benchmark.database, *distractors]))
    paths = list(dict.fromkeys([*database, *(query.image for query in benchmark.queries)]))
    with progress_bar(" images", f"{name}: features") as show:
        features = extract_all(paths, engine_features(), workshop, show)
    benchmark = dataclasses.replace(benchmark, queries=even_subset(benchmark.queries, arguments.queries))
    return benchmark, Collection(database, benchmark.queries, features)


def even_subset(queries: Sequence[BenchmarkQuery], n: int) -> Sequence[BenchmarkQuery]:
    """About n queries spread over all; the place inside each stretch moves on, so that no view of four is left out.

    n = 0 or more than there are: all of them.
    """
    if n < 0:
        raise OptionError(f"queries: expected 0 (all) or more, found {n}")
    if not 0 < n < len(queries):
        return queries
    stretch = len(queries) / n
    return [queries[int(i * stretch) + i % int(stretch)] for i in range(n)]


def _peers(key: str, workshop: Workshop, collection: Collection) -> Sequence[Peer]:
    """A peer's rankers, index and all; none, and a line that says so, where its package is missing."""
    module, kind, package = PEERS[key]
    try:
        peer = getattr(importlib.import_module(module), kind)
    except ImportError as error:
        print(f"{key}: left out; {_how_to_install(error, package)}", flush=True)
        return []
    made = peer.index(workshop, collection, COLMAP_DEPTHS) if key == "colmap" else peer.index(workshop, collection)
    return made if isinstance(made, list) else [made]


def _how_to_install(error: ImportError, package: str) -> str:
    return f"{error}; install it with: pip install {package} (or all peers: pip install 'bof[peers]')"


def _measure(peer: Peer, benchmark: Benchmark, collection: Collection) -> Row:
    with progress_bar(" queries", f"{benchmark.name}: {peer.name}") as show:
        report = evaluate_ranker(peer, benchmark, len(collection.database), show)
    return Row(peer.cost.seconds, peer.cost.n_bytes, peer.trained_on, report.queries)


def _plain(tables: Mapping[str, Mapping[str, Row]]) -> dict[str, dict[str, object]]:
    """For JSON: the figures of each row and what each query got."""
    return {
        name: {peer: {**figures(row), "queries": [_query(q) for q in row.queries]} for peer, row in rows.items()}
        for name, rows in tables.items()
    }


def _query(result: QueryResult) -> dict[str, object]:
    fields = ("image", "average_precision", "recall_at_1", "top_four", "accepted")
    return {name: getattr(result, name) for name in fields} | {"seconds": dict(result.seconds)}


if __name__ == "__main__":
    sys.exit(main())
