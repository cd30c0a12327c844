"""The command `bof compare A B`: do two pictures show the same thing? No index is needed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bof.cli.arguments import add_option, add_options, add_vocabulary, options_from
from bof.cli.command import run
from bof.cli.finding import open_query
from bof.cli.hit_json import hit_as_json
from bof.cli.hit_table import comparison_lines
from bof.cli.parser import CommandParser
from bof.cli.proof import write_picture
from bof.cli.terminal import painted
from bof.comparison import Comparison, HashDistance, compare_opened
from bof.errors import OptionError
from bof.images.written import require_no_photograph
from bof.options import QUERY_MEMORY, REQUIRE, VARIANTS, SearchOptions, VerifyOptions, VoteOptions
from bof.options.option import option_of

_OF_AN_INDEX = ("name", "path", "score", "fields", "group")
"""What a hit has, and two pictures have not."""


def _parser() -> argparse.ArgumentParser:
    description = "Say whether two pictures show the same thing, and how alike they are. No index is needed."
    parser = CommandParser("compare", "PICTURE OTHER [options]", description)
    parser.add_argument("picture", help="a picture file, or - for one on standard input: the query")
    parser.add_argument("other", help="another one: where the query is looked for")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--proof", type=Path, metavar="FILE", help="write a picture of the proof (JPEG)")
    add_option(parser, REQUIRE)
    for name in VARIANTS:
        add_option(parser, option_of(SearchOptions, name))
    add_vocabulary(parser, "vocabulary to use (default: bof's own)")
    add_option(parser, QUERY_MEMORY)
    for kind in (VoteOptions, VerifyOptions):
        add_options(parser, kind, without=("depth",))
    return parser


def _command(arguments: argparse.Namespace) -> int:
    if arguments.picture == arguments.other == "-":
        raise OptionError("standard input holds one picture", path="-", found="it named twice")
    options = SearchOptions(
        **{name: getattr(arguments, name) for name in VARIANTS},
        vote=options_from(arguments, VoteOptions),
        verify=options_from(arguments, VerifyOptions),
    )
    if arguments.proof:
        require_no_photograph(arguments.proof, "proof")
    one, other = (open_query(name, arguments.memory) for name in (arguments.picture, arguments.other))
    found = compare_opened(one, other, options, arguments.vocabulary)
    if arguments.json:
        print(json.dumps(_as_json(found), indent=2))
    else:
        print("\n".join(_lines(found)))
    if arguments.proof:
        write_picture(arguments.proof, found.proof(), "proof")
    return 0 if not arguments.require or found.hit.verdict in arguments.require else 1


def _lines(found: Comparison) -> Iterator[str]:
    for name, picture in ((found.name, found.picture), (found.hit.name, found.other)):
        yield f"{name}: {picture.width} x {picture.height}"
    verdict = found.hit.verdict
    yield f"verdict    {painted(verdict, verdict, sys.stdout)}"
    yield from comparison_lines(found.hit, found.n_features)
    for name, distance in found.hashes.items():
        yield f"{name:<9}  {_distance(distance)}"


def _distance(distance: HashDistance) -> str:
    if distance.bits is None:
        return f"{distance.similarity:.3f} alike"
    return f"{distance.bits} of {distance.n_bits} bits differ"


def _as_json(found: Comparison) -> dict[str, Any]:
    hit = {key: value for key, value in hit_as_json(found.hit).items() if key not in _OF_AN_INDEX}
    hashes = {
        name: {"similarity": one.similarity, "bits": one.bits, "n_bits": one.n_bits}
        for name, one in found.hashes.items()
    }
    named = {"picture": found.name, "other": found.hit.name}
    return {**named, **hit, "n_features": list(found.n_features), "hashes": hashes}


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    return run(_command, _parser(), argv)


if __name__ == "__main__":
    sys.exit(main())
