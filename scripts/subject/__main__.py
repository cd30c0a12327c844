"""What a box found by saliency is worth: does it lie on the object, and does searching with it find more?

python -m scripts.subject --data DIR (the folder that holds dvd_covers/, ukbench1000/ and train/). Three sets of queries
against one index of covers, photographs of objects and distractors: covers photographed by phones, whose true box
geometry tells; cluttered scenes made by program (scenes.py); and photographs that are about one object as they are,
which a box should not spoil. Boxes: none, the middle 0.7 of the sides, the found one, the true one.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
from joblib import Parallel, delayed

from bof.cli.command import run
from bof.engine import Engine
from bof.evaluation.benchmarks import dvd
from scripts.common.arguments import cache_or_temporary, make_parser, n_cores, write_figures
from scripts.common.data import DVD
from scripts.common.pictures import encode
from scripts.subject.queries import COLUMNS, ask, make_query, objects, queries, train_half
from scripts.subject.report import Outcome, lines, report, sheet


def main(argv: list[str] | None = None) -> int:
    """Measure, print the tables, write what was asked for."""
    parser = make_parser(
        __doc__,
        "data json",
        queries=(120, "at most this many of each set; 400: all"),
        distractors=(200, "pictures of train/ in the index"),
        seed=(0, "of the scenes and the choice of covers"),
        sheet=(None, "draw examples: true box green, found box red"),
    )
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    with cache_or_temporary(None) as folder:
        sizes = (arguments.queries, arguments.distractors, arguments.seed)
        outcomes = measure(arguments.data.resolve(), folder / "index", *sizes)
    sets = report(outcomes)
    print("\n".join(lines(sets)))
    write_figures(arguments.json, sets)
    if arguments.sheet:
        arguments.sheet.write_bytes(encode(sheet(outcomes), arguments.sheet.suffix))
    return 0


def measure(data: Path, index: Path, n_queries: int, n_distractors: int, seed: int) -> list[Outcome]:
    """Index, then ask in processes of a core each."""
    distractors = train_half(data, 0)
    step = max(1, len(distractors) // max(1, n_distractors))
    paths = [*dvd.load(data / DVD).database, *objects(data)[::4], *distractors[::step][:n_distractors]]
    with Engine.create(index) as engine:
        engine.add_columns(COLUMNS)
        engine.add(paths)
    chosen = queries(data, n_queries, seed)
    shares = [chosen[start::24] for start in range(24)]
    outcomes = Parallel(n_cores())(delayed(_ask_share)(data, index, share, seed) for share in shares)
    return [outcome for batch in itertools.zip_longest(*outcomes) for outcome in batch if outcome is not None]


def _ask_share(data: Path, index: Path, share: Sequence[tuple[str, int]], seed: int) -> list[Outcome]:
    cv2.setNumThreads(1)
    with Engine.open(index) as engine:
        return [ask(engine, make_query(data, group, number, seed)) for group, number in share]


if __name__ == "__main__":
    sys.exit(main())
