"""What the adaptive reading finds of drawn pictures that are not like photographs, and what the plain one does.

    python -m scripts.reading --data DATA

DATA holds train/, whose photographs are part of the pictures and stand beside them. Of each kind so many pictures come
into an index with 300 photographs, once by each reading, and their queries are searched with; other pictures of the
same kinds, which are not in it, say what is wrongly called the same.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from bof import Engine, FeatureOptions, IndexOptions, read_image
from bof.cli.command import run
from bof.images.listing import walk_images
from bof.options import READINGS
from bof.types import U8
from bof.vocabulary.vocabulary import default_vocabulary
from scripts.common.arguments import make_parser, require_positive
from scripts.common.data import TRAIN
from scripts.reading.drawing import HAS_PHOTOGRAPHS, KINDS, Case

_N_BESIDE = 300


def main(argv: list[str] | None = None) -> int:
    """Run both readings and print the table."""
    parser = make_parser(__doc__, "data", cases=(4, "pictures of each kind"), seed=(0, "of what is drawn"))
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    require_positive(arguments, "cases")
    rng = np.random.default_rng(arguments.seed)
    paths = sorted(walk_images(arguments.data / TRAIN))
    order = [paths[place] for place in rng.permutation(len(paths)).tolist()]
    beside, rest = order[:_N_BESIDE], _photographs(order[_N_BESIDE:])
    inside, unseen = ({kind: _draw(kind, arguments.cases, rng, rest) for kind in KINDS} for _ in range(2))
    columns = [_answers(reading, inside, unseen, beside) for reading in READINGS]
    print("| kind | " + " | ".join(READINGS) + " |\n| --- |" + " --- |" * len(READINGS))
    for row in columns[0]:
        print(f"| {row} | " + " | ".join(column[row] for column in columns) + " |")
    return 0


def _photographs(paths: Sequence[Path]) -> Iterator[U8]:
    for path in paths:
        yield read_image(path).pixels


def _draw(kind: str, n: int, rng: np.random.Generator, photographs: Iterator[U8]) -> list[Case]:
    return [KINDS[kind](rng, photographs) for _ in range(n)]


def _answers(
    reading: str, inside: dict[str, list[Case]], unseen: dict[str, list[Case]], beside: Sequence[Path]
) -> dict[str, str]:
    """A row for each kind: queries that were answered right, of all; and two of what was wrongly called the same."""
    features: FeatureOptions = default_vocabulary().new_index_features.replaced(reading=reading)
    with tempfile.TemporaryDirectory() as folder, Engine.create(Path(folder) / "index", features=features) as engine:
        targets = {f"{kind} {i}.png": case for kind, cases in inside.items() for i, case in enumerate(cases)}
        places = Path(folder) / "drawn"
        places.mkdir()
        for name, case in targets.items():
            Image.fromarray(case.target).save(places / name)
        engine.add([places, *beside], IndexOptions())
        rows, n_wrong = Counter[str](), 0
        for name, case in targets.items():
            for query in case.queries:
                hits = engine.search(_png(query))
                same = [Path(hit.name).name for hit in hits if hit.verdict == "same"]
                rows[name.rsplit(" ", 1)[0]] += same[:1] == [name] and hits[0].verdict == "same"
                n_wrong += any(other != name for other in same)
        others = [case for kind, cases in unseen.items() if kind not in HAS_PHOTOGRAPHS for case in cases]
        unseen_queries = [query for case in others for query in case.queries]
        n_called = sum(any(hit.verdict == "same" for hit in engine.search(_png(query))) for query in unseen_queries)
        n_features = engine.n_features
    of_all = {kind: f"{rows[kind]} of {sum(len(case.queries) for case in cases)}" for kind, cases in inside.items()}
    wrong = {
        "others wrongly `same`": str(n_wrong),
        "unseen pictures called `same`": f"{n_called} of {len(unseen_queries)}",
    }
    return {**of_all, **wrong, "features of all": str(n_features)}


def _png(pixels: U8) -> bytes:
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "PNG")
    return written.getvalue()


if __name__ == "__main__":
    sys.exit(main())
