"""Which groups of `bof duplicates` hold two members of a family, and which re-saved members it finds.

python -m scripts.siblings.groups FOLDER (what python -m scripts.siblings has drawn). The collection is all members
with the queries that are copies of one: the same bytes, and saved again smaller.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bof.cli.command import run
from bof.cli.progress import stage_bars
from bof.engine import Engine
from bof.evaluation.benchmarks import Benchmark, BenchmarkQuery, load_benchmark
from bof.grouping.finding import find_groups
from bof.grouping.types import Group
from bof.options import KIND
from scripts.common.arguments import cache_or_temporary, make_parser, write_figures
from scripts.common.tables import share, table

_COPIES = ("exact", "resaved")


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """Groups, those with pictures of two members; copies of a member, those in a group with it."""

    half: str
    n_groups: int
    n_wrong: int
    n_copies: int
    n_found: int


def main(argv: list[str] | None = None) -> int:
    """Index, group, count, print."""
    parser = make_parser(__doc__, "json", index=(None, "keep the index here (default: a folder that is deleted)"))
    parser.add_argument("folder", type=Path, help="what scripts.siblings has drawn")
    parser.add_argument("--kind", choices=KIND.choices, default=KIND.default, help=KIND.meaning)
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    benchmark = load_benchmark("siblings", arguments.folder)
    copies = [query for query in benchmark.queries if query.group in _COPIES]
    with cache_or_temporary(arguments.index) as folder, Engine.open_or_create(folder / "index") as engine:
        with stage_bars() as show:
            engine.add([*benchmark.database, *(query.image for query in copies)], progress=show)
        with stage_bars() as show:
            groups = find_groups(engine, arguments.kind, progress=show)
    figures = measure(benchmark, copies, [_paths(group) for group in groups])
    head = ("half", "groups", "wrong", "copies", "found")
    rows = [(f.half, f.n_groups, f.n_wrong, f.n_copies, share(f.n_found, f.n_copies)) for f in figures]
    print("\n".join(table(head, rows)))
    write_figures(arguments.json, figures)
    return 0


def _paths(group: Group) -> frozenset[Path]:
    return frozenset(Path(member.path) for member in group.members)


def measure(
    benchmark: Benchmark, copies: Sequence[BenchmarkQuery], groups: Iterable[frozenset[Path]]
) -> list[GroupFigures]:
    """Count by half, and over all. groups: the pictures of each, by path; copies: queries that are copies of a member.

    A group counts in the half of its first picture.
    """
    member_of = {path: path for path in benchmark.database}
    member_of |= {query.image: path for query in copies for path in query.positives}
    half_of = {path: query.labels["half"] for query in copies for path in query.positives | query.siblings}
    groups = list(groups)
    found = [q for q in copies if any(q.image in group and group & q.positives for group in groups)]
    halves = sorted(set(half_of.values()))
    return [
        GroupFigures(
            half,
            len(mine := [g for g in groups if half in ("all", half_of[member_of[min(g)]])]),
            sum(len({member_of[path] for path in group}) > 1 for group in mine),
            sum(half in ("all", query.labels["half"]) for query in copies),
            sum(half in ("all", query.labels["half"]) for query in found),
        )
        for half in ("all", *halves)
    ]


if __name__ == "__main__":
    sys.exit(main())
