"""Revisited Oxford and Paris (Radenovic et al. 2018): 70 queries each, labels easy, hard and junk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bof.errors import BenchmarkError
from bof.evaluation.benchmarks.layouts import clipped, photographs, plain_name, refuse_missing
from bof.evaluation.benchmarks.safe_pickle import load_pickle
from bof.evaluation.benchmarks.types import README, Benchmark, BenchmarkQuery, Judgement
from bof.types import Box

SETTINGS: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "easy": (["easy"], ["junk", "hard"]),
    "medium": (["easy", "hard"], ["junk"]),
    "hard": (["hard"], ["junk", "easy"]),
}
"""Which labels are positives and which are junk (section 2.3 of the paper)."""

HEADLINE = "medium"


def load_roxford5k(root: Path) -> Benchmark:
    """The set of gnd_roxford5k.pkl; medium makes the headline figures."""
    return _load("roxford5k", root)


def load_rparis6k(root: Path) -> Benchmark:
    """The set of gnd_rparis6k.pkl; medium makes the headline figures."""
    return _load("rparis6k", root)


def _load(name: str, root: Path) -> Benchmark:
    file = _ground_truth_file(root, f"gnd_{name}.pkl")
    pictures = photographs(root)
    content: Any = load_pickle(file)
    try:
        database = _paths(content["imlist"], pictures, root)
        images = _paths(content["qimlist"], pictures, root)
        entries = zip(images, content["gnd"], strict=True)
        queries = [_query(image, entry, database) for image, entry in entries]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        expected, found = "imlist, qimlist and gnd with bbx, easy, hard and junk", f"a problem with {error}"
        raise BenchmarkError(path=file, expected=expected, found=found, advice="get the file again") from error
    return _with_positives(name, file, database, queries)


def _with_positives(name: str, file: Path, database: list[Path], queries: list[BenchmarkQuery]) -> Benchmark:
    """Queries that have nothing to find are dropped, as the original program does."""
    retained = [query for query in queries if query.positives]
    if not retained:
        raise BenchmarkError(path=file, expected="a query with easy or hard pictures", found="none")
    n_dropped = len(queries) - len(retained)
    return Benchmark(
        name, database, retained, notes=[f"{n_dropped} queries without positives dropped"] if n_dropped else []
    )


def _ground_truth_file(root: Path, name: str) -> Path:
    files = [*root.glob(name), *sorted(root.glob(f"*/{name}"))]
    if not files:
        expected = f"{name} here or in a folder below"
        raise BenchmarkError(path=root, expected=expected, found="none", advice=README)
    return files[0]


def _paths(names: Any, pictures: dict[str, Path], root: Path) -> list[Path]:
    found = [plain_name(_text(name)) for name in names]
    if not found:
        raise ValueError("an empty list of photographs")
    refuse_missing(root, set(found) - pictures.keys())
    return [pictures[name] for name in found]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a name that is a {type(value).__name__}")
    return value


def _query(image: Path, entry: Any, database: list[Path]) -> BenchmarkQuery:
    labelled = {label: _labelled(entry[label], database) for label in ("easy", "hard", "junk")}
    settings = {
        name: Judgement(*(frozenset[Path]().union(*(labelled[label] for label in labels)) for labels in kinds))
        for name, kinds in SETTINGS.items()
    }
    main = settings[HEADLINE]
    return BenchmarkQuery(image, main.positives, main.junk, clipped(_box(entry["bbx"]), image), settings=settings)


def _labelled(indices: object, database: list[Path]) -> frozenset[Path]:
    """The pictures at zero-based places in the list of the database."""
    places = _numbers(indices)
    if not places.size:
        return frozenset()
    if places.dtype.kind not in "iu" or places.min() < 0 or places.max() >= len(database):
        raise ValueError(f"places in the list of {len(database)} photographs: {places[:5]}")
    return frozenset(database[place] for place in places.tolist())


def _box(value: object) -> Box:
    x0, y0, x1, y1 = map(float, _numbers(value))
    if not (np.isfinite([x0, y0, x1, y1]).all() and x0 < x1 and y0 < y1):
        raise ValueError(f"the box {x0:g},{y0:g},{x1:g},{y1:g}")
    return x0, y0, x1, y1


def _numbers(value: object) -> NDArray[Any]:
    """What the file gives as an array or as a list, flat."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "iuf":
        return np.asarray(value).ravel()
    if isinstance(value, list | tuple) and all(isinstance(v, int | float | np.integer | np.floating) for v in value):
        return np.array(value)
    raise TypeError(f"numbers that are a {type(value).__name__}")
