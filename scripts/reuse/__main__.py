"""Does the reuse graph find every block that was used again, and nothing else? What does it cost?

python -m scripts.reuse composes books by program, indexes them and reports the share of reuses that are pairs, by what
happened to the block, and the pairs of pages that share no block. With --data DIR (the folder that holds ukbench1000/
and landmarks/) it also says what the graph of photographs costs beside `bof index`, in seconds of processor time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.cli.command import run
from bof.engine import Engine
from bof.options import IndexOptions, ReuseOptions
from bof.options.reuse import READ
from bof.reuse.finding import find_reuse
from bof.reuse.types import ReuseGraph
from scripts.common.arguments import cache_or_temporary, make_parser, require_positive, write_figures
from scripts.reuse.books import USES, compose, reuses


@dataclass(frozen=True, slots=True)
class BookFigures:
    """found of so many reuses in total, by use; wrong: pairs of pages without a common block."""

    read: str
    found: dict[str, int]
    total: dict[str, int]
    n_pairs: int
    wrong: int
    n_mirrored: int
    seconds: float


@dataclass(frozen=True, slots=True)
class CostFigures:
    """Processor seconds to index pictures and to make their graph; pairs that it has."""

    collection: str
    read: str
    n_pictures: int
    index_seconds: float
    graph_seconds: float
    n_pairs: int
    pairs_a_second: float


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = make_parser(
        __doc__,
        "cache json",
        data=(None, "the photographs whose graph is timed (default: none)"),
        blocks=(12, "woodblocks"),
        books=(6, "books"),
        pictures=(1000, "photographs of each collection, at most"),
        read=(list(READ), "what to search with"),
        seed=(0, "of the books"),
    )
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    require_positive(arguments, "blocks", "books", "pictures")
    found: list[BookFigures | CostFigures] = []
    with cache_or_temporary(arguments.cache) as folder:
        books = folder / f"books-{arguments.blocks}-{arguments.books}-{arguments.seed}"
        found += measure_books(books, arguments.blocks, arguments.books, arguments.seed, arguments.read)
        for name in ("ukbench1000", "landmarks") if arguments.data else ():
            files = sorted((arguments.data / name).rglob("*.jpg"))[: arguments.pictures]
            found += measure_cost(folder / name, name, files, arguments.read)
    write_figures(arguments.json, found)
    return 0


def measure_books(folder: Path, n_blocks: int, n_books: int, seed: int, reads: Sequence[str]) -> list[BookFigures]:
    """Compose, index, find."""
    pages = compose(folder / "pages", n_blocks, n_books, seed)
    truth = reuses(pages)
    total = Counter(truth.values())
    figures = []
    with Engine.open_or_create(folder / "index") as engine:
        engine.add([folder / "pages"], IndexOptions())
        for read in reads:
            start = time.process_time()
            graph = find_reuse(engine, ReuseOptions(read=read))
            seconds = time.process_time() - start
            pairs = pairs_of(graph)
            found = Counter(use for pair, use in truth.items() if pair in pairs)
            n_mirrored = sum(pair.mirrored for pair in graph.shared)
            figures.append(
                BookFigures(read, dict(found), dict(total), len(pairs), len(pairs - set(truth)), n_mirrored, seconds)
            )
            print(f"{read}: {graph}, {seconds / len(pages):.2f} processor seconds a page", flush=True)
            print(f"  {', '.join(f'{use} {found[use]} of {total[use]}' for use in USES)}; wrong {figures[-1].wrong}")
    return figures


def pairs_of(graph: ReuseGraph) -> set[frozenset[str]]:
    """The names of each pair."""
    names = [picture.name for picture in graph.pictures]
    return {frozenset({names[pair.source], names[pair.target]}) for pair in graph.shared}


def measure_cost(folder: Path, name: str, files: Sequence[Path], reads: Sequence[str]) -> list[CostFigures]:
    """Index pictures and make their graph, each by its command, whose processor seconds are all that it started."""
    folder.mkdir(parents=True, exist_ok=True)
    index = ["--index", str(folder / "index")]
    indexing = _processor_seconds(["--add", *map(str, files), *index])
    figures = []
    for read in reads:
        target = folder / f"{read}.json"
        seconds = _processor_seconds(["--graph", str(target), "--graph-read", read, *index])
        n = len(json.loads(target.read_text())["pairs"])
        figures.append(CostFigures(name, read, len(files), indexing, seconds, n, n / seconds))
        print(f"{name}, {len(files)} pictures, {read}: index {indexing:.0f} s, graph {seconds:.0f} s of processor time")
        print(f"  {n} pairs, {n / seconds:.1f} a second", flush=True)
    return figures


def _processor_seconds(arguments: Sequence[str]) -> float:
    """Of `bof index` with these arguments, and of the processes that it starts."""
    before = os.times()
    subprocess.run([sys.executable, "-m", "bof", "index", *arguments], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


if __name__ == "__main__":
    sys.exit(main())
