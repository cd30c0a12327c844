"""Duplicate groups on the copies benchmark: references and their attacked copies in one collection; who groups them?

python scripts/duplicates_bench.py --data DIR (the folder that holds ukbench1000/ and train/). The hashes need the extra
bof[peers] (imagehash) and `pip install imagededup`, which brings PyTorch; what is not installed is named and left out.
A group is wrong if one of its links is between strangers. With --out the copies and the index stay, and a second run
with the same --out goes on from there.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from duplicates_judge import Figures
from duplicates_methods import run_bof, run_hashes
from duplicates_truth import Truth, build_truth

from bof.cli.command import run
from bof.cli.progress import progress_bar
from bof.errors import ImageError
from bof.images.decode import read_image
from bof.options import DuplicateOptions
from bof.system.files import write_json
from bof.types import U8

_TILE_PX, _CAPTION_PX, _COLUMNS, _MOST = 180, 20, 4, 60


def main(argv: list[str] | None = None) -> int:
    """Build the collection, run the methods, print the tables."""
    return run(_command, _parser(), argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds ukbench1000/ and train/")
    parser.add_argument(
        "--out", type=Path, help="where copies and index go and stay (default: a folder that is deleted)"
    )
    parser.add_argument("--queries", type=int, default=60, help="copies of each attack (default 60)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--agreement", type=float, help="of bof; with a kept --out another one costs a second")
    parser.add_argument("--only", nargs="+", choices=("bof", "imagehash", "imagededup"))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure, every wrong link, every miss")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="draw wrong links and missed copies of bof crop")
    return parser


def _command(arguments: argparse.Namespace) -> int:
    with contextlib.ExitStack() as stack:
        out = arguments.out or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bof-duplicates-")))
        _run(arguments, out)
    return 0


def _run(arguments: argparse.Namespace, out: Path) -> None:
    truth = build_truth(arguments.data, out, arguments.queries, arguments.seed)
    n_copies = len(truth.source_of)
    print(f"{len(truth.pictures)} pictures, {n_copies} of them copies of another of them", flush=True)
    figures: list[Figures] = []
    for family in arguments.only or ("bof", "imagehash", "imagededup"):
        figures += _run_family(family, truth, out, arguments.agreement)
    if not figures:
        return
    print("\n" + table(figures) + "\n\n" + by_attack(figures))
    if arguments.json:
        write_json(arguments.json, [as_json(each) for each in figures])
    if arguments.sheet:
        shown = next((each for each in figures if each.name == "bof crop"), figures[0])
        cv2.imwrite(str(arguments.sheet), cv2.cvtColor(draw_failures(shown, truth), cv2.COLOR_RGB2BGR))


def _run_family(family: str, truth: Truth, out: Path, agreement: float | None) -> list[Figures]:
    if family != "bof":
        try:
            return run_hashes(family, truth)
        except ImportError as error:
            print(f"{family}: not installed ({error}); left out")
            return []
    options = DuplicateOptions() if agreement is None else DuplicateOptions(agreement=agreement)
    with progress_bar(" steps", "bof") as show:
        return run_bof(truth, out / "index", options, show)


def table(figures: Sequence[Figures]) -> str:
    """One row a method."""
    head = "method | groups | wrong groups | wrong links | precision | recall | seconds"
    rows = [
        f"{f.name} | {f.n_groups} | {f.n_wrong_groups} | {f.links['wrong']} | {100 * f.precision:.2f} % "
        f"| {100 * f.recall:.1f} % | {f.seconds:.0f}"
        for f in figures
    ]
    return "\n".join([head, *rows])


def by_attack(figures: Sequence[Figures]) -> str:
    """Recall in per cent, a row an attack, a column a method."""
    rows = ["attack | " + " | ".join(f.name for f in figures)]
    for attack in figures[0].found:
        values = [f"{100 * f.found[attack][0] / max(1, f.found[attack][1]):.0f}" for f in figures]
        rows.append(f"{attack} | " + " | ".join(values))
    return "\n".join(rows)


def as_json(figures: Figures) -> dict[str, object]:
    """Everything that is known of one method."""
    return {
        "name": figures.name,
        "groups": figures.n_groups,
        "wrong_groups": figures.n_wrong_groups,
        "links": dict(figures.links),
        "precision": figures.precision,
        "recall": figures.recall,
        "found": {attack: list(counts) for attack, counts in figures.found.items()},
        "wrong": [list(link) for link in figures.wrong],
        "missed": list(figures.missed),
        "seconds": figures.seconds,
    }


def draw_failures(figures: Figures, truth: Truth) -> U8:
    """Wrong links, then missed copies beside their sources, u8 (h, w, 3) RGB."""
    pairs = [(*link, "WRONG " + truth.attack[link[0]]) for link in figures.wrong]
    pairs += [(copy, truth.source_of[copy], "missed " + truth.attack[copy]) for copy in figures.missed]
    tiles = [_tile(*pair) for pair in pairs[:_MOST]] or [np.full((_TILE_PX, 2 * _TILE_PX, 3), 255, np.uint8)]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % _COLUMNS)
    rows = [np.concatenate(tiles[at : at + _COLUMNS], axis=1) for at in range(0, len(tiles), _COLUMNS)]
    return np.concatenate(rows)


def _tile(one: str, other: str, caption: str) -> U8:
    tile = np.full((_TILE_PX + _CAPTION_PX, 2 * _TILE_PX, 3), 255, np.uint8)
    for column, path in enumerate((one, other)):
        with contextlib.suppress(ImageError):
            pixels = read_image(Path(path), max_side=_TILE_PX - 6).pixels
            height, width = pixels.shape[:2]
            tile[:height, column * _TILE_PX : column * _TILE_PX + width] = pixels
    place = (4, _TILE_PX + 14)
    cv2.putText(tile, caption, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return tile


if __name__ == "__main__":
    sys.exit(main())
