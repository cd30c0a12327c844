"""What a box found by saliency (saliency) is worth: does it lie on the object, and does searching with it find more?

python scripts/subject_bench.py --data DIR (the folder that holds dvd_covers/, ukbench1000/ and train/). Three sets of
queries against one index of covers, photographs of objects and distractors: covers photographed by phones, whose true
box geometry tells; cluttered scenes made by program (subject_scenes); and photographs that are about one object as they
are, which a box should not spoil. Boxes: none, the middle 0.7 of the sides, the found one, the true one.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from joblib import Parallel, cpu_count, delayed
from numpy.typing import NDArray
from subject_report import TILE_PX, Outcome, lines, middle, report, sheet
from subject_scenes import EDGES, GROUNDS, compose

from bof.engine import Engine, Query
from bof.errors import BenchmarkError, BofError
from bof.evaluation.benchmarks import dvd
from bof.features.sift import crop_features, extract_features
from bof.geometry import transforms
from bof.global_descriptors import color, hashes
from bof.images.decode import decode, read_bytes, read_image
from bof.images.saliency import find_subject
from bof.options import IndexOptions
from bof.retrieval.searcher import Answer
from bof.system.files import write_json
from bof.types import F32, F64, U8, Box

RANKERS: Mapping[str, Callable[[NDArray[Any], NDArray[Any]], F32]] = {
    "color": color.similarity,
    "histogram": color.similarity,
    "ahash": lambda query, rows: hashes.similarity(query, rows, "ahash"),
}
"""Whole-picture rankers; bof, the local one, is measured beside them."""

MAX_SIDE, APPEARANCE_SIDE = 1024, 512
MIN_TRUE_INLIERS = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """A query: its set, the file it should find, the bytes of a picture, and the true box where that is known now."""

    group: str
    wanted: Path
    data: bytes
    box: Box | None


@dataclass(frozen=True, slots=True)
class Looks:
    """What the indexed pictures look like as a whole: paths, and by ranker their rows (n, *row)."""

    paths: Sequence[Path]
    rows: Mapping[str, NDArray[Any]]


# -- Queries ----------------------------------------------------------------------------------------------------------


def queries(data: Path, n: int, seed: int) -> list[tuple[str, int]]:
    """Which to ask, (set, number), at most n of each set; make_query makes one."""
    n_covers, n_groups = len(dvd.load(data / "dvd_covers").queries), len(references(data))
    scenes = [("scene", i) for i in range(min(n, 60 * len(GROUNDS)))]
    rng = np.random.default_rng(seed)
    covers = sorted(rng.permutation(n_covers)[:n].tolist())
    return [("dvd", i) for i in covers] + scenes + [("view", i) for i in range(min(n, n_groups))]


def references(data: Path) -> list[Path]:
    """The first photograph of each object."""
    found = sorted((data / "ukbench1000").glob("*.jpg"))[::4]
    if not found:
        raise BenchmarkError(f"{data}/ukbench1000: expected photographs of UKBench, found none; see data/README.md")
    return found


def make_query(data: Path, group: str, number: int, seed: int) -> Asked:
    """A photograph of a cover; another view of a reference's object, in a scene with other objects; that view alone."""
    if group == "dvd":
        query = dvd.load(data / "dvd_covers").queries[number]
        return Asked("dvd", next(iter(query.positives)), read_bytes(query.image), None)
    objects = sorted((data / "ukbench1000").glob("*.jpg"))
    if group == "view":
        return Asked("view", objects[4 * number], read_bytes(objects[4 * number + 1]), None)
    rng = np.random.default_rng([seed, number])
    thing = int(rng.integers(0, len(objects) // 4))
    others = [path for i, path in enumerate(objects) if i % 4 == 2 and i // 4 != thing]
    grounds = sorted((data / "train").rglob("*.jpg"))[1::2]
    below = [
        grounds[int(rng.integers(0, len(grounds)))],
        *(others[i] for i in rng.choice(len(others), 6, replace=False)),
    ]
    ground, edge = GROUNDS[number % len(GROUNDS)], EDGES[number // len(GROUNDS) % len(EDGES)]
    scene = compose(_rgb(objects[4 * thing + 1]), [_rgb(path) for path in below], ground, edge, rng)
    png = cv2.imencode(".png", cv2.cvtColor(scene.pixels, cv2.COLOR_RGB2BGR))[1].tobytes()
    return Asked(ground, objects[4 * thing], png, scene.box)


def _rgb(path: Path, max_side: int | None = None) -> U8:
    return colours(read_image(path, max_side=max_side).pixels)


def colours(pixels: U8) -> U8:
    """RGB u8 (h, w, 3) of RGB or grey."""
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)


# -- One query --------------------------------------------------------------------------------------------------------


def ask(engine: Engine, looks: Looks, asked: Asked) -> Outcome:
    """Search with each box by each ranker. A box that is not known is the whole picture."""
    picture = decode(asked.data, max_side=engine.features.max_side, grey=True)
    pixels = colours(decode(asked.data, max_side=MAX_SIDE).pixels)
    zoom = picture.width / pixels.shape[1], picture.height / pixels.shape[0]
    start = time.perf_counter()
    subject = find_subject(pixels)
    milliseconds = 1000 * (time.perf_counter() - start)
    size = picture.width, picture.height
    found = None if subject is None else scaled(subject, zoom, size)
    features = extract_features(picture, engine.features)
    answers = {"none": engine.answer(Query(features, outline(size)))}
    true = true_box(engine, answers["none"], asked.wanted, size) if asked.group == "dvd" else asked.box
    boxes = {"none": None, "middle": middle(size), "found": found, "true": true}
    is_first: dict[str, dict[str, bool]] = {name: {} for name in ("bof", *RANKERS)}
    for name, box in boxes.items():
        if box is not None:
            answers[name] = engine.answer(Query(crop_features(features, box), outline(size)))
        is_first["bof"][name] = first(engine, answers.get(name, answers["none"])) == asked.wanted
        shown = cut(pixels, box, zoom)
        for ranker, path in nearest(looks, shown).items():
            is_first[ranker][name] = path == asked.wanted
    return Outcome(asked.group, size, true, found, is_first, milliseconds, shrunk(pixels, TILE_PX))


def outline(size: tuple[int, int]) -> F64:
    """The corners of a picture of a size (width, height)."""
    width, height = size
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64) - 0.5


def first(engine: Engine, answer: Answer) -> Path | None:
    """The file of the best picture of an answer."""
    return Path(engine.images[int(answer.images[0])].path) if len(answer.images) else None


def true_box(engine: Engine, answer: Answer, wanted: Path, size: tuple[int, int]) -> Box | None:
    """Where geometry sees the wanted picture in the query, None where it is not sure."""
    image = next(i for i, row in enumerate(engine.images) if Path(row.path) == wanted)
    verification = answer.verifications.get(image)
    if verification is None or verification.n_inliers < MIN_TRUE_INLIERS:
        return None
    if verification.database_from_query is None:
        return None
    row = engine.images[image]
    query_from_database = np.asarray(np.linalg.inv(verification.database_from_query), np.float64)
    corners = transforms.apply(query_from_database, outline((row.width, row.height))) + 0.5
    x0, y0, x1, y1 = np.concatenate([corners.min(axis=0), corners.max(axis=0)]).clip(0, [*size, *size]).tolist()
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def scaled(box: Box, zoom: tuple[float, float], size: tuple[int, int]) -> Box:
    """A box of shrunk pixels in those of the original, within it."""
    x0, y0, x1, y1 = box
    return x0 * zoom[0], y0 * zoom[1], min(x1 * zoom[0], size[0]), min(y1 * zoom[1], size[1])


def cut(pixels: U8, box: Box | None, zoom: tuple[float, float]) -> U8:
    """What a box of the original shows of the shrunk pixels; at least one."""
    if box is None:
        return shrunk(pixels, APPEARANCE_SIDE)
    x0, y0 = int(box[0] / zoom[0]), int(box[1] / zoom[1])
    x1, y1 = max(x0 + 1, round(box[2] / zoom[0])), max(y0 + 1, round(box[3] / zoom[1]))
    return shrunk(np.ascontiguousarray(pixels[y0:y1, x0:x1]), APPEARANCE_SIDE)


def shrunk(pixels: U8, max_side: int) -> U8:
    """The pixels at most so large on the long side."""
    height, width = pixels.shape[:2]
    scale = min(1.0, max_side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def describe(pixels: U8) -> dict[str, NDArray[Any]]:
    """The rows that RANKERS compare."""
    rows = {**color.describe(pixels), **hashes.describe(pixels)}
    return {name: rows[name] for name in RANKERS}


def nearest(looks: Looks, pixels: U8) -> dict[str, Path]:
    """By ranker the indexed picture that looks most like this; the first of equals."""
    rows = describe(pixels)
    return {name: looks.paths[int(alike(rows[name], looks.rows[name]).argmax())] for name, alike in RANKERS.items()}


# -- All of them ------------------------------------------------------------------------------------------------------


def run(data: Path, folder: Path, n_queries: int, n_distractors: int, seed: int) -> list[Outcome]:
    """Index, then ask in processes of a core each."""
    distractors = sorted((data / "train").rglob("*.jpg"))[::2]
    step = max(1, len(distractors) // max(1, n_distractors))
    covers = dvd.load(data / "dvd_covers").database
    paths = [*covers, *references(data), *distractors[::step][:n_distractors]]
    with Engine.create(folder / "index") as engine:
        engine.add(paths, IndexOptions())
    rows = Parallel(cpu_count())(delayed(_look)(path) for path in paths)
    looks = Looks(paths, {name: np.stack([row[name] for row in rows]) for name in RANKERS})
    wanted = queries(data, n_queries, seed)
    shares = [wanted[start::24] for start in range(24)]
    outcomes = Parallel(cpu_count())(delayed(_ask_share)(data, folder, looks, share, seed) for share in shares)
    return [outcome for batch in itertools.zip_longest(*outcomes) for outcome in batch if outcome is not None]


def _look(path: Path) -> dict[str, NDArray[Any]]:
    return describe(_rgb(path, APPEARANCE_SIDE))


def _ask_share(data: Path, folder: Path, looks: Looks, share: Sequence[tuple[str, int]], seed: int) -> list[Outcome]:
    cv2.setNumThreads(1)
    with Engine.open(folder / "index") as engine:
        return [ask(engine, looks, make_query(data, group, number, seed)) for group, number in share]


def main(argv: list[str] | None = None) -> int:
    """Measure, print the tables, write what was asked for."""
    arguments = _parser().parse_args(argv)
    start = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory(prefix="bof-subject-") as folder:
            sizes = (arguments.queries, arguments.distractors, arguments.seed)
            outcomes = run(arguments.data.resolve(), Path(folder), *sizes)
        sets = report(outcomes)
        print("\n".join(lines(sets)))
        for group, found in sets.items():
            print(f"{group}: bof found {found['bof_gained']} more with the box, lost {found['bof_lost']}; ", end="")
            print(f"no subject in {found['no_subject']}; {found['median_ms']} ms")
        print(f"{len(outcomes)} queries in {time.perf_counter() - start:.0f} s")
        if arguments.json:
            write_json(arguments.json, sets)
        if arguments.sheet:
            arguments.sheet.write_bytes(cv2.imencode(arguments.sheet.suffix, sheet(outcomes))[1].tobytes())
    except BofError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="holds dvd_covers/, ukbench1000/ and train/")
    parser.add_argument(
        "--queries", type=int, default=120, help="at most this many of each set (default 120, 400: all)"
    )
    parser.add_argument("--distractors", type=int, default=200, help="pictures of train/ in the index (default 200)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure")
    parser.add_argument("--sheet", type=Path, metavar="FILE.png", help="draw examples: true box green, found box red")
    return parser


if __name__ == "__main__":
    sys.exit(main())
