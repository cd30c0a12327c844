"""What a search finds by asking in another way, where the first look finds nothing clear.

python -m scripts.variants --data DIR (the folder that holds train/). Drawn pictures among photographs are an index;
each drawn query has one right picture. Verdicts on it are counted as a search gives them, and without each way.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bof.cli.command import run
from bof.engine import Engine
from bof.evaluation.benchmarks import load_benchmark
from bof.images.listing import walk_images
from bof.options import IndexOptions, SearchOptions, VerifyOptions
from bof.types import U8
from scripts.common.arguments import cache_or_temporary, make_parser, require_positive, write_figures
from scripts.common.data import TRAIN
from scripts.variants.drawing import DrawnCase, draw_cases

_PACKAGES = "packages"
_TOP = 500

WAYS = {
    "first look alone": SearchOptions(
        mirror="never", inverse="never", enlarge="never", tilt="never", verify=VerifyOptions(pixels=0)
    ),
    "without inverse": SearchOptions(inverse="never"),
    "without enlarge": SearchOptions(enlarge="never"),
    "without tilt": SearchOptions(tilt="never"),
    "all": SearchOptions(),
}
"""What is compared; the last is how a search asks unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Verdicts on the right picture, by verdict, `none` where it has no score; wrong_same: other pictures called so."""

    way: str
    kind: str
    verdicts: dict[str, int]
    wrong_same: int


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = make_parser(
        __doc__,
        "data cache json",
        seeds=(4, "cases of each kind"),
        seed=(0, "the first of them"),
        others=(150, "photographs beside them"),
    )
    parser.add_argument("--together", action="store_true", help="three photographs of a product as one query, too")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    require_positive(arguments, "seeds")
    with cache_or_temporary(arguments.cache) as folder:
        numbers = range(arguments.seed, arguments.seed + arguments.seeds)
        cases = [case for number in numbers for case in draw_cases(np.random.default_rng(number))]
        engine = _index(folder, cases, arguments)
        found = [figures for way, options in WAYS.items() for figures in measure(engine, cases, way, options)]
        for one in found:
            print(f"{one.way:<18}  {one.kind:<21}  {one.verdicts}  wrong same: {one.wrong_same}", flush=True)
        if arguments.together:
            alone, joint = measure_together(folder, arguments.data / _PACKAGES)
            print(f"recall@1 of packages, alone: {alone:.3f}, three together: {joint:.3f}")
    write_figures(arguments.json, found)
    return 0


def _index(folder: Path, cases: list[DrawnCase], arguments: argparse.Namespace) -> Engine:
    """An index of what is right and of photographs."""
    drawn = folder / "drawn"
    drawn.mkdir(exist_ok=True)
    for number, case in enumerate(cases):
        cv2.imwrite(str(drawn / f"{number:04}.png"), case.right[..., ::-1])
    photographs = list(walk_images(arguments.data / TRAIN))
    step = max(1, len(photographs) // max(1, arguments.others))
    engine = Engine.open_or_create(folder / "index")
    engine.add([drawn, *photographs[::step][: arguments.others]], IndexOptions())
    return engine


def measure(engine: Engine, cases: list[DrawnCase], way: str, options: SearchOptions) -> list[Figures]:
    """The verdicts on what is right, by kind. Details of one large picture are right for one query."""
    verdicts: dict[str, Counter[str]] = {}
    wrong = Counter[str]()
    for number, case in enumerate(cases):
        hits = engine.search(case.query, options, top=_TOP)
        right = {f"{n:04}.png" for n, other in enumerate(cases) if _is_right(case.query, other)}
        by_name = {hit.path.name: hit.verdict for hit in hits}
        verdicts.setdefault(case.kind, Counter())[by_name.get(f"{number:04}.png", "none")] += 1
        wrong[case.kind] += sum(verdict == "same" and name not in right for name, verdict in by_name.items())
    return [Figures(way, kind, dict(found), wrong[kind]) for kind, found in verdicts.items()]


def _is_right(query: U8, case: DrawnCase) -> bool:
    return query is case.query


def measure_together(folder: Path, packages: Path) -> tuple[float, float]:
    """Recall@1 of photographs of products, each alone, and three of a product as one query."""
    benchmark = load_benchmark(str(packages / "packages.json"), packages)
    engine = Engine.open_or_create(folder / "packages")
    engine.add(list(benchmark.database))
    by_product: dict[Path, list[Path]] = {}
    for query in benchmark.queries:
        by_product.setdefault(query.image.parent, []).append(query.image)
    alone, joint = list[bool](), list[bool]()
    for product, pictures in by_product.items():
        alone += [_is_first(engine, [picture], product.name) for picture in pictures]
        joint += [_is_first(engine, list(some), product.name) for some in _threes(pictures)]
    return float(np.mean(alone)), float(np.mean(joint))


def _threes(pictures: Sequence[Path]) -> list[Sequence[Path]]:
    return [pictures[start : start + 3] for start in range(0, len(pictures) - 2, 3)]


def _is_first(engine: Engine, pictures: list[Path], product: str) -> bool:
    """Is the first hit that is no picture of the query of this product?"""
    hits = engine.search_together(pictures, top=2 * len(pictures) + 1)
    return next((hit.path.parent.name == product for hit in hits if hit.path not in pictures), False)


if __name__ == "__main__":
    sys.exit(main())
