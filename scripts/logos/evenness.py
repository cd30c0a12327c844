"""How many pictures of a folder would be taken for flat drawings, and for clean pages: of photographs none should be.

python -m scripts.logos.evenness FOLDER ...
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from bof import read_image
from bof.alignment.agreement import DECODED
from bof.alignment.drawings import even_pixels, is_flat_drawing, is_page
from bof.cli.command import run
from bof.errors import ImageError
from bof.images.decode import Picture, shrink, to_grey
from bof.images.listing import walk_images
from scripts.common.arguments import make_parser
from scripts.common.tables import table

_NEARLY = 0.85


def main(argv: list[str] | None = None) -> int:
    """Read, count, print."""
    parser = make_parser(__doc__, "")
    parser.add_argument("folders", nargs="+", type=Path, help="pictures, each folder a row")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    rows = [(folder.name, *_counts(folder)) for folder in arguments.folders]
    print("\n".join(table(("folder", "pictures", f"even in {_NEARLY:.0%}", "flat drawings", "pages"), rows)))
    return 0


def _counts(folder: Path) -> tuple[int, int, int, int]:
    """Pictures, those of which nearly all pixels are even, flat drawings, pages; as large as pixels are compared."""
    found = [
        (float(even_pixels(to_grey(picture.pixels)).mean()) >= _NEARLY, is_flat_drawing(picture), is_page(picture))
        for picture in map(_small, walk_images(folder))
        if picture is not None
    ]
    nearly, flat, page = np.array(found, np.int64).reshape(-1, 3).sum(axis=0).tolist()
    return len(found), nearly, flat, page


def _small(path: Path) -> Picture | None:
    try:
        picture = read_image(path)
    except ImageError:
        return None
    return replace(picture, pixels=shrink(picture.pixels, DECODED))


if __name__ == "__main__":
    sys.exit(main())
