"""Which flat logos are found in photographs, and what is wrongly called the same.

python -m scripts.logos --data DIR (the folder that holds train/)
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from bof import Engine, IndexOptions, read_image
from bof.cli.command import run
from bof.images.listing import walk_images
from scripts.common.arguments import cache_or_temporary, make_parser, require_positive
from scripts.common.data import TRAIN
from scripts.logos.drawing import SHARES, draw_logo, hang, siblings

_TOP = 400


def main(argv: list[str] | None = None) -> int:
    """Draw, index, search, print."""
    parser = make_parser(
        __doc__, "data cache", logos=(20, "logos of each size"), seed=(501, "of what is drawn"),
        others=(150, "photographs beside them"),
    )  # fmt: skip
    parser.add_argument("--siblings", action="store_true", help="with logos that differ in one thing")
    parser.add_argument("--without-ground", action="store_true", help="logos hang without their white ground")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    require_positive(arguments, "logos")
    with cache_or_temporary(arguments.cache) as folder:
        drawn, beside = _draw(folder, arguments)
        with Engine.open_or_create(folder / "index") as engine:
            engine.add([folder / "drawn", *beside], IndexOptions())
            _search(engine, drawn)
    return 0


def _draw(folder: Path, arguments: argparse.Namespace) -> tuple[list[Path], list[Path]]:
    """The clean logos, and the photographs beside; photographs with logos lie in `drawn`."""
    rng = np.random.default_rng(arguments.seed)
    paths = sorted(walk_images(arguments.data / TRAIN))
    order = [paths[place] for place in rng.permutation(len(paths)).tolist()]
    beside, rest = order[: arguments.others], iter(order[arguments.others :])
    for name in ("drawn", "clean"):
        (folder / name).mkdir(exist_ok=True)
    clean: list[Path] = []
    for share, side in SHARES.items():
        for number in range(arguments.logos):
            logo, name = draw_logo(rng), f"{share} {number:03}"
            clean.append(folder / "clean" / f"{name}.png")
            Image.fromarray(logo.draw()).save(clean[-1])
            others = siblings(logo, rng) if arguments.siblings else ()
            for kind, shown in (("", logo), *others):
                photograph = read_image(next(rest)).pixels
                pixels = hang(shown.draw(), photograph, side, rng, with_ground=not arguments.without_ground)
                Image.fromarray(pixels).save(folder / "drawn" / f"{name}{kind and ' ' + kind}.png")
    return clean, beside


def _search(engine: Engine, clean: list[Path]) -> None:
    verdicts, wrong, start = {share: Counter[str]() for share in SHARES}, Counter[str](), time.process_time()
    for path in clean:
        hits, share = engine.search(path, top=_TOP), path.stem.rpartition(" ")[0]
        found = {Path(hit.name).name: hit.verdict for hit in hits}
        verdicts[share]["first"] += Path(hits[0].name).name == path.name if hits else 0
        verdicts[share][found.get(path.name, "none")] += 1
        same = (name.removesuffix(".png") for name, verdict in found.items() if verdict == "same" and name != path.name)
        wrong.update(name.removeprefix(path.stem).strip() if name.startswith(path.stem) else "other" for name in same)
    print(f"{(time.process_time() - start) / len(clean) * 1000:.0f} ms of processor time a query")
    for share, counts in verdicts.items():
        print(f"{share:>5}  {dict(counts)}")
    print(f"wrongly same, by what differs: {dict(wrong)}")


if __name__ == "__main__":
    sys.exit(main())
