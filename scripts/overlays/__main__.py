"""What one overlay on all photographs of a collection does to rankings, verdicts and pairs.

python -m scripts.overlays --data DIR (the folder that holds ukbench1000/). For two choices of groups of four UKBench
photographs and each overlay: the pictures with the overlay are indexed, each is a query, and each gets three partners.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bof.cli.command import run
from bof.cli.export import find_pairs
from bof.engine import Engine
from bof.evaluation.benchmarks.types import Benchmark
from bof.evaluation.benchmarks.ukbench import load
from bof.evaluation.rankers import EngineRanker
from bof.images.decode import read_image
from bof.options import IndexOptions, SearchOptions, VerifyOptions
from scripts.common.arguments import cache_or_temporary, make_parser, require_positive, write_figures
from scripts.common.data import UKBENCH
from scripts.common.pictures import encode
from scripts.overlays.drawing import OVERLAYS, Draw

_A_GROUP = 4

FIRST = (31, 62)
"""Where the groups of each collection begin: photographs that are told apart well as they are."""


@dataclass(frozen=True, slots=True)
class Figures:
    """n_s: pictures of the query's own group among the first four, 4 at best; right of n_pairs pairs lie in one group;
    wrong_same of the n_same pictures called the same lie in another group; missed: of the pictures of the query's own
    group, itself left out, the share that is not called the same.
    """

    overlay: str
    first_group: int
    n_s: float
    right_pairs: int
    n_pairs: int
    wrong_same: int
    n_same: int
    missed: float


def main(argv: list[str] | None = None) -> int:
    """Measure and print."""
    parser = make_parser(
        __doc__,
        "data cache json",
        overlays=(list(OVERLAYS), "these overlays"),
        groups=(8, "groups of four photographs in a collection"),
    )
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    require_positive(arguments, "groups")
    photographs = load(arguments.data / UKBENCH).database
    found = []
    print(f"{'overlay':<10}  {'groups':<9}  {'N-S':>5}  {'right pairs':>11}  {'wrong same':>10}  {'missed':>6}")
    with cache_or_temporary(arguments.cache) as folder:
        for first in FIRST:
            chosen = photographs[_A_GROUP * first : _A_GROUP * (first + arguments.groups)]
            for name in arguments.overlays:
                place = folder / f"{first}-{name.replace(' ', '-')}"
                found.append(measure(name, OVERLAYS[name], first, chosen, place))
                print(_line(found[-1], arguments.groups), flush=True)
    write_figures(arguments.json, found)
    return 0


def _line(of: Figures, n_groups: int) -> str:
    groups, pairs = f"{of.first_group}-{of.first_group + n_groups - 1}", f"{of.right_pairs} of {of.n_pairs}"
    wrong = f"{of.wrong_same} of {of.n_same}"
    return f"{of.overlay:<10}  {groups:<9}  {of.n_s:>5.3f}  {pairs:>11}  {wrong:>10}  {of.missed:>6.3f}"


def measure(name: str, draw: Draw, first_group: int, photographs: Sequence[Path], folder: Path) -> Figures:
    """Lay an overlay over photographs, index them in a folder, and ask for each of them."""
    pictures = folder / "pictures"
    if not pictures.is_dir():
        pictures.mkdir(parents=True)
        for photograph in photographs:
            drawn = draw(read_image(photograph).pixels)
            (pictures / photograph.name).write_bytes(encode(drawn, ".jpg"))
    opening = Engine.open if (folder / "index").is_dir() else Engine.create
    with opening(folder / "index") as engine:
        engine.add([pictures], IndexOptions())
        engine.refresh()
        queries = _outcomes(engine, load(pictures))
        pairs = find_pairs(engine, _A_GROUP - 1)
    n_s, wrong, same, missed = np.mean(queries, axis=0).tolist()
    right = sum(_group(one) == _group(other) for one, other in pairs)
    n = len(queries)
    return Figures(name, first_group, n_s, right, len(pairs), round(wrong * n), round(same * n), missed)


def _outcomes(engine: Engine, benchmark: Benchmark) -> list[tuple[int, int, int, float]]:
    """Of each query: how many of the first four are right, called the same wrongly, called the same, share missed."""
    ranker = EngineRanker(engine, SearchOptions(verify=VerifyOptions(pixels=0)))
    found = []
    for query in benchmark.queries:
        ranking = ranker.rank(query.image)
        same = {path for path, verdict in zip(ranking.paths, ranking.verdicts, strict=True) if verdict == "same"}
        right = query.positives | query.junk
        missed = len(query.positives - same) / len(query.positives)
        found.append((len(right & set(ranking.paths[:_A_GROUP])), len(same - right), len(same), missed))
    return found


def _group(name: str) -> int:
    return int(Path(name).stem.removeprefix("ukbench")) // _A_GROUP


if __name__ == "__main__":
    sys.exit(main())
