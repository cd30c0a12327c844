"""The queries, each searched for with each kind of box by each ranker.

Covers photographed by phones, cluttered scenes made by program, and photographs about one object.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bof.engine import Engine
from bof.errors import BenchmarkError
from bof.evaluation.benchmarks import dvd
from bof.geometry import transforms
from bof.images.decode import decode, read_bytes, shrink
from bof.options import SearchOptions
from bof.retrieval.answer import Answer
from bof.retrieval.query import subject_of
from bof.types import Box
from scripts.common.data import DVD, TRAIN, UKBENCH
from scripts.common.pictures import encode, rgb
from scripts.subject.report import TILE_PX, Outcome, middle
from scripts.subject.scenes import EDGES, GROUNDS, compose

RANKERS = ("bof", "color", "histogram", "ahash")
COLUMNS = ("hash", "color")  # what the index has for them
MIN_TRUE_INLIERS = 10


@dataclass(frozen=True, slots=True)
class SubjectQuery:
    """A query: its set, the file it should find, the bytes of a picture, and the true box where that is known now."""

    group: str
    expected: Path
    data: bytes
    box: Box | None


def queries(data: Path, n: int, seed: int) -> list[tuple[str, int]]:
    """Which to ask, (set, number), at most n of each set; make_query makes one."""
    n_covers, n_groups = len(dvd.load(data / DVD).queries), len(objects(data)) // 4
    scenes = [("scene", i) for i in range(min(n, 60 * len(GROUNDS)))]
    covers = sorted(np.random.default_rng(seed).permutation(n_covers)[:n].tolist())
    return [("dvd", i) for i in covers] + scenes + [("view", i) for i in range(min(n, n_groups))]


def objects(data: Path) -> list[Path]:
    """UKBench's photographs, four of each object."""
    found = sorted((data / UKBENCH).glob("*.jpg"))
    if not found:
        raise BenchmarkError(f"{data / UKBENCH}: expected photographs of UKBench, found none; see data/README.md")
    return found


def train_half(data: Path, half: int) -> list[Path]:
    """Every other photograph of train/: half 0 are distractors, half 1 grounds of scenes."""
    return sorted((data / TRAIN).rglob("*.jpg"))[half::2]


def make_query(data: Path, group: str, number: int, seed: int) -> SubjectQuery:
    """A photograph of a cover; another view of a reference's object, in a scene with other objects; that view alone."""
    if group == "dvd":
        query = dvd.load(data / DVD).queries[number]
        return SubjectQuery("dvd", next(iter(query.positives)), read_bytes(query.image), None)
    photographs = objects(data)
    if group == "view":
        return SubjectQuery("view", photographs[4 * number], read_bytes(photographs[4 * number + 1]), None)
    rng = np.random.default_rng([seed, number])
    thing = int(rng.integers(0, len(photographs) // 4))
    others = [path for i, path in enumerate(photographs) if i % 4 == 2 and i // 4 != thing]
    grounds = train_half(data, 1)
    below = [
        grounds[int(rng.integers(0, len(grounds)))],
        *(others[i] for i in rng.choice(len(others), 6, replace=False)),
    ]
    ground, edge = GROUNDS[number % len(GROUNDS)], EDGES[number // len(GROUNDS) % len(EDGES)]
    scene = compose(rgb(photographs[4 * thing + 1]), [rgb(path) for path in below], ground, edge, rng)
    return SubjectQuery(ground, photographs[4 * thing], encode(scene.pixels, ".png"), scene.box)


def ask(engine: Engine, query: SubjectQuery) -> Outcome:
    """Search with each box by each ranker. A box that is not known is the whole picture."""
    picture = decode(query.data, max_side=engine.features.max_side)
    size = picture.width, picture.height
    start = time.perf_counter()
    found = subject_of(picture)
    milliseconds = 1000 * (time.perf_counter() - start)
    true = query.box
    if query.group == "dvd":
        true = true_box(engine, engine.answer(engine.prepare(picture)), query.expected, size)
    is_first: dict[str, dict[str, bool]] = {ranker: {} for ranker in RANKERS}
    for name, box in {"none": None, "middle": middle(size), "found": found, "true": true}.items():
        for ranker in RANKERS:
            options = SearchOptions(ranker)
            answer = engine.answer(engine.prepare(picture, box, options), options)
            first = [Path(engine.images[image].path) for image in answer.images[:1].tolist()]
            is_first[ranker][name] = first == [query.expected]
    return Outcome(query.group, size, true, found, is_first, milliseconds, shrink(picture.pixels, TILE_PX))


def true_box(engine: Engine, answer: Answer, expected: Path, size: tuple[int, int]) -> Box | None:
    """Where geometry sees the wanted picture in the query, None where it is not sure."""
    image, row = next((i, row) for i, row in enumerate(engine.images) if Path(row.path) == expected)
    seen = answer.verifications.get(image)
    if seen is None or seen.n_inliers < MIN_TRUE_INLIERS or seen.database_from_query is None:
        return None
    query_from_database = np.asarray(np.linalg.inv(seen.database_from_query), np.float64)
    corners = transforms.apply(query_from_database, transforms.corners((0, 0, row.width, row.height))) + 0.5
    x0, y0, x1, y1 = np.concatenate([corners.min(axis=0), corners.max(axis=0)]).clip(0, [*size, *size]).tolist()
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None
