"""Draws pictures that share a template, photographs them by program, and says what each query should find.

python -m scripts.siblings FOLDER, then python -m bof.evaluate siblings --root FOLDER. Half of the families are there
to fit thresholds on, half to judge them; a hash of kind and name says which (registry.py).
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from bof.cli.command import run
from bof.images.listing import walk_images
from scripts.common.arguments import make_parser, require_positive
from scripts.common.pictures import encode, grid, rgb, tile
from scripts.siblings.collection import N_MEMBERS, Plan, draw_collection
from scripts.siblings.registry import HALVES, all_families

_TILE = 200


def main(argv: list[str] | None = None) -> int:
    """Draw what was asked for."""
    parser = make_parser(
        __doc__,
        families=([each.name for each in all_families()], "these families"),
        members=(N_MEMBERS, "pictures of a family in the collection; at most 6"),
        seed=(0, "of every drawing"),
        photos=(None, "a folder of photographs to show inside, instead of drawn scenes"),
        sheet=(None, "draw the first three members and all queries of each family on one picture"),
    )
    parser.add_argument("folder", type=Path, help="where pictures and siblings.json go")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    require_positive(arguments, "members")
    photos = list(walk_images(arguments.photos)) if arguments.photos else []
    plan = Plan(arguments.folder, min(arguments.members, N_MEMBERS), arguments.seed, photos)
    families = [each for each in all_families() if each.name in arguments.families]
    file = draw_collection(plan, families)
    halves = Counter(each.half for each in families)
    print(f"{file}: {len(families)} families, " + ", ".join(f"{halves[half]} to {half}" for half in HALVES))
    if arguments.sheet:
        _draw_sheet(plan.out, [each.name for each in families], arguments.sheet)
    return 0


def _draw_sheet(folder: Path, names: list[str], file: Path) -> None:
    rows = [
        [*sorted((folder / "db" / name).iterdir())[:3], *sorted((folder / "queries" / name).iterdir())]
        for name in names
    ]
    tiles = [tile(rgb(path, _TILE), _TILE) for row in rows for path in row]
    file.write_bytes(encode(grid(tiles, len(rows[0])), file.suffix))


if __name__ == "__main__":
    sys.exit(main())
