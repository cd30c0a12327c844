"""From the bytes of a file to a segment, stage by stage: what is spent beside SIFT.

python -m scripts.extraction.path --data DIR (the folder that holds ukbench1000/ and dvd_covers/). Three kinds of
pictures: UKBench's of 320 x 240, photographs of DVD covers at 1,024 pixels, and such photographs enlarged to 12
megapixels with noise in them. CPU milliseconds on one thread, of each picture the least of some rounds; SIFT once
OpenCV's, which indexes are made with, and once bof's own. The stages are the calls of `ingest.extract`, made by hand.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import pickle
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bof.cli.command import run
from bof.features.sift import extract_features
from bof.global_descriptors.describe import ColumnSpec
from bof.images.decode import Picture, decode, read_bytes, shrink
from bof.images.listing import walk_images
from bof.ingest.extract import be_one_of_many
from bof.options import NATIVE, OPENCV, SKETCH
from bof.store.segments import ImageColumns, store_geometry, write_segment
from bof.vocabulary.vocabulary import Vocabulary, default_vocabulary
from scripts.common.arguments import make_parser, write_figures
from scripts.common.data import DVD, UKBENCH
from scripts.common.tables import figure, share, table

_LARGE_PX = (4000, 3000)
_SIFT: Mapping[str, str] = {"SIFT": OPENCV, "SIFT, bof's own": NATIVE}
"""The stages of which one counts at a time, and whose SIFT it is."""

_OPENCV, _OWN = _SIFT

Stages = Mapping[str, float]
"""CPU milliseconds of a picture by stage."""


def main(argv: list[str] | None = None) -> int:
    """Time the stages of each kind of picture, print a table."""
    parser = make_parser(
        __doc__, "data json", pictures=(12, "pictures of each kind"), rounds=(3, "timings of each; the least counts")
    )
    return run(_command, parser, argv)


def _command(arguments: argparse.Namespace) -> int:
    be_one_of_many()
    vocabulary, found = default_vocabulary(), {}
    with tempfile.TemporaryDirectory() as scratch:
        for kind, files in files_of(arguments.data, arguments.pictures, Path(scratch)).items():
            found[kind] = time_stages(files, vocabulary, arguments.rounds)
    print("\n".join(lines(found)))
    write_figures(arguments.json, found)
    return 0


def files_of(data: Path, n: int, scratch: Path) -> dict[str, list[Path]]:
    """So many files of each kind; the large ones are written to the folder `scratch`."""
    small, covers = (sorted(walk_images(data / name)) for name in (UKBENCH, f"{DVD}/Droid"))
    covers, small = covers[:: max(1, len(covers) // n)][:n], small[:: max(1, len(small) // n)][:n]
    large = [_enlarged(path, scratch / f"{number}.jpg") for number, path in enumerate(covers)]
    return {"320 x 240": small, "1,024 pixels": covers, "12 megapixels": large}


def _enlarged(path: Path, target: Path) -> Path:
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB").resize(_LARGE_PX, Image.Resampling.BICUBIC), np.float32)
    noise = np.random.default_rng(0).normal(0, 6, (_LARGE_PX[1], _LARGE_PX[0], 1)).astype(np.float32)
    Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)).save(target, "JPEG", quality=90)
    return target


def time_stages(files: Sequence[Path], vocabulary: Vocabulary, rounds: int) -> dict[str, float]:
    """The mean over the files of each stage's least CPU milliseconds."""
    spent = [[_one(path, vocabulary) for _ in range(rounds)] for path in files]
    return {stage: float(np.mean([min(one[stage] for one in of_file) for of_file in spent])) for stage in spent[0][0]}


class _Timed:
    """Calls, and the CPU milliseconds that each took by its name."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}

    def __call__(self, stage: str, call: Callable[[], Any]) -> Any:
        start = time.process_time()
        result = call()
        self.spent[stage] = 1e3 * (time.process_time() - start)
        return result


def _one(path: Path, vocabulary: Vocabulary) -> Stages:
    """The stages of one picture; what it becomes is thrown away."""
    options, timed = vocabulary.new_index_features, _Timed()
    data = timed("read the file", lambda: read_bytes(path))
    timed("hash it", lambda: hashlib.sha256(data).hexdigest())
    picture = _decoded(timed, data, options.max_side)
    for stage, extractor in _SIFT.items():
        features = timed(stage, partial(extract_features, picture, options.replaced(extractor=extractor)))
    rows = timed("sketch", lambda: ColumnSpec((SKETCH,)).describe(picture.pixels))
    word = timed("words", lambda: vocabulary.assign(features.descriptors))
    signature = timed("signatures", lambda: vocabulary.sign(features.descriptors, word))
    xy, scale_angle = timed("places", lambda: store_geometry(features.geometry))
    columns = ImageColumns(word[:, 0], signature[:, 0], xy, scale_angle, rows)
    sent = timed("hand over", lambda: pickle.loads(pickle.dumps(columns, pickle.HIGHEST_PROTOCOL)))
    with tempfile.TemporaryDirectory() as folder:
        several = [sent] * _IN_SEGMENT
        timed("write a segment", lambda: write_segment(Path(folder), several, vocabulary.n_words))
    timed.spent["write a segment"] /= _IN_SEGMENT
    return timed.spent


_IN_SEGMENT = 64
"""Pictures of the segment that is written."""


def _decoded(timed: _Timed, data: bytes, max_side: int) -> Picture:
    """`decode`, and how much of it is making the picture small."""
    picture: Picture = timed("decode", lambda: decode(data, grey=True, max_side=max_side))
    with Image.open(io.BytesIO(data)) as image:
        size, scale = image.size, 1
        while scale < 8 and max(size) >= 2 * scale * max_side:
            scale *= 2
        image.draft("L", (size[0] // scale, size[1] // scale))
        pixels = np.asarray(image)
    timed("make it small", lambda: shrink(pixels, max_side))
    timed.spent["decode"] -= timed.spent["make it small"]
    return picture


def lines(found: Mapping[str, Stages]) -> list[str]:
    """A table with a row a stage, and what all but SIFT takes of the whole."""
    head = ["stage", *(f"{kind}{unit}" for kind in found for unit in (", ms", ", share"))]
    rows = [[stage, *_cells(stage, found.values())] for stage in next(iter(found.values()))]
    own = [[words, *_rest(found.values(), sift)] for words, sift in (
        ("all beside SIFT", _OPENCV), ("all beside SIFT, if it is bof's own", _OWN))]  # fmt: skip
    return table(head, [*rows, *own])


def _cells(stage: str, kinds: Sequence[Stages] | Any) -> list[str]:
    cells = []
    for spent in kinds:
        whole = beside(spent) + spent[stage if stage in _SIFT else _OPENCV]
        cells += [figure(spent[stage], 2), share(spent[stage], whole)]
    return cells


def _rest(kinds: Sequence[Stages] | Any, sift: str) -> list[str]:
    return [cell for spent in kinds
            for cell in (figure(beside(spent), 2), share(beside(spent), beside(spent) + spent[sift]))]  # fmt: skip


def beside(spent: Stages) -> float:
    """Milliseconds of all stages but SIFT."""
    return sum(ms for stage, ms in spent.items() if stage not in _SIFT)


if __name__ == "__main__":
    sys.exit(main())
