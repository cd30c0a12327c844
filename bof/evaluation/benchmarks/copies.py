"""Copy detection in the layout of DISC21 (Douze et al. 2021): references, queries, and which is a copy of which."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from bof.errors import BenchmarkError
from bof.evaluation.benchmarks.types import README, Benchmark, BenchmarkQuery
from bof.images.listing import walk_images

TRUTH = "ground_truth.csv"
GROUPS = "groups.csv"


def load(root: Path) -> Benchmark:
    """References are the database; a query without a source tests rejection; groups.csv, if there, names attacks."""
    references, queries = _by_id(root / "references"), _by_id(root / "queries")
    sources: dict[Path, set[Path]] = {}
    for query, reference in _rows(root / TRUTH, "query_id", "reference_id"):
        if reference:  # DISC21 lists the queries that have no source with an empty field
            source = _find(reference, references, root / TRUTH)
            sources.setdefault(_find(query, queries, root / TRUTH), set()).add(source)
    groups = _groups(root / GROUPS, queries)
    listed = [
        BenchmarkQuery(path, frozenset(sources.get(path, ())), group=groups.get(path, ""))
        for path in sorted(set(queries.values()))
    ]
    return Benchmark(f"copies-{root.name}", sorted(set(references.values())), listed, pooled=True)


def _by_id(folder: Path) -> dict[str, Path]:
    """Pictures by file name, and by the name without its suffix."""
    paths = list(walk_images(folder)) if folder.is_dir() else []
    if not paths:
        raise BenchmarkError(path=folder, expected="pictures", found="none", advice=README)
    by_id: dict[str, Path] = {}
    for path in paths:
        for name in (path.name, path.stem):
            if by_id.setdefault(name, path) != path:
                expected = f"one picture called {name!r}"
                raise BenchmarkError(path=path, expected=expected, found="two", advice="rename one")
    return by_id


def _rows(file: Path, *header: str) -> list[tuple[str, str]]:
    """The pairs of a CSV file; a first line that repeats the header is passed over."""
    try:
        rows = list(csv.reader(file.read_text(encoding="utf-8-sig").splitlines(), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BenchmarkError(path=file, expected=f"a CSV file: {error}", advice=README) from error
    pairs = []
    for number, row in enumerate(rows, 1):
        if len(row) not in (0, 2):
            expected, found = ",".join(header), repr(",".join(row))
            raise BenchmarkError(f"line {number}", path=file, expected=expected, found=found)
        if row and (number > 1 or [cell.strip().lower() for cell in row] != list(header)):
            pairs.append((row[0].strip(), row[1].strip()))
    return pairs


def _find(name: str, by_id: Mapping[str, Path], file: Path) -> Path:
    if name not in by_id:
        expected = "names of pictures in queries/ and references/"
        raise BenchmarkError(path=file, expected=expected, found=repr(name), advice=README)
    return by_id[name]


def _groups(file: Path, queries: Mapping[str, Path]) -> dict[Path, str]:
    if not file.exists():
        return {}
    return {_find(query, queries, file): group for query, group in _rows(file, "query_id", "group")}
