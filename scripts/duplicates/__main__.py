"""Duplicate groups on the copies benchmark: references and their attacked copies in one collection; who groups them?

python -m scripts.duplicates --data DIR (the folder that holds ukbench1000/ and train/). The hashes need the extra
bof-search[peers] (imagehash) and `pip install imagededup`, which brings PyTorch; what is not installed is named and
left out. A group is wrong if one of its links is between unrelated pictures. With --out the copies and the
index stay, and a second run with the same --out goes on from there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bof.cli.command import run
from bof.options import DuplicateOptions
from scripts.common.arguments import cache_or_temporary, make_parser, optional, write_figures
from scripts.common.tables import figure, table
from scripts.copies.methods import FAMILIES
from scripts.duplicates.groups import Figures, Truth, build_truth, run_bof, run_hashes


def main(argv: list[str] | None = None) -> int:
    """Build the collection, run the methods, print the tables."""
    agreement = DuplicateOptions().agreement
    parser = make_parser(
        __doc__,
        "data json",
        out=(None, "where copies and index go and stay (default: a folder that is deleted)"),
        only=(list(FAMILIES), "these methods"),
        queries=(60, "copies of each attack"),
        seed=(0, "of the attacks"),
        agreement=(agreement, "of bof; with a kept --out another one costs a second"),
    )
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    with cache_or_temporary(arguments.out) as out:
        truth = build_truth(arguments.data, out, arguments.queries, arguments.seed)
        print(f"{len(truth.pictures)} pictures, {len(truth.source_of)} copies of another of them", flush=True)
        options = DuplicateOptions(agreement=arguments.agreement)
        figures = [each for family in arguments.only for each in _run_family(family, truth, out / "index", options)]
        if not figures:
            return 0
        print("\n".join(lines(figures)))
        write_figures(arguments.json, [each.as_json() for each in figures])
    return 0


def _run_family(family: str, truth: Truth, index: Path, options: DuplicateOptions) -> Iterator[Figures]:
    with optional(family, family):
        yield from run_bof(truth, index, options) if family == "bof" else run_hashes(family, truth)


def lines(figures: Sequence[Figures]) -> list[str]:
    """A table with a row a method, and the recall by attack with a column a method."""
    head = ("method", "groups", "wrong groups", "wrong links", "precision", "recall", "seconds")
    rows = []
    for f in figures:
        shares = figure(f.precision, 4), figure(f.recall, 3), figure(f.seconds, 0)
        rows.append((f.name, f.n_groups, f.n_wrong_groups, f.links["wrong"], *shares))
    attacks = [[attack, *(figure(f.recall_of(attack), 2) for f in figures)] for attack in figures[0].found]
    return ["", *table(head, rows), "", *table(["attack", *(f.name for f in figures)], attacks)]


if __name__ == "__main__":
    sys.exit(main())
