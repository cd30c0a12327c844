"""What it costs that an index is in parts: one index and one in parts of the same made-up pictures, side by side.

python -m scripts.scale.parts --cache DIR --images 200000 --features 300 --parts 4

Words, signatures and places are drawn at random, words as unevenly as Zipf's law has them. Of both indexes it is
measured: opening, a commit of some new pictures with all that is derived after it, seeing that commit in a process that
had the index open, and searching with pictures of the index, whose answers must be equal to the bit. Processor time
says more than seconds where other programs run.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bof.cli.command import run
from bof.engine import Engine
from bof.retrieval.expansion import neighbours
from bof.store import catalog
from bof.store.catalog import ImageRecord
from bof.store.parts.layout import Split
from bof.store.segments import ImageColumns
from scripts.common.arguments import cache_or_temporary, make_parser, require_positive, write_figures

SEED = 0
BLOCK = 10_000
FRAME = (1024, 768)
N_NEW, N_QUERIES = 100, 40


def main(argv: list[str] | None = None) -> int:
    """Build both, measure, compare."""
    parser = make_parser(__doc__, "cache json")
    for name, default in (("images", 200_000), ("features", 300), ("parts", 4)):
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N")
    parser.add_argument("--alone", action="store_true", help="measure the index in parts alone, and compare nothing")
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    require_positive(arguments, "images", "features", "parts")
    found: dict[str, Any] = {"images": arguments.images, "features": arguments.features, "parts": arguments.parts}
    with cache_or_temporary(arguments.cache) as cache:
        kinds: dict[str, Split | None] = {} if arguments.alone else {"one": None}
        kinds |= {"parts": Split(arguments.parts)}
        engines = {name: _built(cache, name, split, arguments, found) for name, split in kinds.items()}
        for name, engine in engines.items():
            found[f"{name}: open"] = _spent(engine.refresh)
        for name, engine in engines.items():
            found[f"{name}: commit"] = _spent(partial(_commit, engine, arguments))
            found[f"{name}: see the commit"] = _spent(engine.refresh)
        if not arguments.alone:
            found["queries"], found["equal"] = _search(engines)
    print(json.dumps(found, indent=2))
    write_figures(arguments.json, found)
    return 0 if found.get("equal", True) else 1


def _built(cache: Path, name: str, split: Split | None, arguments: argparse.Namespace, found: dict[str, Any]) -> Engine:
    folder = cache / f"{name}-{arguments.images}x{arguments.features}" / "index"
    if not catalog.exists(folder):
        engine = Engine.create(folder, split=split)
        found[f"{name}: append"] = _spent(partial(_fill, engine, arguments))
    return Engine.open(folder)


def _fill(engine: Engine, arguments: argparse.Namespace) -> None:
    with engine.writer() as writer:
        for first in range(0, arguments.images, BLOCK):
            writer.append(_pictures(first, min(BLOCK, arguments.images - first), arguments))


def _pictures(first: int, n: int, arguments: argparse.Namespace) -> list[tuple[ImageRecord, ImageColumns]]:
    rng = np.random.default_rng((SEED, first))
    shape = n, arguments.features
    n_words = 16384
    word = (n_words * rng.random(shape) ** 2).astype(np.int32)
    signature = rng.integers(0, 1 << 63, shape, np.uint64)
    xy, scale_angle = (rng.integers(0, 1 << 16, (*shape, 2), np.uint16) for _ in range(2))
    return [
        (_record(first + i, arguments.features), ImageColumns(word[i], signature[i], xy[i], scale_angle[i]))
        for i in range(n)
    ]


def _record(number: int, n_features: int) -> ImageRecord:
    name = f"{number // 1000:06d}/{number:09d}.jpg"
    return ImageRecord(name, f"/synthetic/{name}", 100_000, 0, f"{number:064x}", *FRAME, n_features)


def _commit(engine: Engine, arguments: argparse.Namespace) -> None:
    """New pictures, and all that is derived from the whole."""
    with engine.writer() as writer:
        writer.append(_pictures(engine.count() + BLOCK, N_NEW, arguments))


def _search(engines: dict[str, Engine]) -> tuple[dict[str, float], bool]:
    """Milliseconds a query of each, in turn, and whether all answers are equal."""
    stages = {name: engine.searcher()._stages for name, engine in engines.items()}
    spent: dict[str, list[float]] = {name: [] for name in engines}
    are_equal = True
    for name in sorted(engines["one"])[:: max(1, len(engines["one"]) // N_QUERIES)][:N_QUERIES]:
        answers = []
        for kind, engine in engines.items():
            (image,) = engine.images.names.find(name)
            start = time.perf_counter()
            found = neighbours(stages[kind], image)
            spent[kind].append(1e3 * (time.perf_counter() - start))
            answers.append([(engine.images.names[other], value) for other, value in found])
        are_equal &= answers[0] == answers[1]
    return {kind: median(times) for kind, times in spent.items()}, are_equal


def _spent(do: Callable[[], object]) -> dict[str, float]:
    """Seconds, and of processor time."""
    start, before = time.perf_counter(), time.process_time()
    do()
    return {"seconds": time.perf_counter() - start, "processor": time.process_time() - before}


if __name__ == "__main__":
    sys.exit(main())
