"""What each ingredient of the engine gives and costs: every row differs from the defaults in one thing.

python -m scripts.ablation --data DIR (the folder that holds ukbench1000/, dvd_covers/ and train/). UKBench is asked
among its own pictures, DVD covers among ukbench1000/ and train/, copies (scripts/copies) among their references and
train/. Figures stand beside their difference from the defaults; ms is the mean query without extraction, so leave the
machine alone meanwhile. --cache keeps the indexes, the features and the copies.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from bof.cli.command import run
from bof.evaluation.benchmarks import Benchmark
from scripts.ablation.rows import Row, all_rows, chosen, patched
from scripts.ablation.sets import NAMES, Figures, extract, load, measure
from scripts.common.arguments import cache_or_temporary, make_parser, write_figures
from scripts.common.features import engine_features
from scripts.common.tables import figure, head_lines, line, widths_of

DIGITS = {"ms": 1, "wrong": 0}  # after the point; of accuracies four


def main(argv: list[str] | None = None) -> int:
    """Measure the rows on the sets, a table each."""
    parser = make_parser(
        __doc__, "data cache json", sets=(NAMES, "these sets"), queries=(0, "an even subset of each set; 0: all")
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[], help="these rows, or groups of rows")
    parser.add_argument("--list", action="store_true", help="print the rows and their groups, measure nothing")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    rows = chosen(all_rows(engine_features()), arguments.only)
    if arguments.list:
        print("\n".join(f"{row.group:14}{row.name}" for row in rows))
        return 0
    with cache_or_temporary(arguments.cache) as cache:
        tables: dict[str, dict[str, Figures]] = {}
        for name in arguments.sets:
            tables[name] = _table(name, load(name, arguments.data, cache, arguments.queries), rows, cache)
            write_figures(arguments.json, tables)
    return 0


def _table(name: str, benchmark: Benchmark, rows: Sequence[Row], cache: Path) -> dict[str, Figures]:
    """Measure and print one set, row by row."""
    print(f"\n{benchmark.name}: {len(benchmark.queries)} queries, {len(benchmark.database)} pictures\n", flush=True)
    table: dict[str, Figures] = {}
    for _, alike in groupby(rows, lambda row: tuple(row.features.items())):
        same = list(alike)
        ranker = extract(name, benchmark, cache, same[0].features)
        for row in same:
            with patched(row.patches):
                figures = measure(replace(ranker, options=row.options), benchmark, row.name)
            table[row.name] = {key: value if row.timed or key[:2] != "ms" else None for key, value in figures.items()}
            print("\n".join(lines(table)), flush=True)
    return table


def lines(table: dict[str, Figures]) -> Iterator[str]:
    """The last row of a table, each figure beside its difference from the first row; above the first row the head.

    Milliseconds by stage do not fit in: they are left to the JSON file.
    """
    rows = list(table.items())
    (_, defaults), (name, figures) = rows[0], rows[-1]
    shown = [key for key in figures if not key.startswith("ms_")]
    head = ["row", *(title for key in shown for title in (key, "change"))]
    if len(table) == 1:
        yield from head_lines(head)
    cells = [name]
    for key in shown:
        value, default, digits = figures[key], defaults[key], DIGITS.get(key, 4)
        change = "" if len(table) == 1 or value is None or default is None else f"{value - default:+.{digits}f}"
        cells += [figure(value, digits), change]
    yield line(cells, widths_of(head))


if __name__ == "__main__":
    sys.exit(main())
