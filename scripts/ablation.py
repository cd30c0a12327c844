"""What each ingredient of the engine gives and costs: every row differs from the defaults in one thing.

python scripts/ablation.py --data DIR (the folder that holds ukbench1000/, dvd_covers/ and train/). UKBench is asked
among its own pictures, DVD covers among ukbench1000/ and train/, copies (scripts/copies.py) among their references and
train/. Figures stand beside their difference from the defaults; ms is the mean query without extraction, so leave the
machine alone meanwhile. --cache keeps the indexes, the features and the copies.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import ablation_table
from ablation_rows import Row, all_rows, choose, patched
from ablation_sets import Extraction, Figures, extract, load, measure
from peer_common import engine_features

from bof.cli.command import run
from bof.cli.progress import progress_bar
from bof.evaluation.benchmarks import Benchmark
from bof.system.files import write_json

SETS = ("ukbench", "dvd", "copies")


def main(argv: list[str] | None = None) -> int:
    """Measure the rows on the sets, a table each."""
    return run(_command, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the photographs")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--queries", type=int, default=0, metavar="N", help="an even subset of each set; 0: all")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[], help="these rows, or groups of rows")
    parser.add_argument("--list", action="store_true", help="print the rows and their groups, measure nothing")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep indexes, features and copies here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure and the time of every stage")
    return parser


def _command(arguments: argparse.Namespace) -> int:
    rows = choose(all_rows(engine_features()), arguments.only)
    if arguments.list:
        print("\n".join(f"{row.group:14}{row.name}" for row in rows))
        return 0
    with ExitStack() as stack:
        cache = arguments.cache or Path(stack.enter_context(TemporaryDirectory(prefix="bof-ablation-")))
        cache.mkdir(parents=True, exist_ok=True)
        tables: dict[str, dict[str, Figures]] = {}
        for name in arguments.sets:
            benchmark = load(name, arguments.data, cache, arguments.queries)
            tables[name] = _table(name, benchmark, rows, cache)
            if arguments.json:
                write_json(arguments.json, tables)
    return 0


def _table(name: str, benchmark: Benchmark, rows: Sequence[Row], cache: Path) -> dict[str, Figures]:
    """Measure and print one set, row by row."""
    print(f"\n{benchmark.name}: {len(benchmark.queries)} queries, {len(benchmark.database)} pictures", flush=True)
    table: dict[str, Figures] = {}
    extraction: Extraction | None = None
    at_hand: object = None
    for row in rows:
        if extraction is None or at_hand != row.features:
            extraction, at_hand = _extract(name, benchmark, row, cache), row.features
        table[row.name] = figures = _measure(extraction, row)
        if len(table) == 1:
            print(ablation_table.head(figures))
        print(ablation_table.line(row.name, figures, table[rows[0].name] if len(table) > 1 else None), flush=True)
    return table


def _extract(name: str, benchmark: Benchmark, row: Row, cache: Path) -> Extraction:
    with progress_bar(" images", f"{name}: {row.name}") as show:
        return extract(name, benchmark, cache, row.features, os.cpu_count() or 1, show)


def _measure(extraction: Extraction, row: Row) -> Figures:
    with patched(row.patches), progress_bar(" queries", row.name) as show:
        figures = measure(extraction, row.options, show)
    return figures if row.timed else {key: None if key.startswith("ms") else value for key, value in figures.items()}


if __name__ == "__main__":
    sys.exit(main())
