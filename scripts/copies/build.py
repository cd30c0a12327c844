"""Chooses references and sources, makes the copies, and writes them with their ground truth: the same for a seed.

References: the first picture of each UKBench object below FIRST_UNKNOWN and every picture of train/. Queries: attacked
references, and attacked pictures of the other objects, which have no source and ought to find nothing.
"""

from __future__ import annotations

import io
import os
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from numpy.random import Generator
from PIL import Image

from bof.errors import BenchmarkError
from bof.evaluation.benchmarks.types import Benchmark, BenchmarkQuery
from bof.images.listing import walk_images
from bof.types import U8
from scripts.common.arguments import n_cores, write_figures
from scripts.common.data import TRAIN, UKBENCH
from scripts.common.pictures import rgb
from scripts.copies.attacks import ATTACKS, Attack

FIRST_UNKNOWN = 200  # UKBench objects from this number on are in no reference
PER_OBJECT = 4


@dataclass(frozen=True, slots=True)
class Photographs:
    """What copies are made from: references, their siblings (see `sibling_key`), and pictures of unknown objects."""

    references: Sequence[Path]
    siblings: dict[str, frozenset[Path]]
    unknown: Sequence[Path]


@dataclass(frozen=True, slots=True)
class Plan:
    """One query to make: file, what it is made from, by which attack, and from which seed."""

    target: Path
    picture: Path
    others: Sequence[Path]
    attack: Attack
    seed: tuple[int, ...]


def find_photographs(data: Path) -> Photographs:
    """The photographs in DIR/ukbench1000 and DIR/train. Raises BenchmarkError when there are too few."""
    ukbench = sorted(walk_images(data / UKBENCH))
    known = ukbench[: FIRST_UNKNOWN * PER_OBJECT : PER_OBJECT]
    unknown = ukbench[FIRST_UNKNOWN * PER_OBJECT :]
    train = sorted(walk_images(data / TRAIN))
    if len(unknown) < 2 * PER_OBJECT or not train:
        raise BenchmarkError(
            f"{data}: expected ukbench1000/ with more than {FIRST_UNKNOWN + 1} objects of {PER_OBJECT} pictures and "
            f"train/, found {len(ukbench)} and {len(train)} pictures; see data/README.md"
        )
    references = [Path(os.path.abspath(path)) for path in (*known, *train)]
    groups: dict[str, set[Path]] = {}
    for path in references:
        groups.setdefault(sibling_key(path), set()).add(path)
    return Photographs(references, {key: frozenset(paths) for key, paths in groups.items()}, unknown)


def sibling_key(path: Path) -> str:
    """What pictures share that may show the very same thing, so that finding one counts neither for nor against.

    Caltech-101 has several photographs of one object within a category, and categories that are cut out of the same
    photographs as others (Faces_easy of Faces, flamingo_head of flamingo, cougar_face and cougar_body); shelves of
    Grocery Store show neighbours of other categories. So a sibling is of the same category, cut or not, there, and any
    picture here. UKBench references have none.
    """
    if path.parent.name == "grocery":
        return "grocery"
    return path.stem if path.stem.startswith("ukbench") else re.sub(r"(_easy|_head|_face|_body)?_\d+$", "", path.stem)


def plan_queries(photographs: Photographs, out: Path, per_attack: int, seed: int) -> list[tuple[Plan, BenchmarkQuery]]:
    """For each attack `per_attack` copies of references, and a sixth as many of pictures that are in no reference."""
    return [row for attack in ATTACKS for row in _plan_attack(photographs, attack, out, per_attack, seed)]


def _plan_attack(
    photographs: Photographs, attack: Attack, out: Path, per_attack: int, seed: int
) -> Iterator[tuple[Plan, BenchmarkQuery]]:
    name = re.sub(r"\W+", "-", attack.name).strip("-")
    key = zlib.crc32(attack.name.encode())  # by name, so that a new attack leaves the others as they were
    rng = np.random.default_rng([seed, key])
    sources = _draw(photographs.references, per_attack, rng)
    unknown = _draw(photographs.unknown, max(1, per_attack // 6), rng)
    for number, picture in enumerate([*sources, *unknown]):
        is_copy = number < len(sources)
        suffix = ".png" if attack.quality is None else ".jpg"
        target = out / "queries" / name / f"{number:03d}{'' if is_copy else '-no-source'}{suffix}"
        others = _draw([p for p in photographs.unknown if p != picture], attack.n_others, rng)
        positives = frozenset([picture] if is_copy else [])
        junk = photographs.siblings[sibling_key(picture)] - positives if is_copy else frozenset()
        query = BenchmarkQuery(target, positives, junk, None, attack.name if is_copy else "no source")
        yield Plan(target, picture, others, attack, (seed, key, number)), query


def _draw(paths: Sequence[Path], n: int, rng: Generator) -> list[Path]:
    rows = rng.permutation(len(paths))[:n]
    return [paths[row] for row in rows.tolist()]


def make_copy(plan: Plan) -> U8:
    """The attacked picture, u8 (h, w, 3) RGB, before it is written."""
    picture, *others = (np.array(rgb(path)) for path in (plan.picture, *plan.others))
    return plan.attack.apply(picture, np.random.default_rng(plan.seed), others)


def encode(pixels: U8, attack: Attack) -> bytes:
    """The file that the attack asks for: JPEG of its quality, else PNG."""
    stream = io.BytesIO()
    picture = Image.fromarray(pixels)
    if attack.quality is None:
        picture.save(stream, "PNG", compress_level=1)
    else:
        picture.save(stream, "JPEG", quality=attack.quality)
    return stream.getvalue()


def _write(plan: Plan) -> None:
    plan.target.parent.mkdir(parents=True, exist_ok=True)
    plan.target.write_bytes(encode(make_copy(plan), plan.attack))


def build(data: Path, out: Path, per_attack: int = 60, seed: int = 0) -> Benchmark:
    """Make all queries under OUT/queries and write OUT/copies.json, which `python -m bof.evaluate` reads too."""
    photographs = find_photographs(data)
    plans = plan_queries(photographs, Path(os.path.abspath(out)), per_attack, seed)
    Parallel(n_jobs=n_cores())(delayed(_write)(plan) for plan, _ in plans)
    benchmark = Benchmark("copies", photographs.references, [query for _, query in plans])
    write_figures(out / "copies.json", _as_json(benchmark, out))
    return benchmark


def _as_json(benchmark: Benchmark, out: Path) -> dict[str, object]:
    """Paths as `python -m bof.evaluate OUT/copies.json --root OUT` wants them; photographs stay where they are."""

    def names(paths: Sequence[Path] | frozenset[Path]) -> list[str]:
        return sorted(Path(os.path.relpath(path, out)).as_posix() for path in paths)

    queries = [
        {"image": names([q.image])[0], "positives": names(q.positives), "junk": names(q.junk), "group": q.group}
        for q in benchmark.queries
    ]
    return {"name": benchmark.name, "database": names(benchmark.database), "queries": queries, "pooled": True}
