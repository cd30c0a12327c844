"""Indexes in parts, as `bof index` makes, splits, joins and combines them."""

from __future__ import annotations

import argparse
from pathlib import Path

from bof.cli.arguments import add_option
from bof.cli.progress import progress_bar
from bof.errors import OptionError, display_name
from bof.options import PART_BY
from bof.standing_queries.bringing import bring_watch_lists
from bof.store.index import Index
from bof.store.parts.combining import combine
from bof.store.parts.layout import PartShare, Split
from bof.store.parts.making import repart
from bof.system.units import counted

ACTIONS = ("reparts", "combine")
"""What is done instead of looking into folders."""


def add_part_options(parser: argparse.ArgumentParser) -> None:
    """The flags that make a new index one in parts, or one part; `chosen_split` reads them."""
    group = parser.add_argument_group("Index in parts (docs/scale.md)")
    group.add_argument("--parts", type=int, metavar="N", help="make a new index of so many parts")
    group.add_argument(
        "--part", type=int, metavar="I", help="make part I of --of N alone, anywhere; --combine joins them"
    )
    group.add_argument("--of", type=int, metavar="N", help="with --part: of so many")
    add_option(group, PART_BY, only_if_given="hash; with --reparts as the index has it")


def add_replace_parts(group: argparse._ActionsContainer) -> None:
    """The flag that goes with --repair."""
    meaning = "with --repair: put an empty part in the place of one whose folder is gone; its pictures are lost"
    group.add_argument("--replace-parts", action="store_true", help=meaning)


def add_part_actions(group: argparse._MutuallyExclusiveGroup) -> None:
    """The flags of what is done with the parts that there are."""
    group.add_argument("--reparts", type=int, metavar="N", help="give the index so many parts; no answer changes")
    what = "make one index of indexes made apart, which stay"
    group.add_argument("--combine", type=Path, nargs="+", metavar="PART", help=what)


def chosen_split(arguments: argparse.Namespace) -> Split | PartShare | None:
    """How a new index is split, or which share it is. Raises OptionError where the flags contradict each other."""
    if (arguments.part is None) != (arguments.of is None):
        raise OptionError(option="part", expected="{part} I with {of} N")
    if arguments.part is not None and arguments.parts is not None:
        raise OptionError(option="part", expected="no {parts} beside it")
    if arguments.part is not None:
        return PartShare(arguments.part, arguments.of, arguments.part_by or "hash")
    return None if arguments.parts is None else Split(arguments.parts, arguments.part_by or "hash")


def repart_or_combine(folder: Path, arguments: argparse.Namespace) -> int:
    """Give an index other parts, or make one of others."""
    if arguments.combine:
        made = combine(folder, arguments.combine, arguments.part_by or "hash", bring_watch_lists)
    else:
        with progress_bar(" parts") as show:
            made = repart(Index.open(folder), arguments.reparts, arguments.part_by, show)
    pictures = counted(made.count(), "picture")
    print(f"{display_name(str(folder))}: {pictures} in {counted(len(made.parts), 'part')}")
    return 0
